package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

func TestPublishNamespace(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		got := make(chan *peerStream, 1)
		go func() {
			st, m := p.accept()
			if !m.(*wire.PublishNamespace).Namespace.Equal(model.Namespace{"a", "b"}) {
				t.Errorf("got %+v", m)
			}
			st.answer(&wire.RequestOK{})
			got <- st
		}()
		ns, err := s.PublishNamespace(t.Context(), model.Namespace{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		st := <-got
		st.CancelRead(uint64(model.ResetExcessiveLoad))
		<-ns.Context().Done()
		if err := context.Cause(ns.Context()); !errors.Is(err, &model.StreamError{Code: model.ResetExcessiveLoad, Remote: true}) {
			t.Errorf("revoked with %v", err)
		}
	})
}

func TestNamespaceIsWithdrawn(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}})
		r := <-h.namespaces
		_ = r.Accept()
		want[*wire.RequestOK](t, "accepted", st.next())
		st.CancelWrite(1)
		<-r.Context().Done()
	})
}

func TestSubscribeNamespace(t *testing.T) {
	startEach(t, answeringDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		got := make(chan *peerStream, 1)
		go func() {
			st, _ := p.accept()
			st.answer(&wire.RequestOK{})
			got <- st
		}()
		reports := make(chan string, 8)
		_, err := s.SubscribeNamespace(t.Context(), model.Namespace{"a"}, func(suffix model.Namespace, live bool) {
			word := "gone "
			if live {
				word = "live "
			}
			reports <- word + suffix.String()
		})
		if err != nil {
			t.Fatal(err)
		}
		st := <-got
		st.answer(&wire.Namespace{Suffix: model.Namespace{"x"}})
		st.answer(&wire.NamespaceDone{Suffix: model.Namespace{"x"}})
		if a, b := <-reports, <-reports; a != "live x" || b != "gone x" {
			t.Errorf("reported %s, %s", a, b)
		}
		st.answer(&wire.NamespaceDone{Suffix: model.Namespace{"x"}})
		p.wantClose("NAMESPACE_DONE without NAMESPACE", model.ProtocolViolation)
	})
}

func TestFirstReplyMustBeAnAnswer(t *testing.T) {
	startEach(t, answeringDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		go func() {
			st, _ := p.accept()
			st.answer(&wire.Namespace{Suffix: model.Namespace{"x"}})
		}()
		if _, err := s.SubscribeNamespace(t.Context(), nil, func(model.Namespace, bool) {}); err == nil {
			t.Error("no error")
		}
		p.wantClose("NAMESPACE before REQUEST_OK", model.ProtocolViolation)
	})
}

// Duties: 15.
func TestPrefixOverlap(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		ask := func(fields ...string) *peerStream {
			return p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: fields})
		}
		first := ask("a", "b")
		if _, err := (<-h.prefixes).Accept(nil); err != nil {
			t.Fatal(err)
		}
		for _, fields := range [][]string{{"a"}, {"a", "b"}, {"a", "b", "c"}, {}} {
			if e := want[*wire.RequestError](t, "overlap", ask(fields...).next()); e.Code != model.PrefixOverlap {
				t.Errorf("%v refused with %v", fields, e.Code)
			}
		}
		ask("a", "c")
		sibling := <-h.prefixes
		if !sibling.Prefix.Equal(model.Namespace{"a", "c"}) {
			t.Errorf("siblings do not overlap, got %v", sibling.Prefix)
		}
		p.request(&wire.SubscribeTracks{RequestID: p.id(), Prefix: model.Namespace{"a"}})
		<-h.prefixes // the kinds do not disturb each other
		first.CancelWrite(1)
		first.CancelRead(1)
		synctest.Wait()
		ask("a", "b", "c")
		<-h.prefixes
	})
}

func TestPrefixUpdate(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}})
		var moved model.Namespace
		feed, err := (<-h.prefixes).Accept(func(prefix model.Namespace, _ bool) error { moved = prefix; return nil })
		if err != nil {
			t.Fatal(err)
		}
		want[*wire.RequestOK](t, "accepted", st.next())
		st.answer(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{NamespacePrefix: model.Some(model.Namespace{"a", "b"})}})
		want[*wire.RequestOK](t, "moved", st.nextUpdateAnswer())
		if !moved.Equal(model.Namespace{"a", "b"}) {
			t.Errorf("moved to %v", moved)
		}
		if err := feed.Namespace(model.Namespace{"c"}); err != nil {
			t.Fatal(err)
		}
		if m := want[*wire.Namespace](t, "report", st.next()); !m.Suffix.Equal(model.Namespace{"c"}) {
			t.Errorf("reported %v", m.Suffix)
		}
	})
}

func TestTrackStatus(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		go func() {
			st, _ := p.accept()
			st.answer(&wire.RequestOK{Params: wire.Params{LargestObject: at(3, 4)}, TrackProperties: model.Properties{{Type: model.PropDefaultPriority, Int: 9}}})
			st.Close()
		}()
		offer, err := s.TrackStatus(t.Context(), dateTrack)
		if err != nil || offer.Largest != at(3, 4) || len(offer.Properties) != 1 {
			t.Errorf("got %+v, %v", offer, err)
		}
	})
}

func TestPublishByPeer(t *testing.T) {
	h := newRecorder()
	startEach(t, answeringDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		st := p.request(&wire.Publish{RequestID: p.id(), Track: dateTrack, TrackAlias: 4, Params: wire.Params{LargestObject: at(1, 2)}})
		p.uni(unhex(t, "10 04 0b 80  00 02 6869")).Close() // before it is accepted
		r := <-h.publishes
		if r.Offer.Largest != at(1, 2) || !r.Forward {
			t.Errorf("offered %+v", r)
		}
		if got := h.drained(); got != "" {
			t.Errorf("before it is accepted: %s", got)
		}
		in, err := r.Accept(Change{Priority: model.Some(uint8(7))}, h)
		if err != nil {
			t.Fatal(err)
		}
		if ok := want[*wire.RequestOK](t, "accepted", st.next()); ok.Params.SubscriberPriority.Value != 7 {
			t.Errorf("answered %+v", ok)
		}
		if got := h.drained(); got != "11/0 hi, end" {
			t.Errorf("received %s", got)
		}
		dup := p.request(&wire.Publish{RequestID: p.id(), Track: dateTrack, TrackAlias: 5})
		if e := want[*wire.RequestError](t, "second", dup.next()); e.Code != model.DuplicateSubscription {
			t.Errorf("second refused with %v", e.Code)
		}
		go func() { // the subscriber of a PUBLISH may update
			want[*wire.RequestUpdate](t, "pause", st.nextUpdateAnswer())
			st.answerUpdate(&wire.RequestOK{})
		}()
		if _, err := in.Update(t.Context(), Change{Forward: model.Some(false)}); err != nil {
			t.Errorf("Update = %v", err)
		}
		st.answer(&wire.PublishDone{Code: model.DoneTrackEnded, StreamCount: model.Some(uint64(1))})
		<-in.Context().Done()
	})
}

func TestPublishToPeer(t *testing.T) {
	startEach(t, answeringDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		got := make(chan *peerStream, 1)
		go func() {
			st, m := p.accept()
			if pub := m.(*wire.Publish); pub.Params.LargestObject != at(1, 2) {
				t.Errorf("got %+v", pub)
			}
			st.answer(&wire.RequestOK{Params: wire.Params{Forward: model.Some(false), SubscriberPriority: model.Some(uint8(3))}})
			got <- st
		}()
		out, err := s.Publish(t.Context(), PublishOptions{Track: dateTrack, Offer: Offer{Largest: at(1, 2)}})
		if err != nil {
			t.Fatal(err)
		}
		if terms := out.Terms(); terms.Forward || terms.Priority != 3 {
			t.Errorf("terms %+v", terms)
		}
		st := <-got
		st.answerUpdate(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{Forward: model.Some(true)}})
		want[*wire.RequestOK](t, "resumed", st.nextUpdateAnswer())
		if !out.Terms().Forward {
			t.Error("the update has no effect")
		}
		sub := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		if e := want[*wire.RequestError](t, "SUBSCRIBE beside PUBLISH", sub.next()); e.Code != model.DuplicateSubscription {
			t.Errorf("refused with %v", e.Code)
		}
	})
}

func TestPublishRefused(t *testing.T) {
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		go func() {
			st, _ := p.accept()
			st.answer(&wire.RequestError{Code: model.Uninterested})
		}()
		if _, err := s.Publish(t.Context(), PublishOptions{Track: dateTrack}); !errors.Is(err, &model.RequestError{Code: model.Uninterested, Remote: true}) {
			t.Errorf("got %v", err)
		}
		sub := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		if e := want[*wire.RequestError](t, "afterwards", sub.next()); e.Code != model.NotSupported {
			t.Errorf("a SUBSCRIBE afterwards is refused with %v", e.Code)
		}
	})
}
