package qmuxtr

import (
	"bytes"
	"context"

	"oxymoq/pkg/transport"
)

// SendDatagram implements transport.Conn. A full queue drops the newest
// datagram, the one whose caller learns of it.
func (c *conn) SendDatagram(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case c.peer.datagram == 0 || len(b) > c.maxDatagram():
		return transport.ErrDatagramTooLarge
	case len(c.outbox) >= SendDatagrams:
		c.stats.DatagramsDropped++
		return transport.ErrDatagramDropped
	}
	c.outbox = append(c.outbox, bytes.Clone(b))
	signal(c.work)
	return nil
}

// MaxDatagramSize implements transport.Conn.
func (c *conn) MaxDatagramSize() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.maxDatagram()
}

// maxDatagram is the payload of the largest DATAGRAM frame that the peer takes
// and a record holds. mu is held.
func (c *conn) maxDatagram() int {
	return max(0, int(min(c.peer.datagram, DefaultRecord))-datagramHeader)
}

// ReceiveDatagram implements transport.Conn.
func (c *conn) ReceiveDatagram(ctx context.Context) ([]byte, error) {
	for {
		if err := c.failed(ctx); err != nil {
			return nil, err
		}
		if b, ok := c.nextDatagram(); ok {
			return b, nil
		}
		select {
		case <-c.arrived:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

func (c *conn) nextDatagram() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.inbox) == 0 {
		return nil, false
	}
	b := c.inbox[0]
	c.inbox[0] = nil
	c.inbox = c.inbox[1:]
	c.inBytes -= len(b)
	if len(c.inbox) > 0 {
		signal(c.arrived) // another goroutine may wait too
	}
	return b, true
}

// datagramArrived keeps a datagram for ReceiveDatagram, if there is room. mu is
// held.
func (c *conn) datagramArrived(b []byte) {
	if len(c.inbox) >= ReceiveDatagrams || c.inBytes+len(b) > ReceiveDatagramBytes {
		return
	}
	c.inbox = append(c.inbox, append([]byte{}, b...))
	c.inBytes += len(b)
	signal(c.arrived)
}
