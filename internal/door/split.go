package door

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// maxUnknown is how many TCP connections may be open of which no byte has
	// come yet. More are closed.
	maxUnknown = 1024
	// firstByteTimeout is how long the first byte may take.
	firstByteTimeout = 5 * time.Second
	// acceptPause is how long the port rests when the machine has no room for
	// another connection.
	acceptPause = 50 * time.Millisecond
	// handshakeRecord is the first byte of TLS (RFC 8446 section 5.1). No HTTP
	// request begins with it.
	handshakeRecord = 0x16
)

// split gives the connections of one TCP port to two servers: those that begin
// with TLS, as QMux does, and all others, which are plain HTTP. Each branch is
// closed by its server; the port is closed by Close, which waits for the
// goroutines: one that accepts, and one per connection until its first byte.
type split struct {
	ln         net.Listener
	tls, plain *branch
	unknown    chan struct{} // a place per connection without a byte
	tasks      sync.WaitGroup

	mu      sync.Mutex
	pending map[net.Conn]struct{} // connections without a byte; nil after Close
}

func newSplit(ln net.Listener) *split {
	s := &split{
		ln: ln, tls: newBranch(ln), plain: newBranch(ln),
		unknown: make(chan struct{}, maxUnknown), pending: make(map[net.Conn]struct{}),
	}
	s.tasks.Go(s.run)
	return s
}

func (s *split) run() {
	for {
		c, err := s.ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as too many open files
			select {
			case <-time.After(acceptPause):
			case <-s.tls.closed:
			}
			continue
		}
		select {
		case s.unknown <- struct{}{}:
			s.tasks.Go(func() {
				defer func() { <-s.unknown }()
				s.sort(c)
			})
		default:
			c.Close()
		}
	}
}

// sort waits for the first byte of c and hands c on.
func (s *split) sort(c net.Conn) {
	s.mu.Lock()
	if s.pending == nil {
		s.mu.Unlock()
		c.Close()
		return
	}
	s.pending[c] = struct{}{}
	s.mu.Unlock()

	var first [1]byte
	_ = c.SetReadDeadline(time.Now().Add(firstByteTimeout))
	_, err := c.Read(first[:])

	s.mu.Lock()
	delete(s.pending, c)
	s.mu.Unlock()
	if err != nil {
		c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	to := s.plain
	if first[0] == handshakeRecord {
		to = s.tls
	}
	to.give(&begun{Conn: c, first: first[:]})
}

// Close closes the port and what nobody has accepted yet.
func (s *split) Close() error {
	err := s.ln.Close()
	s.tls.Close()
	s.plain.Close()
	s.mu.Lock()
	for c := range s.pending {
		c.Close()
	}
	s.pending = nil
	s.mu.Unlock()
	s.tasks.Wait()
	return err
}

// branch is one half of a split port, as a net.Listener.
type branch struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newBranch(ln net.Listener) *branch {
	return &branch{addr: ln.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give waits until c is accepted, or closes it if it never will be.
func (b *branch) give(c net.Conn) {
	select {
	case b.conns <- c:
	case <-b.closed:
		c.Close()
	}
}

func (b *branch) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		return c, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

func (b *branch) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func (b *branch) Addr() net.Addr { return b.addr }

// begun is a connection of which the first byte was read already.
type begun struct {
	net.Conn
	first []byte
}

func (c *begun) Read(b []byte) (int, error) {
	if len(c.first) > 0 && len(b) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// NetConn returns the connection below, for settings of its socket.
func (c *begun) NetConn() net.Conn { return c.Conn }
