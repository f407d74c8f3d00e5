package listen_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// config serves protocols with a certificate of its own.
func config(t *testing.T, protocols ...string) listen.Config {
	t.Helper()
	cert := testkit.Must(certs.SelfSigned(time.Now()))(t)
	return listen.Config{
		TLS:       &tls.Config{Certificates: []tls.Certificate{cert}},
		Protocols: protocols,
	}
}

// serve listens at addr until the test ends.
func serve(t *testing.T, addr string, c listen.Config) *listen.Listener {
	t.Helper()
	l := testkit.Must(listen.Listen(addr, c))(t)
	t.Cleanup(func() { l.Close() })
	return l
}

func clientTLS(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}
}

// port returns the port that l got.
func port(t *testing.T, l *listen.Listener) string {
	t.Helper()
	_, p, err := net.SplitHostPort(l.Addr().String())
	testkit.NoErr(t, err)
	return p
}

// echo accepts one connection and one stream and answers on it.
func echo(t *testing.T, l *listen.Listener) {
	c, err := l.Accept(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	s, err := c.AcceptStream(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	b := make([]byte, 4)
	n, _ := s.Read(b)
	s.Write(b[:n])
	s.Close()
	<-c.Context().Done()
}

func ping(t *testing.T, c transport.Conn) {
	t.Helper()
	s := testkit.Must(c.OpenStream(t.Context()))(t)
	testkit.Must(s.Write([]byte("ping")))(t)
	b := make([]byte, 4)
	testkit.Must(io.ReadFull(s, b))(t)
	testkit.Equal(t, string(b), "ping")
}

func TestNoHostServesBothFamilies(t *testing.T) {
	l := serve(t, ":0", config(t, "moqt-18"))
	for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			if host == "::1" && !hasIPv6() {
				t.Skip("this machine has no IPv6 loopback")
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				echo(t, l)
			}()
			c := testkit.Must(quictr.Dial(t.Context(), net.JoinHostPort(host, port(t, l)), clientTLS("moqt-18"), quictr.Options{}))(t)
			ping(t, c)
			c.CloseWithError(0, "")
			<-done
		})
	}
}

func hasIPv6() bool {
	pc, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err == nil {
		pc.Close()
	}
	return err == nil
}

func TestAHostServesThatAddressOnly(t *testing.T) {
	l := serve(t, "127.0.0.1:0", config(t, "moqt-18"))
	testkit.Equal(t, l.Addr().(*net.UDPAddr).IP.String(), "127.0.0.1")
	c := testkit.Must(quictr.Dial(t.Context(), l.Addr().String(), clientTLS("moqt-18"), quictr.Options{}))(t)
	testkit.NoErr(t, c.CloseWithError(0, ""))
	if hasIPv6() {
		_, err := quictr.Dial(t.Context(), "[::1]:"+port(t, l), clientTLS("moqt-18"), quictr.Options{HandshakeTimeout: 200 * time.Millisecond})
		testkit.ErrIs(t, err, quictr.ErrNoAnswer)
	}
}

func TestListenErrors(t *testing.T) {
	taken := serve(t, "127.0.0.1:0", config(t, "moqt-18"))
	good := config(t, "moqt-18")
	with := func(change func(*listen.Config)) listen.Config {
		c := good
		change(&c)
		return c
	}
	for _, row := range []struct {
		name string
		addr string
		c    listen.Config
	}{
		{"address taken", taken.Addr().String(), good},
		{"no such address", "203.0.113.77:0", good},
		{"no port", "127.0.0.1", good},
		{"no TLS", "127.0.0.1:0", with(func(c *listen.Config) { c.TLS = nil })},
		{"no certificate", "127.0.0.1:0", with(func(c *listen.Config) { c.TLS = &tls.Config{} })},
		{"no protocol", "127.0.0.1:0", with(func(c *listen.Config) { c.Protocols = nil })},
		{"empty protocol", "127.0.0.1:0", with(func(c *listen.Config) { c.Protocols = []string{""} })},
		{"protocol twice", "127.0.0.1:0", with(func(c *listen.Config) { c.Protocols = []string{"a", "a"} })},
		{"the protocol of HTTP/3", "127.0.0.1:0", with(func(c *listen.Config) { c.Protocols = []string{"moqt-18", "h3"} })},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, err := listen.Listen(row.addr, row.c)
			if err == nil {
				l.Close()
				t.Fatal("no error")
			}
		})
	}
}

func TestTheServersOrderDecidesTheProtocol(t *testing.T) {
	c := config(t, "moqt-18", "moqt-16")
	c.WebTransport = &wttr.Server{Protocols: []string{"moqt-18"}}
	l := serve(t, "127.0.0.1:0", c)
	for _, row := range []struct {
		name  string
		offer []string
		want  string
	}{
		{"one", []string{"moqt-16"}, "moqt-16"},
		{"several", []string{"h3", "moqt-16", "moqt-18"}, "moqt-18"},
		{"unknown ones too", []string{"moqt-99", "moqt-16", "h3"}, "moqt-16"},
		{"HTTP/3 if nothing else", []string{"moqt-99", "h3"}, "h3"},
		{"none in common", []string{"moqt-99"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			client, err := quictr.Dial(t.Context(), l.Addr().String(), clientTLS(row.offer...), quictr.Options{})
			if row.want == "" {
				testkit.ErrIs(t, err, quictr.ErrNoProtocol)
				return
			}
			testkit.NoErr(t, err)
			defer client.CloseWithError(0, "")
			testkit.Equal(t, client.Protocol(), row.want)
			if row.want == "h3" {
				return // nothing is accepted before a session begins
			}
			server := testkit.Must(l.Accept(t.Context()))(t)
			testkit.Equal(t, server.Protocol(), row.want)
		})
	}
}

// sharedText is written in one goroutine and read in another.
type sharedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *sharedText) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// Who offers nothing that is spoken learns no more than that; the server can tell
// both sides of it.
func TestWhatWasOfferedInVain(t *testing.T) {
	c := config(t, "moqt-18")
	var log sharedText
	asked := make(chan []string, 3)
	c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		asked <- hello.SupportedProtos
		return nil, nil
	}
	l := serve(t, "127.0.0.1:0", c)
	for _, offer := range [][]string{{"moqt-98", "moqt-99"}, {"moqt-99", "moqt-18"}} {
		client, err := quictr.Dial(t.Context(), l.Addr().String(), clientTLS(offer...), quictr.Options{})
		if err == nil {
			client.CloseWithError(0, "")
		}
		testkit.Equal(t, <-asked, offer) // the caller's function is asked too
		testkit.Equal(t, errors.Is(err, quictr.ErrNoProtocol), offer[1] == "moqt-99")
	}
	if said := log.String(); strings.Count(said, "no common protocol") != 1 || !strings.Contains(said, `offers="[moqt-98 moqt-99]" spoken=[moqt-18]`) {
		t.Errorf("the log says %q", said)
	}
}

func TestACertificateCanBeSwapped(t *testing.T) {
	old := testkit.Must(certs.SelfSigned(time.Now()))(t)
	renewed := testkit.Must(certs.SelfSigned(time.Now()))(t)
	source := certs.NewSource(old)
	l := serve(t, "127.0.0.1:0", listen.Config{TLS: &tls.Config{GetCertificate: source.GetCertificate}, Protocols: []string{"moqt-18"}})
	for _, want := range []tls.Certificate{old, renewed} {
		source.Set(want)
		var got [32]byte
		conf := clientTLS("moqt-18")
		conf.VerifyConnection = func(s tls.ConnectionState) error {
			got = certs.Fingerprint(tls.Certificate{Certificate: [][]byte{s.PeerCertificates[0].Raw}})
			return nil
		}
		c := testkit.Must(quictr.Dial(t.Context(), l.Addr().String(), conf, quictr.Options{}))(t)
		testkit.Equal(t, got, certs.Fingerprint(want))
		c.CloseWithError(0, "")
	}
}

func TestAcceptEndsWithItsContext(t *testing.T) {
	l := serve(t, "127.0.0.1:0", config(t, "moqt-18"))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	_, err := l.Accept(ctx)
	testkit.ErrIs(t, err, enough)
}

// house is a server on a virtual network.
type house struct {
	net  *testkit.Network
	node *testkit.Node
	l    *listen.Listener
}

const houseAddr = "10.0.0.1:4433"

func build(t *testing.T, c listen.Config) *house {
	t.Helper()
	h := &house{net: testkit.NewNetwork(t, 1)}
	h.node = h.net.Node(houseAddr, testkit.Link{}, testkit.Link{})
	h.l = testkit.Must(listen.On(h.node, c))(t)
	t.Cleanup(func() { h.l.Close() })
	return h
}

// visitor is a client endpoint at 10.0.1.n.
func (h *house) visitor(t *testing.T, n byte, up, down testkit.Link) *quic.Transport {
	t.Helper()
	node := h.net.Node(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, n}), 1000).String(), up, down)
	tr := &quic.Transport{Conn: node}
	t.Cleanup(func() {
		tr.Close()
		node.Close()
	})
	return tr
}

func dialHouse(ctx context.Context, via *quic.Transport) (transport.Conn, error) {
	return quictr.Dial(ctx, houseAddr, clientTLS("moqt-18"), quictr.Options{Via: via})
}

func TestAHandshakeThatHangsDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		deaf := h.visitor(t, 1, testkit.Link{}, testkit.Link{Loss: 1})
		go dialHouse(t.Context(), deaf)
		synctest.Wait()
		start := time.Now()
		c := testkit.Must(dialHouse(t.Context(), h.visitor(t, 2, testkit.Link{}, testkit.Link{})))(t)
		defer c.CloseWithError(0, "")
		testkit.Must(h.l.Accept(t.Context()))(t)
		testkit.Equal(t, time.Since(start), time.Duration(0))
		time.Sleep(time.Minute) // the deaf one gives up
	})
}

func TestThoseWhoFindNoPlaceAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		for range 128 {
			testkit.Must(dialHouse(t.Context(), via))(t)
			synctest.Wait()
		}
		last, err := dialHouse(t.Context(), via)
		if err == nil { // it may hear of it during the handshake or after
			<-last.Context().Done()
			err = context.Cause(last.Context())
		}
		e := testkit.ErrAs[*transport.CloseError](t, err)
		testkit.Equal(t, *e, transport.CloseError{Code: 1, Reason: "the server is busy", Remote: true})
		for range 128 {
			testkit.Must(h.l.Accept(t.Context()))(t)
		}
	})
}

func TestAcceptSkipsThoseWhoHaveGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		gone := testkit.Must(dialHouse(t.Context(), via))(t)
		gone.CloseWithError(0, "")
		there := testkit.Must(dialHouse(t.Context(), via))(t)
		synctest.Wait()
		c := testkit.Must(h.l.Accept(t.Context()))(t)
		testkit.NoErr(t, c.Context().Err())
		there.CloseWithError(5, "")
		<-c.Context().Done()
		testkit.Equal(t, testkit.ErrAs[*transport.CloseError](t, context.Cause(c.Context())).Code, uint64(5))
	})
}

// dialHouseWT makes a WebTransport session with the house.
func dialHouseWT(ctx context.Context, via *quic.Transport) (transport.Conn, error) {
	return wttr.Dial(ctx, "https://"+houseAddr+"/moq", clientTLS(), []string{"moqt-18"}, quictr.Options{Via: via})
}

// bothDoors is config with WebTransport too.
func bothDoors(t *testing.T) listen.Config {
	t.Helper()
	c := config(t, "moqt-18")
	c.WebTransport = &wttr.Server{Protocols: c.Protocols}
	return c
}

func TestOnePortServesRawQUICAndWebTransport(t *testing.T) {
	l := serve(t, "127.0.0.1:0", bothDoors(t))
	for _, kind := range []transport.Kind{transport.QUIC, transport.WebTransport, transport.QUIC} {
		t.Run(string(kind), func(t *testing.T) {
			var c transport.Conn
			var err error
			if kind == transport.QUIC {
				c, err = quictr.Dial(t.Context(), l.Addr().String(), clientTLS("moqt-18"), quictr.Options{})
			} else {
				c, err = wttr.Dial(t.Context(), "https://"+l.Addr().String()+"/moq", clientTLS(), []string{"moqt-18"}, quictr.Options{})
			}
			testkit.NoErr(t, err)
			done := make(chan struct{})
			go func() {
				defer close(done)
				echo(t, l)
			}()
			testkit.Equal(t, c.Kind(), kind)
			testkit.Equal(t, c.Protocol(), "moqt-18")
			ping(t, c)
			c.CloseWithError(0, "")
			<-done
		})
	}
}

func TestWebTransportClientsThatFindNoPlaceAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, bothDoors(t))
		via := h.visitor(t, 1, testkit.Link{}, testkit.Link{})
		for range 128 {
			testkit.Must(dialHouse(t.Context(), via))(t)
			synctest.Wait()
		}
		last := testkit.Must(dialHouseWT(t.Context(), via))(t)
		<-last.Context().Done()
		e := testkit.ErrAs[*transport.CloseError](t, context.Cause(last.Context()))
		testkit.Equal(t, *e, transport.CloseError{Code: 1, Reason: "the server is busy", Remote: true})
	})
}

func TestAConnectionWithoutSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, bothDoors(t))
		c := testkit.Must(quictr.Dial(t.Context(), houseAddr, clientTLS("h3"), quictr.Options{Via: h.visitor(t, 1, testkit.Link{}, testkit.Link{})}))(t)
		start := time.Now()
		<-c.Context().Done()
		if took := time.Since(start); took > 15*time.Second {
			t.Fatalf("it was kept for %v", took)
		}
	})
}
