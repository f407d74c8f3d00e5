package qmuxtr

import (
	"errors"
	"io"
	"os"
	"time"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
)

// readLoop handles records until the connection ends, and closes nc. It never
// waits for anybody but the network.
func (c *conn) readLoop() {
	r := newRecordReader(c.nc)
	for c.handle(r.next()) {
	}
	<-c.written
	c.mu.Lock()
	polite := c.polite
	c.mu.Unlock()
	if polite {
		// The peer should see the last frame and not a TCP reset.
		//nolint:errcheck // whatever ends it, the connection is over
		c.nc.SetReadDeadline(time.Now().Add(Linger))
		//nolint:errcheck // the same
		io.Copy(io.Discard, c.nc)
	}
	c.nc.Close()
}

// handle handles a record, or why there is none, and says whether more can
// come.
func (c *conn) handle(record []byte, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	if err != nil {
		c.readFailed(err)
		return false
	}
	c.lastReceived = time.Now()
	c.stats.BytesReceived += uint64(len(record) + varint.QUIC.Len(uint64(len(record))))
	for r := varint.NewReader(varint.QUIC, record); r.Len() > 0; {
		f, e := parseFrame(r)
		if e == nil {
			e = c.frame(&f)
		}
		if e != nil {
			c.violated(e)
		}
		if c.err != nil {
			return false
		}
	}
	return true
}

// readFailed ends the connection for want of records. mu is held.
func (c *conn) readFailed(err error) {
	if e, ok := errors.AsType[*TransportError](err); ok {
		c.violated(e)
		return
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && c.writeErr != nil:
		err = c.writeErr
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		err = errEOF
	}
	c.fail(err, nil)
}

// frame handles one frame. mu is held.
func (c *conn) frame(f *frame) *TransportError {
	if !c.heard {
		return c.hello(f)
	}
	switch f.typ {
	case framePadding, frameDataBlocked, frameStreamsBlockedBidi, frameStreamsBlockedUni:
	case frameStream, frameResetStream, frameResetStreamAt, frameStreamDataBlocked:
		return c.incoming(f)
	case frameStopSending, frameMaxStreamData:
		s, e := c.lookup(f, true)
		switch {
		case s == nil:
			return e
		case f.typ == frameStopSending:
			s.sendHalf.stopped(f.code)
		default:
			s.sendHalf.grow(f.n)
		}
	case frameMaxData:
		c.grow(f.n)
	case frameMaxStreamsBidi, frameMaxStreamsUni:
		if o := &c.opened[f.typ-frameMaxStreamsBidi]; f.n > o.limit {
			o.limit = f.n
			signal(o.credit)
		}
	case frameDatagram:
		c.datagramArrived(f.data)
	case framePing:
		return c.pinged(f.n)
	case framePong:
		return c.ponged(f.n)
	case frameClose:
		c.fail(&transport.CloseError{Code: f.code, Reason: string(f.data), Remote: true}, nil)
	case frameTransportClose:
		if ErrorCode(f.code) == NoError {
			c.fail(&transport.CloseError{Reason: string(f.data), Remote: true}, nil)
		} else {
			c.fail(&TransportError{Code: ErrorCode(f.code), FrameType: f.n, Reason: string(f.data), Remote: true}, nil)
		}
	case frameParams:
		return violation(c.dialect.misplaced, f.typ, "transport parameters come once only")
	}
	return nil
}

// hello handles the first frame. mu is held.
func (c *conn) hello(f *frame) *TransportError {
	if f.typ != frameParams {
		return violation(c.dialect.misplaced, f.typ, "the first frame must be the transport parameters")
	}
	p, e := parseParams(f.data)
	if e != nil {
		return e
	}
	c.peer, c.heard = p, true
	c.sendLimit = p.data
	for k := range c.opened {
		c.opened[k].limit = p.streams[k]
	}
	c.startPings()
	close(c.ready)
	return nil
}

// incoming handles a frame for a receiving half. mu is held.
func (c *conn) incoming(f *frame) *TransportError {
	if f.typ == frameResetStreamAt && !c.dialect.resetAt {
		return violation(FrameEncodingError, f.typ, "RESET_STREAM_AT was not negotiated")
	}
	s, e := c.lookup(f, false)
	switch {
	case e != nil:
		return e
	case f.typ == frameStreamDataBlocked:
		return nil
	case f.typ != frameStream:
		if s == nil || s.receiveHalf.done {
			return nil
		}
		return s.receiveHalf.ended(f)
	case s == nil || s.receiveHalf.done:
		return violation(FinalSizeError, f.typ, "stream %d goes on after its end", f.id)
	}
	return s.receiveHalf.arrive(f)
}

// grow handles MAX_DATA. mu is held.
func (c *conn) grow(limit uint64) {
	if limit <= c.sendLimit {
		return
	}
	c.sendLimit = limit
	starved := c.starved
	c.starved = nil
	for _, h := range starved {
		h.starved = false
		c.schedule(h)
	}
}
