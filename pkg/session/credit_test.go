package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// TestCredit: requests wait for MAX_REQUEST_ID, the peer is told so once, and what
// is not sent takes no Request ID.
func TestCredit(t *testing.T) {
	for _, d := range sharedDrafts {
		setup := &wire.Setup{MaxRequestID: model.Some[uint64](2)}
		startWith(t, setup, wire.Client, Config{Draft: d}, func(t *testing.T, s *Session, p *peer) {
			publish := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := s.PublishNamespace(ctx, model.Namespace{"a"})
				return err
			}
			if _, err := s.PublishNamespace(t.Context(), nil); err == nil {
				t.Error("a namespace without fields was sent")
			}
			go func() {
				st, m := p.accept()
				if id, _, _, _ := describe(m); id != 0 {
					t.Errorf("the first request has the ID %d", id)
				}
				st.answer(&wire.RequestOK{})
			}()
			if err := publish(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := publish(); !errors.Is(err, transport.ErrNoCredit) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("without credit: %v", err)
				}
			}
			if m := want[*wire.RequestsBlocked](t, "we wait", p.other()); m.Max != 2 {
				t.Errorf("blocked at %d", m.Max)
			}
			if n := len(p.shared.others); n > 0 {
				t.Errorf("%d messages more", n)
			}
			done := make(chan error, 2)
			for range 2 {
				go func() { done <- publish() }()
			}
			synctest.Wait()
			p.say(0, &wire.MaxRequestID{Max: 6})
			for _, id := range []uint64{2, 4} {
				st, m := p.accept()
				if got, _, _, _ := describe(m); got != id {
					t.Errorf("the request has the ID %d, want %d", got, id)
				}
				st.answer(&wire.RequestOK{})
			}
			if err := errors.Join(<-done, <-done); err != nil {
				t.Error(err)
			}
			go func() { done <- publish() }()
			if m := want[*wire.RequestsBlocked](t, "we wait again", p.other()); m.Max != 6 {
				t.Errorf("blocked at %d", m.Max)
			}
			p.say(0, &wire.Goaway{})
			if err := <-done; !errors.Is(err, ErrGoingAway) {
				t.Errorf("a request that waits when the peer goes away: %v", err)
			}
		})
	}
}

// TestNoCreditAtAll: who does not say MAX_REQUEST_ID allows nothing (draft 16,
// section 9.3.1.3).
func TestNoCreditAtAll(t *testing.T) {
	for _, d := range sharedDrafts {
		startWith(t, &wire.Setup{MaxRequestID: model.Some[uint64](0)}, wire.Client, Config{Draft: d}, func(t *testing.T, s *Session, p *peer) {
			done := make(chan error, 1)
			go func() { _, err := s.TrackStatus(t.Context(), dateTrack); done <- err }()
			want[*wire.RequestsBlocked](t, "no credit", p.other())
			s.Close(model.NoError, "")
			if err := <-done; !errors.Is(err, &model.SessionError{Code: model.NoError}) {
				t.Errorf("the session ended, and the request with %v", err)
			}
		})
	}
}

func TestMaxRequestIDTwice(t *testing.T) {
	for _, strict := range []bool{false, true} {
		startShared(t, wire.Client, Config{Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
			p.say(0, &wire.MaxRequestID{Max: plenty})
			if strict {
				p.wantClose("not raised", model.ProtocolViolation)
			} else {
				p.wantOpen("not raised")
			}
		})
	}
}

// TestGrants: the peer may have so many requests open, and is told when it may
// make more: by halves of its window, or when it asks.
func TestGrants(t *testing.T) {
	h := newRecorder()
	startShared(t, wire.Server, Config{Handler: h, Limits: Limits{Requests: 4}}, func(t *testing.T, s *Session, p *peer) {
		if m := p.theirs.MaxRequestID; m.Value != 8 {
			t.Errorf("SETUP grants %v", m)
		}
		var open []*peerStream
		publish := func(name string) {
			open = append(open, p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{name}}))
			_ = (<-h.namespaces).Accept()
			want[*wire.RequestOK](t, name, open[len(open)-1].next())
		}
		for _, name := range []string{"a", "b"} {
			publish(name)
		}
		open[0].CancelWrite(1)
		synctest.Wait()
		if n := len(p.shared.others); n > 0 {
			t.Errorf("a quarter of the window is told")
		}
		p.say(0, &wire.RequestsBlocked{Max: 8})
		if m := want[*wire.MaxRequestID](t, "asked", p.other()); m.Max != 10 {
			t.Errorf("asked, it grants %d", m.Max)
		}
		open[1].CancelWrite(1)
		synctest.Wait()
		if n := len(p.shared.others); n > 0 {
			t.Errorf("a quarter of the window is told")
		}
		publish("c") // and a refused one, which takes an ID and no place
		e := want[*wire.RequestError](t, "reserved", p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"."}}).next())
		if e.Code != model.DoesNotExist && e.Code != model.RequestInternalError {
			t.Errorf("refused with %v", e.Code)
		}
		if m := want[*wire.MaxRequestID](t, "half of it", p.other()); m.Max != 14 {
			t.Errorf("it grants %d", m.Max)
		}
		p.request(&wire.PublishNamespace{RequestID: 14, Namespace: model.Namespace{"d"}})
		p.wantClose("beyond the window", model.TooManyRequests)
	})
}

func TestRequestIDsInSequence(t *testing.T) {
	for _, tt := range []struct {
		name         string
		ids          []uint64
		strict14     model.SessionCode // NoError: allowed
		strict, easy model.SessionCode
	}{
		{"in sequence", []uint64{0, 2, 4}, model.NoError, model.NoError, model.NoError},
		{"one is left out", []uint64{0, 4, 6}, model.InvalidRequestID, model.NoError, model.NoError},
		{"twice", []uint64{0, 2, 2}, model.InvalidRequestID, model.InvalidRequestID, model.InvalidRequestID},
		{"far ahead", []uint64{0, 2, 4 + 2*skippedIDs + 2}, model.InvalidRequestID, model.InvalidRequestID, model.InvalidRequestID},
		{"our parity", []uint64{0, 1}, model.InvalidRequestID, model.InvalidRequestID, model.InvalidRequestID},
	} {
		for _, strict := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				startShared(t, wire.Server, Config{Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
					for _, id := range tt.ids {
						p.request(&wire.PublishNamespace{RequestID: id, Namespace: model.Namespace{"a"}})
					}
					code := tt.easy
					if strict {
						code = tt.strict
					}
					if strict && p.draft == model.Draft14 {
						code = tt.strict14
					}
					if code == model.NoError {
						p.wantOpen(tt.name)
					} else {
						p.wantClose(tt.name, code)
					}
				})
			})
		}
	}
}

// TestRequestIDsArriveInSequence: the request after one that has a stream of its
// own waits until that has arrived, but not for ever.
func TestRequestIDsArriveInSequence(t *testing.T) {
	for _, answer := range []bool{true, false} {
		start(t, wire.Client, Config{Draft: model.Draft16}, func(t *testing.T, s *Session, p *peer) {
			began := time.Now()
			go func() { _, _ = s.SubscribeNamespace(t.Context(), model.Namespace{"a"}, func(model.Namespace, bool) {}) }()
			st, _ := p.accept()
			go func() { _, _ = s.PublishNamespace(t.Context(), model.Namespace{"b"}) }()
			synctest.Wait()
			if len(p.shared.opened) > 0 {
				t.Error("the next request does not wait")
			}
			if answer {
				st.answer(&wire.RequestOK{})
			}
			_, m := p.accept()
			if waited := time.Since(began); m.(*wire.PublishNamespace).RequestID != 2 || answer && waited > 0 || !answer && waited != settling {
				t.Errorf("answered %v: the next is %+v after %v", answer, m, waited)
			}
		})
	}
}
