package memtr

import (
	"context"
	"sync"
	"time"

	"oxymoq/pkg/transport"
)

// What a pair has unless an Option says otherwise. The sizes are those that
// real peers announce, small enough that a test meets them.
const (
	DefaultWindow        = 64 << 10 // bytes that may be unread in one direction of a stream
	DefaultStreams       = 100      // concurrent streams of one kind that a side grants the other
	DefaultDatagramQueue = 32       // datagrams on their way or unread in one direction
	DefaultDatagramSize  = 1200     // bytes
	DefaultProtocol      = "moqt-18"
)

type config struct {
	window        uint64
	streams       [2]int // by streamKind
	datagramQueue int
	datagramSize  int
	delay         time.Duration
	protocol      string
	kind          transport.Kind
	noBoundary    bool
}

// Option changes how a pair behaves, the same for both ends.
type Option func(*config)

// WithWindow sets how many bytes of one direction of a stream may be unread
// before Write blocks. At least 1.
func WithWindow(bytes int) Option { return func(c *config) { c.window = uint64(max(1, bytes)) } }

// WithStreams sets how many bidirectional and unidirectional streams each side
// lets the other have open at a time.
func WithStreams(bidi, uni int) Option {
	return func(c *config) { c.streams = [2]int{bidiKind: bidi, uniKind: uni} }
}

// WithDatagrams sets how many datagrams fit between SendDatagram and
// ReceiveDatagram, and how large one may be. Size 0 means that the peers did
// not negotiate datagrams.
func WithDatagrams(queue, size int) Option {
	return func(c *config) { c.datagramQueue, c.datagramSize = queue, size }
}

// WithDelay sets the time that everything takes from one end to the other.
func WithDelay(oneWay time.Duration) Option { return func(c *config) { c.delay = oneWay } }

// WithProtocol sets what Protocol returns.
func WithProtocol(p string) Option { return func(c *config) { c.protocol = p } }

// WithKind makes the pair claim another Kind, for code that treats raw QUIC
// and WebTransport differently.
func WithKind(k transport.Kind) Option { return func(c *config) { c.kind = k } }

// WithoutReliableReset makes SetReliableBoundary do nothing, as towards a peer
// that lacks RESET_STREAM_AT.
func WithoutReliableReset() Option { return func(c *config) { c.noBoundary = true } }

// pair is the state that two ends share.
type pair struct {
	mu  sync.Mutex // guards everything in both ends
	cfg config
}

// Pair returns the two ends of a new connection. Close either of them.
func Pair(opts ...Option) (client, server transport.Conn) {
	p := &pair{cfg: config{
		window:        DefaultWindow,
		streams:       [2]int{DefaultStreams, DefaultStreams},
		datagramQueue: DefaultDatagramQueue,
		datagramSize:  DefaultDatagramSize,
		protocol:      DefaultProtocol,
		kind:          transport.Memory,
	}}
	for _, o := range opts {
		o(&p.cfg)
	}
	c, s := newConn(p, "client"), newConn(p, "server")
	c.peer, s.peer = s, c
	s.firstID = 1
	return c, s
}

func newConn(p *pair, name addr) *conn {
	c := &conn{
		p:         p,
		local:     name,
		out:       link{mu: &p.mu, delay: p.cfg.delay},
		datagrams: make(chan []byte, max(0, p.cfg.datagramQueue)),
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	for k := range c.opened {
		c.opened[k] = outgoing{limit: p.cfg.streams[k], credit: make(chan struct{}, 1)}
		c.accepted[k] = incoming{ready: make(chan struct{}, 1)}
	}
	return c
}
