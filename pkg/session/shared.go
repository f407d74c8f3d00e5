package session

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// sharedControl is the bidirectional control stream that the requests of drafts
// up to 16 share (draft 16, section 3.3). One goroutine reads it and sorts its
// messages onto the lanes (shared_read.go), one writes it.
type sharedControl struct {
	s        *Session
	granting sync.Mutex // one MAX_REQUEST_ID at a time

	mu     sync.Mutex
	stream transport.Stream // nil until it is open
	// lanes are those on which something may still come, by Request ID; both
	// sides have IDs of their own parity.
	lanes   map[uint64]*share
	updates map[uint64]*share // that wait for the answer to a REQUEST_UPDATE, by its ID

	// What is to be written. Whoever posts a message has a place in the order of
	// messages at once, and may wait for the peer to take it, holding no lock.
	queue, spare    []byte
	posted, written uint64 // bytes
	moved           *sync.Cond
	broken          error // why nothing is written any more
}

func newSharedControl(s *Session) *sharedControl {
	c := &sharedControl{s: s, lanes: map[uint64]*share{}, updates: map[uint64]*share{}}
	c.moved = sync.NewCond(&c.mu)
	context.AfterFunc(s.ctx, func() { c.breakOff(context.Cause(s.ctx)) })
	return c
}

// open opens the control stream of a client and sends CLIENT_SETUP. A server waits
// for it.
func (c *sharedControl) open(ctx context.Context) error {
	if c.s.cfg.Role == wire.Server {
		return nil
	}
	stream, err := c.s.conn.OpenStream(ctx)
	if err != nil {
		return err
	}
	c.begin(stream)
	reader := newMessageReader(stream, c.s.cfg.Draft, c.s.cfg.Limits.MessageTimeout)
	c.s.loops.Go(func() { c.s.fail(c.read(reader, nil)) })
	return c.send(c.s.setup())
}

// begin starts writing to the control stream.
func (c *sharedControl) begin(stream transport.Stream) {
	stream.SetPriority(urgencyControl, false)
	c.mu.Lock()
	c.stream = stream
	c.mu.Unlock()
	c.s.loops.Go(c.write)
	context.AfterFunc(stream.Context(), func() {
		if se, ok := errors.AsType[*transport.StreamError](context.Cause(stream.Context())); ok && se.Remote {
			c.s.loops.Go(func() { c.s.fail(c.s.leftControl()) })
		}
	})
}

// agree completes the exchange of SETUP: it takes what the peer's one says of
// versions and credit, and as a server answers.
func (c *sharedControl) agree(m *wire.Setup) error {
	s := c.s
	if s.dialect.versions {
		want := wire.VersionNumber(s.cfg.Draft)
		if s.cfg.Role == wire.Client && m.Versions[0] != want || !slices.Contains(m.Versions, want) {
			return noVersion(m.Versions, s.cfg.Draft)
		}
	}
	s.mu.Lock()
	s.credit.max = m.MaxRequestID.Or(0)
	s.mu.Unlock()
	if s.cfg.Role == wire.Server {
		c.post(s.setup())
	}
	return nil
}

// acceptStreams serves the peer's bidirectional streams until the connection ends.
func (c *sharedControl) acceptStreams() {
	for {
		stream, err := c.s.conn.AcceptStream(c.s.ctx)
		if err != nil {
			return
		}
		c.s.loops.Go(func() { c.accept(stream) })
	}
}

// accept finds out what a stream is: the control stream of a client, which may
// come later than others, or a request that has a stream of its own.
func (c *sharedControl) accept(stream transport.Stream) {
	s := c.s
	l := s.newStreamLane(stream)
	typ, body, ok := l.first()
	if !ok {
		return
	}
	if kind, _ := wire.KindOf(s.cfg.Draft, typ); kind == wire.KindSetup && s.cfg.Role == wire.Server {
		c.mu.Lock()
		second := c.stream != nil
		c.mu.Unlock()
		if second {
			s.fail(violation("second control stream"))
			return
		}
		c.begin(stream)
		s.fail(c.read(l.reader, func(handle func(uint64, []byte) error) error { return handle(typ, body) }))
		return
	}
	if !s.dialect.namespaceStream {
		s.fail(violation("a bidirectional stream begins with %s", wire.MessageName(s.cfg.Draft, typ)))
		return
	}
	select { // it is for the session that SETUP begins
	case <-s.setupDone:
	case <-s.ctx.Done():
		return
	}
	l.finCancels = true
	s.serveRequest(l, typ, body)
}

// post queues a message that belongs to no request.
func (c *sharedControl) post(m wire.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.postLocked(c.s.sendContext(wire.ControlStream, 0, 0), m); err != nil {
		c.s.log.Error("message was not sent", "message", m.Kind(), "error", err)
	}
}

// send queues a message that belongs to no request and waits until it is written.
func (c *sharedControl) send(m wire.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.postLocked(c.s.sendContext(wire.ControlStream, 0, 0), m); err != nil {
		return err
	}
	return c.flushLocked()
}

// postLocked gives a message its place. On error nothing of it is sent.
func (c *sharedControl) postLocked(ctx wire.Context, m wire.Message) error {
	if c.broken != nil {
		return c.broken
	}
	queue, err := wire.AppendMessage(c.queue, ctx, m)
	if err != nil {
		return notSent{err}
	}
	if c.s.trace != nil {
		c.s.tracedAs(wire.NameOf(ctx, m.Kind()), true, c.stream, m)
	}
	c.posted += uint64(len(queue) - len(c.queue))
	c.queue = queue
	c.moved.Broadcast()
	return nil
}

// flushLocked waits until everything that was posted so far is written. It gives
// up c.mu meanwhile.
func (c *sharedControl) flushLocked() error {
	for end := c.posted; c.written < end; c.moved.Wait() {
		if c.broken != nil {
			return c.broken
		}
	}
	return nil
}

// write writes what is posted until the session ends.
func (c *sharedControl) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.queue) == 0 && c.broken == nil {
			c.moved.Wait()
		}
		if c.broken != nil {
			return
		}
		b := c.queue
		c.queue = c.spare[:0]
		c.mu.Unlock()
		err := c.writeNow(b)
		c.mu.Lock()
		c.spare = b
		c.written += uint64(len(b))
		c.moved.Broadcast()
		if err != nil {
			c.mu.Unlock()
			c.breakOff(c.s.endOf(err))
			c.mu.Lock()
		}
	}
}

// writeNow writes to the stream. A peer that takes nothing for the timeout loses
// the session: nothing could be said in it.
func (c *sharedControl) writeNow(b []byte) error {
	if err := c.stream.SetWriteDeadline(time.Now().Add(c.s.cfg.Limits.MessageTimeout)); err != nil {
		return err
	}
	_, err := c.stream.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &model.SessionError{Code: model.ControlMessageTimeout, Reason: "peer does not read its control stream"}
		c.s.fail(err)
	}
	return err
}

// breakOff ends the writing and all lanes.
func (c *sharedControl) breakOff(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = err
	}
	c.moved.Broadcast()
	for _, l := range c.lanes {
		l.endLocked(err)
	}
}
