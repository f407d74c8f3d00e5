package session

import (
	"errors"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

func TestGroupOrderInSubscribeOK(t *testing.T) {
	for _, tt := range []struct {
		implementation string
		closes         bool
	}{
		{"moq-lite-js", false},
		{"another/1", true},
	} {
		t.Run(tt.implementation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, srv := memtr.Pair()
				p := &peer{t: t, role: wire.Server, conn: srv, nextID: 1}
				go func() {
					p.setup(&wire.Setup{Implementation: model.Some(tt.implementation)})
					st, _ := p.accept()
					// SUBSCRIBE_OK, alias 0, GROUP_ORDER 2.
					if _, err := st.Write(unhex(t, "04 0004 00 01 22 02")); err != nil {
						t.Error(err)
					}
				}()
				s, err := Start(t.Context(), c, Config{Role: wire.Client})
				if err != nil {
					t.Fatal(err)
				}
				_, err = s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, newRecorder())
				if tt.closes != errors.Is(err, &model.SessionError{Code: model.ProtocolViolation}) {
					t.Errorf("Subscribe returned %v", err)
				}
				s.Close(model.NoError, "")
				s.Wait()
			})
		})
	}
}

// TestKeepAliveOfEncoderPlayer: it repeats the Request ID of what it keeps alive
// and answers no update of ours. Of others neither is taken.
func TestKeepAliveOfEncoderPlayer(t *testing.T) {
	const encoder, other = "moq-encoder-player", "another/1"
	published := func(t *testing.T, p *peer, h *recorder) (*peerStream, *Inbound) {
		t.Helper()
		st := p.request(&wire.Publish{RequestID: p.id(), Track: dateTrack, TrackAlias: 4})
		in, err := (<-h.publishes).Accept(Change{}, h)
		if err != nil {
			t.Fatal(err)
		}
		want[*wire.RequestOK](t, "accepted", st.next())
		return st, in
	}
	subscribed := func(t *testing.T, p *peer, s *Session) (*peerStream, *wire.Subscribe) {
		t.Helper()
		done := make(chan error, 1)
		go func() {
			_, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, newRecorder())
			done <- err
		}()
		st, m := p.accept()
		st.answer(&wire.SubscribeOK{TrackAlias: 2})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return st, m.(*wire.Subscribe)
	}
	for _, tt := range []struct {
		name, implementation string
		closes               model.SessionCode // NoError: it does not
		f                    func(*testing.T, *Session, *peer, *recorder)
	}{
		{"on a PUBLISH", encoder, model.NoError, func(t *testing.T, _ *Session, p *peer, h *recorder) {
			st, _ := published(t, p, h)
			for range 3 {
				st.answer(&wire.RequestUpdate{RequestID: 0})
				want[*wire.RequestOK](t, "keep-alive", st.nextUpdateAnswer())
			}
		}},
		{"of another", other, model.InvalidRequestID, func(t *testing.T, _ *Session, p *peer, h *recorder) {
			st, _ := published(t, p, h)
			st.answer(&wire.RequestUpdate{RequestID: 0})
		}},
		{"that says something", encoder, model.InvalidRequestID, func(t *testing.T, _ *Session, p *peer, h *recorder) {
			st, _ := published(t, p, h)
			st.answer(&wire.RequestUpdate{RequestID: 0, Params: wire.Params{Forward: model.Some(true)}})
		}},
		{"on our SUBSCRIBE", encoder, model.NoError, func(t *testing.T, s *Session, p *peer, _ *recorder) {
			st, m := subscribed(t, p, s)
			for range 3 {
				st.answerUpdate(&wire.RequestUpdate{RequestID: m.RequestID})
			}
		}},
		{"of another on our SUBSCRIBE", other, model.ProtocolViolation, func(t *testing.T, s *Session, p *peer, _ *recorder) {
			st, m := subscribed(t, p, s)
			st.answerUpdate(&wire.RequestUpdate{RequestID: m.RequestID})
		}},
		{"of no request of ours", encoder, model.ProtocolViolation, func(t *testing.T, s *Session, p *peer, _ *recorder) {
			st, m := subscribed(t, p, s)
			st.answerUpdate(&wire.RequestUpdate{RequestID: m.RequestID + 2})
		}},
		{"updates of ours", encoder, model.NoError, func(t *testing.T, _ *Session, p *peer, h *recorder) {
			st, in := published(t, p, h)
			for _, forward := range []bool{false, true} {
				if largest, err := in.Update(t.Context(), Change{Forward: model.Some(forward)}); err != nil || largest.Set {
					t.Errorf("Update returned %v, %v", largest, err)
				}
				if u := want[*wire.RequestUpdate](t, "told", st.nextUpdateAnswer()); u.Params.Forward != model.Some(forward) {
					t.Errorf("it was told %+v", u.Params)
				}
			}
			st.answerUpdate(&wire.RequestOK{}) // as one that has learnt to
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newRecorder()
			startWith(t, &wire.Setup{Implementation: model.Some(tt.implementation)}, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
				tt.f(t, s, p, h)
				if tt.closes != model.NoError {
					p.wantClose(tt.name, tt.closes)
				} else {
					p.wantOpen(tt.name)
				}
			})
		})
	}
}
