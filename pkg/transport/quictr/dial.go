package quictr

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// attemptDelay is how long one address has to answer before the next is tried
// too. RFC 8305 section 8 recommends 250 ms and allows 100; UDP learns of a
// closed port by silence only, so each wrong address costs all of it.
const attemptDelay = 100 * time.Millisecond

// lookup finds the addresses of a host. Tests replace it.
var lookup = net.DefaultResolver.LookupNetIP

// Dial connects to addr, "host:port". All addresses of the host are tried,
// IPv6 and IPv4 in turn, each 100 ms after the one before it or as soon as that
// failed; the first handshake that completes wins.
//
// tlsConf needs NextProtos; ServerName is the host unless set. Errors are
// those of ctx, of TLS, ErrNoAnswer, ErrNoProtocol, ErrRefused, or what the
// resolver or the socket said; of several addresses, all are named.
func Dial(ctx context.Context, addr string, tlsConf *tls.Config, o Options) (transport.Conn, error) {
	q, err := Connect(ctx, addr, tlsConf, o)
	if err != nil {
		return nil, err
	}
	return Wrap(q), nil
}

// Connect is Dial for carriers that build on a QUIC connection.
func Connect(ctx context.Context, addr string, tlsConf *tls.Config, o Options) (*quic.Conn, error) {
	host, portName, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return nil, &net.AddrError{Err: "missing host in address", Addr: addr}
	}
	port, err := strconv.ParseUint(portName, 10, 16)
	if err != nil || port == 0 {
		return nil, &net.AddrError{Err: "port must be from 1 to 65535 in address", Addr: addr}
	}
	if tlsConf == nil {
		return nil, errors.New("no TLS configuration")
	}
	ips, err := lookup(ctx, "ip", host)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	if tlsConf.ServerName == "" {
		tlsConf = tlsConf.Clone()
		tlsConf.ServerName = host
	}
	d := dialer{tls: tlsConf, quic: o.QUIC(), via: o.Via}
	return d.race(ctx, interleave(ips), uint16(port))
}

// interleave sorts addresses so that the families take turns, starting with
// that of the first.
func interleave(ips []netip.Addr) []netip.Addr {
	var first, second, out []netip.Addr
	for _, ip := range ips {
		ip = ip.Unmap()
		if ip.Is4() == ips[0].Unmap().Is4() {
			first = append(first, ip)
		} else {
			second = append(second, ip)
		}
	}
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}

// dialer holds what all attempts share.
type dialer struct {
	tls  *tls.Config
	quic *quic.Config
	via  *quic.Transport
}

type attempt struct {
	q   *quic.Conn
	err *AddrError
}

// race starts the attempts one after the other and returns the winner. The
// losers have been told and closed when it returns.
func (d *dialer) race(ctx context.Context, ips []netip.Addr, port uint16) (*quic.Conn, error) {
	if len(ips) == 0 {
		return nil, errors.New("the host has no address")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make(chan attempt)
	next := time.NewTimer(0)
	defer next.Stop()

	var won *quic.Conn
	var errs []*AddrError
	running := 0
	for len(ips) > 0 || running > 0 {
		select {
		case <-next.C:
			if len(ips) == 0 || ctx.Err() != nil {
				ips = nil
				continue
			}
			ap := netip.AddrPortFrom(ips[0], port)
			ips = ips[1:]
			running++
			go func() {
				q, err := d.one(ctx, ap)
				if err != nil {
					results <- attempt{err: &AddrError{[]netip.AddrPort{ap}, err}}
					return
				}
				results <- attempt{q: q}
			}()
			next.Reset(attemptDelay)
		case r := <-results:
			running--
			switch {
			case r.err != nil:
				errs = append(errs, r.err)
				next.Reset(0)
			case won == nil:
				won, ips = r.q, nil
				cancel(nil)
			default:
				r.q.CloseWithError(0, "another address was faster")
			}
		}
	}
	if won != nil {
		return won, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, allFailed(errs)
}

// one makes one attempt.
func (d *dialer) one(ctx context.Context, ap netip.AddrPort) (*quic.Conn, error) {
	to := net.UDPAddrFromAddrPort(ap)
	if d.via != nil {
		q, err := d.via.Dial(ctx, to, d.tls, d.quic)
		if err != nil {
			return nil, dialError(err)
		}
		return q, nil
	}
	network := "udp6"
	if ap.Addr().Is4() {
		network = "udp4"
	}
	pc, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	tr := &quic.Transport{Conn: pc}
	closeSocket := func() {
		tr.Close()
		pc.Close()
	}
	q, err := tr.Dial(ctx, to, d.tls, d.quic)
	if err != nil {
		closeSocket()
		return nil, dialError(err)
	}
	context.AfterFunc(q.Context(), closeSocket)
	return q, nil
}
