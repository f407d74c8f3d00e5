package inspect

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// receiver puts the objects of one subscription into the log.
type receiver struct {
	t   *subject
	v   *visit
	log *track.Track

	// ready is closed when the log is: whether the publisher began anew is in the
	// relay's answer, which data may overtake.
	ready   chan struct{}
	refused bool // set before ready is closed: the objects are not wanted
	broken  sync.Once
}

// receiverLocked returns a receiver for a new subscription.
func (t *subject) receiverLocked(v *visit) *receiver {
	if t.log == nil {
		t.log = track.New(track.Config{Budget: t.i.budget, MaxGroups: MaxGroups, Settle: overtakeTime})
	}
	return &receiver{t: t, v: v, log: t.log, ready: make(chan struct{})}
}

// admit lets objects in, or none.
func (r *receiver) admit(refused bool) {
	r.refused = refused
	close(r.ready)
}

// ReceiveSubgroup puts one stream into the log.
func (r *receiver) ReceiveSubgroup(s *session.SubgroupReader) {
	select {
	case <-r.ready:
	case <-r.v.s.Context().Done():
		return
	}
	if r.refused {
		s.Cancel(model.ResetCancelled)
		return
	}
	r.note(hall.Store(s, r.log, &r.v.counters))
}

// ReceiveDatagram puts one object into the log. Those that overtake the answer to
// our request are lost, as datagrams may be.
func (r *receiver) ReceiveDatagram(d *session.Datagram) {
	select {
	case <-r.ready:
	default:
		return
	}
	if !r.refused {
		r.note(hall.StoreDatagram(r.v.s, d, r.log, &r.v.counters))
	}
}

// note tells of a track that contradicts itself, once.
func (r *receiver) note(err error) {
	if _, bad := errors.AsType[*track.MalformedError](err); bad {
		r.broken.Do(func() {
			r.t.i.note(slog.LevelWarn, observe.KindTrack, r.t, "the track is malformed", "because", err)
		})
	}
}

// receive has objects sent until ctx ends or the subscription does. worked says
// that the relay had accepted it.
func (t *subject) receive(ctx context.Context, v *visit) (worked bool, err error) {
	i := t.i
	i.mu.Lock()
	o, recv := t.offer, t.receiverLocked(v)
	probe := t.follows && !t.named && t.looked == nil
	i.mu.Unlock()
	if o != nil && o.in.Session() == v.s {
		return t.resume(ctx, v, o)
	}
	if probe {
		select {
		case i.requests <- struct{}{}:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	asking, cancel := context.WithTimeoutCause(ctx, AnswerTime, errNoAnswer)
	v.counters.RequestsOut.Add(1)
	in, err := v.s.Subscribe(asking, session.SubscribeOptions{
		Track: t.name, Change: session.Change{Filter: model.Some(model.NextObject)},
	}, recv)
	cancel()
	if probe {
		<-i.requests
	}
	if err != nil {
		recv.admit(true)
		return false, err
	}
	defer in.Cancel(model.ResetCancelled)
	t.adopt(in, true)
	recv.admit(false)
	var group func(context.Context)
	if largest, some := in.Offer.Largest.Get(); some {
		group = func(ctx context.Context) {
			t.fetch(ctx, v, session.FetchOptions{Track: t.name, Join: &session.Join{To: in, Relative: true}}, upTo(largest))
		}
	}
	return true, t.follow(ctx, in, group)
}

// resume has the objects of a track sent that the relay publishes, until nobody
// wants them any more.
func (t *subject) resume(ctx context.Context, v *visit, o *offer) (worked bool, err error) {
	i := t.i
	i.mu.Lock()
	told := o.told
	i.mu.Unlock()
	largest := o.in.Offer.Largest
	if !told {
		if largest, err = t.forward(ctx, v, o, true); err != nil {
			return false, err
		}
	}
	i.mu.Lock()
	t.state, t.because, t.in = isLive, "", o.in
	i.mu.Unlock()
	var group func(context.Context)
	if l, some := largest.Get(); some {
		group = func(ctx context.Context) {
			t.fetch(ctx, v, session.FetchOptions{Track: t.name, Range: upTo(l)}, upTo(l))
		}
	}
	err = t.follow(ctx, o.in, group)
	if o.in.Context().Err() == nil {
		if _, err := t.forward(v.s.Context(), v, o, false); err != nil {
			i.note(slog.LevelWarn, observe.KindTrack, t, "the relay does not stop sending", "because", err)
		}
	}
	return true, err
}

// forward tells the relay whether to send objects.
func (t *subject) forward(ctx context.Context, v *visit, o *offer, want bool) (largest model.Opt[model.Location], err error) {
	asking, cancel := context.WithTimeoutCause(ctx, AnswerTime, errNoAnswer)
	defer cancel()
	v.counters.RequestsOut.Add(1)
	if largest, err = o.in.Update(asking, session.Change{Forward: model.Some(want)}); err != nil {
		return largest, err
	}
	t.i.mu.Lock()
	o.told = want
	t.i.mu.Unlock()
	if want {
		t.begins(largest, false)
	}
	return largest, nil
}

// upTo is what there is of the present group.
func upTo(largest model.Location) model.Range {
	return model.Range{Start: model.Location{Group: largest.Group}, End: largest}
}

// adopt makes the log ready for a subscription that the relay has accepted.
func (t *subject) adopt(in *session.Inbound, flows bool) {
	theirs, some := in.Offer.Largest.Get()
	ours, seen := t.log.Largest().Get()
	anew := seen && (!some || theirs.Less(ours))
	if anew {
		t.log.NewEpoch(model.DoneTrackEnded, "the publisher began anew")
		t.i.note(slog.LevelWarn, observe.KindTrack, t, "the publisher began anew", "was", ours, "is", known(in.Offer.Largest))
	}
	t.log.Reopen()
	t.log.SetProperties(in.Offer.Properties)
	t.study.begin(in.Offer, anew)
	if flows {
		t.begins(in.Offer.Largest, true)
	} else if some {
		t.log.ObserveLargest(theirs)
	}
	t.i.mu.Lock()
	defer t.i.mu.Unlock()
	t.had, t.in, t.because, t.state = true, in, "", isPaused
	if flows {
		t.state = isLive
	}
}

// begins tells the log from where on everything comes. In an answer to
// REQUEST_UPDATE many leave the largest location out although there is one, so
// that it is not certain then that nothing was published.
func (t *subject) begins(largest model.Opt[model.Location], certain bool) {
	l, some := largest.Get()
	switch {
	case some:
		t.log.LiveFrom(l.Next())
		t.log.ObserveLargest(l)
	case certain:
		t.log.LiveFrom(model.Location{})
	default:
		t.log.LiveFromNext()
	}
	t.study.resume(t.log.Largest())
}

// follow waits for the end of a subscription or of ctx, and has the present group
// fetched meanwhile.
func (t *subject) follow(ctx context.Context, in *session.Inbound, group func(context.Context)) error {
	fetching, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	if group != nil {
		work.Go(func() { group(fetching) })
	}
	select {
	case <-in.Context().Done():
	case <-ctx.Done():
	}
	stop()
	work.Wait()
	t.log.LiveStopped()
	t.i.mu.Lock()
	t.in = nil
	t.i.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return context.Cause(in.Context())
}

// fetch puts a range into the log.
func (t *subject) fetch(ctx context.Context, v *visit, o session.FetchOptions, r model.Range) {
	fill := t.log.BeginFill()
	defer fill.Close()
	v.counters.RequestsOut.Add(1)
	f, err := v.s.Fetch(ctx, o)
	if err != nil {
		t.unfetched(ctx, err)
		return
	}
	source, whole := hall.Passing(f, v.s, fill, r.Start), true
	for {
		item, err := source.Next(ctx)
		switch {
		case err == io.EOF && whole:
			fill.MarkKnown(r)
			return
		case err == io.EOF:
			return
		case err != nil:
			f.Cancel()
			t.unfetched(ctx, err)
			return
		}
		whole = whole && item.Object != nil
	}
}

// unfetched tells that the present group is known from now on only.
func (t *subject) unfetched(ctx context.Context, err error) {
	if ctx.Err() == nil {
		t.i.note(slog.LevelDebug, observe.KindFetch, t, "the present group cannot be fetched", "because", err)
	}
}
