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

// Datagrams sends without blocking what quic-go sends with blocking. Each
// datagram starts with the same prefix, by which HTTP/3 tells sessions apart.
//
// A full queue drops the newest datagram, not the oldest: what waits in
// quic-go could not be taken back anyway, the error then speaks of the very
// datagram that its caller holds, so that the caller can count it for its
// track, and with so short a queue what waits is hardly older.
type Datagrams struct {
	q       *quic.Conn
	enabled bool
	prefix  []byte
	start   sync.Once
	queue   chan *[]byte
	known   atomic.Int64 // a size that fitted lately
	dropped atomic.Uint64
}

// NewDatagrams sends on q, whose peer takes datagrams if enabled.
func NewDatagrams(q *quic.Conn, enabled bool, prefix ...byte) *Datagrams {
	return &Datagrams{q: q, enabled: enabled, prefix: prefix}
}

// SendDatagram implements transport.Conn.
func (d *Datagrams) SendDatagram(b []byte) error {
	if err := context.Cause(d.q.Context()); err != nil {
		return Translate(err)
	}
	if int64(len(b)) > d.known.Load() && len(b) > d.MaxDatagramSize() || !d.enabled {
		return transport.ErrDatagramTooLarge
	}
	d.start.Do(func() {
		d.queue = make(chan *[]byte, datagramQueue)
		go d.send()
	})
	p := buffers.Get().(*[]byte)
	*p = append(append((*p)[:0], d.prefix...), b...)
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
func (d *Datagrams) send() {
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

// MaxDatagramSize implements transport.Conn; the prefix is not counted. quic-go tells the size only in
// the error for one that is too large; it queues nothing then.
func (d *Datagrams) MaxDatagramSize() int {
	if !d.enabled {
		return 0
	}
	e, ok := errors.AsType[*quic.DatagramTooLargeError](d.q.SendDatagram(tooLarge[:]))
	if !ok {
		return 0
	}
	size := max(0, min(e.MaxDatagramPayloadSize, int64(len(tooLarge)))-int64(len(d.prefix)))
	d.known.Store(size)
	return int(size)
}

// Dropped counts the datagrams that were not sent.
func (d *Datagrams) Dropped() uint64 { return d.dropped.Load() }
