package qmuxtr

import (
	"net"
	"slices"
	"time"
)

// writeLoop sends records until the connection ends, then the last frame, and
// ends this direction of nc.
func (c *conn) writeLoop() {
	b := make([]byte, recordHeader, recordHeader+DefaultRecord)
	hello := frame{typ: frameParams, data: c.o.params(c.dialect).append(nil)}
	b = hello.append(b)
	for c.write(b) {
		b = c.nextRecord(b[:recordHeader])
		if len(b) == recordHeader {
			<-c.work
		}
	}
	c.mu.Lock()
	last, polite := c.last, c.polite
	c.mu.Unlock()
	if last != nil {
		//nolint:errcheck // the connection ends anyway
		c.nc.Write(seal(last.append(b[:recordHeader])))
	}
	close(c.written)
	// TLS says good-bye too, and would wait longer for a peer that does not
	// read.
	giveUp := time.AfterFunc(Linger, c.cut)
	defer giveUp.Stop()
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !polite || !ok || half.CloseWrite() != nil {
		c.nc.Close()
	}
}

// cut closes the socket below TLS, so that nothing waits for it any longer.
func (c *conn) cut() {
	if t, ok := c.nc.(interface{ NetConn() net.Conn }); ok {
		t.NetConn().Close()
		return
	}
	c.nc.Close()
}

// write sends a record, unless it is empty, and says whether it may go on.
func (c *conn) write(b []byte) bool {
	var err error
	if len(b) > recordHeader {
		_, err = c.nc.Write(seal(b))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hasData {
		c.hasData = false
		c.lastSent = time.Now()
	}
	if err != nil && c.err == nil {
		// What the peer said before it left may still be waiting to be read.
		c.writeErr = err
		//nolint:errcheck // it fails if nc is closed, and then so does the reader
		c.nc.SetReadDeadline(time.Now().Add(Linger))
	}
	return c.err == nil && err == nil
}

// nextRecord adds to b, an empty record, what is to be sent now, if anything.
func (c *conn) nextRecord(b []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || !c.heard {
		return b
	}
	if b = c.fill(b); len(b) > recordHeader {
		// Counted before the peer can know of it.
		c.stats.BytesSent += uint64(len(b))
	}
	return b
}

// fill adds what steers the connection, then datagrams, then data of streams.
// mu is held.
func (c *conn) fill(b []byte) []byte {
	b = c.fillSteering(b)
	b = c.fillControl(b)
	half := cap(b) / 2
	for len(c.outbox) > 0 {
		d := c.outbox[0]
		if len(b) > recordHeader && len(b)+datagramHeader+len(d) > cap(b) {
			return b // it goes into the next record
		}
		if len(b) > half && c.queue.next() != nil {
			break
		}
		f := frame{typ: frameDatagram, data: d}
		b = f.append(b)
		c.hasData = true
		c.outbox[0] = nil
		if c.outbox = c.outbox[1:]; len(c.outbox) == 0 {
			c.outbox = nil
		}
	}
	for {
		h := c.queue.next()
		room := cap(b) - len(b) - streamHeader
		if h == nil || room <= 0 {
			return b
		}
		b = c.fillStream(b, h, room)
	}
}

// fillSteering adds the frames that concern the whole connection. mu is held.
func (c *conn) fillSteering(b []byte) []byte {
	add := func(due *bool, typ, n uint64) {
		if *due {
			*due = false
			f := frame{typ: typ, n: n}
			b = f.append(b)
		}
	}
	add(&c.pongDue, framePong, c.pongSeq)
	add(&c.pingDue, framePing, c.pingSeq)
	add(&c.grantDue, frameMaxData, c.granted)
	add(&c.limitDue[bidi], frameMaxStreamsBidi, c.foreign[bidi].limit)
	add(&c.limitDue[uni], frameMaxStreamsUni, c.foreign[uni].limit)
	return b
}

// fillControl adds the frames that concern one stream, except STREAM. mu is
// held.
func (c *conn) fillControl(b []byte) []byte {
	for len(c.control) > 0 && cap(b)-len(b) >= 3*controlSize {
		s := c.control[0]
		c.control[0] = nil
		c.control = c.control[1:]
		s.inControl = false
		if h := &s.receiveHalf; h.stopDue {
			h.stopDue = false
			f := frame{typ: frameStopSending, id: s.id, code: h.stopCode}
			b = f.append(b)
		}
		if h := &s.receiveHalf; h.grantDue {
			h.grantDue = false
			if !h.over() {
				f := frame{typ: frameMaxStreamData, id: s.id, n: h.limit}
				b = f.append(b)
			}
		}
		if h := &s.sendHalf; h.resetDue && h.buf.len() == 0 {
			h.resetDue = false
			f := h.resetFrame()
			b = f.append(b)
			h.finish()
		}
	}
	if len(c.control) == 0 {
		c.control = nil
	}
	return b
}

// fillStream adds a STREAM frame with at most room bytes of h, whose turn it
// is. mu is held.
func (c *conn) fillStream(b []byte, h *sendHalf, room int) []byte {
	copied := min(room, h.buf.len())
	direct := 0 // from the Write that waits
	if h.err == nil {
		direct = int(min(uint64(room-copied), uint64(len(h.pending)),
			h.limit-h.sent-uint64(h.buf.len()), c.sendLimit-c.sent-c.buffered))
	}
	size := copied + direct
	fin := h.fin && len(h.pending) == direct && h.buf.len() == copied
	if size == 0 && !fin {
		// The connection has no credit.
		c.queue.remove(h)
		c.starve(h)
		return b
	}
	b = appendStreamHeader(b, h.s.id, h.sent, size, h.sent > 0, fin)
	b = b[:len(b)+copied]
	h.buf.take(b[len(b)-copied:])
	b = append(b, h.pending[:direct]...)
	h.sent += uint64(size)
	c.sent += uint64(size)
	c.buffered -= uint64(copied)
	c.hasData = true
	if h.pending = h.pending[direct:]; direct > 0 && len(h.pending) == 0 {
		signal(h.wake)
	}
	c.queue.served(h)
	if fin {
		h.finish()
	}
	if h.resetDue && h.buf.len() == 0 {
		h.s.say()
	}
	c.schedule(h)
	return b
}

// starve keeps h until MAX_DATA comes. Streams that ended meanwhile are
// forgotten, or a peer that grants streams and no data could pile them up. mu
// is held.
func (c *conn) starve(h *sendHalf) {
	if h.starved {
		return
	}
	h.starved = true
	c.starved = append(c.starved, h)
	if len(c.starved) > len(c.streams) {
		c.starved = slices.DeleteFunc(c.starved, func(h *sendHalf) bool { return h.done })
	}
}
