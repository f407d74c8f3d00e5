package interop

import (
	"context"
	"errors"
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// The tracks and payloads of the first two cases have the names that the
// runner's specification gives them; the two after them, which it has for their
// successors, use names of their own in each run.
var publishedTrack = model.FullTrackName{Namespace: model.Namespace{"moq-test", "publish"}, Name: "published-track"}

func publishTrackOnly(s *scene) error {
	return s.publishAlone(publishedTrack, "moqt18-publish-track-only")
}

func publishTrackSubscribe(s *scene) error {
	return s.publishAndSubscribe(publishedTrack, single("moqt18-publish-track-subscribe"), false)
}

func publishWithoutSubscriber(s *scene) error {
	const id = "publish-without-subscriber"
	return s.publishAlone(ownTrack(id), id)
}

func publishToPendingSubscription(s *scene) error {
	const id = "publish-to-pending-subscription"
	return s.publishAndSubscribe(ownTrack(id), single(id), true)
}

// ownTrack names a track of this run.
func ownTrack(id string) model.FullTrackName {
	return model.FullTrackName{Namespace: model.Namespace{"moq-interop", id, runID()}, Name: "test"}
}

// single is one object, the first of its track.
func single(payload string) []object {
	return []object{{priority: model.DefaultPriority, payload: payload}}
}

const (
	publishOK = "PUBLISH_OK"
	trackDone = "PUBLISH_DONE with TRACK_ENDED"
)

// outflow is a subscription through which objects are sent, once the relay wants
// them.
type outflow struct {
	out     *session.Outbound
	once    sync.Once
	forward chan struct{} // closed when the forwarding state is 1
}

func newOutflow() *outflow { return &outflow{forward: make(chan struct{})} }

// update is told of new terms of the subscription.
func (o *outflow) update(_, next session.Terms, _ model.Opt[uint64]) error {
	if next.Forward {
		o.once.Do(func() { close(o.forward) })
	}
	return nil
}

// begin sets the subscription.
func (o *outflow) begin(out *session.Outbound) {
	o.out = out
	_ = o.update(session.Terms{}, out.Terms(), model.Opt[uint64]{}) // it never fails
}

// wanted waits until objects may be sent.
func (s *scene) wanted(o *outflow) error {
	if err := s.wait("the forwarding state 1 for the publisher", o.forward); err != nil {
		return err
	}
	o.out.Settled(func(session.Terms) {}) // an update is answered before objects come
	return nil
}

// publish offers a track.
func (s *scene) publish(p *actor, track model.FullTrackName) (*outflow, error) {
	o := newOutflow()
	out, err := p.session.Publish(s.ctx, session.PublishOptions{Track: track, OnUpdate: o.update})
	if err != nil {
		return nil, instead(publishOK, err)
	}
	o.begin(out)
	return o, nil
}

// end ends a track after its streams.
func (s *scene) end(out *session.Outbound, streams uint64) error {
	return instead("the request to stay open until PUBLISH_DONE", out.Done(model.DoneTrackEnded, "", model.Some(streams)))
}

// publishAlone: a track to which nobody subscribes is published. What is sent
// depends on the forwarding state of PUBLISH_OK.
func (s *scene) publishAlone(track model.FullTrackName, payload string) error {
	p, err := s.connect(publisher, nil)
	if err != nil {
		return err
	}
	o, err := s.publish(p, track)
	if err != nil {
		return err
	}
	var streams uint64
	if o.out.Terms().Forward {
		if streams, err = s.send(o.out, single(payload), 0); err != nil {
			return err
		}
	}
	if err := s.end(o.out, streams); err != nil {
		return err
	}
	return s.pause(settling)
}

// publishAndSubscribe: what is published reaches a subscriber, and so does
// PUBLISH_DONE with the number of streams. The subscriber comes first, and waits
// for the publisher; where the draft has no way to say so, the case is skipped if
// it must, or else the publisher comes first.
func (s *scene) publishAndSubscribe(track model.FullTrackName, objects []object, must bool) error {
	got := new(collector)
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	waits := sub.session.CanRendezvous()
	if !waits && must {
		return errNoRendezvous
	}
	var p *actor
	var o *outflow
	offered := func() (err error) {
		if p, err = s.connect(publisher, nil); err == nil {
			o, err = s.publish(p, track)
		}
		return err
	}
	in, err := s.meet(sub, track, got, waits, offered)
	if err != nil {
		return err
	}
	if err := s.wanted(o); err != nil {
		return err
	}
	streams, err := s.send(o.out, objects, fixtureCadence)
	if err != nil {
		return err
	}
	if err := s.end(o.out, streams); err != nil {
		return err
	}
	return s.delivered(sub, in, got, objects, model.Some(streams))
}

// meet makes both ends of a subscription, in this order if the subscriber waits,
// else in the other.
func (s *scene) meet(sub *actor, track model.FullTrackName, got *collector, waits bool, offered func() error) (*session.Inbound, error) {
	opts := session.SubscribeOptions{Track: track}
	if !waits {
		if err := offered(); err != nil {
			return nil, err
		}
		in, err := sub.session.Subscribe(s.ctx, opts, got)
		return in, instead(subscribeOK, err)
	}
	opts.Rendezvous = patience
	var in *session.Inbound
	var answer error // both are of the goroutine until answered is closed
	answered := make(chan struct{})
	s.tasks.Go(func() {
		defer close(answered)
		in, answer = sub.session.Subscribe(s.ctx, opts, got)
	})
	select {
	case <-sub.asked:
	case <-answered: // it may have failed before it was sent
	}
	if err := offered(); err != nil {
		return nil, err
	}
	<-answered
	return in, instead(subscribeOK, answer)
}

// delivered waits for the end of a subscription and compares what has come.
// streams is the number that PUBLISH_DONE must have, absent if that is up to the
// relay.
func (s *scene) delivered(sub *actor, in *session.Inbound, got *collector, want []object, streams model.Opt[uint64]) error {
	select {
	case <-in.Context().Done():
	case <-s.ctx.Done():
		return &Failure{Expected: trackDone, Received: received(context.Cause(s.ctx)), Message: got.progress(want)}
	}
	cause := context.Cause(in.Context())
	if done, ok := errors.AsType[*model.DoneError](cause); !ok || done.Code != model.DoneTrackEnded {
		return &Failure{Expected: trackDone, Received: received(cause), Message: got.progress(want)}
	}
	n, fixed := streams.Get()
	done, _ := sub.publishDone().Get()
	count, told := done.StreamCount.Get()
	wrongCount := &Failure{Expected: "PUBLISH_DONE with a Stream Count of " + number(n), Received: countOf(done.StreamCount), Message: got.progress(want)}
	if fixed && told && count < n {
		return wrongCount // what is missing was cut off for it
	}
	if err := got.compare(want); err != nil {
		return err
	}
	if fixed && (!told || count != n) {
		return wrongCount
	}
	if came := got.streamCount(); fixed && came != n {
		return &Failure{Expected: plural(n, "stream") + ", as the Stream Count of PUBLISH_DONE says", Received: plural(came, "stream")}
	}
	return nil
}

func countOf(n model.Opt[uint64]) string {
	if v, told := n.Get(); told {
		return "it with a Stream Count of " + number(v)
	}
	return "it with a Stream Count that tells nothing"
}
