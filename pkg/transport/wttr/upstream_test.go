package wttr_test

import (
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// upstream connects webtransport-go's own client to our server.
func (w *world) upstream(t *testing.T) (*webtransport.Session, error) {
	t.Helper()
	d := &webtransport.Transport{
		TLSClientConfig:      &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}},
		QUICConfig:           quictr.Options{}.QUIC(),
		ApplicationProtocols: []string{"moqt-99", protocol},
		DialAddr: func(ctx context.Context, _ string, conf *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			return w.via.Dial(ctx, w.serverNode.LocalAddr(), conf, qc)
		},
	}
	t.Cleanup(func() { d.Close() })
	_, sess, err := d.Dial(t.Context(), serverURL, nil)
	return sess, err
}

// meetUpstream is a session between webtransport-go's client and our server.
func meetUpstream(t *testing.T) (*webtransport.Session, transport.Conn) {
	t.Helper()
	w := build(t, testkit.Link{Delay: time.Millisecond}, testkit.Link{Delay: time.Millisecond})
	sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
	client := testkit.Must(w.upstream(t))(t)
	server := <-sessions
	t.Cleanup(func() {
		server.CloseWithError(0, "")
		client.CloseWithError(0, "")
	})
	return client, server
}

func TestUpstreamsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := meetUpstream(t)
		testkit.Equal(t, c.SessionState().ApplicationProtocol, protocol)
		testkit.Equal(t, s.Protocol(), protocol)

		// Streams both ways.
		up := testkit.Must(c.OpenUniStreamSync(t.Context()))(t)
		testkit.Must(up.Write([]byte("up")))(t)
		testkit.NoErr(t, up.Close())
		testkit.Equal(t, string(testkit.Must(io.ReadAll(testkit.Must(s.AcceptUniStream(t.Context()))(t)))(t)), "up")
		down := testkit.Must(s.OpenUniStream(t.Context()))(t)
		testkit.Must(down.Write([]byte("down")))(t)
		testkit.NoErr(t, down.Close())
		testkit.Equal(t, string(testkit.Must(io.ReadAll(testkit.Must(c.AcceptUniStream(t.Context()))(t)))(t)), "down")
		for _, dir := range []string{"the client's", "the server's"} {
			var a, b io.ReadWriteCloser
			if dir == "the client's" {
				a = testkit.Must(c.OpenStreamSync(t.Context()))(t)
				testkit.Must(a.Write([]byte(dir)))(t)
				b = testkit.Must(s.AcceptStream(t.Context()))(t)
			} else {
				a = testkit.Must(s.OpenStream(t.Context()))(t)
				testkit.Must(a.Write([]byte(dir)))(t)
				b = testkit.Must(c.AcceptStream(t.Context()))(t)
			}
			testkit.NoErr(t, a.Close())
			testkit.Equal(t, string(testkit.Must(io.ReadAll(b))(t)), dir)
			testkit.Must(b.Write([]byte("answer")))(t)
			testkit.NoErr(t, b.Close())
			testkit.Equal(t, string(testkit.Must(io.ReadAll(a))(t)), "answer")
		}

		// Resets and requests to stop, both ways.
		for _, code := range []uint32{0, 0x1234, 1<<32 - 1} {
			out := testkit.Must(s.OpenUniStream(t.Context()))(t)
			out.CancelWrite(uint64(code)) // the header arrives nevertheless
			in := testkit.Must(c.AcceptUniStream(t.Context()))(t)
			_, err := in.Read(make([]byte, 1))
			testkit.Equal(t, *testkit.ErrAs[*webtransport.StreamError](t, err), webtransport.StreamError{ErrorCode: webtransport.StreamErrorCode(code), Remote: true})

			theirs := testkit.Must(c.OpenUniStreamSync(t.Context()))(t)
			testkit.Must(theirs.Write([]byte("x")))(t)
			ours := testkit.Must(s.AcceptUniStream(t.Context()))(t)
			ours.CancelRead(uint64(code))
			<-theirs.Context().Done()
			_, err = theirs.Write([]byte("y"))
			testkit.Equal(t, *testkit.ErrAs[*webtransport.StreamError](t, err), webtransport.StreamError{ErrorCode: webtransport.StreamErrorCode(code), Remote: true})
		}

		// Datagrams both ways.
		testkit.NoErr(t, c.SendDatagram([]byte("up")))
		testkit.Equal(t, string(testkit.Must(s.ReceiveDatagram(t.Context()))(t)), "up")
		testkit.NoErr(t, s.SendDatagram([]byte("down")))
		testkit.Equal(t, string(testkit.Must(c.ReceiveDatagram(t.Context()))(t)), "down")
	})
}

// closings are codes and reasons that must arrive as they are.
var closings = []struct {
	code   uint32
	reason string
}{
	{0, ""},
	{7, "that is all"},
	{1<<32 - 1, strings.Repeat("r", wttr.MaxReason)},
	{1, strings.Repeat("é", wttr.MaxReason/2)},
}

func TestUpstreamsClientHearsWhyWeClose(t *testing.T) {
	for _, row := range closings {
		synctest.Test(t, func(t *testing.T) {
			c, s := meetUpstream(t)
			in := testkit.Must(s.OpenUniStream(t.Context()))(t) // is reset, which must not hide why
			testkit.Must(in.Write([]byte("x")))(t)
			theirs := testkit.Must(c.AcceptUniStream(t.Context()))(t)
			testkit.NoErr(t, s.CloseWithError(uint64(row.code), row.reason))
			<-c.Context().Done()
			want := webtransport.SessionError{ErrorCode: webtransport.SessionErrorCode(row.code), Message: row.reason, Remote: true}
			_, err := c.OpenUniStream()
			testkit.Equal(t, *testkit.ErrAs[*webtransport.SessionError](t, err), want)
			_, err = io.ReadAll(theirs)
			testkit.Equal(t, *testkit.ErrAs[*webtransport.SessionError](t, err), want)
			testkit.Equal(t, context.Cause(s.Context()), error(&transport.CloseError{Code: uint64(row.code), Reason: row.reason}))
		})
	}
}

// TestUpstreamsClientMayNotSayWhyItCloses shows a limit of webtransport-go's
// client as it stands: it closes the QUIC connection with NO_ERROR, as a rule
// before the capsule has left. A client that leaves the connection to its user,
// as browsers do, is heard.
func TestUpstreamsClientMayNotSayWhyItCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := meetUpstream(t)
		testkit.NoErr(t, c.CloseWithError(7, "that is all"))
		<-s.Context().Done()
		e := testkit.ErrAs[*transport.CloseError](t, context.Cause(s.Context()))
		if *e != (transport.CloseError{Remote: true}) && *e != (transport.CloseError{Code: 7, Reason: "that is all", Remote: true}) {
			t.Fatalf("the server is told %v", e)
		}
	})
}

func TestUpstreamsClientOnAConnectionOfItsOwnIsHeard(t *testing.T) {
	for _, row := range closings {
		synctest.Test(t, func(t *testing.T) {
			w := build(t, testkit.Link{Delay: time.Millisecond}, testkit.Link{Delay: time.Millisecond})
			sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
			d := &webtransport.Transport{ApplicationProtocols: []string{protocol}}
			defer d.Close()
			q := testkit.Must(w.via.Dial(t.Context(), w.serverNode.LocalAddr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, quictr.Options{}.QUIC()))(t)
			_, c, err := testkit.Must(d.NewClientConn(q))(t).Dial(t.Context(), serverURL, nil)
			testkit.NoErr(t, err)
			s := <-sessions
			testkit.NoErr(t, c.CloseWithError(webtransport.SessionErrorCode(row.code), row.reason))
			<-s.Context().Done()
			testkit.Equal(t, context.Cause(s.Context()), error(&transport.CloseError{Code: uint64(row.code), Reason: row.reason, Remote: true}))
			<-q.Context().Done() // we close what its only session has left
		})
	}
}

// TestUpstreamsClientCannotReachOlderServers is why our client is our own.
func TestUpstreamsClientCannotReachOlderServers(t *testing.T) {
	for _, row := range []struct {
		name   string
		server rawServer
		says   string
	}{
		{"no WT_ENABLED", rawServer{quic: quictr.Options{}.QUIC(), settings: map[uint64]uint64{setting02: 1, setting14: 1}}, "didn't enable WebTransport"},
		{"no RESET_STREAM_AT", rawServer{quic: oldQUIC(), settings: map[uint64]uint64{setting02: 1, setting15: 1}}, "reset partial delivery"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				w.serveRaw(t, row.server)
				_, err := w.upstream(t)
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Fatalf("got %v, want an error that says %q", err, row.says)
				}
			})
		})
	}
}
