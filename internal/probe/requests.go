package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// maxListed is how many namespaces are named in a report.
const maxListed = 20

// nowhere returns a namespace that nobody else publishes.
func nowhere() model.Namespace {
	return model.Namespace{"oxymoq-probe", rand.Text()}
}

// question is one request that a server is asked. It returns how to take back
// what was granted, and what else there is to tell of it; both may be nil.
type question struct {
	name string
	ask  func(ctx context.Context, s *session.Session) (undo func(), detail func() string, err error)
}

// questions are those of Probe. Nobody else uses the namespace; what the server
// lists of its own goes to listed.
func (o *Options) questions(ctx context.Context, ns model.Namespace, listed *listing) []question {
	nobody := model.FullTrackName{Namespace: ns.Join(model.Namespace{"nobody"}), Name: "nothing"}
	return []question{
		{"TRACK_STATUS of no track", func(ctx context.Context, s *session.Session) (func(), func() string, error) {
			_, err := s.TrackStatus(ctx, nobody)
			return nil, nil, err
		}},
		{"SUBSCRIBE to no track", func(ctx context.Context, s *session.Session) (func(), func() string, error) {
			in, err := s.Subscribe(ctx, session.SubscribeOptions{Track: nobody}, deaf{})
			if err != nil {
				return nil, nil, err
			}
			return func() { in.Cancel(model.ResetCancelled) }, nil, nil
		}},
		{"SUBSCRIBE_NAMESPACE of all", func(within context.Context, s *session.Session) (func(), func() string, error) {
			sub, err := s.SubscribeNamespace(within, nil, listed.report)
			aside := ""
			if !o.wasAsked(s, err) {
				sub, err = s.SubscribeNamespace(within, ns[:1], listed.report)
				aside = fmt.Sprintf("only of %v, since this draft has no empty prefix", ns[:1])
			}
			if err != nil {
				return nil, func() string { return aside }, err
			}
			return sub.Cancel, func() string {
				o.watch(ctx, s)
				return strings.TrimPrefix(aside+"; "+listed.count(), "; ")
			}, nil
		}},
		{"PUBLISH_NAMESPACE", func(ctx context.Context, s *session.Session) (func(), func() string, error) {
			p, err := s.PublishNamespace(ctx, ns.Join(model.Namespace{"somebody"}))
			if err != nil {
				return nil, nil, err
			}
			return p.Withdraw, nil, nil
		}},
		{"PUBLISH", func(ctx context.Context, s *session.Session) (func(), func() string, error) {
			p, err := s.Publish(ctx, session.PublishOptions{Track: model.FullTrackName{Namespace: ns, Name: "nothing"}})
			if err != nil {
				return nil, nil, err
			}
			return func() { _ = p.Done(model.DoneTrackEnded, "", model.Some(uint64(0))) }, func() string {
				return fmt.Sprintf("forward %v", p.Terms().Forward)
			}, nil
		}},
	}
}

// ask makes requests of all kinds, one after the other. Some servers end the
// session at one that they do not like; the next is then made in another, which
// again makes.
func (o *Options) ask(ctx context.Context, s *session.Session, again func() *attempt, to *Offer) {
	listed := &listing{}
	for _, q := range o.questions(ctx, nowhere(), listed) {
		if s.Context().Err() != nil && ctx.Err() == nil {
			next := again()
			defer next.close()
			if next.session == nil {
				to.Requests = append(to.Requests, Request{Name: q.name, Outcome: NotAsked, Detail: "there is no session any more: " + o.sentence(next.closure())})
				break
			}
			s = next.session
		}
		to.Requests = append(to.Requests, o.answer(ctx, s, q))
	}
	to.Namespaces, to.More = listed.names()
}

// answer makes one request.
func (o *Options) answer(ctx context.Context, s *session.Session, q question) Request {
	within, cancel := within(ctx, o.answerTime())
	defer cancel()
	began := time.Now()
	undo, detail, err := q.ask(within, s)
	took := time.Since(began)
	r := Request{Name: q.name}
	r.Outcome, r.Detail = o.outcome(s, err)
	if detail != nil {
		r.Detail = strings.Trim(r.Detail+" "+detail(), " ")
	}
	if r.Outcome == Taken || r.Outcome == Refused {
		r.MS = msp(took)
	}
	if undo != nil {
		undo()
	}
	return r
}

// outcome puts the result of a request into words.
func (o *Options) outcome(s *session.Session, err error) (Outcome, string) {
	refusal, refused := errors.AsType[*model.RequestError](err)
	switch {
	case err == nil:
		return Taken, ""
	case s.Context().Err() != nil:
		return Ended, o.sentence(s.Err())
	case refused && refusal.Remote:
		detail := refusal.Code.String()
		if refusal.Reason != "" {
			detail += fmt.Sprintf(" %q", refusal.Reason)
		}
		return Refused, detail
	case errors.Is(err, transport.ErrNoCredit):
		return NotAsked, "the server allows no further request"
	case isWaited(err), errors.Is(err, context.DeadlineExceeded):
		return Silence, fmt.Sprintf("within %v", o.answerTime())
	case errors.Is(err, session.ErrGoingAway):
		return NotAsked, "the server is going away"
	}
	if e, ok := errors.AsType[*model.StreamError](err); ok && e.Remote {
		return Refused, fmt.Sprintf("by resetting the stream with %v", e.Code)
	}
	return NotAsked, err.Error()
}

// wasAsked reports whether a request that ended with err went out at all, or was
// held back for a reason that other requests have too.
func (o *Options) wasAsked(s *session.Session, err error) bool {
	outcome, _ := o.outcome(s, err)
	return outcome != NotAsked || errors.Is(err, transport.ErrNoCredit) || errors.Is(err, session.ErrGoingAway)
}

// deaf is the receiver of a subscription that wants no objects.
type deaf struct{}

// ReceiveSubgroup refuses the stream.
func (deaf) ReceiveSubgroup(r *session.SubgroupReader) { r.Cancel(model.ResetCancelled) }

// ReceiveDatagram drops the object.
func (deaf) ReceiveDatagram(*wire.Datagram) {}

// listing is what a server lists of its namespaces.
type listing struct {
	mu    sync.Mutex
	first []string
	all   int
}

// report is of SubscribeNamespace.
func (l *listing) report(suffix model.Namespace, live bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !live {
		return
	}
	l.all++
	if len(l.first) < maxListed {
		l.first = append(l.first, suffix.String())
	}
}

func (l *listing) count() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == 1 {
		return "it lists 1 namespace"
	}
	return fmt.Sprintf("it lists %d namespaces", l.all)
}

func (l *listing) names() (first []string, more int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first, l.all - len(l.first)
}
