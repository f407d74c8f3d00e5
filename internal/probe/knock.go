package probe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"oxymoq/pkg/varint"
)

// QUIC packets of any version (RFC 8999).
const (
	longHeader = 0x80
	// reservedVersion is one that servers must not speak, so they answer with
	// those that they do (RFC 9000, section 6.3).
	reservedVersion = 0x1a2a3a4a
	reservedMask    = 0x0f0f0f0f
	reservedDigits  = 0x0a0a0a0a
	// knockSize is the smallest datagram that a server must answer (RFC 9000,
	// section 14.1).
	knockSize = 1200
	knockID   = 8 // bytes of each connection ID
)

// spokenVersions are the versions of QUIC that this program speaks (RFC 9000,
// RFC 9369).
var spokenVersions = []uint32{1, 0x6b3343cf}

// knocks are the packets that one address is sent, in case some get lost.
const knocks = 3

// reach is what one address says over UDP.
type reach struct {
	addr     netip.AddrPort
	answered bool
	versions []uint32 // of QUIC, in the server's order, without the reserved ones
	err      error    // of the socket: refused, unreachable, forbidden; nil after silence
	took     time.Duration
}

// knockAll asks all addresses at once. What was not answered in time is
// silence.
func knockAll(ctx context.Context, addrs []netip.AddrPort, wait time.Duration) []reach {
	all := make([]reach, len(addrs))
	var tasks sync.WaitGroup
	for i, a := range addrs {
		tasks.Go(func() { all[i] = knock(ctx, a, wait) })
	}
	tasks.Wait()
	return all
}

// knock sends packets of a version that nobody speaks and waits for the list of
// versions that is the answer. The socket is connected, so that it hears of a
// closed port.
func knock(ctx context.Context, addr netip.AddrPort, wait time.Duration) reach {
	r := reach{addr: addr}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", addr.String())
	if err != nil {
		r.err = err
		return r
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
	packet := newKnock()
	began := time.Now()
	in := make([]byte, 1500)
	for i := range knocks {
		if _, err := c.Write(packet); err != nil {
			r.err = err
			return r
		}
		// The last one waits for the rest of the time, which ctx ends.
		deadline := time.Time{}
		if i+1 < knocks {
			deadline = began.Add(wait * time.Duration(i+1) / (2 * knocks))
		}
		if err := c.SetReadDeadline(deadline); err != nil {
			r.err = err
			return r
		}
		if ctx.Err() != nil {
			return r
		}
		for {
			n, err := c.Read(in)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				r.err = err
				return r
			}
			if versions, ok := parseVersions(in[:n], packet); ok {
				r.answered, r.versions, r.took = true, versions, time.Since(began)
				return r
			}
		}
	}
	return r
}

// newKnock returns a packet with new connection IDs.
func newKnock() []byte {
	b := make([]byte, knockSize)
	b[0] = longHeader | 0x40
	binary.BigEndian.PutUint32(b[1:], reservedVersion)
	b[5] = knockID
	_, _ = rand.Read(b[6 : 6+knockID]) // it never fails
	b[6+knockID] = knockID
	_, _ = rand.Read(b[7+knockID : 7+2*knockID])
	return b
}

// parseVersions reads a Version Negotiation packet (RFC 8999, section 6) that
// answers sent, a packet of newKnock. Reserved versions are left out.
func parseVersions(b, sent []byte) (versions []uint32, ok bool) {
	r := varint.NewReader(varint.QUIC, b)
	first, version := r.Byte(), r.Bytes(4)
	to := r.Bytes(uint64(r.Byte()))
	from := r.Bytes(uint64(r.Byte()))
	if r.Err() != nil || first&longHeader == 0 || binary.BigEndian.Uint32(version) != 0 {
		return nil, false
	}
	if string(to) != string(sent[7+knockID:7+2*knockID]) || string(from) != string(sent[6:6+knockID]) {
		return nil, false
	}
	for r.Len() > 0 {
		v := r.Bytes(4)
		if r.Err() != nil {
			return nil, false
		}
		if n := binary.BigEndian.Uint32(v); n&reservedMask != reservedDigits {
			versions = append(versions, n)
		}
	}
	return versions, true
}

// versionName is how a version of QUIC is called.
func versionName(v uint32) string {
	switch {
	case v == 1:
		return "1"
	case v == 0x6b3343cf:
		return "2"
	case v>>8 == 0xff0000:
		return fmt.Sprintf("draft %d", v&0xff)
	}
	return fmt.Sprintf("0x%08x", v)
}

// answer is what a port says over TCP.
type answer int

const (
	silent answer = iota
	open
	closed
)

// knockTCP asks all addresses of the target over TCP; one that is open wins.
func (o *Options) knockTCP(ctx context.Context, addrs []netip.AddrPort) (answer, time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout())
	defer cancel()
	found := make([]answer, len(addrs))
	began := time.Now()
	var tasks sync.WaitGroup
	for i, a := range addrs {
		tasks.Go(func() {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", a.String())
			switch {
			case err == nil:
				found[i] = open
				c.Close()
			case errors.Is(err, syscall.ECONNREFUSED):
				found[i] = closed
			}
		})
	}
	tasks.Wait()
	best := silent
	for _, f := range found {
		if f == open || f == closed && best == silent {
			best = f
		}
	}
	return best, time.Since(began)
}
