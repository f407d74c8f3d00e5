package quictr_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// hosts makes name have the given addresses until the test ends.
func hosts(t *testing.T, name string, addrs ...string) {
	t.Helper()
	old := quictr.SetLookup(func(_ context.Context, _, host string) ([]netip.Addr, error) {
		if host != name {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		var ips []netip.Addr
		for _, a := range addrs {
			ips = append(ips, netip.MustParseAddr(a))
		}
		return ips, nil
	})
	t.Cleanup(func() { quictr.SetLookup(old) })
}

// dialer is a client on a virtual network that has the servers at addrs.
func dialer(t *testing.T, delays map[string]time.Duration, addrs ...string) (*quic.Transport, chan *quic.Conn) {
	t.Helper()
	n := testkit.NewNetwork(t, 1)
	accepted := make(chan *quic.Conn, 8)
	for _, a := range addrs {
		_, ln := server(t, n.Node(netip.AddrPortFrom(netip.MustParseAddr(a), 4433).String(), testkit.Link{Delay: delays[a]}, testkit.Link{}), quictr.Options{})
		go func() {
			for {
				q, err := ln.Accept(t.Context())
				if err != nil {
					return
				}
				accepted <- q
			}
		}()
	}
	node := n.Node("10.0.0.9:1234", testkit.Link{}, testkit.Link{})
	tr := &quic.Transport{Conn: node}
	t.Cleanup(func() {
		tr.Close()
		node.Close()
	})
	return tr, accepted
}

func TestDialTriesAllAddresses(t *testing.T) {
	for _, row := range []struct {
		name    string
		addrs   []string // of the host
		servers []string
		delays  map[string]time.Duration
		winner  string
		took    time.Duration
	}{
		{"the first answers", []string{"fd00::1", "10.0.0.1"}, []string{"fd00::1", "10.0.0.1"}, nil, "fd00::1", 0},
		{"only the other family answers", []string{"fd00::1", "10.0.0.1"}, []string{"10.0.0.1"}, nil, "10.0.0.1", 100 * time.Millisecond},
		{"families take turns", []string{"fd00::1", "fd00::2", "10.0.0.1"}, []string{"fd00::2", "10.0.0.1"}, nil, "10.0.0.1", 100 * time.Millisecond},
		{"the last of four", []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, []string{"10.0.0.4"}, nil, "10.0.0.4", 300 * time.Millisecond},
		{"a slow one is overtaken", []string{"fd00::1", "10.0.0.1"}, []string{"fd00::1", "10.0.0.1"}, map[string]time.Duration{"fd00::1": time.Second}, "10.0.0.1", 100 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hosts(t, "relay.example", row.addrs...)
				tr, _ := dialer(t, row.delays, row.servers...)
				start := time.Now()
				c := testkit.Must(quictr.Dial(t.Context(), "relay.example:4433", clientTLS(), quictr.Options{Via: tr}))(t)
				defer c.CloseWithError(0, "")
				testkit.Equal(t, time.Since(start), row.took)
				testkit.Equal(t, c.RemoteAddr().(*net.UDPAddr).IP.String(), row.winner)
				testkit.Equal(t, c.Protocol(), protocol)
				testkit.Equal(t, c.Kind(), transport.QUIC)
			})
		})
	}
}

func TestDialErrors(t *testing.T) {
	for _, row := range []struct {
		name string
		addr string
		conf *tls.Config
		is   error
		says string
	}{
		{"nobody there", "nobody.example:4433", clientTLS(), quictr.ErrNoAnswer, "10.0.0.7:4433"},
		{"other protocol", "relay.example:4433", clientTLS("moqt-99"), quictr.ErrNoProtocol, "10.0.0.1:4433"},
		{"unknown host", "unknown.example:4433", clientTLS(), nil, "no such host"},
		{"no port", "relay.example", clientTLS(), nil, "missing port"},
		{"no host", ":4433", clientTLS(), nil, "missing host"},
		{"port 0", "relay.example:0", clientTLS(), nil, "port must be"},
		{"port too large", "relay.example:65536", clientTLS(), nil, "port must be"},
		{"no TLS", "relay.example:4433", nil, nil, "no TLS"},
		{"untrusted", "relay.example:4433", &tls.Config{NextProtos: []string{protocol}}, nil, "certificate"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hosts(t, strings.TrimSuffix(row.addr, ":4433"), map[bool]string{true: "10.0.0.7", false: "10.0.0.1"}[strings.HasPrefix(row.addr, "nobody")])
				if strings.HasPrefix(row.addr, "unknown") {
					hosts(t, "another.example")
				}
				tr, _ := dialer(t, nil, "10.0.0.1")
				_, err := quictr.Dial(t.Context(), row.addr, row.conf, quictr.Options{Via: tr})
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Fatalf("got %v, want an error that says %q", err, row.says)
				}
				if row.is != nil {
					testkit.ErrIs(t, err, row.is)
				}
			})
		})
	}
}

func TestDialSaysThatACertificateIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, _ := dialer(t, nil, "10.0.0.1")
		_, err := quictr.Dial(t.Context(), "10.0.0.1:4433", &tls.Config{NextProtos: []string{protocol}}, quictr.Options{Via: tr})
		testkit.ErrAs[*tls.CertificateVerificationError](t, err)
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts(t, "nobody.example", "10.0.0.7", "fd00::7")
		tr, _ := dialer(t, nil)
		enough := errors.New("waited enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 150*time.Millisecond, enough)
		defer cancel()
		start := time.Now()
		_, err := quictr.Dial(ctx, "nobody.example:4433", clientTLS(), quictr.Options{Via: tr})
		testkit.ErrIs(t, err, enough)
		testkit.Equal(t, time.Since(start), 150*time.Millisecond)
	})
}

func TestDialNamesEveryAddressThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts(t, "nobody.example", "10.0.0.7", "fd00::7")
		tr, _ := dialer(t, nil)
		_, err := quictr.Dial(t.Context(), "nobody.example:4433", clientTLS(), quictr.Options{Via: tr})
		for _, addr := range []string{"10.0.0.7:4433", "[fd00::7]:4433"} {
			if !strings.Contains(err.Error(), addr) {
				t.Errorf("%v does not name %s", err, addr)
			}
		}
	})
}

func TestDialLocalhostFindsAServerOnEitherFamily(t *testing.T) {
	for _, network := range []string{"udp4", "udp6"} {
		t.Run(network, func(t *testing.T) {
			ip := net.IPv4(127, 0, 0, 1)
			if network == "udp6" {
				ip = net.IPv6loopback
			}
			pc, err := net.ListenUDP(network, &net.UDPAddr{IP: ip})
			if err != nil {
				t.Skipf("this machine has no %s: %v", network, err)
			}
			hosts(t, "localhost", "::1", "127.0.0.1")
			server(t, pc, quictr.Options{})
			_, port, _ := net.SplitHostPort(pc.LocalAddr().String())
			c := testkit.Must(quictr.Dial(t.Context(), "localhost:"+port, clientTLS(), quictr.Options{}))(t)
			testkit.NoErr(t, c.CloseWithError(0, ""))
		})
	}
}
