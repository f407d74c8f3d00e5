package session

import (
	"errors"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// TestAnswersToUpdatesByID: where an answer names its update they may come in any
// order.
func TestAnswersToUpdatesByID(t *testing.T) {
	h := newRecorder()
	start(t, wire.Client, Config{Draft: model.Draft16}, func(t *testing.T, s *Session, p *peer) {
		in, st := subscribed(t, s, p, h)
		type result struct {
			largest model.Opt[model.Location]
			err     error
		}
		first, second := make(chan result, 1), make(chan result, 1)
		update := func(to chan result, priority uint8) uint64 {
			go func() {
				l, err := in.Update(t.Context(), Change{Priority: model.Some(priority)})
				to <- result{l, err}
			}()
			m := want[*wire.RequestUpdate](t, "update", st.next())
			if m.Existing != in.ID() {
				t.Errorf("it updates %d", m.Existing)
			}
			return m.RequestID
		}
		a, b := update(first, 1), update(second, 2)
		p.send(p.control, wire.ControlStream, wire.KindSubscribe, wire.KindRequestUpdate, &wire.RequestError{RequestID: b, Code: model.RequestTimeout})
		p.send(p.control, wire.ControlStream, wire.KindSubscribe, wire.KindRequestUpdate, &wire.RequestOK{RequestID: a, Params: wire.Params{LargestObject: at(7, 7)}})
		if r := <-first; r.err != nil || r.largest != at(7, 7) {
			t.Errorf("the first: %+v", r)
		}
		if r := <-second; !errors.Is(r.err, &model.RequestError{Code: model.RequestTimeout, Remote: true}) {
			t.Errorf("the second: %+v", r)
		}
		p.send(p.control, wire.ControlStream, wire.KindSubscribe, wire.KindRequestUpdate, &wire.RequestOK{RequestID: a})
		p.wantOpen("an answer that comes twice") // its request might be over
	})
}

// TestManyUpdatesWithoutAnAnswer: an inbox is bounded.
func TestManyUpdatesWithoutAnAnswer(t *testing.T) {
	h := newRecorder()
	startShared(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		<-h.subscribes
		all := wire.Params{Forward: model.Some(true), SubscriberPriority: model.Some[uint8](3), Filter: model.Some(model.Filter{})}
		for range inboxLimit {
			p.say(wire.KindSubscribe, &wire.RequestUpdate{RequestID: p.id(), Params: all})
		}
		p.wantOpen("as many as are kept")
		for range 2 { // one has left the inbox and waits for the answer
			p.say(wire.KindSubscribe, &wire.RequestUpdate{RequestID: p.id(), Params: all})
		}
		p.wantClose("one too many", model.TooManyRequests)
	})
}

// TestUpdatesOfDraft14 say all terms, have no answer and only narrow.
func TestUpdatesOfDraft14(t *testing.T) {
	h := newRecorder()
	start(t, wire.Client, Config{Draft: model.Draft14}, func(t *testing.T, s *Session, p *peer) {
		in, st := subscribed(t, s, p, h) // {10,4} and on
		for _, tt := range []struct {
			name   string
			change Change
			want   wire.Params
			widens bool
		}{
			{name: "pause", change: Change{Forward: model.Some(false)}, want: wire.Params{
				Forward: model.Some(false), SubscriberPriority: model.Some[uint8](128), Filter: model.Some(model.From(model.Location{Group: 10, Object: 4})),
			}},
			{name: "priority", change: Change{Priority: model.Some[uint8](3)}, want: wire.Params{
				Forward: model.Some(false), SubscriberPriority: model.Some[uint8](3), Filter: model.Some(model.From(model.Location{Group: 10, Object: 4})),
			}},
			{name: "the next object", change: Change{Filter: model.Some(model.NextObject)}, want: wire.Params{
				Forward: model.Some(false), SubscriberPriority: model.Some[uint8](3), Filter: model.Some(model.From(model.Location{Group: 10, Object: 4})),
			}},
			{name: "narrower", change: Change{Forward: model.Some(true), Filter: model.Some(model.Filter{
				Kind: model.FilterAbsolute, Start: model.Location{Group: 11}, End: model.Some(model.EndLocation{Group: 20}),
			})}, want: wire.Params{
				Forward: model.Some(true), SubscriberPriority: model.Some[uint8](3),
				Filter: model.Some(model.Filter{Kind: model.FilterAbsolute, Start: model.Location{Group: 11}, End: model.Some(model.EndLocation{Group: 20})}),
			}},
			{name: "an earlier start", change: Change{Filter: model.Some(model.From(model.Location{Group: 3}))}, widens: true},
			{name: "no end", change: Change{Filter: model.Some(model.From(model.Location{Group: 12}))}, widens: true},
			{name: "after that", change: Change{}, want: wire.Params{
				Forward: model.Some(true), SubscriberPriority: model.Some[uint8](3),
				Filter: model.Some(model.Filter{Kind: model.FilterAbsolute, Start: model.Location{Group: 11}, End: model.Some(model.EndLocation{Group: 20})}),
			}},
		} {
			largest, err := in.Update(t.Context(), tt.change)
			if largest.Set || tt.widens != errors.Is(err, errWidens) || !tt.widens && err != nil {
				t.Errorf("%s: Update returned %v, %v", tt.name, largest, err)
			}
			if tt.widens {
				continue
			}
			m := want[*wire.RequestUpdate](t, tt.name, st.next())
			if got := m.Params; m.Existing != in.ID() || got.Forward != tt.want.Forward || got.SubscriberPriority != tt.want.SubscriberPriority || got.Filter != tt.want.Filter {
				t.Errorf("%s: the peer is told %+v of %d", tt.name, got, m.Existing)
			}
		}
		s.mu.Lock()
		if s.ids.next != 12 { // SUBSCRIBE and five updates
			t.Errorf("the next Request ID is %d", s.ids.next)
		}
		s.mu.Unlock()
	})
}

// TestPeerUpdatesInDraft14: nothing is answered, and widening is forgiven unless
// we are strict.
// Duties in drafts 14: 34.
func TestPeerUpdatesInDraft14(t *testing.T) {
	for _, strict := range []bool{false, true} {
		h := newRecorder()
		start(t, wire.Server, Config{Draft: model.Draft14, Handler: h, Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
			st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack, Params: wire.Params{Filter: model.Some(model.NextObject)}})
			refuse := errors.New("not now")
			var told []Terms
			var answer error
			out, err := (<-h.subscribes).Accept(Offer{Largest: at(4, 2)}, func(_, next Terms, _ model.Opt[uint64]) error {
				told = append(told, next)
				return answer
			})
			if err != nil {
				t.Fatal(err)
			}
			want[*wire.SubscribeOK](t, "accepted", st.next())
			update := func(start model.Location, priority uint8) {
				st.answerUpdate(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{
					Forward: model.Some(true), SubscriberPriority: model.Some(priority), Filter: model.Some(model.From(start)),
				}})
				synctest.Wait()
			}
			update(model.Location{Group: 6}, 5)
			if got := out.Terms(); got.Priority != 5 || got.Range.Start != (model.Location{Group: 6}) {
				t.Errorf("updated to %+v", got)
			}
			answer = refuse
			update(model.Location{Group: 7}, 6)
			if got := out.Terms(); got.Priority != 5 || len(told) != 2 {
				t.Errorf("a refused update made it %+v", got)
			}
			answer = nil
			if share := st.Stream.(*sharedStream); len(share.in) > 0 {
				t.Errorf("an update was answered: %+v", <-share.in)
			}
			update(model.Location{}, 7)
			if strict {
				p.wantClose("wider", model.ProtocolViolation)
				return
			}
			p.wantOpen("wider")
			if got := out.Terms(); got.Priority != 7 {
				t.Errorf("updated to %+v", got)
			}
		})
	}
}

// TestLateUpdate crosses the end of its request, and takes a Request ID all the
// same.
func TestLateUpdate(t *testing.T) {
	h := newRecorder()
	startShared(t, wire.Server, Config{Handler: h, Strict: true}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		out, err := (<-h.subscribes).Accept(Offer{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Done(model.DoneTrackEnded, "", model.Some[uint64](0)); err != nil {
			t.Fatal(err)
		}
		st.answerUpdate(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{
			Forward: model.Some(true), SubscriberPriority: model.Some[uint8](3), Filter: model.Some(model.From(model.Location{Group: 9})),
		}})
		p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}})
		<-h.namespaces
		p.wantOpen("late update")
	})
}

// TestJoinOfAnotherFilter: only Largest Object may be joined (draft 16, section
// 9.16.2). We ask for the same range otherwise, and forgive others.
func TestJoinOfAnotherFilter(t *testing.T) {
	h := newRecorder()
	startShared(t, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		go func() {
			st, m := p.accept()
			if f := m.(*wire.Subscribe).Params.Filter; f.Value.Kind != model.FilterAbsolute {
				t.Errorf("filter %+v", f)
			}
			st.answer(&wire.SubscribeOK{TrackAlias: 7, Params: wire.Params{LargestObject: at(10, 3)}})
		}()
		in, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack, Change: Change{Filter: model.Some(model.From(model.Location{Group: 5}))}}, h)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range []*Join{{To: in, Relative: true, Start: 2}, {To: in, Start: 8}} {
			if _, err := s.Fetch(t.Context(), FetchOptions{Join: j}); err != nil {
				t.Fatal(err)
			}
			_, m := p.accept()
			f := m.(*wire.Fetch)
			if f.FetchKind != wire.FetchStandalone || !f.Track.Equal(dateTrack) || f.Range != (model.Range{Start: model.Location{Group: 8}, End: model.Location{Group: 10, Object: 3}}) {
				t.Errorf("asked for %+v", f)
			}
		}
		if _, err := s.Fetch(t.Context(), FetchOptions{Join: &Join{To: in, Start: 11}}); !errors.Is(err, &model.RequestError{Code: model.InvalidRange}) {
			t.Errorf("a range that begins behind the subscription: %v", err)
		}
	})
	for _, strict := range []bool{false, true} {
		startShared(t, wire.Server, Config{Handler: h, Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
			p.request(&wire.Subscribe{RequestID: 0, Track: dateTrack, Params: wire.Params{Filter: model.Some(model.From(model.Location{Group: 5}))}})
			if _, err := (<-h.subscribes).Accept(Offer{Largest: at(10, 3)}, nil); err != nil {
				t.Fatal(err)
			}
			p.request(&wire.Fetch{RequestID: 2, FetchKind: wire.FetchRelativeJoining, JoiningStart: 1})
			if strict {
				p.wantClose("another filter", model.ProtocolViolation)
				return
			}
			if f := <-h.fetches; f.Range.Start != (model.Location{Group: 9}) {
				t.Errorf("asked for %v", f.Range)
			}
			p.wantOpen("another filter")
		})
	}
}
