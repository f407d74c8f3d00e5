package qmuxtr

import (
	"time"

	"oxymoq/pkg/transport"
)

// pings is what a connection does to know whether its peer lives. Guarded by
// conn.mu.
type pings struct {
	timer *time.Timer
	idle  time.Duration // 0: the connection may be silent forever
	every time.Duration // 0: no pings

	lastReceived time.Time // a record
	lastSent     time.Time // a record with data
	lastPing     time.Time

	pingSeq  uint64 // of the last ping sent
	pingDue  bool
	pongSeq  uint64 // the peer's last
	pongDue  bool
	hasPong  bool // the peer has pinged
	hasData  bool // the record being built counts for lastSent
	writeErr error
}

func (p *pings) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// startPings starts the clock when the peer's parameters have come. The lower
// of both idle timeouts counts. mu is held.
func (c *conn) startPings() {
	c.idle = c.o.IdleTimeout
	if peer := c.peer.idle; peer > 0 && peer < uint64(c.idle/time.Millisecond) {
		c.idle = time.Duration(peer) * time.Millisecond
	}
	if c.every = c.o.KeepAlive; c.every > 0 {
		c.every = min(c.every, c.idle/2)
	}
	c.lastReceived = time.Now()
	c.timer = time.AfterFunc(c.untilTick(c.lastReceived), c.tick)
}

// deadAt is when the peer counts as gone: an idle timeout after the last sign
// of life or the last data that TCP took, but not later than Silence idle
// timeouts after the last sign of life, if it was pinged meanwhile. mu is held.
func (c *conn) deadAt() time.Time {
	at := c.lastReceived
	if c.lastSent.After(at) {
		at = c.lastSent
	}
	at = at.Add(c.idle)
	if last := c.lastReceived.Add(Silence * c.idle); c.every > 0 && last.Before(at) {
		at = last
	}
	return at
}

// pingAt is when the next ping is due. mu is held.
func (c *conn) pingAt() time.Time {
	at := c.lastReceived
	if c.lastPing.After(at) {
		at = c.lastPing
	}
	return at.Add(c.every)
}

func (c *conn) untilTick(now time.Time) time.Duration {
	at := c.deadAt()
	if ping := c.pingAt(); c.every > 0 && ping.Before(at) {
		at = ping
	}
	return at.Sub(now)
}

// tick does what is due.
func (c *conn) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	now := time.Now()
	if !now.Before(c.deadAt()) {
		c.fail(transport.ErrIdle, nil)
		return
	}
	if c.every > 0 && !now.Before(c.pingAt()) {
		c.lastPing = now
		c.pingSeq++
		c.pingDue = true
		signal(c.work)
	}
	c.timer.Reset(c.untilTick(now))
}

// pinged handles QX_PING that asks. Of several that wait, the last is
// answered. mu is held.
func (c *conn) pinged(seq uint64) *TransportError {
	if c.hasPong && seq <= c.pongSeq && c.dialect.strict {
		return violation(ProtocolViolation, framePing, "ping %d after %d", seq, c.pongSeq)
	}
	c.pongSeq, c.hasPong, c.pongDue = seq, true, true
	signal(c.work)
	return nil
}

// ponged handles QX_PING that answers. mu is held.
func (c *conn) ponged(seq uint64) *TransportError {
	if seq > c.pingSeq && c.dialect.strict {
		return violation(ProtocolViolation, framePong, "the answer to ping %d, which was not sent", seq)
	}
	if seq == c.pingSeq && !c.lastPing.IsZero() {
		c.stats.RTT = time.Since(c.lastPing)
	}
	return nil
}
