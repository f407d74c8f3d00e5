package date

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport/memtr"
)

// fetched reads a range from the past of a publisher.
func fetched(t *testing.T, p *Publisher, r model.Range, order model.GroupOrder) string {
	t.Helper()
	source := p.past(r, order)
	var got []string
	for {
		item, err := source.Next(t.Context())
		if err == io.EOF {
			return strings.Join(got, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(item.Object.Payload[0]))
	}
}

func TestPastInBothOrders(t *testing.T) {
	p := NewPublisher(model.Namespace{"d"}, Clock{Mode: StreamPerGroup, Zone: time.UTC, TestProperties: true})
	r := model.Range{Start: model.Location{Group: 0, Object: 59}, End: model.Location{Group: 1, Object: 2}}
	for _, tt := range []struct {
		name  string
		r     model.Range
		order model.GroupOrder
		want  string
	}{
		{"ascending", r, model.Ascending, "58 59 1970-01-01 00:01: 0 1"},
		{"descending", r, model.Descending, "1970-01-01 00:01: 0 1 58 59"},
		{"one object", model.Range{Start: r.End, End: r.End}, model.Descending, "1"},
		{"only the marker", model.Range{Start: model.Location{Object: 61}, End: model.Location{Object: model.MaxID}}, model.Ascending, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fetched(t, p, tt.r, tt.order); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestPublisherWritesEveryMode runs over a minute's end in all modes, with and
// without properties.
func TestPublisherWritesEveryMode(t *testing.T) {
	for _, mode := range []Mode{StreamPerGroup, StreamPerObject, Datagrams} {
		for _, properties := range []bool{false, true} {
			t.Run(string(mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := NewPublisher(model.Namespace{"d"}, Clock{Mode: mode, Zone: time.UTC, TestProperties: properties})
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan error, 1)
					go func() { done <- p.Run(ctx) }()
					time.Sleep(61*time.Second + time.Millisecond) // virtual; the bubble begins at midnight
					synctest.Wait()
					log := p.track.Log
					minute := uint64(time.Now().Unix() / 60)
					if l, _ := log.Largest().Get(); l != (model.Location{Group: minute, Object: 2}) {
						t.Errorf("largest %v, want second 1 of minute %d", l, minute)
					}
					r := log.Range(model.Range{Start: model.Location{Group: minute}, End: model.Location{Group: minute, Object: 2}}, model.Ascending)
					var got []string
					for {
						item, err := r.Next()
						if err != nil {
							break
						}
						got = append(got, describe(item))
					}
					r.Close()
					if want := "2000-01-01 00:01: 0 1"; strings.Join(got, " ") != want {
						t.Errorf("the log holds %q, want %q", strings.Join(got, " "), want)
					}
					cancel()
					if err := <-done; err != context.Canceled {
						t.Errorf("Run = %v", err)
					}
				})
			})
		}
	}
}

func describe(item track.Item) string {
	if item.Object == nil {
		return "?"
	}
	var b []byte
	for _, p := range item.Object.Payload {
		b = append(b, p...)
	}
	return string(b)
}

// TestExpire: whoever subscribes, fetches or asks learns of the delivery timeout.
func TestExpire(t *testing.T) {
	p := NewPublisher(model.Namespace{"d"}, Clock{Mode: StreamPerGroup})
	for _, tt := range []struct {
		after time.Duration
		want  uint64
	}{{1500 * time.Millisecond, 1500}, {time.Microsecond, 1}, {0, 0}} {
		p.Expire(tt.after)
		if got, some := p.Track().Log.Properties().Int(model.PropObjectDeliveryTimeout); got != tt.want || some != (tt.want > 0) {
			t.Errorf("after %v: property %d, %v", tt.after, got, some)
		}
	}
}

// sleeper does not read its first stream for a while, and then says how it ends.
type sleeper struct{ ended chan error }

func (sleeper) ReceiveDatagram(*session.Datagram) {}

func (s sleeper) ReceiveSubgroup(r *session.SubgroupReader) {
	time.Sleep(10 * time.Second)
	for {
		if _, err := r.Next(); err != nil {
			s.ended <- err
			return
		}
	}
}

// TestExpiredIsNotSent: a subscriber that does not read gets nothing that is
// older than the delivery timeout.
func TestExpiredIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPublisher(model.Namespace{"d"}, Clock{Mode: StreamPerGroup})
		p.Expire(2 * time.Second)
		mux := moqt.NewTrackMux()
		p.Serve(mux)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = p.Run(ctx) })
		c, srv := memtr.Pair(memtr.WithWindow(12)) // three objects, before the peer reads
		running.Go(func() { _ = (&moqt.Server{Session: session.Config{Handler: mux}}).ServeConn(ctx, srv) })
		s, err := session.Start(ctx, c, session.Config{})
		if err != nil {
			t.Fatal(err)
		}
		recv := sleeper{make(chan error, 1)}
		in, err := s.Subscribe(ctx, session.SubscribeOptions{Track: p.Track().Name}, recv)
		if err != nil {
			t.Fatal(err)
		}
		if ms, _ := in.Offer.Properties.Int(model.PropObjectDeliveryTimeout); ms != 2000 {
			t.Errorf("the subscriber is told of %d ms", ms)
		}
		err = <-recv.ended
		if want := (&model.StreamError{Code: model.ResetDeliveryTimeout, Remote: true}); !errors.Is(err, want) {
			t.Errorf("the stream ends with %v, want %v", err, want)
		}
		s.Close(model.NoError, "")
		s.Wait()
		stop()
		running.Wait()
	})
}
