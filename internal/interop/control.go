package interop

import (
	"context"
	"fmt"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// Names that the specifications of the cases give. Many clients use them at the
// same relay, one after the other.
var (
	testNamespace = model.Namespace{"moq-test", "interop"}
	testTrack     = model.FullTrackName{Namespace: testNamespace, Name: "test-track"}
	missingTrack  = model.FullTrackName{Namespace: model.Namespace{"nonexistent", "namespace"}, Name: "test-track"}
	lonelyTrack   = model.FullTrackName{Namespace: model.Namespace{"nonexistent", "rendezvous"}, Name: "test-track"}
)

const (
	publishNamespaceOK = "PUBLISH_NAMESPACE_OK"
	subscribeOK        = "SUBSCRIBE_OK"
	requestError       = "REQUEST_ERROR"
)

// setupOnly: SETUP both ways.
func setupOnly(s *scene) error {
	_, err := s.connect(client, nil)
	if err != nil {
		return err
	}
	return s.pause(settling)
}

// announceOnly: a namespace is published.
func announceOnly(s *scene) error {
	p, err := s.connect(publisher, nil)
	if err != nil {
		return err
	}
	_, err = s.announce(p, testNamespace)
	return err
}

// announce publishes a namespace.
func (s *scene) announce(p *actor, ns model.Namespace) (*session.PublishedNamespace, error) {
	published, err := p.session.PublishNamespace(s.ctx, ns)
	return published, instead(publishNamespaceOK, err)
}

// publishNamespaceDone: a namespace is published and withdrawn.
func publishNamespaceDone(s *scene) error {
	p, err := s.connect(publisher, nil)
	if err != nil {
		return err
	}
	published, err := s.announce(p, testNamespace)
	if err != nil {
		return err
	}
	published.Withdraw()
	return s.pause(settling)
}

// subscribeError: what nobody publishes cannot be subscribed to.
func subscribeError(s *scene) error {
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	_, err = sub.session.Subscribe(s.ctx, session.SubscribeOptions{Track: missingTrack}, new(collector))
	if err == nil {
		return &Failure{Expected: requestError, Received: subscribeOK}
	}
	if _, refused := refusal(err); !refused {
		return instead(requestError, err)
	}
	return nil
}

// rendezvous is how long a SUBSCRIBE waits in the case about waiting in vain,
// and patience in those where a publisher comes.
const (
	rendezvous = 500 * time.Millisecond
	patience   = 5 * time.Second
)

var errNoRendezvous = &errSkip{"this draft has no RENDEZVOUS_TIMEOUT"}

// rendezvousTimeout: a SUBSCRIBE that waits for a publisher in vain is refused
// with TIMEOUT. The relay may wait less long than it is asked to.
func rendezvousTimeout(s *scene) error {
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	if !sub.session.CanRendezvous() {
		return errNoRendezvous
	}
	const expected = requestError + " with TIMEOUT"
	_, err = sub.session.Subscribe(s.ctx, session.SubscribeOptions{Track: lonelyTrack, Rendezvous: rendezvous}, new(collector))
	if err == nil {
		return &Failure{Expected: expected, Received: subscribeOK}
	}
	if code, refused := refusal(err); !refused || code != model.RequestTimeout {
		return instead(expected, err)
	}
	return nil
}

// announceSubscribe: a SUBSCRIBE finds the publisher of its namespace.
func announceSubscribe(s *scene) error {
	source := newOrigin(testTrack)
	p, err := s.connect(publisher, source)
	if err != nil {
		return err
	}
	if _, err := s.announce(p, testNamespace); err != nil {
		return err
	}
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	if _, err := sub.session.Subscribe(s.ctx, session.SubscribeOptions{Track: testTrack}, new(collector)); err != nil {
		return instead(subscribeOK, err)
	}
	_, err = source.subscription(s)
	return err
}

// announceDelay is how much later than the subscriber the publisher comes.
const announceDelay = 500 * time.Millisecond

// subscribeBeforeAnnounce: a SUBSCRIBE for which there is no publisher yet is
// either refused or answered when there is one; both are right.
func subscribeBeforeAnnounce(s *scene) error {
	const either = subscribeOK + " or " + requestError
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	answered := make(chan error, 1)
	s.tasks.Go(func() {
		_, err := sub.session.Subscribe(s.ctx, session.SubscribeOptions{Track: testTrack}, new(collector))
		answered <- err
	})
	if err := s.pause(announceDelay); err != nil {
		return err
	}
	p, err := s.connect(publisher, newOrigin(testTrack))
	if err != nil {
		return err
	}
	if _, err := s.announce(p, testNamespace); err != nil {
		return err
	}
	err = <-answered
	if _, refused := refusal(err); refused {
		return nil
	}
	return instead(either, err)
}

// subscribeNamespaceLifecycle: a subscriber of a namespace learns that it is
// published, and that it is withdrawn.
func subscribeNamespaceLifecycle(s *scene) error {
	ns := model.Namespace{"moq-interop", "subscribe-namespace-lifecycle", runID()}
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	news := make(chan string, 2) // what is reported of ns; more than that is wrong anyway
	report := func(suffix model.Namespace, live bool) {
		what := "NAMESPACE_DONE"
		if live {
			what = "NAMESPACE"
		}
		if len(suffix) > 0 {
			what += fmt.Sprintf(" of %v below it", suffix)
		}
		select {
		case news <- what:
		default:
		}
	}
	if _, err := sub.session.SubscribeNamespace(s.ctx, ns, report); err != nil {
		return instead("SUBSCRIBE_NAMESPACE_OK", err)
	}
	p, err := s.connect(publisher, nil)
	if err != nil {
		return err
	}
	published, err := s.announce(p, ns)
	if err != nil {
		return err
	}
	if err := s.hear(sub, "NAMESPACE", news); err != nil {
		return err
	}
	published.Withdraw()
	return s.hear(sub, "NAMESPACE_DONE", news)
}

// hear waits for news of a namespace.
func (s *scene) hear(a *actor, expected string, news <-chan string) error {
	select {
	case got := <-news:
		if got != expected {
			return &Failure{Expected: expected, Received: got}
		}
		return nil
	case <-a.session.Context().Done():
		return instead(expected, a.session.Err())
	case <-s.ctx.Done():
		return instead(expected, context.Cause(s.ctx))
	}
}

// origin is the publisher of a track that waits for SUBSCRIBE.
type origin struct {
	session.Refuse
	track model.FullTrackName
	asked chan *outflow
}

func newOrigin(track model.FullTrackName) *origin {
	return &origin{track: track, asked: make(chan *outflow, 1)}
}

// Subscribe accepts a subscription to the track. Only the first is served:
// there is one relay.
func (o *origin) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	if !r.Track.Equal(o.track) {
		_ = r.Reject(&model.RequestError{Code: model.DoesNotExist, Reason: "no such track in this case"})
		return
	}
	flow := newOutflow()
	out, err := r.Accept(session.Offer{}, flow.update)
	if err != nil {
		return // it was cancelled meanwhile
	}
	flow.begin(out)
	select {
	case o.asked <- flow:
	default:
	}
}

// subscription waits for the relay's SUBSCRIBE.
func (o *origin) subscription(s *scene) (*outflow, error) {
	select {
	case flow := <-o.asked:
		return flow, nil
	case <-s.ctx.Done():
		return nil, instead(fmt.Sprintf("the relay's SUBSCRIBE of %v at the publisher", o.track), context.Cause(s.ctx))
	}
}
