package relay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// collect makes the actor ask for all tracks below a prefix. It accepts them
// and remembers their names, with " paused" behind those that come with
// forward 0.
func (a *actor) collect(prefix string, forward bool) *session.PrefixSubscription {
	a.t.Helper()
	a.mu.Lock()
	a.published = func(r *session.PublishRequest) {
		said := strings.Join(append(slices.Clone(r.Track.Namespace), r.Track.Name), "/")
		if !r.Forward {
			said += " paused"
		}
		in, err := r.Accept(session.Change{}, a)
		if err != nil {
			a.t.Error(err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.collected = append(a.collected, said)
		a.in = append(a.in, in)
	}
	a.mu.Unlock()
	p, err := a.sess.SubscribeTracks(a.t.Context(), model.ParseNamespace(prefix, "/"), forward, func(suffix model.Namespace, name string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.collected = append(a.collected, "blocked "+strings.Join(append(slices.Clone(suffix), name), "/"))
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

// wantTracks compares what was offered since the last call.
func (a *actor) wantTracks(why string, want ...string) {
	a.t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.collected)
	slices.Sort(want)
	if !slices.Equal(a.collected, want) {
		a.t.Errorf("%s: offered %q, want %q", why, a.collected, want)
	}
	a.collected = nil
}

// Duties: 19, 21.
func TestTracksAreOffered(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.join()
		pub.push(name("a/b", "1"), largest(4, 2))
		pub.push(name("x", "1"), session.Offer{})
		viewer.collect("a", true)
		viewer.wantTracks("what is published already", "a/b/1")
		if in := viewer.in[0]; in.Offer.Largest != model.Some(loc(4, 2)) {
			t.Errorf("largest %v", in.Offer.Largest)
		}
		out := pub.push(name("a", "2"), session.Offer{})
		pub.push(name("x", "2"), session.Offer{})
		viewer.wantTracks("what comes", "a/2")
		pub.stream(out, 1, 0, 2)
		viewer.want("its objects", "1/0 1/1")

		pub.announce("a") // a namespace is not a track
		viewer.wantTracks("nothing new")
		s.join().push(name("a", "2"), session.Offer{}) // another publisher
		viewer.wantTracks("it has it")
	})
}

// Duties: 19.
func TestOwnTracksAreNotOffered(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		a, b := s.join(), s.join()
		a.push(name("a", "1"), session.Offer{})
		a.collect("a", true)
		a.push(name("a", "2"), session.Offer{})
		b.push(name("a", "1"), session.Offer{})
		b.push(name("a", "3"), session.Offer{})
		a.wantTracks("only what it does not publish itself", "a/3")
		b.collect("a", true)
		b.wantTracks("of several publishers too", "a/2")
	})
}

// TestSubscribedTracksAreNotOffered: neither those that a peer receives nor
// those that it waits for.
// Duties: 20.
func TestSubscribedTracksAreNotOffered(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, has, waits := s.join(), s.join(), s.join()
		track := name("a", "1")
		accepted := make(chan error, 1)
		go func() {
			_, err := waits.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: track, Rendezvous: time.Minute}, waits)
			accepted <- err
		}()
		s.settle()
		waits.collect("a", true)
		out := pub.push(track, session.Offer{})
		if err := <-accepted; err != nil {
			t.Error(err)
		}
		waits.wantTracks("it waited for it")
		has.mustSubscribe(track)
		has.collect("a", true)
		has.wantTracks("it has it")
		pub.stream(out, 1, 0, 1)
		has.want("once", "1/0")
		waits.want("once", "1/0")
	})
}

// TestNobodyWants: a published track is paused until somebody wants objects.
// Duties: 18, 19.
func TestNobodyWants(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.join()
		track := name("a", "1")
		out := pub.push(track, session.Offer{})
		want := func(why string, forward bool) {
			t.Helper()
			s.settle()
			if out.Terms().Forward != forward {
				t.Errorf("%s: forward is %v", why, !forward)
			}
		}
		want("nobody is there", false)
		viewer.collect("a", false)
		viewer.wantTracks("it wants to know only", "a/1 paused")
		want("nobody wants objects", false)
		sub := s.join()
		in := sub.mustSubscribe(track)
		want("one does", true)
		in.Cancel(model.ResetCancelled)
		want("it has left", false)
		s.forward(viewer.in[0], true)
		want("the other does now", true)
		viewer.in[0].Cancel(model.ResetCancelled)
		want("it has left too", false)
		if out.Context().Err() != nil {
			t.Error("the publication ended")
		}
	})
}

// Duties: 23.
func TestRefusedOfferEndsOneLegOnly(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, refuses, takes := s.join(), s.join(), s.join()
		refuses.collect("a", true)
		refuses.published = func(r *session.PublishRequest) {
			_ = r.Reject(&model.RequestError{Code: model.Uninterested})
		}
		takes.collect("a", true)
		out := pub.push(name("a", "1"), session.Offer{})
		pub.stream(out, 1, 0, 1)
		takes.want("objects", "1/0")
		refuses.want("nothing", "")
		if out.Context().Err() != nil {
			t.Error("the publication ended")
		}
		s.check(false)
	})
}

// Duties: 18.
func TestPublishDoneTravels(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.join()
		viewer.collect("a", true)
		out := pub.push(name("a", "1"), session.Offer{})
		if !out.Terms().Forward {
			t.Error("the publisher is told to wait although somebody collects its tracks")
		}
		pub.stream(out, 1, 0, 1).Close()
		viewer.want("objects", "1/0")
		if err := out.Done(model.DoneTrackEnded, "over", model.Some(uint64(1))); err != nil {
			t.Fatal(err)
		}
		<-viewer.in[0].Context().Done()
		if err := context.Cause(viewer.in[0].Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
	})
}

// Duties: 7.
func TestCollectorLeaves(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.join()
		p := viewer.collect("a", true)
		pub.push(name("a", "1"), session.Offer{})
		viewer.wantTracks("before", "a/1")
		p.Cancel()
		s.settle()
		pub.push(name("a", "2"), session.Offer{})
		viewer.wantTracks("after")
		if viewer.in[0].Context().Err() != nil {
			t.Error("what was offered before ended too")
		}
	})
}

// TestNoCreditForOffers: the peer is told, and never offered the track again.
// Duties: 22.
func TestNoCreditForOffers(t *testing.T) {
	play(t, Config{UpstreamTimeout: time.Second}, func(t *testing.T, s *stage) {
		pub := s.join()
		viewer := s.join(memtr.WithStreams(1, 100))
		viewer.collect("a", true)
		pub.push(name("a/b", "1"), session.Offer{})
		viewer.wantTracks("the first", "a/b/1")
		second := pub.push(name("a/b", "2"), session.Offer{})
		viewer.wantTracks("no stream is left")
		pass(time.Second)
		viewer.wantTracks("it is told", "blocked b/2")
		viewer.in[0].Cancel(model.ResetCancelled)
		s.settle()
		if err := second.Done(model.DoneTrackEnded, "", model.Some(uint64(0))); err != nil {
			t.Fatal(err)
		}
		s.settle()
		pub.push(name("a/b", "2"), session.Offer{})
		pass(time.Second)
		viewer.wantTracks("not again")
		pub.push(name("a/b", "3"), session.Offer{})
		viewer.wantTracks("others are", "a/b/3")
	})
}

// TestSilentCollector: one that does not answer is not blocked, only refused.
func TestSilentCollector(t *testing.T) {
	play(t, Config{UpstreamTimeout: time.Second}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.join()
		viewer.collect("a", true)
		viewer.published = func(r *session.PublishRequest) { <-r.Context().Done() }
		out := pub.push(name("a", "1"), session.Offer{})
		pass(10 * time.Second)
		viewer.wantTracks("no word of blocking")
		if out.Terms().Forward {
			t.Error("the publisher sends to nobody")
		}
	})
}

// TestCollectorUpdate: an update right behind the request, and another.
func TestCollectorUpdate(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		for _, ns := range []string{"a", "b", "c"} {
			pub.push(name(ns, "t"), session.Offer{})
		}
		viewer := s.joinRaw()
		change := func(prefix string) *wire.RequestUpdate {
			return &wire.RequestUpdate{RequestID: viewer.id(), Params: wire.Params{NamespacePrefix: model.Some(model.ParseNamespace(prefix, "/"))}}
		}
		offered := map[string]int{}
		want := func(why, ns string) {
			t.Helper()
			for m := viewer.accept(); m != nil; m = viewer.accept() {
				offered[m.(*wire.Publish).Track.Namespace[0]]++
			}
			if offered[ns] != 1 {
				t.Errorf("%s: offered %v", why, offered)
			}
		}
		st := viewer.request(&wire.SubscribeTracks{RequestID: viewer.id(), Prefix: model.Namespace{"a"}}, change("b"))
		want("the update came at once", "b") // a too, if it was slower than the answer
		viewer.send(st, wire.KindSubscribeTracks, wire.KindRequestUpdate, change("c"))
		want("another", "c")
		pub.push(name("b", "t2"), session.Offer{})
		want("the prefix of before", "b")
		_ = viewer.CloseWithError(0, "")
	})
}
