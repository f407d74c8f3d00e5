package session

import (
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// TestRequestsBeforeSetup wait for it (section 3.3).
// Duties: 4.
func TestRequestsBeforeSetup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := memtr.Pair()
		h := newRecorder()
		h.init()
		p := &peer{t: t, role: wire.Client, conn: c, draft: model.Draft18}
		early, err := c.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.send(early, wire.RequestStream, 0, 0, &wire.Subscribe{RequestID: 0, Track: dateTrack})
		began := time.Now()
		go func() {
			time.Sleep(time.Second) // virtual
			p.setup(&wire.Setup{})
		}()
		s, err := Start(t.Context(), srv, Config{Role: wire.Server, Draft: model.Draft18, Handler: h})
		if err != nil {
			t.Fatal(err)
		}
		r := <-h.subscribes
		if asked := time.Since(began); !r.Track.Equal(dateTrack) || asked < time.Second {
			t.Errorf("asked for %v after %v", r.Track, asked)
		}
		s.Close(model.NoError, "")
		s.Wait()
	})
}
