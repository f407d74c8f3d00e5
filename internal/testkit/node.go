package testkit

import (
	"github.com/quic-go/quic-go/testutils/simnet"
)

// socketBuffer is how many packets wait for a reader, much like the receive
// buffer that quic-go asks the system for.
const socketBuffer = 4096

// Node is a host of a Network and its UDP socket, a net.PacketConn.
type Node struct {
	*simnet.SimConn
	n        *Network
	up, down *pipe
	inbox    chan simnet.Packet
	done     chan struct{}
}

// arrive puts a packet into the socket's buffer. n.mu is held.
func (v *Node) arrive(p simnet.Packet) {
	select {
	case v.inbox <- p:
		v.n.note(p, &v.down.counts, Delivered)
	default:
		v.n.note(p, &v.down.counts, BufferFull)
	}
}

// receive feeds simnet, which blocks until the packet is read.
func (v *Node) receive() {
	for {
		select {
		case p := <-v.inbox:
			v.RecvPacket(p)
		case <-v.done:
			return
		}
	}
}

// Cut makes all packets from and to the node vanish, those on their way to it
// included, until Restore.
func (v *Node) Cut() { v.setCut(true) }

// Restore ends Cut.
func (v *Node) Restore() { v.setCut(false) }

func (v *Node) setCut(cut bool) {
	v.n.mu.Lock()
	defer v.n.mu.Unlock()
	v.up.cut, v.down.cut = cut, cut
}

// Shape changes the links for packets from now on.
func (v *Node) Shape(up, down Link) {
	v.n.mu.Lock()
	defer v.n.mu.Unlock()
	v.up.Link, v.down.Link = up, down
}

// Up returns what happened on the way from the node.
func (v *Node) Up() Counts {
	v.n.mu.Lock()
	defer v.n.mu.Unlock()
	return v.up.counts
}

// Down returns what happened on the way to the node.
func (v *Node) Down() Counts {
	v.n.mu.Lock()
	defer v.n.mu.Unlock()
	return v.down.counts
}

// Remove takes a node off the network, so that another can have its address.
func (n *Network) Remove(v *Node) {
	n.mu.Lock()
	for ap, other := range n.nodes {
		if other == v {
			delete(n.nodes, ap)
			close(v.done)
		}
	}
	n.mu.Unlock()
	v.Close()
}
