package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// TestPublishCrossesSubscribe: the peer publishes a track while our SUBSCRIBE of
// it is on its way. The peer will refuse that, so its PUBLISH must be taken.
func TestPublishCrossesSubscribe(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		failed := make(chan error, 1)
		go func() {
			_, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, h)
			failed <- err
		}()
		ours, _ := p.accept()
		theirs := p.request(&wire.Publish{RequestID: p.id(), Track: dateTrack, TrackAlias: 7})
		r := <-h.publishes
		if err := <-failed; !errors.Is(err, ErrSuperseded) {
			t.Errorf("our SUBSCRIBE ended with %v", err)
		}
		synctest.Wait()
		if ours.Context().Err() == nil {
			t.Error("our SUBSCRIBE is not cancelled")
		}
		if _, err := r.Accept(Change{}, h); err != nil {
			t.Fatal(err)
		}
		want[*wire.RequestOK](t, "PUBLISH", theirs.next())
		ours.answer(&wire.RequestError{Code: model.DuplicateSubscription}) // it crosses the cancellation
		p.uni(unhex(t, "10 07 0b 80  00 02 6869")).Close()
		if got := h.drained(); got != "11/0 hi, end" {
			t.Errorf("received %s", got)
		}
	})
}

// TestPublishOfSubscribedTrack: once our SUBSCRIBE was answered it stays.
func TestPublishOfSubscribedTrack(t *testing.T) {
	h := newRecorder()
	startEach(t, answeringDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		in, _ := subscribed(t, s, p, h)
		theirs := p.request(&wire.Publish{RequestID: p.id(), Track: dateTrack, TrackAlias: 8})
		if e := want[*wire.RequestError](t, "PUBLISH", theirs.next()); e.Code != model.DuplicateSubscription {
			t.Errorf("refused with %v", e.Code)
		}
		if in.Context().Err() != nil {
			t.Error("the subscription ended")
		}
	})
}

// TestResumedSubscriptionIsToldTheLargestOfThen: whoever owns the subscription
// may have to wait for its own publisher before it knows.
func TestResumedSubscriptionIsToldTheLargestOfThen(t *testing.T) {
	h := newRecorder()
	startEach(t, answeringDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack, Params: wire.Params{Forward: model.Some(false)}})
		largest := at(9, 5)
		out, err := (<-h.subscribes).Accept(Offer{Largest: largest}, func(_, next Terms, _ model.Opt[uint64]) error {
			largest = at(12, 3)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		out.SetLargest(func() model.Opt[model.Location] { return largest })
		st.next()
		st.answer(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{Forward: model.Some(true)}})
		if ok := want[*wire.RequestOK](t, "resume", st.nextUpdateAnswer()); ok.Params.LargestObject != at(12, 3) {
			t.Errorf("answered %+v", ok)
		}
	})
}

// TestHalfAMessageIsTheLast: after a message that the peer did not take in time
// nothing else may follow on the stream.
func TestHalfAMessageIsTheLast(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}})
		feed, err := (<-h.prefixes).Accept(nil)
		if err != nil {
			t.Fatal(err)
		}
		suffix := model.Namespace{string(make([]byte, 100))}
		for err == nil {
			err = feed.Namespace(suffix)
		}
		if err := feed.Namespace(suffix); !errors.Is(err, errClosedWriter) {
			t.Errorf("the next message: %v", err)
		}
		if m := st.next(); m != nil {
			t.Errorf("the stream is not reset: %T", m)
		}
		p.wantOpen("a stream that is not read")
	}, memtr.WithWindow(1024))
}

// TestSubscribeOvertakesCancellation: streams have no order, so a second
// SUBSCRIBE may be here before the end of the first.
// Duties in drafts 18, 16: 36.
func TestSubscribeOvertakesCancellation(t *testing.T) {
	h := newRecorder()
	startEach(t, answeringDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		first := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		if _, err := (<-h.subscribes).Accept(Offer{}, nil); err != nil {
			t.Fatal(err)
		}
		second := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		time.Sleep(overtaking / 2) // virtual
		first.CancelRead(1)
		first.CancelWrite(1)
		if _, err := (<-h.subscribes).Accept(Offer{}, nil); err != nil {
			t.Fatal(err)
		}
		want[*wire.SubscribeOK](t, "second", second.next())
		began := time.Now()
		third := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		if e := want[*wire.RequestError](t, "third", third.next()); e.Code != model.DuplicateSubscription || time.Since(began) != overtaking {
			t.Errorf("refused after %v with %v", time.Since(began), e.Code)
		}
	})
}
