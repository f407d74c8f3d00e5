package qmuxtr_test

import (
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
	"oxymoq/pkg/transport/transporttest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const protocol = "moqt-18"

// limited are the options that transporttest asks for.
var limited = qmuxtr.Options{
	MaxStreams:    transporttest.Streams,
	MaxUniStreams: transporttest.Streams,
	StreamWindow:  transporttest.Window,
}

// inMemory connects two ends without sockets and TLS.
func inMemory(t testing.TB, alpn string, o qmuxtr.Options) (client, srv transport.Conn, cp, sp *pipe) {
	t.Helper()
	cp, sp = newPipe()
	type result struct {
		c   transport.Conn
		err error
	}
	served := make(chan result, 1)
	go func() {
		c, err := qmuxtr.Server(t.Context(), sp, alpn, o)
		served <- result{c, err}
	}()
	client = testkit.Must(qmuxtr.Client(t.Context(), cp, alpn, o))(t)
	r := <-served
	testkit.NoErr(t, r.err)
	t.Cleanup(func() {
		client.CloseWithError(0, "")
		r.c.CloseWithError(0, "")
	})
	return client, r.c, cp, sp
}

func TestConformanceInMemory(t *testing.T) {
	for _, alpn := range qmuxtr.ALPN(protocol) {
		for _, c := range transporttest.Cases() {
			t.Run(alpn+" "+c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, srv, _, _ := inMemory(t, alpn, limited)
					c.Run(t, client, srv)
				})
			})
		}
	}
}

func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	cert := testkit.Must(certs.SelfSigned(time.Now()))(t)
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// patience ends a test that hangs.
const patience = 20 * time.Second

// patient gives a loaded machine more time than a user has.
func patient(o qmuxtr.Options) qmuxtr.Options {
	o.HandshakeTimeout, o.IdleTimeout = patience, 3*patience
	return o
}

// listening serves on a free port of 127.0.0.1 until the test ends.
func listening(t testing.TB, o qmuxtr.Options, protocols ...string) *qmuxtr.Listener {
	t.Helper()
	o = patient(o)
	l := testkit.Must(qmuxtr.Listen("127.0.0.1:0", qmuxtr.Config{TLS: serverTLS(t), Protocols: protocols, Options: o}))(t)
	t.Cleanup(func() { l.Close() })
	return l
}

// dialing connects to l.
func dialing(t testing.TB, l *qmuxtr.Listener, o qmuxtr.Options, protocols ...string) transport.Conn {
	t.Helper()
	return testkit.Must(qmuxtr.Dial(t.Context(), l.Addr().String(), insecure(), protocols, patient(o)))(t)
}

func insecure() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// loopback connects two ends over TCP and TLS.
func loopback(t testing.TB, o qmuxtr.Options) (client, srv transport.Conn) {
	t.Helper()
	l := listening(t, o, protocol)
	client = dialing(t, l, o, protocol)
	srv = testkit.Must(l.Accept(t.Context()))(t)
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
