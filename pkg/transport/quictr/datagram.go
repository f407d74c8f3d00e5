package quictr

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// datagramQueue is how many datagrams wait here, in front of the 32 that wait
// in quic-go. Together they are what one congestion window holds at the start;
// more would only make late datagrams later.
const datagramQueue = 32

// tooLarge is larger than any UDP payload.
var tooLarge [1 << 16]byte

// buffers holds *[]byte for datagrams on their way to quic-go, which copies.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// datagrams sends without blocking what quic-go sends with blocking.
//
// A full queue drops the newest datagram, not the oldest: what waits in
// quic-go could not be taken back anyway, the error then speaks of the very
// datagram that its caller holds, so that the caller can count it for its
// track, and with so short a queue what waits is hardly older.
type datagrams struct {
	q       *quic.Conn
	enabled bool
	start   sync.Once
	queue   chan *[]byte
	known   atomic.Int64 // a size that fitted lately
	dropped atomic.Uint64
}

func (d *datagrams) init(q *quic.Conn, enabled bool) { d.q, d.enabled = q, enabled }

func (d *datagrams) SendDatagram(b []byte) error {
	if err := context.Cause(d.q.Context()); err != nil {
		return toTransport(err)
	}
	if int64(len(b)) > d.known.Load() && len(b) > d.MaxDatagramSize() || !d.enabled {
		return transport.ErrDatagramTooLarge
	}
	d.start.Do(func() {
		d.queue = make(chan *[]byte, datagramQueue)
		go d.send()
	})
	p := buffers.Get().(*[]byte)
	*p = append((*p)[:0], b...)
	select {
	case d.queue <- p:
		return nil
	default:
		buffers.Put(p)
		d.dropped.Add(1)
		return transport.ErrDatagramDropped
	}
}

// send hands datagrams to quic-go, which blocks when it has 32.
func (d *datagrams) send() {
	for {
		select {
		case p := <-d.queue:
			err := d.q.SendDatagram(*p)
			buffers.Put(p)
			if err != nil {
				// The path may have become narrower since it was measured.
				d.known.Store(0)
				d.dropped.Add(1)
			}
		case <-d.q.Context().Done():
			return
		}
	}
}

// MaxDatagramSize implements transport.Conn. quic-go tells the size only in
// the error for one that is too large; it queues nothing then.
func (d *datagrams) MaxDatagramSize() int {
	if !d.enabled {
		return 0
	}
	e, ok := errors.AsType[*quic.DatagramTooLargeError](d.q.SendDatagram(tooLarge[:]))
	if !ok {
		return 0
	}
	d.known.Store(e.MaxDatagramPayloadSize)
	return int(min(e.MaxDatagramPayloadSize, int64(len(tooLarge))))
}

func (d *datagrams) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	b, err := d.q.ReceiveDatagram(ctx)
	if err != nil {
		return nil, waited(ctx, err)
	}
	return b, nil
}
