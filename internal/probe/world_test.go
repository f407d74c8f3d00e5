package probe

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"net"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/qmuxtr"
	"oxymoq/pkg/transport/wttr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Patience of the tests. What must come has plenty of time; what never comes is
// not awaited for long.
const (
	plenty = 30 * time.Second
	brief  = 200 * time.Millisecond
)

// certificate is one for this machine, or for the given hosts, made at a time.
func certificate(t *testing.T, made time.Time, hosts ...string) tls.Certificate {
	t.Helper()
	return testkit.Must(certs.SelfSigned(made, hosts...))(t)
}

// server is a server that may be wrong.
type server struct {
	cert      tls.Certificate
	protocols []string // of raw QUIC
	web       []string // of WebTransport; nil: none
	// serve has each connection in a goroutine; nil answers requests of sessions
	// with NOT_SUPPORTED.
	serve func(transport.Conn)
}

// start serves on a UDP port of this machine until the test ends.
func (s server) start(t *testing.T) (addr string) {
	t.Helper()
	if s.cert.Certificate == nil {
		s.cert = certificate(t, time.Now())
	}
	conf := listen.Config{TLS: &tls.Config{Certificates: []tls.Certificate{s.cert}}, Protocols: s.protocols}
	if s.web != nil {
		conf.WebTransport = &wttr.Server{Protocols: s.web, Unnamed: session.Unnamed(s.web)}
	}
	l := testkit.Must(listen.Listen("127.0.0.1:0", conf))(t)
	s.accept(t, l.Accept, func() { l.Close() })
	return l.Addr().String()
}

// startQMux serves on a TCP port.
func (s server) startQMux(t *testing.T) (addr string) {
	t.Helper()
	if s.cert.Certificate == nil {
		s.cert = certificate(t, time.Now())
	}
	conf := &tls.Config{Certificates: []tls.Certificate{s.cert}}
	l := testkit.Must(qmuxtr.Listen("127.0.0.1:0", qmuxtr.Config{TLS: conf, Protocols: s.protocols}))(t)
	s.accept(t, l.Accept, func() { l.Close() })
	return l.Addr().String()
}

func (s server) accept(t *testing.T, accept func(context.Context) (transport.Conn, error), end func()) {
	serve := s.serve
	if serve == nil {
		serve = answers(session.Config{Implementation: "a test"})
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			c, err := accept(context.WithoutCancel(t.Context()))
			if err != nil {
				return
			}
			tasks.Go(func() {
				serve(c)
				<-c.Context().Done()
			})
		}
	})
	t.Cleanup(func() { end(); tasks.Wait() })
}

// answers answers with sessions of whatever draft was agreed on.
func answers(cfg session.Config) func(transport.Conn) {
	return func(c transport.Conn) {
		cfg.Role = session.Server
		cfg.Draft, _ = session.DraftOf(c.Protocol())
		if s, err := session.Start(context.Background(), c, cfg); err == nil {
			s.Wait()
		}
	}
}

// hold keeps a connection and says nothing.
func hold(transport.Conn) {}

// options are for a server at addr with the given certificate, which is trusted
// by its fingerprint, or not if it is none.
func options(t *testing.T, scheme, addr string, trusted tls.Certificate) Options {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // no certificate of development is trusted
	o := Options{Target: testkit.Must(dial.Parse(scheme + "://" + addr + "/moq"))(t)}
	trust := certs.ClientOptions{Host: o.Target.Host}
	if trusted.Certificate != nil {
		sum := certs.Fingerprint(trusted)
		trust.Fingerprint = hex.EncodeToString(sum[:])
	}
	conf, _, err := certs.ClientConfig(trust)
	testkit.NoErr(t, err)
	o.Dial.TLS, o.Dial.Timeout = conf, plenty
	return o
}

// silentPort is a UDP port that never answers, and if tcp a TCP port of the same
// number that does.
func silentPort(t *testing.T, tcp bool) (addr string) {
	t.Helper()
	for range 100 {
		pc := testkit.Must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))(t)
		addr = pc.LocalAddr().String()
		if !tcp {
			t.Cleanup(func() { pc.Close() })
			return addr
		}
		var lc net.ListenConfig
		if l, err := lc.Listen(t.Context(), "tcp", addr); err == nil {
			t.Cleanup(func() { pc.Close(); l.Close() })
			return addr
		}
		pc.Close()
	}
	t.Fatal("no port is free for both")
	return ""
}
