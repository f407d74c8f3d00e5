package wttr_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
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

func TestTheClientsOrderDecidesTheProtocol(t *testing.T) {
	speaks := []string{"moqt-18", "moqt-16"}
	for _, row := range []struct {
		offer string
		want  string // WT-Protocol
		code  int
		says  string // part of the refusal
	}{
		{`"moqt-18"`, `"moqt-18"`, 200, ""},
		{`"moqt-16", "moqt-18"`, `"moqt-16"`, 200, ""},
		{`"moqt-99", "moqt-18", "moqt-16"`, `"moqt-18"`, 200, ""},
		{`moqt-18`, `"moqt-18"`, 200, ""},
		{`"moqt-18";q=1`, `"moqt-18"`, 200, ""},
		{`"moqt-99", "moq-lite-04"`, "", 406, "the client offers moqt-99, moq-lite-04, this server speaks moqt-18, moqt-16"},
		{`"moqt-1`, "", 406, "the client offers moqt-1, this server speaks"},
		{`("moqt-18" "moqt-16")`, "", 400, "malformed"},
		{``, "", 400, "missing"},
	} {
		for _, name := range []string{name02, name15} {
			t.Run(fmt.Sprintf("%s by %s", row.offer, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := build(t, testkit.Link{}, testkit.Link{})
					var log strings.Builder
					sessions := serve(t, w.serverNode, &wttr.Server{Protocols: speaks, Log: slog.New(slog.NewTextHandler(&log, nil))}, quictr.Options{})
					c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
					str, answer := c.ask(name, "/moq", offer(row.offer))
					testkit.Equal(t, answer.StatusCode, row.code)
					testkit.Equal(t, answer.Header.Get(wttr.ChoiceField), row.want)
					if row.code == 200 {
						s := <-sessions
						testkit.Equal(t, `"`+s.Protocol()+`"`, row.want)
						testkit.Equal(t, answer.Header.Get("Sec-Webtransport-Http3-Draft"), "draft02")
						s.CloseWithError(0, "")
						return
					}
					body := string(testkit.Must(io.ReadAll(str))(t))
					if !strings.Contains(body, row.says) {
						t.Errorf("the client is told %q, want something with %q", body, row.says)
					}
					synctest.Wait()
					if !strings.Contains(log.String(), row.says) {
						t.Errorf("the log says %q, want something with %q", log.String(), row.says)
					}
				})
			})
		}
	}
}

// A client is answered in the words that it knows, and without any if it named
// none.
func TestHowClientsNameTheProtocol(t *testing.T) {
	for _, row := range []struct {
		name, offer string
		unnamed     string // of the server
		strict      bool
		want        string // WT-Protocol
		speaks      string
		code        int
	}{
		{"none", ``, "moq-00", false, ``, "moq-00", 200},
		{"none, strictly", ``, "moq-00", true, ``, "moq-00", 200},
		{"an empty list", ` `, "moq-00", false, ``, "moq-00", 200},
		{"none, where one is due", ``, "", false, ``, "", 400},
		{"the one that needs no name", `"moq-00"`, "moq-00", false, `"moq-00"`, "moq-00", 200},
		{"that one before others", `"moq-00", "moqt-18"`, "moq-00", false, `"moq-00"`, "moq-00", 200},
		{"others only, which are not spoken", `"moqt-99"`, "moq-00", false, ``, "", 406},
		{"what is no list", `("moqt-18")`, "moq-00", false, ``, "", 400},
		{"in capitals", `"MOQT-18"`, "moq-00", false, `"MOQT-18"`, "moqt-18", 200},
		{"in capitals, strictly", `"MOQT-18"`, "moq-00", true, ``, "", 406},
		{"without quotes", `moqt-18`, "moq-00", false, `"moqt-18"`, "moqt-18", 200},
		{"without quotes, strictly", `moqt-18`, "moq-00", true, ``, "", 400},
		{"with a quote missing", `"moqt-18`, "moq-00", false, `"moqt-18"`, "moqt-18", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				srv := &wttr.Server{Protocols: []string{"moqt-18", "moqt-16", "moq-00"}, Unnamed: row.unnamed, Strict: row.strict}
				sessions := serve(t, w.serverNode, srv, quictr.Options{})
				c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
				_, answer := c.ask(name02, "/moq", offer(row.offer))
				testkit.Equal(t, answer.StatusCode, row.code)
				testkit.Equal(t, answer.Header.Values(wttr.ChoiceField), lines(row.want))
				if row.code == 200 {
					s := <-sessions
					testkit.Equal(t, s.Protocol(), row.speaks)
					s.CloseWithError(0, "")
				}
			})
		})
	}
}

// lines are the values of a header field that is there unless it is empty.
func lines(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func TestRequests(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page "+r.URL.Path) })
	check := func(r *http.Request) *wttr.Refusal {
		if r.URL.Path != "/moq" {
			return &wttr.Refusal{Status: http.StatusNotFound, Reason: "Only /moq is served."}
		}
		return nil
	}
	origin := func(o string) http.Header {
		h := offer(`"moqt-18"`)
		h.Set("Origin", o)
		return h
	}
	for _, row := range []struct {
		name   string
		server wttr.Server
		path   string
		header http.Header
		code   int
		says   string
	}{
		{"checked path", wttr.Server{Check: check}, "/moq?x=1", offer(`"moqt-18"`), 200, ""},
		{"refused path", wttr.Server{Check: check}, "/other", offer(`"moqt-18"`), 404, "Only /moq is served."},
		{"any origin", wttr.Server{}, "/", origin("http://127.0.0.1:8080"), 200, ""},
		{"allowed origin", wttr.Server{AllowOrigin: func(o string) bool { return o == "https://a.example" }}, "/", origin("https://a.example"), 200, ""},
		{"refused origin", wttr.Server{AllowOrigin: func(o string) bool { return o == "https://a.example" }}, "/", origin("https://b.example"), 403, `"https://b.example"`},
		{"no origin", wttr.Server{AllowOrigin: func(string) bool { return false }}, "/", offer(`"moqt-18"`), 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				srv := row.server
				srv.Protocols = []string{protocol}
				srv.Fallback = page
				sessions := serve(t, w.serverNode, &srv, quictr.Options{})
				c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
				str, answer := c.ask(name02, row.path, row.header)
				testkit.Equal(t, answer.StatusCode, row.code)
				if row.code != 200 {
					if body := string(testkit.Must(io.ReadAll(str))(t)); !strings.Contains(body, row.says) {
						t.Errorf("the client is told %q", body)
					}
				} else {
					s := <-sessions
					authority, path := s.(transport.Requested).Requested()
					testkit.Equal(t, []string{authority, path}, []string{serverAddr, row.path})
				}
				code, body := c.get("/index")
				testkit.Equal(t, code, 200)
				testkit.Equal(t, body, "page /index")
			})
		})
	}
}

func TestWithoutFallbackOtherRequestsAreToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), nil)
		code, body := c.get("/")
		testkit.Equal(t, code, 404)
		if !strings.Contains(body, "WebTransport") {
			t.Errorf("got %q", body)
		}
		_, answer := c.ask("connect-udp", "/", http.Header{})
		testkit.Equal(t, answer.StatusCode, 404)
	})
}

func TestASecondSessionIsRefusedAndTheFirstGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		first, answer := c.ask(name02, "/", offer(`"moqt-18"`))
		testkit.Equal(t, answer.StatusCode, 200)
		s := <-sessions
		second, answer := c.ask(name02, "/", offer(`"moqt-18"`))
		testkit.Equal(t, answer.StatusCode, 429)
		testkit.Equal(t, string(testkit.Must(io.ReadAll(second))(t)), "This server takes one session per connection.\n")
		c.open(uint64(first.StreamID()), "still here").Close()
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		testkit.Equal(t, string(testkit.Must(io.ReadAll(in))(t)), "still here")
	})
}

func TestAClientOfTheOlderDialect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{Delay: time.Millisecond}, testkit.Link{Delay: time.Millisecond})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		str, answer := c.ask(name02, "/", offer(`"moqt-18"`))
		testkit.Equal(t, answer.StatusCode, 200)
		s := <-sessions

		c.open(0, "up").Close()
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		testkit.Equal(t, string(testkit.Must(io.ReadAll(in))(t)), "up")

		out := testkit.Must(s.OpenUniStream(t.Context()))(t)
		testkit.Must(out.Write([]byte("down")))(t)
		testkit.NoErr(t, out.Close())
		header, body, err := c.read()
		testkit.NoErr(t, err)
		testkit.Equal(t, header, []byte{0x40, 0x54, 0})
		testkit.Equal(t, body, "down")

		// It cannot hear of the boundary, but of the code.
		out = testkit.Must(s.OpenUniStream(t.Context()))(t)
		testkit.Must(out.Write([]byte("x")))(t)
		synctest.Wait()
		time.Sleep(time.Second)
		out.CancelWrite(5)
		_, _, err = c.read()
		testkit.Equal(t, testkit.ErrAs[*quic.StreamError](t, err).ErrorCode, quic.StreamErrorCode(wttr.ToHTTP(5)))

		testkit.NoErr(t, str.SendDatagram([]byte("gram")))
		testkit.Equal(t, string(testkit.Must(s.ReceiveDatagram(t.Context()))(t)), "gram")
		testkit.NoErr(t, s.SendDatagram([]byte("back")))
		testkit.Equal(t, string(testkit.Must(str.ReceiveDatagram(t.Context()))(t)), "back")

		closeWith(str, 42, "bye")
		<-s.Context().Done()
		e := testkit.ErrAs[*transport.CloseError](t, context.Cause(s.Context()))
		testkit.Equal(t, *e, transport.CloseError{Code: 42, Reason: "bye", Remote: true})
		<-c.q.Context().Done() // its only session has ended
	})
}

func TestStreamsMayComeBeforeTheirSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		c.open(0, "early").Close()
		synctest.Wait()
		c.ask(name02, "/", offer(`"moqt-18"`))
		s := <-sessions
		in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
		testkit.Equal(t, string(testkit.Must(io.ReadAll(in))(t)), "early")
	})
}

func TestStreamsWithoutSessionAreRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		out := c.open(400, "lost")
		start := time.Now()
		<-out.Context().Done()
		e := testkit.ErrAs[*quic.StreamError](t, context.Cause(out.Context()))
		testkit.Equal(t, e.ErrorCode, quic.StreamErrorCode(0x3994bd84))
		testkit.Equal(t, time.Since(start), wttr.ReorderTimeout)
	})
}

func TestRubbishFromClients(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(_ *rawClient, _ *http3.RequestStream)
		want error // the cause of the session, nil if it goes on
	}{
		{"session ID of a server's stream", func(c *rawClient, _ *http3.RequestStream) { c.open(1, "x") },
			&wttr.HTTPError{Code: 0x108}},
		{"session ID of a unidirectional stream", func(c *rawClient, _ *http3.RequestStream) { c.open(2, "x") },
			&wttr.HTTPError{Code: 0x108}},
		{"another session's ID", func(c *rawClient, _ *http3.RequestStream) { c.open(4, "x") }, nil},
		{"stream that is reset before its header", func(c *rawClient, _ *http3.RequestStream) {
			s := testkit.Must(c.q.OpenUniStream())(c.t)
			s.Write([]byte{0x40})
			s.CancelWrite(1)
		}, nil},
		{"stream of an unknown type", func(c *rawClient, _ *http3.RequestStream) {
			s := testkit.Must(c.q.OpenUniStream())(c.t)
			s.Write([]byte{0x33, 1, 2, 3})
		}, nil},
		{"malformed capsule", func(_ *rawClient, str *http3.RequestStream) { str.Write(capsule(0x2843, "abc")) },
			&wttr.HTTPError{Code: 0x33, Reason: "unexpected EOF"}},
		{"endless capsule", func(_ *rawClient, str *http3.RequestStream) {
			str.Write([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
			for range 100 {
				str.Write(make([]byte, 10_000))
			}
		}, nil},
		{"many capsules", func(_ *rawClient, str *http3.RequestStream) {
			for range 10_000 {
				str.Write(capsule(0x17, ""))
			}
		}, nil},
		{"end without capsule", func(_ *rawClient, str *http3.RequestStream) { str.Close() }, &transport.CloseError{Remote: true}},
		{"end within a capsule", func(_ *rawClient, str *http3.RequestStream) {
			str.Write([]byte{0x12, 5, 1})
			str.Close()
		}, &transport.CloseError{Remote: true}},
		{"reset", func(_ *rawClient, str *http3.RequestStream) { str.CancelWrite(0x10c) },
			&wttr.HTTPError{Code: 0x10c, Reason: "the CONNECT stream was reset", Remote: true}},
		{"end of HTTP/3", func(c *rawClient, _ *http3.RequestStream) { c.q.CloseWithError(0x102, "broken") },
			&wttr.HTTPError{Code: 0x102, Reason: "broken", Remote: true}},
		{"good-bye of HTTP/3", func(c *rawClient, _ *http3.RequestStream) { c.q.CloseWithError(0x100, "bye") },
			&transport.CloseError{Reason: "bye", Remote: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := build(t, testkit.Link{}, testkit.Link{})
				sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
				c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
				str, answer := c.ask(name02, "/", offer(`"moqt-18"`))
				testkit.Equal(t, answer.StatusCode, 200)
				s := <-sessions
				row.do(c, str)
				if row.want != nil {
					<-s.Context().Done()
					testkit.Equal(t, context.Cause(s.Context()), row.want)
					<-c.q.Context().Done()
					return
				}
				time.Sleep(time.Minute)
				testkit.NoErr(t, s.Context().Err())
				c.open(0, "still here").Close()
				in := testkit.Must(s.AcceptUniStream(t.Context()))(t)
				testkit.Equal(t, string(testkit.Must(io.ReadAll(in))(t)), "still here")
				s.CloseWithError(0, "")
			})
		})
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		h := offer(`"moqt-18"`)
		h.Set("X", strings.Repeat("x", wttr.MaxHeaderBytes))
		_, answer := c.ask(name02, "/", h)
		testkit.Equal(t, answer.StatusCode, http.StatusRequestHeaderFieldsTooLarge)
	})
}

func TestAConnectionWithoutSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), nil)
		start := time.Now()
		<-c.q.Context().Done()
		testkit.Equal(t, time.Since(start), wttr.RequestTimeout)
	})
}

func TestASessionMayFollowAnotherRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		sessions := serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1})
		c.get("/") // takes the stream ID 0
		str, _ := c.ask(name02, "/", offer(`"moqt-18"`))
		testkit.Equal(t, str.StreamID(), quic.StreamID(4))
		s := <-sessions
		out := testkit.Must(s.OpenUniStream(t.Context()))(t)
		testkit.NoErr(t, out.Close())
		header, _, err := c.read()
		testkit.NoErr(t, err)
		testkit.Equal(t, header, []byte{0x40, 0x54, 4})
		testkit.NoErr(t, s.SendDatagram([]byte("down")))
		testkit.Equal(t, string(testkit.Must(str.ReceiveDatagram(t.Context()))(t)), "down")
		testkit.NoErr(t, str.SendDatagram([]byte("up")))
		testkit.Equal(t, string(testkit.Must(s.ReceiveDatagram(t.Context()))(t)), "up")
	})
}

func TestAClientWithoutDatagramsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := build(t, testkit.Link{}, testkit.Link{})
		serve(t, w.serverNode, &wttr.Server{Protocols: []string{protocol}}, quictr.Options{})
		c := w.rawClient(t, oldQUIC(), map[uint64]uint64{setting02: 1}, func(tr *http3.Transport) { tr.EnableDatagrams = false })
		for range 2 { // the first does not count as the session
			str, answer := c.ask(name02, "/", offer(`"moqt-18"`))
			testkit.Equal(t, answer.StatusCode, http.StatusBadRequest)
			testkit.Equal(t, answer.Header.Get(wttr.ChoiceField), "")
			if body := string(testkit.Must(io.ReadAll(str))(t)); !strings.Contains(body, "missing datagram support") {
				t.Errorf("the client is told %q", body)
			}
		}
	})
}
