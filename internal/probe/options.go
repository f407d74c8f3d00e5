package probe

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/session"
)

const (
	// DefaultTimeout is how long each step may take unless Options say otherwise.
	DefaultTimeout = 3 * time.Second
	// Settle is how long a session is watched for a late word of the server:
	// namespaces that it lists, GOAWAY, or that it closes after all.
	Settle = 250 * time.Millisecond
	// settleTrips are the round trips that it lasts at least: over raw QUIC a
	// server may say its SETUP one before it sees ours.
	settleTrips = 3
)

// Options say what to look at, and how.
type Options struct {
	Target dial.Target
	// Dial says how to connect. TLS is of certs.ClientConfig. Transport is the
	// only one to look at; empty: all for Probe, what the URL says for Diagnose.
	// Protocols are those to offer; none: all that are spoken here. Timeout is
	// for each step; 0: DefaultTimeout. Traces are replaced.
	Dial dial.Options

	// lookup replaces the resolver, and settle is instead of Settle, in tests.
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	settle time.Duration
	// patience with requests is instead of Dial.Timeout, in tests.
	patience time.Duration
}

// watch lets a session alone for a while. It returns early if the session ends
// or the server wants us to leave.
func (o *Options) watch(ctx context.Context, s *session.Session) {
	t := time.NewTimer(cmp.Or(o.settle, max(Settle, settleTrips*s.Conn().Stats().RTT)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.Context().Done():
	case <-s.GoawayReceived():
	}
}

// timeout returns how long a step may take.
func (o *Options) timeout() time.Duration { return cmp.Or(o.Dial.Timeout, DefaultTimeout) }

// answerTime returns how long the answer to a request may take.
func (o *Options) answerTime() time.Duration { return cmp.Or(o.patience, o.timeout()) }

// protocols returns what is offered, the preferred first.
func (o *Options) protocols() []string {
	if len(o.Dial.Protocols) > 0 {
		return o.Dial.Protocols
	}
	return session.Protocols()
}

// resolve returns the addresses of the target.
func (o *Options) resolve(ctx context.Context) (addrs []netip.AddrPort, took time.Duration, err error) {
	lookup := o.lookup
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", o.Target.Port)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout())
	defer cancel()
	began := time.Now()
	ips, err := lookup(ctx, "ip", o.Target.Host)
	if err != nil {
		return nil, 0, err
	}
	for _, ip := range ips {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return slices.Compact(addrs), time.Since(began), nil
}

// public says that the URL holds nothing that only a trusted server may see.
func (o *Options) public() bool { return !strings.Contains(o.Target.Path, "?") }

// trustsAny says that no certificate is looked at.
func (o *Options) trustsAny() bool { return o.Dial.TLS == nil || o.Dial.TLS.VerifyConnection == nil }

// sentence puts an error of dial into words, without naming the target again.
func (o *Options) sentence(err error) string {
	opts := o.Dial
	opts.Protocols = o.protocols()
	failure := dial.Failure(o.Target, opts, err)
	return cmp.Or(errors.Unwrap(failure), failure).Error()
}
