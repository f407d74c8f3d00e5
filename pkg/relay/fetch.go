package relay

import (
	"cmp"
	"context"
	"slices"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
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

	ctx context.Context
	// fill bounds all waiting for publishers: by FILL_TIMEOUT, if there is one,
	// which ends at until.
	fill  context.Context
	until time.Time
}

// Fetch answers from the log if that knows the whole range, else asks a publisher
// for what is missing, unless somebody else asked already, and keeps what comes.
// Without a publisher it sends what the log has and marks what it does not know.
func (p *peer) Fetch(ctx context.Context, req *session.FetchRequest) {
	if !p.isReady() {
		return
	}
	p.counters.RequestsIn.Add(1)
	r := p.r
	f := &fetch{peer: p, req: req, rng: req.Range, ctx: ctx, fill: ctx}
	if d, ok := req.FillTimeout.Get(); ok {
		var cancel context.CancelFunc
		f.fill, cancel = context.WithTimeoutCause(ctx, d, errFilled)
		defer cancel()
		f.until = time.Now().Add(d)
	}
	r.mu.Lock()
	f.t = p.scope.trackLocked(r, req.Track)
	f.t.holdLocked()
	f.known, f.live = f.t.vouchedLocked(), f.t.flowsLocked()
	f.publishers = f.t.elsewhereLocked(p, f.t.fetchableLocked())
	r.mu.Unlock()
	defer f.t.release()
	f.largest = f.t.log.Largest()
	f.serve()
}

func (f *fetch) serve() {
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
		if cacheOnly {
			f.publishers = nil
		}
		f.hit()
	case len(f.publishers) > 0 && !cacheOnly:
		r.counters.FetchMisses.Add(1)
		log.Counters().FetchMisses.Add(1)
		f.stitch()
	case f.holds():
		f.fromLog()
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

// fromLog sends what the log has. What leaves it meanwhile is unknown.
func (f *fetch) fromLog() {
	f.publishers = nil
	f.hit()
}

// hit sends what the log has. What leaves it meanwhile is asked for.
func (f *fetch) hit() {
	f.clip(f.largest.Value)
	source := &stitched{f: f}
	defer source.close()
	source.begin(nothing, nil)
	info := session.FetchInfo{End: f.rng.End, EndOfTrack: f.t.log.EndsWith(f.rng.End), Properties: f.t.log.Properties()}
	f.answer(info, source, false)
}

// answer sends FETCH_OK and the stream.
func (f *fetch) answer(info session.FetchInfo, source egress.ObjectSource, passing bool) {
	source, err := hall.Answerable(f.ctx, f.peer.session, source)
	if err != nil {
		f.refuse(refusal(err))
		return
	}
	if f.req.Accept(info) == nil { // else it was cancelled
		f.send(source, passing)
	}
}

// send writes the fetch stream. The source of a passing fetch waits.
func (f *fetch) send(source egress.ObjectSource, passing bool) {
	priority, _ := f.t.log.Defaults()
	err := f.peer.sched.ServeFetch(f.ctx, egress.FetchOptions{
		RequestID: f.req.ID(), Order: f.req.Order, Priority: f.req.Priority, Default: priority, MarkUnknown: true, Prompt: passing,
		KeepImmutable: f.peer.r.cfg.KeepImmutable, OnRewrite: func() { f.peer.rewrote(f.t) },
	}, source)
	if err != nil {
		f.peer.log.Debug("fetch ended early", "track", f.t.name, "range", f.req.Range, "because", err)
	}
	f.req.Finish()
}
