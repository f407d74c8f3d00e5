package qmuxtr_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
)

func waiting(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestALPN(t *testing.T) {
	testkit.Equal(t, qmuxtr.ALPN("moqt-18", "moqt-16"), []string{
		"qmux-02.moqt-18", "qmux-01.moqt-18", "moqt-18",
		"qmux-02.moqt-16", "qmux-01.moqt-16", "moqt-16",
	})
}

// Whatever name a client knows, the protocol is the same.
func TestEveryNameIsServed(t *testing.T) {
	l := listening(t, qmuxtr.Options{}, protocol, "moqt-16")
	for _, name := range qmuxtr.ALPN(protocol, "moqt-16") {
		conf := insecure()
		conf.NextProtos = []string{name}
		raw := testkit.Must((&tls.Dialer{Config: conf}).DialContext(waiting(t), "tcp", l.Addr().String()))(t)
		client := testkit.Must(qmuxtr.Client(waiting(t), raw, name, patient(qmuxtr.Options{})))(t)
		srv := testkit.Must(l.Accept(waiting(t)))(t)
		testkit.Equal(t, client.Protocol(), srv.Protocol())
		testkit.Equal(t, client.Kind(), transport.QMUX)
		client.CloseWithError(0, "")
	}
	both := dialing(t, l, qmuxtr.Options{}, "moqt-16", protocol)
	testkit.Equal(t, both.Protocol(), protocol) // the server's choice
	both.CloseWithError(0, "")
}

// tcpServer accepts sockets and hands them to serve.
func tcpServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln := testkit.Must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			serve(nc)
			nc.Close()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return ln.Addr().String()
}

func TestDialErrors(t *testing.T) {
	other := listening(t, qmuxtr.Options{}, "moqt-99").Addr().String()
	unused := testkit.Must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	refused := unused.Addr().String()
	unused.Close()
	silent := tcpServer(t, func(nc net.Conn) { io.Copy(io.Discard, nc) })
	plain := tcpServer(t, func(nc net.Conn) { nc.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	// TLS that has never heard of ALPN.
	nameless := serverTLS(t)
	mute := tcpServer(t, func(nc net.Conn) {
		srv := tls.Server(nc, nameless)
		srv.Handshake()
		io.Copy(io.Discard, srv)
	})
	// TLS with the right name, and nothing behind it.
	named := serverTLS(t)
	named.NextProtos = []string{protocol}
	hollow := tcpServer(t, func(nc net.Conn) { io.Copy(io.Discard, tls.Server(nc, named)) })
	short := qmuxtr.Options{HandshakeTimeout: 300 * time.Millisecond}

	for name, c := range map[string]struct {
		addr string
		conf *tls.Config
		is   error
	}{
		"nobody listens":       {refused, insecure(), qmuxtr.ErrRefused},
		"no common protocol":   {other, insecure(), qmuxtr.ErrNoProtocol},
		"no ALPN":              {mute, insecure(), qmuxtr.ErrNoProtocol},
		"silence after TCP":    {silent, insecure(), qmuxtr.ErrNoAnswer},
		"silence after TLS":    {hollow, insecure(), qmuxtr.ErrNoAnswer},
		"no TLS":               {plain, insecure(), nil},
		"unknown certificate":  {hollow, &tls.Config{}, nil},
		"no host":              {":4433", insecure(), nil},
		"no port":              {"localhost", insecure(), nil},
		"no TLS configuration": {refused, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := patient(qmuxtr.Options{})
			if c.is == qmuxtr.ErrNoAnswer {
				o = short
			}
			_, err := qmuxtr.Dial(waiting(t), c.addr, c.conf, []string{protocol}, o)
			if c.is != nil {
				testkit.ErrIs(t, err, c.is)
			} else if err == nil {
				t.Fatal("Dial succeeded")
			}
			t.Log(err)
		})
	}
	_, err := qmuxtr.Dial(waiting(t), other, insecure(), nil, short)
	if err == nil {
		t.Fatal("Dial offered nothing and succeeded")
	}
	_, err = qmuxtr.Dial(waiting(t), hollow, &tls.Config{}, []string{protocol}, patient(qmuxtr.Options{}))
	testkit.ErrAs[*tls.CertificateVerificationError](t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrNoProgress)
	_, err = qmuxtr.Dial(ctx, silent, insecure(), []string{protocol}, qmuxtr.Options{})
	testkit.ErrIs(t, err, io.ErrNoProgress)
}

func TestListenErrors(t *testing.T) {
	conf := serverTLS(t)
	for name, c := range map[string]qmuxtr.Config{
		"no certificate":    {TLS: &tls.Config{}, Protocols: []string{protocol}},
		"no TLS":            {Protocols: []string{protocol}},
		"no protocol":       {TLS: conf},
		"an empty protocol": {TLS: conf, Protocols: []string{""}},
		"the same twice":    {TLS: conf, Protocols: []string{protocol, protocol}},
	} {
		if _, err := qmuxtr.Listen("127.0.0.1:0", c); err == nil {
			t.Errorf("%s: Listen succeeded", name)
		}
	}
	l := listening(t, qmuxtr.Options{}, protocol)
	if _, err := qmuxtr.Listen(l.Addr().String(), qmuxtr.Config{TLS: conf, Protocols: []string{protocol}}); err == nil {
		t.Error("two listeners have one port")
	}
	testkit.NoErr(t, l.Close())
	testkit.NoErr(t, l.Close())
	_, err := l.Accept(waiting(t))
	testkit.ErrIs(t, err, net.ErrClosed)
}

// Sockets that say nothing, or nonsense, delay nobody.
func TestHandshakesThatHangDelayNobody(t *testing.T) {
	l := listening(t, qmuxtr.Options{}, protocol)
	for i := range 50 {
		raw := testkit.Must((&net.Dialer{}).DialContext(waiting(t), "tcp", l.Addr().String()))(t)
		defer raw.Close()
		if i%2 == 0 {
			raw.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		}
	}
	client := dialing(t, l, qmuxtr.Options{}, protocol)
	defer client.CloseWithError(0, "")
	testkit.Must(l.Accept(waiting(t)))(t)
}

// Close tells the peers, those that were not accepted too; Shutdown waits for
// those that have work.
func TestClosingAListener(t *testing.T) {
	l := listening(t, qmuxtr.Options{}, protocol)
	dial := func() transport.Conn {
		return dialing(t, l, qmuxtr.Options{}, protocol)
	}
	first := dial()
	testkit.Must(l.Accept(waiting(t)))(t)

	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Shutdown(ctx) }()
	_, err := l.Accept(waiting(t)) // ends when Shutdown has begun
	testkit.ErrIs(t, err, net.ErrClosed)
	testkit.NoErr(t, context.Cause(first.Context()))
	cancel(io.ErrNoProgress)
	testkit.ErrIs(t, <-done, io.ErrNoProgress)
	<-first.Context().Done()
	testkit.Equal(t, context.Cause(first.Context()), error(&transport.CloseError{Reason: "the server was closed", Remote: true}))

	l = listening(t, qmuxtr.Options{}, protocol)
	second, third := dial(), dial()
	testkit.Must(l.Accept(waiting(t)))(t)
	go func() { done <- l.Shutdown(t.Context()) }()
	// Which of the two was accepted is not known; the other is turned away.
	select {
	case <-second.Context().Done():
		third.CloseWithError(0, "done")
	case <-third.Context().Done():
		second.CloseWithError(0, "done")
	case <-waiting(t).Done():
		t.Fatal("Shutdown keeps a connection that nobody serves")
	}
	testkit.NoErr(t, <-done)
}

// More connections than Backlog are told so, perhaps while they still shake
// hands.
func TestBacklog(t *testing.T) {
	l := listening(t, qmuxtr.Options{}, protocol)
	busy := make(chan error, qmuxtr.Backlog+1)
	for range qmuxtr.Backlog + 1 {
		c, err := qmuxtr.Dial(waiting(t), l.Addr().String(), insecure(), []string{protocol}, patient(qmuxtr.Options{}))
		if err != nil {
			busy <- err
			continue
		}
		defer c.CloseWithError(0, "")
		context.AfterFunc(c.Context(), func() { busy <- context.Cause(c.Context()) })
	}
	testkit.Equal(t, <-busy, error(&transport.CloseError{Code: 1, Reason: "the server is busy", Remote: true}))
}

// A subscriber that does not read stops its own streams, and no others.
func TestSlowPeersStopNobodyElse(t *testing.T) {
	l := listening(t, qmuxtr.Options{}, protocol)
	conf := insecure()
	conf.NextProtos = []string{protocol}
	slow := testkit.Must((&tls.Dialer{Config: conf}).DialContext(waiting(t), "tcp", l.Addr().String()))(t)
	defer slow.Close()
	testkit.Must(slow.Write(qmuxtr.Record(qmuxtr.Frame{Type: qmuxtr.TransportParams, Data: string(generous.Append(nil))})))(t)
	toSlow := testkit.Must(l.Accept(waiting(t)))(t)
	out := testkit.Must(toSlow.OpenUniStream(waiting(t)))(t)
	wrote := make(chan error, 1)
	go func() {
		for {
			if _, err := out.Write(make([]byte, 1<<20)); err != nil {
				wrote <- err
				return
			}
		}
	}()
	client := dialing(t, l, qmuxtr.Options{}, protocol)
	defer client.CloseWithError(0, "")
	srv := testkit.Must(l.Accept(waiting(t)))(t)
	for range 100 {
		s := testkit.Must(srv.OpenUniStream(waiting(t)))(t)
		testkit.Must(s.Write(make([]byte, 10_000)))(t)
		testkit.NoErr(t, s.Close())
		in := testkit.Must(client.AcceptUniStream(waiting(t)))(t)
		testkit.Equal(t, len(testkit.Must(io.ReadAll(in))(t)), 10_000)
	}
	toSlow.CloseWithError(2, "too slow")
	if err := <-wrote; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("the write ended with %v", err)
	}
}
