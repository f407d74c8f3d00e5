package session

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

var allOfGroup9 = model.Range{Start: model.Location{Group: 9}, End: model.Location{Group: 9, Object: model.MaxID}}

// TestFetch reads objects, whichever comes first, the answer or the data.
func TestFetch(t *testing.T) {
	for _, dataFirst := range []bool{false, true} {
		start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
			f, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
			if err != nil {
				t.Fatal(err)
			}
			st, m := p.accept()
			if got := m.(*wire.Fetch); got.FetchKind != wire.FetchStandalone || got.Range != allOfGroup9 || !got.Track.Equal(dateTrack) {
				t.Errorf("asked for %+v", got)
			}
			data := func() { p.uni(unhex(t, "05 00 1c 09 00 80 02 6869 00 01 21")).Close(); synctest.Wait() }
			if dataFirst {
				data()
			}
			st.answer(&wire.FetchOK{End: model.Location{Group: 9, Object: 1}, EndOfTrack: true})
			if !dataFirst {
				data()
			}
			for _, want := range []string{"9/0 hi", "9/1 !"} {
				item, err := f.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				payload, err := f.Payload()
				if got := item.Location.String() + " " + string(payload); err != nil || got != want {
					t.Errorf("got %s, %v, want %s", got, err, want)
				}
			}
			if _, err := f.Next(t.Context()); err != io.EOF {
				t.Errorf("after the last: %v", err)
			}
			if info, err := f.OK(t.Context()); err != nil || !info.EndOfTrack || info.End.Object != 1 {
				t.Errorf("OK = %+v, %v", info, err)
			}
			synctest.Wait()
			s.mu.Lock()
			if len(s.fetches) != 0 {
				t.Error("the fetch is still in the table")
			}
			s.mu.Unlock()
			if st.next() != nil {
				t.Error("the request stream goes on")
			}
		})
	}
}

func TestFetchRefused(t *testing.T) {
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		f, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
		if err != nil {
			t.Fatal(err)
		}
		st, _ := p.accept()
		st.answer(&wire.RequestError{Code: model.InvalidRange})
		if _, err := f.Next(t.Context()); !errors.Is(err, &model.RequestError{Code: model.InvalidRange, Remote: true}) {
			t.Errorf("Next = %v", err)
		}
		if _, err := f.OK(t.Context()); !errors.Is(err, &model.RequestError{Code: model.InvalidRange, Remote: true}) {
			t.Errorf("OK = %v", err)
		}
	})
}

func TestFetchEndsBeforeItsStart(t *testing.T) {
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		if _, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9}); err != nil {
			t.Fatal(err)
		}
		st, _ := p.accept()
		st.answer(&wire.FetchOK{End: model.Location{Group: 8}})
		p.wantClose("FETCH_OK ends too early", model.ProtocolViolation)
	})
}

func TestFetchCancelled(t *testing.T) {
	startEach(t, answeringDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		f, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
		if err != nil {
			t.Fatal(err)
		}
		st, _ := p.accept()
		st.answer(&wire.FetchOK{End: model.Location{Group: 9, Object: 1}})
		data := p.uni(unhex(t, "05 00 1c 09 00 80 02 6869"))
		if _, err := f.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Cancel()
		synctest.Wait()
		if st.Context().Err() == nil || data.Context().Err() == nil {
			t.Error("the peer was not told on both streams")
		}
		late := p.uni(unhex(t, "05 00"))
		synctest.Wait()
		if late.Context().Err() == nil {
			t.Error("a straggler is kept")
		}
		p.wantOpen("cancelled fetch")
	})
}

func TestFetchViolations(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		fin       bool
	}{
		{"first object refers to a prior one", "05 00 00 01 61", false},
		{"FIN in an object", "05 00 1c 09 00 80 05 61", true},
		{"unknown flags", "05 00 8200", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
				f, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
				if err != nil {
					t.Fatal(err)
				}
				p.accept()
				st := p.uni(unhex(t, tt.hex))
				if tt.fin {
					st.Close()
				}
				if _, err = f.Next(t.Context()); err == nil {
					_, err = f.Payload()
				}
				if err == nil {
					t.Error("no error")
				}
				p.wantClose(tt.name, model.ProtocolViolation)
			})
		})
	}
}

func TestServeFetch(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Fetch{RequestID: p.id(), FetchKind: wire.FetchStandalone, Track: dateTrack, Range: allOfGroup9, Params: wire.Params{
			GroupOrder: model.Some(model.Descending), SubscriberPriority: model.Some(uint8(3)), FillTimeout: model.Some(uint64(0)),
		}})
		r := <-h.fetches
		if r.Order != model.Descending || r.Priority != 3 || r.FillTimeout != model.Some(time.Duration(0)) || r.Range != allOfGroup9 {
			t.Errorf("asked for %+v", r)
		}
		if err := r.Accept(FetchInfo{End: model.Location{Group: 9, Object: 5}}); err != nil {
			t.Fatal(err)
		}
		ok := want[*wire.FetchOK](t, "accepted", st.next())
		if ok.End != (model.Location{Group: 9, Object: 5}) {
			t.Errorf("answered %+v", ok)
		}
		out, enc, header, err := r.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := enc.Append(header, wire.FetchItem{Kind: wire.FetchObject, Location: model.Location{Group: 9, Object: 4}, Priority: 128, PayloadLen: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(append(b, '!')); err != nil {
			t.Fatal(err)
		}
		out.Close()
		r.Finish()
		in, err := p.conn.AcceptUniStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if want := unhex(t, "05 00 1c 09 04 80 01 21"); err != nil || string(got) != string(want) {
			t.Errorf("stream %x, want %x, %v", got, want, err)
		}
		if r.Context().Err() == nil || st.next() != nil {
			t.Error("the request goes on")
		}
	})
}

func TestJoiningFetch(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    wire.FetchKind
		start   uint64
		largest model.Opt[model.Location]
		forward bool
		want    model.Range
		code    model.RequestCode
	}{
		{"this group", wire.FetchRelativeJoining, 0, at(9, 5), true, span(9, 0, 9, 5), 0},
		{"two groups back", wire.FetchRelativeJoining, 2, at(9, 5), true, span(7, 0, 9, 5), 0},
		{"before the beginning", wire.FetchRelativeJoining, 99, at(9, 5), true, span(0, 0, 9, 5), 0},
		{"from a group", wire.FetchAbsoluteJoining, 8, at(9, 5), true, span(8, 0, 9, 5), 0},
		{"from a group to come", wire.FetchAbsoluteJoining, 10, at(9, 5), true, model.Range{}, model.InvalidRange},
		{"nothing published", wire.FetchRelativeJoining, 0, model.Opt[model.Location]{}, true, model.Range{}, model.InvalidRange},
		{"paused", wire.FetchRelativeJoining, 0, at(9, 5), false, model.Range{}, model.InvalidRange},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newRecorder()
			start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
				sub := &wire.Subscribe{RequestID: p.id(), Track: dateTrack, Params: wire.Params{Forward: model.Some(tt.forward)}}
				// The FETCH overtakes the SUBSCRIBE that it joins.
				st := p.request(&wire.Fetch{RequestID: p.id(), FetchKind: tt.kind, JoiningRequestID: sub.RequestID, JoiningStart: tt.start})
				synctest.Wait()
				p.request(sub)
				if _, err := (<-h.subscribes).Accept(Offer{Largest: tt.largest}, nil); err != nil {
					t.Fatal(err)
				}
				if tt.code != 0 {
					if e := want[*wire.RequestError](t, tt.name, st.next()); e.Code != tt.code {
						t.Errorf("refused with %v", e.Code)
					}
					return
				}
				r := <-h.fetches
				if r.Range != tt.want || !r.Track.Equal(dateTrack) || r.Joined == nil {
					t.Errorf("range %v of %v, want %v", r.Range, r.Track, tt.want)
				}
			})
		})
	}
}

func at(g, o uint64) model.Opt[model.Location] {
	return model.Some(model.Location{Group: g, Object: o})
}

func span(g1, o1, g2, o2 uint64) model.Range {
	return model.Range{Start: model.Location{Group: g1, Object: o1}, End: model.Location{Group: g2, Object: o2}}
}

func TestJoiningFetchOfNothing(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Fetch{RequestID: p.id(), FetchKind: wire.FetchRelativeJoining, JoiningRequestID: 98})
		if e := want[*wire.RequestError](t, "no such subscription", st.next()); e.Code != model.InvalidJoiningRequestID {
			t.Errorf("refused with %v", e.Code)
		}
	})
}

// TestForwardFlipMovesTheJoiningLocation: after a pause a joining FETCH ends
// where the objects begin again.
func TestForwardFlipMovesTheJoiningLocation(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		sub := p.request(&wire.Subscribe{RequestID: 0, Track: dateTrack, Params: wire.Params{Forward: model.Some(false)}})
		p.nextID = 2
		out, err := (<-h.subscribes).Accept(Offer{Largest: at(9, 5)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		out.SetLargest(func() model.Opt[model.Location] { return at(12, 3) })
		sub.next()
		sub.answer(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{Forward: model.Some(true)}})
		if ok := want[*wire.RequestOK](t, "resumed", sub.nextUpdateAnswer()); ok.Params.LargestObject != at(12, 3) {
			t.Errorf("answered %+v", ok)
		}
		p.request(&wire.Fetch{RequestID: p.id(), FetchKind: wire.FetchRelativeJoining})
		if r := <-h.fetches; r.Range != span(12, 0, 12, 3) {
			t.Errorf("range %v", r.Range)
		}
	})
}

func TestJoinIsSentAsJoiningFetch(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		in, _ := subscribed(t, s, p, h)
		f, err := s.Fetch(t.Context(), FetchOptions{Join: &Join{To: in, Relative: true, Start: 1}})
		if err != nil {
			t.Fatal(err)
		}
		_, m := p.accept()
		if got := m.(*wire.Fetch); got.FetchKind != wire.FetchRelativeJoining || got.JoiningRequestID != in.ID() || got.JoiningStart != 1 {
			t.Errorf("asked for %+v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next = %v", err)
		}
	})
}

func TestFetchThatEndsBeforeItsStart(t *testing.T) {
	start(t, wire.Server, Config{Handler: newRecorder()}, func(t *testing.T, _ *Session, p *peer) {
		for range 2 { // the second has the same Request ID
			st, err := p.conn.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p.write(st, unhex(t, "16 000b 00 01 01 01 61 00 05 00 04 01 00"))
			ps := &peerStream{Stream: st, p: p, kind: wire.KindFetch}
			if e, ok := ps.next().(*wire.RequestError); ok && e.Code != model.InvalidRange {
				t.Errorf("refused with %v", e.Code)
			}
		}
		p.wantClose("a refused request has used its ID", model.InvalidRequestID)
	})
}
