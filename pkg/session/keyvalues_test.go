package session

import (
	"bytes"
	"io"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// Whoever writes parameters as Key-Value-Pairs reads LARGEST_OBJECT so, and
// whoever does not, does not (@moq/watch 0.4, pkg/wire/lenient.go).
func TestAnswerInTheFormOfTheSubscribe(t *testing.T) {
	for _, test := range []struct {
		name      string
		keyValues bool
		want      string
	}{
		{"as the draft says", false, "04 0005 00 01 09 07 03"},
		{"as Key-Value-Pairs", true, "04 0006 00 01 09 02 07 03"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newRecorder()
			start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
				params := wire.Params{SubscriberPriority: model.Some[uint8](155), KeyValues: test.keyValues}
				st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack, Params: params})
				r := <-h.subscribes
				if r.Terms.Priority != 155 {
					t.Errorf("priority %d", r.Terms.Priority)
				}
				if _, err := r.Accept(Offer{Largest: at(7, 3)}, nil); err != nil {
					t.Fatal(err)
				}
				want := unhex(t, test.want)
				got := make([]byte, len(want))
				if _, err := io.ReadFull(st, got); err != nil || !bytes.Equal(got, want) {
					t.Errorf("SUBSCRIBE_OK %x, %v; want %x", got, err, want)
				}
			})
		})
	}
}
