package relay

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// hesitant reads nothing before it is opened, and then how the streams end.
type hesitant struct {
	open chan struct{}
	ends chan error
}

func (h hesitant) ReceiveSubgroup(r *session.SubgroupReader) {
	<-h.open
	for {
		_, err := r.Next()
		if err == nil {
			_, err = r.Payload()
		}
		if err != nil {
			h.ends <- err
			return
		}
	}
}

func (hesitant) ReceiveDatagram(*session.Datagram) {}

// TestDeliveryTimeoutFromDraftToDraft: what the publisher says of a track and what
// the subscriber asks for travel in the words of their drafts, the shorter holds, and
// a stream that the subscriber's flow control stops is reset when it is over. The
// subscription goes on.
// Duties in drafts 18, 16, 14: 57.
func TestDeliveryTimeoutFromDraftToDraft(t *testing.T) {
	const payload = 1 << 20 // more than the subscriber lets in
	for _, row := range []struct {
		name                  string
		publisher, subscriber time.Duration
	}{
		{"of the track", time.Second, 0},
		{"of the subscriber", 0, time.Second},
		{"the track's is shorter", time.Second, time.Minute},
		{"the subscriber's is shorter", time.Minute, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			betweenDrafts(t, Config{}, func(c *crossing) {
				c.timeout(row.publisher, row.subscriber, model.PropObjectDeliveryTimeout, payload)
			})
			// One of a subgroup is new in draft 18.
			t.Run("subgroup", func(t *testing.T) {
				play(t, Config{}, func(t *testing.T, s *stage) {
					c := &crossing{t: t, s: s, from: model.Draft18, to: model.Draft18}
					c.timeout(row.publisher, row.subscriber, model.PropSubgroupDeliveryTimeout, payload)
				})
			})
		})
	}
}

// timeout checks that an object is given up after a second.
func (c *crossing) timeout(publisher, subscriber time.Duration, prop uint64, payload int) {
	c.pub = c.s.joinDraft(c.from, transport.QUIC)
	offer := session.Offer{}
	if publisher > 0 {
		offer.Properties = model.Properties{{Type: prop, Int: uint64(publisher.Milliseconds())}}
	}
	c.pub.publish("drafts", "streams", offer)
	change := session.Change{}
	switch {
	case subscriber == 0:
	case prop == model.PropObjectDeliveryTimeout:
		change.ObjectTimeout = model.Some(subscriber)
	default:
		change.SubgroupTimeout = model.Some(subscriber)
	}
	h := hesitant{make(chan struct{}), make(chan error, 2)}
	sub := c.s.joinDraft(c.to, transport.QUIC)
	in := testkit.Must(sub.sess.Subscribe(c.t.Context(), session.SubscribeOptions{Track: name("drafts", "streams"), Change: change}, h))(c.t)
	out := c.pub.outbound("streams")
	g := c.pub.open(out, wire.SubgroupHeader{FirstObject: true})
	g.put(wire.ObjectHeader{}, strings.Repeat("x", payload))
	testkit.NoErr(c.t, g.Close())
	pass(time.Second - time.Millisecond)
	if n := c.s.dropped(observe.DropTimeout); n != 0 {
		c.t.Errorf("%d objects were given up too early", n)
	}
	pass(100 * time.Millisecond)
	if n := c.s.dropped(observe.DropTimeout); n != 1 {
		c.t.Errorf("%d objects were given up for lack of time", n)
	}
	close(h.open)
	synctest.Wait()
	want := &model.StreamError{Code: model.ResetDeliveryTimeout, Remote: true}
	if err := <-h.ends; err.Error() != want.Error() {
		c.t.Errorf("the stream ended with %v, want %v", err, want)
	}
	g = c.pub.open(out, wire.SubgroupHeader{Group: 1, FirstObject: true})
	g.put(wire.ObjectHeader{}, "in time")
	testkit.NoErr(c.t, g.Close())
	synctest.Wait()
	if err := <-h.ends; !errors.Is(err, io.EOF) {
		c.t.Errorf("the next stream ended with %v", err)
	}
	if err := context.Cause(in.Context()); err != nil {
		c.t.Errorf("the subscription ended with %v", err)
	}
}

// TestNoStreamCreditEndsNothing: a subscriber that allows one or two streams at a
// time, and is slow to read each, gets all groups in their order.
func TestNoStreamCreditEndsNothing(t *testing.T) {
	const groups = 10
	for _, d := range allDrafts {
		t.Run(d.String(), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub := s.join()
				pub.publish("few", "streams", session.Offer{})
				sub := s.joinDraft(d, transport.QUIC, memtr.WithStreams(100, 2)) // draft 18 takes one for control
				h := hesitant{make(chan struct{}), make(chan error, groups)}
				in := testkit.Must(sub.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: name("few", "streams")}, h))(t)
				out := pub.outbound("streams")
				for g := range uint64(groups) {
					pub.stream(out, g, 0, 3).end()
				}
				pass(time.Hour)
				if err := context.Cause(in.Context()); err != nil {
					t.Fatalf("the subscription ended with %v", err)
				}
				for range groups {
					h.open <- struct{}{}
					if err := <-h.ends; !errors.Is(err, io.EOF) {
						t.Errorf("a stream ended with %v", err)
					}
				}
				if n := s.dropped(observe.DropSkipped) + s.dropped(observe.DropTimeout) + s.dropped(observe.DropCancelled); n != 0 {
					t.Errorf("%d objects were dropped", n)
				}
			})
		})
	}
}
