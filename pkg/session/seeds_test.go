package session

import (
	"errors"
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// TestCloseAgainAndAgain: ten times at once, and afterwards; the first counts
// (row C4 of docs/seeds.md).
func TestCloseAgainAndAgain(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, _ *peer) {
		s.Close(model.NoError, "the first")
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { s.Close(model.InternalError, "another") })
		}
		all.Wait()
		s.Wait()
		s.Close(model.InternalError, "much later")
		s.Wait()
		se, ok := errors.AsType[*model.SessionError](s.Err())
		if !ok || se.Code != model.NoError || se.Reason != "the first" || se.Remote {
			t.Errorf("the session ended with %v", s.Err())
		}
	})
}

// endless is a stream that repeats one object for ever.
type endless struct {
	transport.ReceiveStream
	object []byte
	at     int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], e.object[e.at:])
		n, e.at = n+k, (e.at+k)%len(e.object)
	}
	return n, nil
}

func (*endless) SetReadDeadline(time.Time) error { return nil }

// TestReadingIntoOneBufferAllocatesNothing: a subscriber that reads every payload
// into the same buffer makes no garbage (row A10 of docs/seeds.md).
func TestReadingIntoOneBufferAllocatesNothing(t *testing.T) {
	form := wire.FormOf(model.Draft18, false)
	object := append(form.AppendObject(nil, model.Some(uint64(0)), ObjectHeader{ID: 1, PayloadLen: 1200}), make([]byte, 1200)...)
	src := &endless{object: object}
	r := &SubgroupReader{stream: src, window: newWindow(src, model.Draft18, DefaultHeaderTimeout), form: form, prev: model.Some(uint64(0))}
	buf := make([]byte, 1500)
	n := testing.AllocsPerRun(1000, func() {
		h, err := r.Next()
		if err != nil || h.PayloadLen != 1200 {
			t.Fatal(h, err)
		}
		for left := int(h.PayloadLen); left > 0; {
			k, err := r.Read(buf[:left])
			if err != nil {
				t.Fatal(err)
			}
			left -= k
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for an object", n)
	}
}
