package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/wire"
)

// Sizes of the fan-out benchmark: objects of one video frame or so, in groups
// of two seconds at 50 frames a second, a few on their way at a time.
const (
	benchPayload = 1200
	benchGroup   = 100
	benchWindow  = 8
)

// BenchmarkFanOut measures what one delivery costs from the publisher's stream
// to the subscriber's payload, relay and subscribers in one process. "mem" is
// our own share; "quic" adds quic-go and the kernel, twice.
func BenchmarkFanOut(b *testing.B) {
	for _, carrier := range []string{"mem", "quic"} {
		for _, n := range []int{1, 10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/subscribers=%d", carrier, n), func(b *testing.B) { benchFanOut(b, carrier, n) })
		}
	}
}

func benchFanOut(b *testing.B, carrier string, n int) {
	ctx, cancel := context.WithCancel(b.Context())
	r := New(Config{Slow: egress.Policy{MaxGroups: 1 << 20, MaxBytes: 1 << 40}})
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	connect := benchCarrier(b, ctx, carrier, r, &running)

	f := newFanOut(b, ctx, connect, n)
	defer f.close()
	f.round(1) // streams and tables are there

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for left := uint64(b.N); left > 0; {
		k := min(left, benchWindow)
		f.round(k)
		left -= k
	}
	b.StopTimer()
	runtime.ReadMemStats(&after)
	deliveries := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")
}

// fanOut is a publisher of one track and its subscribers.
type fanOut struct {
	pub      *session.Session
	send     func(objects uint64)
	subs     []*benchSubscriber
	received chan struct{}
}

func newFanOut(b *testing.B, ctx context.Context, connect func() session.Conn, n int) *fanOut {
	pub := &benchPublisher{out: make(chan *session.Outbound, 1)}
	ps, err := session.Start(ctx, connect(), session.Config{Handler: pub})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := ps.PublishNamespace(ctx, date.Namespace); err != nil {
		b.Fatal(err)
	}
	f := &fanOut{pub: ps, subs: make([]*benchSubscriber, n), received: make(chan struct{}, n)}
	for i := range f.subs {
		f.subs[i] = &benchSubscriber{received: f.received}
		s, err := session.Start(ctx, connect(), session.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Subscribe(ctx, session.SubscribeOptions{Track: date}, f.subs[i]); err != nil {
			b.Fatal(err)
		}
	}
	f.send = benchSender(b, ctx, ps, <-pub.out)
	return f
}

// round publishes so many objects and waits until all subscribers have them.
func (f *fanOut) round(objects uint64) {
	for _, s := range f.subs {
		s.want.Add(objects)
	}
	f.send(objects)
	for range f.subs {
		<-f.received
	}
}

func (f *fanOut) close() { f.pub.Close(model.NoError, "") }

// benchSender returns a function that publishes so many objects, a group after
// the other, each on its stream.
func benchSender(b *testing.B, ctx context.Context, ps *session.Session, out *session.Outbound) func(uint64) {
	var st transport.SendStream
	var object uint64
	group := uint64(1)
	form := wire.FormOf(model.Draft18, false)
	payload := make([]byte, benchPayload)
	var buf []byte
	return func(objects uint64) {
		for range objects {
			var prev model.Opt[uint64]
			buf = buf[:0]
			if object%benchGroup == 0 {
				if st != nil {
					_ = st.Close()
				}
				var err error
				if st, err = ps.Conn().OpenUniStream(ctx); err != nil {
					b.Fatal(err)
				}
				h := wire.SubgroupHeader{TrackAlias: out.Alias(), Group: group, FirstObject: true}
				buf = h.Append(buf, model.Draft18)
				group, object = group+1, 0
			} else {
				prev = model.Some(object - 1)
			}
			buf = form.AppendObject(buf, prev, wire.ObjectHeader{ID: object, PayloadLen: benchPayload})
			object++
			if _, err := st.Write(append(buf, payload...)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchCarrier returns what connects a client to the relay.
func benchCarrier(b *testing.B, ctx context.Context, carrier string, r *Relay, running *sync.WaitGroup) func() session.Conn {
	serve := func(c session.Conn) { running.Go(func() { _ = r.Serve(ctx, c) }) }
	if carrier == "mem" {
		return func() session.Conn {
			c, srv := memtr.Pair(memtr.WithStreams(1000, 1000))
			serve(srv)
			return c
		}
	}
	cert, err := certs.SelfSigned(time.Now(), "localhost")
	if err != nil {
		b.Fatal(err)
	}
	l, err := listen.Listen("127.0.0.1:0", listen.Config{
		TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Protocols: session.Protocols(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	running.Go(func() {
		for {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			serve(c)
		}
	})
	return func() session.Conn {
		conf := &tls.Config{InsecureSkipVerify: true, NextProtos: session.Protocols()}
		c, err := quictr.Dial(ctx, l.Addr().String(), conf, quictr.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
}

// benchPublisher accepts the relay's subscription.
type benchPublisher struct {
	session.Refuse
	out chan *session.Outbound
}

func (p *benchPublisher) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	if out, err := r.Accept(session.Offer{}, nil); err == nil {
		p.out <- out
	}
}

// benchSubscriber counts objects and reports when all that are wanted have come.
type benchSubscriber struct {
	got, want atomic.Uint64
	received  chan struct{}
}

func (s *benchSubscriber) ReceiveSubgroup(r *session.SubgroupReader) {
	buf := make([]byte, benchPayload)
	for {
		h, err := r.Next()
		if err != nil {
			return
		}
		if _, err := io.ReadFull(r, buf[:h.PayloadLen]); err != nil {
			return
		}
		if s.got.Add(1) == s.want.Load() {
			s.received <- struct{}{}
		}
	}
}

func (s *benchSubscriber) ReceiveDatagram(*session.Datagram) {}
