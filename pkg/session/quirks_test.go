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
