package testkit

import (
	"math/rand/v2"
	"time"
)

// Link is one direction between a node and the middle of the network. The zero
// value is perfect.
type Link struct {
	Rate    int           // bits per second; 0: unlimited
	Queue   int           // bytes that may wait for Rate; 0: unlimited
	Delay   time.Duration // added to every packet
	Jitter  time.Duration // up to this much is added at random
	Reorder bool          // Jitter may let packets overtake; otherwise order is kept
	Loss    float64       // chance from 0 to 1 that a packet vanishes
}

// Fate is what a link did with a packet.
type Fate string

// The fates.
const (
	Sent       Fate = "sent"        // it went on
	Lost       Fate = "lost"        // by chance
	QueueFull  Fate = "queue full"  // Rate was too low
	Blackholed Fate = "blackholed"  // the node was cut off
	NoRoute    Fate = "no route"    // nobody has the address
	BufferFull Fate = "buffer full" // the socket was not read
	Delivered  Fate = "delivered"
)

// Counts says how often each Fate struck on one link.
type Counts struct {
	Sent, Lost, QueueFull, Blackholed, NoRoute, BufferFull, Delivered int
	// Reordered are the packets that arrived after one sent later.
	Reordered int
}

func (c *Counts) add(f Fate) {
	switch f {
	case Sent:
		c.Sent++
	case Lost:
		c.Lost++
	case QueueFull:
		c.QueueFull++
	case Blackholed:
		c.Blackholed++
	case NoRoute:
		c.NoRoute++
	case BufferFull:
		c.BufferFull++
	case Delivered:
		c.Delivered++
	}
}

// pipe is a Link at work. Guarded by the Network's mu.
type pipe struct {
	Link
	cut    bool
	random *rand.Rand
	free   time.Time // when the transmitter has sent all that waits
	last   time.Time // latest arrival so far
	counts Counts
	// lastOut is the highest number of a packet that has left the link.
	lastOut int
}

// pass decides the fate of the next packet, and when it arrives if it does.
func (l *pipe) pass(now time.Time, size int) (arrival time.Time, what Fate) {
	// Always two draws, so that the fate of a packet depends on its number only.
	chance, jitter := l.random.Float64(), l.random.Float64()
	if l.cut {
		return now, Blackholed
	}
	if chance < l.Loss {
		return now, Lost
	}
	departure := now
	if l.Rate > 0 {
		wait := max(0, l.free.Sub(now))
		backlog := wait.Seconds() * float64(l.Rate) / 8
		if l.Queue > 0 && backlog+float64(size) > float64(l.Queue) {
			return now, QueueFull
		}
		departure = now.Add(wait + time.Duration(float64(size)*8/float64(l.Rate)*float64(time.Second)))
		l.free = departure
	}
	arrival = departure.Add(l.Delay + time.Duration(jitter*float64(l.Jitter)))
	if !l.Reorder && arrival.Before(l.last) {
		arrival = l.last
	}
	if arrival.After(l.last) {
		l.last = arrival
	}
	return arrival, Sent
}
