package qmuxtr

import (
	"time"

	"oxymoq/pkg/transport"
)

// stream is one end of a stream. Of a unidirectional one, one half is over from
// the beginning and never handed out.
type stream struct {
	sendHalf
	receiveHalf
	c     *conn
	id    uint64
	local bool // opened by this side

	// Guarded by c.mu.
	accepted  bool // handed out by an accepting call
	inControl bool // in c.control
}

var (
	_ transport.Stream        = (*stream)(nil)
	_ transport.SendStream    = (*sendHalf)(nil)
	_ transport.ReceiveStream = (*receiveHalf)(nil)
)

// StreamID implements transport.Identified.
func (s *stream) StreamID() uint64 { return s.id }

// StreamID implements transport.Identified.
func (h *sendHalf) StreamID() uint64 { return h.s.id }

// StreamID implements transport.Identified.
func (h *receiveHalf) StreamID() uint64 { return h.s.id }

// newStream makes a stream and adds it to the connection. mu is held.
func (c *conn) newStream(id uint64, local bool) *stream {
	s := &stream{c: c, id: id, local: local}
	s.sendHalf.s, s.receiveHalf.s = s, s
	s.sendHalf.urgency, s.sendHalf.index = defaultUrgency, -1
	one := id>>1&1 == uni
	if s.sendHalf.done = one && !local; !s.sendHalf.done {
		s.sendHalf.wake = make(chan struct{}, 1)
		switch {
		case one:
			s.sendHalf.limit = c.peer.uni
		case local:
			s.sendHalf.limit = c.peer.bidiRemote
		default:
			s.sendHalf.limit = c.peer.bidiLocal
		}
	}
	if s.receiveHalf.done = one && local; !s.receiveHalf.done {
		s.receiveHalf.wake = make(chan struct{}, 1)
		s.receiveHalf.window = uint64(c.o.StreamWindow)
		s.receiveHalf.limit = s.receiveHalf.window
	}
	c.streams[id] = s
	return s
}

// say puts the stream among those that have a frame other than STREAM to send.
// mu is held.
func (s *stream) say() {
	if s.c.err != nil {
		return
	}
	if !s.inControl {
		s.inControl = true
		s.c.control = append(s.c.control, s)
	}
	signal(s.c.work)
}

// release forgets a stream that is over in both directions, and allows the
// peer another one in its place. mu is held.
func (s *stream) release() {
	if !s.sendHalf.done || !s.receiveHalf.done || !s.local && !s.accepted {
		return
	}
	c := s.c
	if c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	if s.local {
		return
	}
	kind := s.id >> 1 & 1
	if c.foreign[kind].limit < maxStreamCount {
		c.foreign[kind].limit++
		c.limitDue[kind] = true
		signal(c.work)
	}
}

// deadline wakes a call that waits when its time comes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// set moves the deadline. The zero time means none.
func (d *deadline) set(at time.Time, wake chan struct{}) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if wait := time.Until(at); !at.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, func() { signal(wake) })
		return
	}
	signal(wake)
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
