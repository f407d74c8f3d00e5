package wttr_test

import (
	"crypto/tls"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/transporttest"
	"oxymoq/pkg/transport/wttr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const protocol = "moqt-18"

// own is how many streams of each kind WebTransport needs for itself: the
// CONNECT stream, and a control stream each way.
const own = 1

// limited are the options that transporttest asks for.
var limited = quictr.Options{
	MaxStreams:    transporttest.Streams + own,
	MaxUniStreams: transporttest.Streams + own,
	StreamWindow:  transporttest.Window,
}

const (
	serverAddr = "10.0.0.1:4433"
	clientAddr = "10.0.0.2:1234"
	serverURL  = "https://" + serverAddr + "/moq?x=1"
)

func clientTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// serve serves sessions on pc until the test ends, and returns those that
// begin.
func serve(t testing.TB, pc net.PacketConn, srv *wttr.Server, o quictr.Options) <-chan transport.Conn {
	t.Helper()
	sessions := make(chan transport.Conn, 16)
	serveQUIC(t, pc, o.QUIC(), func(q *quic.Conn) {
		srv.Serve(q, func(c transport.Conn) { sessions <- c })
		if q.Context().Err() == nil {
			t.Error("Serve returned before the connection had ended")
		}
	})
	return sessions
}

// serveQUIC calls handle for each connection on pc until the test ends.
func serveQUIC(t testing.TB, pc net.PacketConn, conf *quic.Config, handle func(*quic.Conn)) {
	t.Helper()
	cert := testkit.Must(certs.SelfSigned(time.Now()))(t)
	tr := &quic.Transport{Conn: pc}
	ln := testkit.Must(tr.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h3"}}, conf))(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			q, err := ln.Accept(t.Context())
			if err != nil {
				return
			}
			go handle(q)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		tr.Close()
		pc.Close()
		<-done
	})
}

// world is a client and a server on a virtual network.
type world struct {
	net            *testkit.Network
	clientNode     *testkit.Node
	serverNode     *testkit.Node
	via            *quic.Transport // of the client
	client, server transport.Conn
}

// build must run in a bubble. The links are those of the client.
func build(t *testing.T, up, down testkit.Link) *world {
	t.Helper()
	w := &world{net: testkit.NewNetwork(t, 1)}
	w.serverNode = w.net.Node(serverAddr, testkit.Link{}, testkit.Link{})
	w.clientNode = w.net.Node(clientAddr, up, down)
	w.via = &quic.Transport{Conn: w.clientNode}
	t.Cleanup(func() {
		w.via.Close()
		w.clientNode.Close()
	})
	return w
}

// connect is build with a session.
func connect(t *testing.T, o quictr.Options, up, down testkit.Link) *world {
	t.Helper()
	w := build(t, up, down)
	sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, o)
	o.Via = w.via
	if o.MaxStreams > 0 {
		o.MaxStreams -= own // the CONNECT stream is the client's
	}
	w.client = testkit.Must(wttr.Dial(t.Context(), serverURL, clientTLS(), []string{protocol}, o))(t)
	w.server = <-sessions
	t.Cleanup(func() {
		w.client.CloseWithError(0, "")
		w.server.CloseWithError(0, "")
	})
	return w
}

// loopback connects two ends over 127.0.0.1.
func loopback(t testing.TB, o quictr.Options) (client, server transport.Conn) {
	t.Helper()
	pc := testkit.Must(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))(t)
	sessions := serve(t, pc, &wttr.Server{Protocols: []string{protocol}}, o)
	client = testkit.Must(wttr.Dial(t.Context(), "https://"+pc.LocalAddr().String()+"/moq", clientTLS(), []string{protocol}, o))(t)
	server = <-sessions
	t.Cleanup(func() {
		client.CloseWithError(0, "")
		server.CloseWithError(0, "")
	})
	return client, server
}

func TestConformance(t *testing.T) {
	for _, c := range transporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := connect(t, limited, testkit.Link{Delay: time.Millisecond}, testkit.Link{Delay: time.Millisecond})
				c.Run(t, w.client, w.server)
			})
		})
		t.Run(c.Name+", with the ends exchanged", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := connect(t, limited, testkit.Link{Delay: time.Millisecond}, testkit.Link{Delay: time.Millisecond})
				c.Run(t, w.server, w.client)
			})
		})
	}
}

func TestConformanceOnBadNetwork(t *testing.T) {
	bad := testkit.Link{
		Rate: 50e6, Queue: 256 << 10, Delay: 2 * time.Millisecond,
		Jitter: 2 * time.Millisecond, Reorder: true, Loss: 0.02,
	}
	for _, c := range transporttest.Cases() {
		if c.Lossless {
			continue // a datagram or a close may rightly get lost here
		}
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := connect(t, limited, bad, bad)
				c.Run(t, w.client, w.server)
			})
		})
		t.Run(c.Name+", with the ends exchanged", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := connect(t, limited, bad, bad)
				c.Run(t, w.server, w.client)
			})
		})
	}
}

func TestConformanceOnLoopback(t *testing.T) {
	for _, c := range transporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			client, server := loopback(t, limited)
			c.Run(t, client, server)
		})
	}
}
