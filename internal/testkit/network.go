package testkit

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// Network is a virtual UDP network: nodes with an uplink and a downlink each
// around a perfect middle.
//
// What happens to a packet depends on the seed, on the link, and on how many
// packets passed that link before, never on the timing of other links. So the
// same packets meet the same fate in every run.
type Network struct {
	seed  uint64
	start time.Time

	mu      sync.Mutex
	nodes   map[netip.AddrPort]*Node
	events  eventQueue
	seq     uint64
	running bool // one goroutine runs events
	timer   *time.Timer
	closed  bool
	record  bool
	trace   []Event
}

// NewNetwork returns an empty network that is closed when the test ends.
func NewNetwork(tb testing.TB, seed uint64) *Network {
	n := &Network{seed: seed, start: time.Now(), nodes: make(map[netip.AddrPort]*Node)}
	tb.Cleanup(n.close)
	return n
}

// Node adds a host with one UDP socket at addr, "10.0.0.1:4433". It panics if
// addr is not an address or is taken.
func (n *Network) Node(addr string, up, down Link) *Node {
	ap := netip.MustParseAddrPort(addr)
	v := &Node{n: n, inbox: make(chan simnet.Packet, socketBuffer), done: make(chan struct{})}
	v.up = n.newPipe(addr+" up", up)
	v.down = n.newPipe(addr+" down", down)
	v.SimConn = simnet.NewBlockingSimConn(net.UDPAddrFromAddrPort(ap), (*router)(n))
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.nodes[ap] != nil {
		panic(fmt.Sprintf("testkit: address %s is taken", addr))
	}
	n.nodes[ap] = v
	go v.receive()
	return v
}

// Record makes Trace remember what happens from now on.
func (n *Network) Record() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.record = true
}

// Trace returns what happened since Record, in order.
func (n *Network) Trace() []Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Event(nil), n.trace...)
}

// Event is a step of a packet's way.
type Event struct {
	At       time.Duration // since NewNetwork
	From, To string
	Size     int
	What     Fate
}

func (n *Network) close() {
	n.mu.Lock()
	n.closed = true
	n.events = nil
	if n.timer != nil {
		n.timer.Stop()
	}
	nodes := n.nodes
	n.nodes = nil
	n.mu.Unlock()
	for _, v := range nodes {
		v.Close()
		close(v.done)
	}
}

// note counts and traces. n.mu is held.
func (n *Network) note(p simnet.Packet, c *Counts, what Fate) {
	c.add(what)
	if n.record {
		n.trace = append(n.trace, Event{
			At: time.Since(n.start), From: p.From.String(), To: p.To.String(), Size: len(p.Data), What: what,
		})
	}
}

// router is the Network as simnet sees it.
type router Network

// AddNode implements simnet.Router; Node does what it asks for.
func (*router) AddNode(net.Addr, simnet.PacketReceiver) {}

// SendPacket implements simnet.Router. As on a real network, a packet that
// gets lost is no error.
func (r *router) SendPacket(p simnet.Packet) error {
	n := (*Network)(r)
	n.mu.Lock()
	defer n.mu.Unlock()
	from := n.nodes[addrPort(p.From)]
	if n.closed || from == nil {
		return net.ErrClosed
	}
	n.enter(from.up, p, func() {
		to := n.nodes[addrPort(p.To)]
		if to == nil {
			n.note(p, &from.up.counts, NoRoute)
			return
		}
		n.enter(to.down, p, func() { to.arrive(p) })
	})
	return nil
}

func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// enter puts a packet on a link; then runs when it leaves at the other end.
// n.mu is held, here and when then runs.
func (n *Network) enter(l *pipe, p simnet.Packet, then func()) {
	arrival, what := l.pass(time.Now(), len(p.Data))
	n.note(p, &l.counts, what)
	if what != Sent {
		return
	}
	n.seq++
	number := l.counts.Sent
	heap.Push(&n.events, event{at: arrival, seq: n.seq, run: func() {
		if number < l.lastOut {
			l.counts.Reordered++
		}
		l.lastOut = max(l.lastOut, number)
		then()
	}})
	n.arm()
}

// arm sets the timer for the next event. n.mu is held.
func (n *Network) arm() {
	if n.running || len(n.events) == 0 {
		return
	}
	if n.timer != nil {
		n.timer.Stop()
	}
	n.timer = time.AfterFunc(time.Until(n.events[0].at), n.run)
}

// run does what is due, in order of time and then of sending.
func (n *Network) run() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running || n.closed {
		return
	}
	n.running = true
	for len(n.events) > 0 && !time.Now().Before(n.events[0].at) {
		heap.Pop(&n.events).(event).run()
	}
	n.running = false
	n.arm()
}

// event is something that happens at a time.
type event struct {
	at  time.Time
	seq uint64
	run func()
}

// eventQueue is a heap.
type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}

func (n *Network) newPipe(name string, l Link) *pipe {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &pipe{Link: l, random: rand.New(rand.NewPCG(n.seed, h.Sum64()))}
}
