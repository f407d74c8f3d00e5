package wttr_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

func (w *world) dial(t *testing.T, protocols ...string) (transport.Conn, error) {
	t.Helper()
	if len(protocols) == 0 {
		protocols = []string{protocol, "moqt-16"}
	}
	c, err := wttr.Dial(t.Context(), serverURL, clientTLS(), protocols, quictr.Options{Via: w.via})
	if err == nil {
		t.Cleanup(func() { c.CloseWithError(0, "") })
	}
	return c, err
}

// dialects are the settings of servers that exist, and by which name they know
// WebTransport.
var dialects = []struct {
	name     string
	settings map[uint64]uint64
	knows    []string
	asks     int // CONNECT requests until one succeeds; 0: none does
}{
	{"draft 02, as moxygen", map[uint64]uint64{setting02: 1, setting14: 1}, []string{name02}, 1},
	{"draft 02 only", map[uint64]uint64{setting02: 1}, []string{name02}, 1},
	{"draft 07, as the family of quinn", map[uint64]uint64{setting07: 1}, []string{name02}, 1},
	{"draft 14", map[uint64]uint64{setting14: 1}, []string{name02}, 1},
	{"draft 15", map[uint64]uint64{setting15: 1}, []string{name15}, 1},
	{"all, as webtransport-go", map[uint64]uint64{setting02: 1, setting14: 1<<62 - 1, setting15: 1}, []string{name02, name15}, 1},
	{"all settings, but the old name", map[uint64]uint64{setting02: 1, setting15: 1}, []string{name02}, 2},
	{"none", nil, nil, 0},
	{"all off", map[uint64]uint64{setting02: 0, setting07: 0, setting14: 0, setting15: 0}, nil, 0},
}

func TestServersOfEveryDialect(t *testing.T) {
	for _, row := range dialects {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{Delay: time.Millisecond}, testkit.Link{Delay: time.Millisecond})
				var asked atomic.Int32
				taken := make(chan *http3.Stream, 1)
				peers := make(chan *peer, 1)
				w.serveRaw(t, rawServer{
					quic: oldQUIC(), settings: row.settings,
					handle: func(p *peer, w http.ResponseWriter, r *http.Request) {
						asked.Add(1)
						known := false
						for _, name := range row.knows {
							known = known || name == r.Proto
						}
						if !known || r.Header.Get("Wt-Available-Protocols") != `"moqt-18", "moqt-16"` || r.RequestURI != "/moq?x=1" || r.Host != serverAddr {
							http.Error(w, "what?", http.StatusBadRequest)
							return
						}
						if draft02 := r.Header.Get("Sec-Webtransport-Http3-Draft02"); (draft02 == "1") != (r.Proto == name02) {
							t.Errorf("with %s, draft02 is %q", r.Proto, draft02)
						}
						settings := w.(http3.Settingser)
						<-settings.ReceivedSettings()
						for _, s := range []uint64{setting02, setting07, setting14, setting15} {
							if settings.Settings().Other[s] == 0 {
								t.Errorf("the client does not say setting 0x%x", s)
							}
						}
						if !settings.Settings().EnableDatagrams {
							t.Error("the client does not say that it takes datagrams")
						}
						// A stream may overtake the answer to CONNECT.
						p.open(0, "early").Close()
						taken <- take(w, `"moqt-16"`)
						peers <- p
					},
				})
				c, err := w.dial(t)
				testkit.Equal(t, int(asked.Load()), row.asks)
				if row.asks == 0 {
					testkit.ErrIs(t, err, wttr.ErrNotWebTransport)
					return
				}
				testkit.NoErr(t, err)
				testkit.Equal(t, c.Protocol(), "moqt-16")
				authority, path := c.(transport.Requested).Requested()
				testkit.Equal(t, []string{authority, path}, []string{serverAddr, "/moq?x=1"})
				str, p := <-taken, <-peers

				early := testkit.Must(c.AcceptUniStream(t.Context()))(t)
				testkit.Equal(t, string(testkit.Must(io.ReadAll(early))(t)), "early")
				out := testkit.Must(c.OpenUniStream(t.Context()))(t)
				testkit.Must(out.Write([]byte("up")))(t)
				testkit.NoErr(t, out.Close())
				header, body, err := p.read()
				testkit.NoErr(t, err)
				testkit.Equal(t, header, []byte{0x40, 0x54, 0})
				testkit.Equal(t, body, "up")

				testkit.NoErr(t, c.SendDatagram([]byte("up")))
				testkit.Equal(t, string(testkit.Must(str.ReceiveDatagram(t.Context()))(t)), "up")
				testkit.NoErr(t, str.SendDatagram([]byte("down")))
				testkit.Equal(t, string(testkit.Must(c.ReceiveDatagram(t.Context()))(t)), "down")

				// Our good-bye: a capsule, FIN, and then the connection.
				read := make(chan []byte, 1)
				go func() {
					b, _ := io.ReadAll(str)
					str.Close() // the answer of WebTransport to that
					read <- b
				}()
				testkit.NoErr(t, c.CloseWithError(7, "that is all"))
				testkit.Equal(t, <-read, wttr.AppendClose(nil, 7, "that is all"))
				<-p.q.Context().Done()
				testkit.Equal(t, wttr.ConnectionError(context.Cause(p.q.Context())), error(&transport.CloseError{Code: 7, Reason: "that is all", Remote: true}))
			})
		})
	}
}

func TestServersSayWhyTheyClose(t *testing.T) {
	for _, row := range closings {
		synctest.Test(t, func(t *testing.T) {
			w := build(t, testkit.Link{}, testkit.Link{})
			w.serveRaw(t, rawServer{
				quic: oldQUIC(), settings: map[uint64]uint64{setting02: 1},
				handle: func(p *peer, w http.ResponseWriter, _ *http.Request) {
					p.open(0, "").CancelWrite(quic.StreamErrorCode(wttr.ToHTTP(9)))
					str := take(w, `"moqt-18"`)
					str.Write(capsule(0x78ae, "")) // draining
					closeWith(str, row.code, row.reason)
				},
			})
			c := testkit.Must(w.dial(t))(t)
			<-c.Context().Done()
			testkit.Equal(t, context.Cause(c.Context()), error(&transport.CloseError{Code: uint64(row.code), Reason: row.reason, Remote: true}))
		})
	}
}

func TestRubbishFromServers(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(p *peer, str *http3.Stream)
		want error // the cause of the session, nil if it goes on
	}{
		{"session ID of a server's stream", func(p *peer, _ *http3.Stream) { p.open(1, "x") },
			&wttr.HTTPError{Code: 0x108, Reason: "a stream names a session that cannot be"}},
		{"another session's ID", func(p *peer, _ *http3.Stream) { p.open(4, "x") }, nil},
		{"stream that is reset before its header", func(p *peer, _ *http3.Stream) {
			s := testkit.Must(p.q.OpenUniStream())(p.t)
			s.Write([]byte{0x40})
			s.CancelWrite(1)
			b := testkit.Must(p.q.OpenStream())(p.t)
			b.Write([]byte{0x40})
			b.CancelWrite(1)
		}, nil},
		{"stream that ends in its header", func(p *peer, _ *http3.Stream) {
			s := testkit.Must(p.q.OpenUniStream())(p.t)
			s.Write([]byte{0x40, 0x54})
			s.Close()
			b := testkit.Must(p.q.OpenStream())(p.t)
			b.Write([]byte{0x40, 0x41, 0x40})
			b.Close()
		}, nil},
		{"request from a server", func(p *peer, _ *http3.Stream) {
			s := testkit.Must(p.q.OpenStream())(p.t)
			s.Write([]byte{1, 0})
		}, &wttr.HTTPError{Code: 0x103, Reason: "server opened bidirectional stream 1"}},
		{"malformed capsule", func(_ *peer, str *http3.Stream) { str.Write(capsule(0x2843, "abc")) },
			&wttr.HTTPError{Code: 0x33, Reason: "malformed capsule: no close code"}},
		{"endless capsule", func(_ *peer, str *http3.Stream) {
			str.Write([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
			for range 100 {
				str.Write(make([]byte, 10_000))
			}
		}, nil},
		{"endless reason", func(_ *peer, str *http3.Stream) {
			str.Write([]byte{0x68, 0x43, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3})
			str.Write([]byte(strings.Repeat("x", 2*wttr.MaxReason)))
		}, &transport.CloseError{Code: 3, Reason: strings.Repeat("x", wttr.MaxReason), Remote: true}},
		{"end without capsule", func(_ *peer, str *http3.Stream) { str.Close() }, &transport.CloseError{Remote: true}},
		{"reset", func(_ *peer, str *http3.Stream) { str.CancelWrite(0x10c) },
			&wttr.HTTPError{Code: 0x10c, Reason: "the CONNECT stream was reset", Remote: true}},
		{"end of HTTP/3", func(p *peer, _ *http3.Stream) { p.q.CloseWithError(0x102, "broken") },
			&wttr.HTTPError{Code: 0x102, Reason: "broken", Remote: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				began := make(chan func(), 1)
				peers := make(chan *peer, 1)
				w.serveRaw(t, rawServer{
					quic: oldQUIC(), settings: map[uint64]uint64{setting02: 1},
					handle: func(p *peer, w http.ResponseWriter, _ *http.Request) {
						str := take(w, `"moqt-18"`)
						began <- func() { row.do(p, str) }
						peers <- p
					},
				})
				c := testkit.Must(w.dial(t))(t)
				(<-began)()
				if row.want != nil {
					<-c.Context().Done()
					testkit.Equal(t, context.Cause(c.Context()), row.want)
					<-(<-peers).q.Context().Done()
					return
				}
				time.Sleep(time.Minute)
				testkit.NoErr(t, c.Context().Err())
				(<-peers).open(0, "still here").Close()
				in := testkit.Must(c.AcceptUniStream(t.Context()))(t)
				testkit.Equal(t, string(testkit.Must(io.ReadAll(in))(t)), "still here")
			})
		})
	}
}

func TestAnswersThatAreNoSession(t *testing.T) {
	refuse := func(status int, text string) func(*peer, http.ResponseWriter, *http.Request) {
		return func(_ *peer, w http.ResponseWriter, _ *http.Request) { http.Error(w, text, status) }
	}
	status := func(status int, reason string) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			testkit.Equal(t, *testkit.ErrAs[*wttr.StatusError](t, err), wttr.StatusError{Status: status, Reason: reason})
		}
	}
	is := func(target error) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			testkit.ErrIs(t, err, target)
		}
	}
	for _, row := range []struct {
		name   string
		handle func(*peer, http.ResponseWriter, *http.Request)
		check  func(*testing.T, error)
		says   string
		asks   int32
	}{
		{"wrong path", refuse(404, "Try /moq."), status(404, "Try /moq."), "nothing at this path (HTTP status 404): Try /moq.", 1},
		{"no common protocol", refuse(406, "No.\nReally\x00 not."), status(406, "No. Really not."), "no protocol in common", 1},
		{"bad request", refuse(400, ""), status(400, ""), "no protocol in common with us (HTTP status 400)", 2},
		{"unknown name", refuse(501, ""), status(501, ""), "does not take the session (HTTP status 501)", 2},
		{"forbidden", refuse(403, ""), status(403, ""), "does not let us in", 1},
		{"busy", refuse(429, ""), status(429, ""), "busy", 1},
		{"broken", refuse(500, "oops"), status(500, "oops"), "HTTP status 500): oops", 1},
		{"long explanation", refuse(404, strings.Repeat("x", 10_000)), status(404, strings.Repeat("x", wttr.MaxRefusal)), "xxx", 1},
		{"no protocol", func(_ *peer, w http.ResponseWriter, _ *http.Request) { take(w, "") }, is(wttr.ErrNoProtocol), "none of the offered", 1},
		{"other protocol", func(_ *peer, w http.ResponseWriter, _ *http.Request) { take(w, `"moqt-99"`) }, is(wttr.ErrNoProtocol), `"moqt-99"`, 1},
		{"malformed protocol", func(_ *peer, w http.ResponseWriter, _ *http.Request) { take(w, `("moqt-18")`) }, is(wttr.ErrNoProtocol), "malformed", 1},
		{"bare token", func(_ *peer, w http.ResponseWriter, _ *http.Request) { take(w, `moqt-18`) }, nil, "", 1},
		{"huge header", func(_ *peer, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*wttr.MaxHeaderBytes))
			take(w, `"moqt-18"`)
		}, func(*testing.T, error) {}, "too large", 1},
		{"closed", func(p *peer, _ http.ResponseWriter, _ *http.Request) { p.q.CloseWithError(0x100, "not you") },
			func(t *testing.T, err error) {
				testkit.Equal(t, *testkit.ErrAs[*transport.CloseError](t, err), transport.CloseError{Reason: "not you", Remote: true})
			}, "not you", 2},
		{"silence", func(p *peer, _ http.ResponseWriter, _ *http.Request) { <-p.q.Context().Done() }, is(quictr.ErrNoAnswer), "no answer to the WebTransport request", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				var asked atomic.Int32
				w.serveRaw(t, rawServer{
					quic: quictr.Options{}.QUIC(), settings: map[uint64]uint64{setting02: 1, setting15: 1},
					handle: func(p *peer, w http.ResponseWriter, r *http.Request) {
						asked.Add(1)
						row.handle(p, w, r)
					},
				})
				_, err := w.dial(t, protocol)
				testkit.Equal(t, asked.Load(), row.asks)
				if row.check == nil {
					testkit.NoErr(t, err)
					return
				}
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Fatalf("got %v, want an error that says %q", err, row.says)
				}
				row.check(t, err)
			})
		})
	}
}

// What a client names, and what it makes of the answer.
func TestOffer(t *testing.T) {
	both, none := []string{"moqt-18", "moq-00"}, []string(nil)
	for _, row := range []struct {
		name   string
		offer  wttr.Offer
		named  []string // header fields of the request
		answer string
		want   string // "": ErrNoProtocol
	}{
		{"the server chooses", wttr.Offer{Protocols: both}, lines(`"moqt-18", "moq-00"`), `"moq-00"`, "moq-00"},
		{"the server says nothing", wttr.Offer{Protocols: both}, lines(`"moqt-18", "moq-00"`), ``, ""},
		{"the server says nothing, as it may", wttr.Offer{Protocols: both, Unnamed: "moq-00", Strict: true}, lines(`"moqt-18", "moq-00"`), ``, "moq-00"},
		{"the server chooses although it need not", wttr.Offer{Protocols: both, Unnamed: "moq-00"}, lines(`"moqt-18", "moq-00"`), `"moqt-18"`, "moqt-18"},
		{"nothing is named", wttr.Offer{Protocols: none, Unnamed: "moq-00"}, nil, ``, "moq-00"},
		{"nothing is named but by the server", wttr.Offer{Unnamed: "moq-00"}, nil, `"moq-00"`, "moq-00"},
		{"nothing is named and something else chosen", wttr.Offer{Unnamed: "moq-00"}, nil, `"moqt-18"`, ""},
		{"without quotes", wttr.Offer{Protocols: both}, lines(`"moqt-18", "moq-00"`), `moqt-18`, "moqt-18"},
		{"without quotes, strictly", wttr.Offer{Protocols: both, Strict: true}, lines(`"moqt-18", "moq-00"`), `moqt-18`, ""},
		{"in capitals", wttr.Offer{Protocols: both}, lines(`"moqt-18", "moq-00"`), `"MOQT-18"`, "moqt-18"},
		{"in capitals, strictly", wttr.Offer{Protocols: both, Strict: true}, lines(`"moqt-18", "moq-00"`), `"MOQT-18"`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				named := make(chan []string, 1)
				w.serveRaw(t, rawServer{
					quic: quictr.Options{}.QUIC(), settings: map[uint64]uint64{setting02: 1},
					handle: func(_ *peer, w http.ResponseWriter, r *http.Request) {
						named <- r.Header.Values(wttr.OfferField)
						take(w, row.answer)
					},
				})
				var log strings.Builder
				row.offer.Log = slog.New(slog.NewTextHandler(&log, nil))
				c, err := row.offer.Dial(t.Context(), serverURL, clientTLS(), quictr.Options{Via: w.via})
				testkit.Equal(t, <-named, row.named)
				if row.want == "" {
					testkit.ErrIs(t, err, wttr.ErrNoProtocol)
					return
				}
				testkit.NoErr(t, err)
				testkit.Equal(t, c.Protocol(), row.want)
				testkit.Equal(t, strings.Contains(log.String(), "does not say"), row.answer == "" && row.named != nil)
				c.CloseWithError(0, "")
			})
		})
	}
}

func TestDialErrors(t *testing.T) {
	ok := []string{protocol}
	for _, row := range []struct {
		name      string
		url       string
		conf      *tls.Config
		protocols []string
		is        error
		says      string
	}{
		{"nobody there", "https://10.0.0.7:4433/", clientTLS(), ok, quictr.ErrNoAnswer, "no answer"},
		{"nobody at 443", "https://10.0.0.1/", clientTLS(), ok, quictr.ErrNoAnswer, "no answer"},
		{"moqt URL", "moqt://10.0.0.1:4433/", clientTLS(), ok, nil, "https URL"},
		{"http URL", "http://10.0.0.1:4433/", clientTLS(), ok, nil, "https URL"},
		{"no URL", "https:// /", clientTLS(), ok, nil, "invalid"},
		{"no host", "https:///moq", clientTLS(), ok, nil, "no host"},
		{"no host but a port", "https://:4433/moq", clientTLS(), ok, nil, "no host"},
		{"opaque", "https:moq", clientTLS(), ok, nil, "no host"},
		{"user", "https://me@10.0.0.1:4433/", clientTLS(), ok, nil, "user name"},
		{"port 0", "https://10.0.0.1:0/", clientTLS(), ok, nil, "port"},
		{"no TLS", serverURL, nil, ok, nil, "no TLS"},
		{"untrusted", serverURL, &tls.Config{}, ok, nil, "certificate"},
		{"nothing to speak", serverURL, clientTLS(), nil, nil, "no protocol to offer"},
		{"protocol that has no name", serverURL, clientTLS(), []string{"é"}, nil, "cannot name"},
		{"no common protocol", serverURL, clientTLS(), []string{"moqt-99"}, nil, "this server speaks moqt-18"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
				_, err := wttr.Dial(t.Context(), row.url, row.conf, row.protocols, quictr.Options{Via: w.via})
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

func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		w.serveRaw(t, rawServer{
			quic: quictr.Options{}.QUIC(), settings: map[uint64]uint64{setting02: 1},
			handle: func(p *peer, _ http.ResponseWriter, _ *http.Request) { <-p.q.Context().Done() },
		})
		enough := errors.New("waited enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 150*time.Millisecond, enough)
		defer cancel()
		start := time.Now()
		_, err := wttr.Dial(ctx, serverURL, clientTLS(), []string{protocol}, quictr.Options{Via: w.via})
		testkit.ErrIs(t, err, enough)
		testkit.Equal(t, time.Since(start), 150*time.Millisecond)
	})
}

func TestASessionOutlivesTheContextOfDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		c := testkit.Must(wttr.Dial(ctx, serverURL, clientTLS(), []string{protocol}, quictr.Options{Via: w.via}))(t)
		cancel()
		s := <-sessions
		time.Sleep(time.Hour)
		testkit.NoErr(t, c.Context().Err())
		testkit.NoErr(t, s.Context().Err())
		c.CloseWithError(0, "")
	})
}
