package relay

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// fetch is a FETCH of a peer.
type fetch struct {
	peer *peer
	req  *session.FetchRequest
	t    *relayTrack
	rng  model.Range // no further than the largest location, if that is known

	largest model.Opt[model.Location] // in the log
	// known means that a publisher would have said if it had begun anew, so
	// that the log is of its present life; live, that largest is of now.
	known, live bool
	publishers  []*peer // to be asked, the best first
}

// Fetch answers from the log if that knows the whole range, else passes the
// request on to a publisher and keeps what comes. Without a publisher it sends
// what the log has and marks what it does not know.
func (p *peer) Fetch(ctx context.Context, req *session.FetchRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	f := &fetch{peer: p, req: req, rng: req.Range}
	r.mu.Lock()
	f.t = p.scope.trackLocked(r, req.Track)
	f.t.holdLocked()
	f.known, f.live = len(f.t.ups) > 0, f.t.flowsLocked()
	f.publishers = f.t.elsewhereLocked(p, f.t.fetchableLocked())
	r.mu.Unlock()
	defer f.t.release()
	f.largest = f.t.log.Largest()
	f.serve(ctx)
}

func (f *fetch) serve(ctx context.Context) {
	r, log := f.peer.r, f.t.log
	largest, some := f.largest.Get()
	if f.live && some {
		if largest.Less(f.rng.Start) {
			f.reject(model.InvalidRange, "the range begins after the largest object")
			return
		}
		f.clip(largest)
	}
	cacheOnly := f.req.FillTimeout.Set && f.req.FillTimeout.Value == 0
	switch {
	case f.known && some && !largest.Less(f.rng.End) && log.Covered(f.rng):
		r.counters.FetchHits.Add(1)
		log.Counters().FetchHits.Add(1)
		f.fromLog(ctx)
	case len(f.publishers) > 0 && !cacheOnly:
		r.counters.FetchMisses.Add(1)
		log.Counters().FetchMisses.Add(1)
		f.fromPublishers(ctx)
	case f.holds():
		f.fromLog(ctx)
	case len(f.publishers) > 0:
		f.reject(model.RequestTimeout, "nothing of the range is here, and there is no time to ask for it")
	default:
		f.refuse(errNoPublisher)
	}
}

func (f *fetch) reject(code model.RequestCode, reason string) {
	f.refuse(&model.RequestError{Code: code, Reason: reason})
}

func (f *fetch) refuse(err error) {
	f.peer.refused("FETCH", f.req.Track, err)
	_ = f.req.Reject(err) // the peer may have left
}

// clip makes the range end no later than l.
func (f *fetch) clip(l model.Location) {
	if l.Less(f.rng.End) {
		f.rng.End = l
	}
}

// holds reports whether anything of the range may be in the log.
func (f *fetch) holds() bool {
	largest, some := f.largest.Get()
	return some && !largest.Less(f.rng.Start)
}

// fetchableLocked returns the publishers that may be asked for the past of the
// track: those that send it first, and of those the ones that came last, since
// one that was there before may have died without a word.
func (t *relayTrack) fetchableLocked() []*peer {
	var all []*peer
	for p := range t.ups {
		if p.takesRequests() {
			all = append(all, p)
		}
	}
	for p := range t.candidatesLocked() {
		if t.ups[p] == nil {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *peer) int {
		switch sendsA, sendsB := t.ups[a] != nil, t.ups[b] != nil; {
		case sendsA && !sendsB:
			return -1
		case sendsB && !sendsA:
			return 1
		}
		return cmp.Compare(b.number, a.number)
	})
	return all
}

// fromLog sends what the log has.
func (f *fetch) fromLog(ctx context.Context) {
	f.clip(f.largest.Value)
	reader := f.t.log.Range(f.rng, f.req.Order)
	defer reader.Close()
	info := session.FetchInfo{End: f.rng.End, Properties: f.t.log.Properties()}
	_ = f.answer(ctx, info, egress.FromLog(reader), false) // it logs
}

// answer sends FETCH_OK and the stream.
func (f *fetch) answer(ctx context.Context, info session.FetchInfo, source egress.ObjectSource, passing bool) error {
	source, err := hall.Answerable(ctx, f.peer.session, source)
	if err != nil {
		f.refuse(refusal(err))
		return err
	}
	if err := f.req.Accept(info); err != nil {
		return err // cancelled
	}
	return f.send(ctx, source, passing)
}

// send writes the fetch stream. The source of a passing fetch waits.
func (f *fetch) send(ctx context.Context, source egress.ObjectSource, passing bool) error {
	priority, _ := f.t.log.Defaults()
	err := f.peer.sched.ServeFetch(ctx, egress.FetchOptions{
		RequestID: f.req.ID(), Order: f.req.Order, Priority: f.req.Priority, Default: priority, MarkUnknown: true, Prompt: passing,
		KeepImmutable: f.peer.r.cfg.KeepImmutable, OnRewrite: func() { f.peer.rewrote(f.t) },
	}, source)
	if err != nil {
		f.peer.log.Debug("fetch ended early", "track", f.t.name, "range", f.req.Range, "because", err)
	}
	f.req.Finish()
	return err
}

// nextPublisher is how long a publisher may take to answer a fetch while there
// is another to be asked.
const nextPublisher = 500 * time.Millisecond

// errFilled ends the wait for publishers when the peer's FILL_TIMEOUT does.
var errFilled = errors.New("the fill timeout of the fetch has passed")

// fromPublishers asks one publisher after the other until one accepts.
func (f *fetch) fromPublishers(ctx context.Context) {
	fill := ctx // bounds all waiting for publishers
	if d, ok := f.req.FillTimeout.Get(); ok {
		var cancel context.CancelFunc
		fill, cancel = context.WithTimeoutCause(ctx, d, errFilled)
		defer cancel()
	}
	var refused error
	for i, pub := range f.publishers {
		patience := f.peer.r.cfg.UpstreamTimeout
		if i < len(f.publishers)-1 {
			patience = min(patience, nextPublisher)
		}
		up, info, err := f.ask(fill, pub, patience)
		if err == nil {
			f.pass(ctx, fill, pub, up, info)
			return
		}
		refused = err
		pub.log.Debug("upstream fetch refused", "track", f.t.name, "range", f.rng, "because", err)
	}
	switch {
	case ctx.Err() != nil: // cancelled
	case f.known && f.holds(): // many publishers do not serve fetches; what passed here is something
		f.fromLog(ctx)
	case errors.Is(refused, errFilled):
		f.reject(model.RequestTimeout, errFilled.Error())
	case errors.Is(refused, errNoAnswer):
		f.reject(model.RequestTimeout, errNoAnswer.Error())
	default:
		f.refuse(refusal(refused))
	}
}

// ask makes the request of one publisher and waits for the answer.
func (f *fetch) ask(ctx context.Context, pub *peer, patience time.Duration) (*session.Fetch, session.FetchInfo, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNoAnswer)
	defer cancel()
	pub.counters.RequestsOut.Add(1)
	f.peer.note(slog.LevelInfo, observe.KindFetch, f.t, "fetch upstream", "range", f.rng, "publisher", pub.id)
	up, err := pub.session.Fetch(ctx, session.FetchOptions{Track: f.req.Track, Range: f.rng, Order: f.req.Order, FillTimeout: f.req.FillTimeout})
	if err != nil {
		return nil, session.FetchInfo{}, err
	}
	info, err := up.OK(ctx)
	if err != nil {
		up.Cancel()
	}
	return up, info, err
}

// pass sends what comes from a publisher and what the log has beside it.
func (f *fetch) pass(ctx, fill context.Context, pub *peer, up *session.Fetch, info session.FetchInfo) {
	defer up.Cancel()
	theirEnd := info.End
	if largest, some := f.largest.Get(); f.known && some && info.End.Less(largest) {
		info.End = largest
	}
	f.clip(info.End)
	info.End = f.rng.End
	if !f.known {
		// Without a subscription nobody tells whether the publisher has begun
		// anew, and the log may be of an earlier life of the track.
		_ = f.answer(ctx, info, f.within(fill, hall.Passing(up, pub.session, nil, f.rng.Start), theirEnd, nil), true) // it logs
		return
	}
	log := f.t.log.BeginFill()
	defer log.Close()
	held := f.t.log.Range(f.rng, f.req.Order)
	defer held.Close()
	theirs := f.within(fill, hall.Passing(up, pub.session, log, f.rng.Start), theirEnd, log)
	f.malformed(pub, f.answer(ctx, info, hall.Merged(theirs, held, f.req.Order), true))
}
