package quictr_test

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/transporttest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const protocol = "moqt-18"

// limited are the options that transporttest asks for.
var limited = quictr.Options{
	MaxStreams:    transporttest.Streams,
	MaxUniStreams: transporttest.Streams,
	StreamWindow:  transporttest.Window,
}

// server listens on pc until the test ends.
func server(t testing.TB, pc net.PacketConn, o quictr.Options, protocols ...string) (*quic.Transport, *quic.Listener) {
	t.Helper()
	if len(protocols) == 0 {
		protocols = []string{protocol}
	}
	cert := testkit.Must(certs.SelfSigned(time.Now()))(t)
	tr := &quic.Transport{Conn: pc}
	ln := testkit.Must(tr.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols}, o.QUIC()))(t)
	t.Cleanup(func() {
		ln.Close()
		tr.Close()
		pc.Close()
	})
	return tr, ln
}

func clientTLS(protocols ...string) *tls.Config {
	if len(protocols) == 0 {
		protocols = []string{protocol}
	}
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}
}

// loopback connects two ends over 127.0.0.1.
func loopback(t testing.TB, o quictr.Options) (client, srv transport.Conn) {
	t.Helper()
	pc := testkit.Must(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))(t)
	_, ln := server(t, pc, o)
	accepted := make(chan transport.Conn, 1)
	go func() {
		if q, err := ln.Accept(t.Context()); err == nil {
			accepted <- quictr.Wrap(q)
		}
	}()
	client = testkit.Must(quictr.Dial(t.Context(), pc.LocalAddr().String(), clientTLS(), o))(t)
	srv = <-accepted
	t.Cleanup(func() {
		client.CloseWithError(0, "")
		srv.CloseWithError(0, "")
	})
	return client, srv
}

func TestConformanceOnLoopback(t *testing.T) {
	for _, c := range transporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			client, srv := loopback(t, limited)
			c.Run(t, client, srv)
		})
	}
}
