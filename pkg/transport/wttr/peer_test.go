package wttr_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// Settings of the older dialects.
const (
	setting02 = 0x2b603742
	setting07 = 0xc671706a
	setting14 = 0x14e9cd29
	setting15 = 0x2c7cf000
)

// Names of WebTransport.
const (
	name02 = "webtransport"
	name15 = "webtransport-h3"
)

// peer is one end that speaks HTTP/3, and WebTransport by hand.
type peer struct {
	t   *testing.T
	q   *quic.Conn
	uni chan *quic.ReceiveStream // of the session, header not read
}

// oldQUIC are options of a peer of the older dialect: it knows no
// RESET_STREAM_AT.
func oldQUIC() *quic.Config {
	c := quictr.Options{}.QUIC()
	c.EnableStreamResetPartialDelivery = false
	return c
}

// sort gives streams of HTTP/3 to handle, and keeps the others.
func (p *peer) sort(handle func(*quic.ReceiveStream)) {
	for {
		s, err := p.q.AcceptUniStream(p.q.Context())
		if err != nil {
			return
		}
		go func() {
			if typ, err := quicvarint.Peek(s); err == nil && typ == 0x54 {
				p.uni <- s
			} else {
				handle(s)
			}
		}()
	}
}

// open opens a unidirectional stream in a session and writes b.
func (p *peer) open(session uint64, b string) *quic.SendStream {
	p.t.Helper()
	s := testkit.Must(p.q.OpenUniStream())(p.t)
	testkit.Must(s.Write(append(quicvarint.Append([]byte{0x40, 0x54}, session), b...)))(p.t)
	return s
}

// read reads the next stream of the session to its end.
func (p *peer) read() (header []byte, body string, err error) {
	s := <-p.uni
	header = make([]byte, 3)
	if _, err := io.ReadFull(s, header); err != nil {
		return nil, "", err
	}
	b, err := io.ReadAll(s)
	return header, string(b), err
}

// rawClient is a client that asks for sessions by hand.
type rawClient struct {
	peer
	h *http3.RawClientConn
}

// rawClient connects to the server with the given settings.
func (w *world) rawClient(t *testing.T, conf *quic.Config, settings map[uint64]uint64, change ...func(*http3.Transport)) *rawClient {
	t.Helper()
	q := testkit.Must(w.via.Dial(t.Context(), w.serverNode.LocalAddr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, conf))(t)
	t.Cleanup(func() { q.CloseWithError(0x100, "") })
	tr := &http3.Transport{EnableDatagrams: true, AdditionalSettings: settings, DisableCompression: true}
	for _, f := range change {
		f(tr)
	}
	c := &rawClient{
		peer: peer{t: t, q: q, uni: make(chan *quic.ReceiveStream, 256)},
		h:    tr.NewRawClientConn(q),
	}
	go c.sort(c.h.HandleUnidirectionalStream)
	return c
}

// ask sends a CONNECT request for a session and returns the answer.
func (c *rawClient) ask(name, path string, header http.Header) (*http3.RequestStream, *http.Response) {
	c.t.Helper()
	str := testkit.Must(c.h.OpenRequestStream(c.t.Context()))(c.t)
	testkit.NoErr(c.t, str.SendRequestHeader(&http.Request{
		Method: http.MethodConnect, Proto: name, Host: serverAddr, Header: header,
		URL: testkit.Must(url.Parse("https://" + serverAddr + path))(c.t),
	}))
	return str, testkit.Must(str.ReadResponse())(c.t)
}

// offer is the header of a request of the older dialect.
func offer(protocols string) http.Header {
	h := http.Header{"Sec-Webtransport-Http3-Draft02": {"1"}}
	if protocols != "" {
		wttr.SetOffer(h, protocols)
	}
	return h
}

// get makes an ordinary HTTP/3 request.
func (c *rawClient) get(path string) (int, string) {
	c.t.Helper()
	r := testkit.Must(http.NewRequestWithContext(c.t.Context(), http.MethodGet, "https://"+serverAddr+path, nil))(c.t)
	res := testkit.Must(c.h.RoundTrip(r))(c.t)
	body := testkit.Must(io.ReadAll(res.Body))(c.t)
	return res.StatusCode, string(body)
}

// rawServer is a server of some dialect, made by hand.
type rawServer struct {
	quic     *quic.Config
	settings map[uint64]uint64
	// handle answers CONNECT; it owns the stream if it takes it.
	handle func(p *peer, w http.ResponseWriter, r *http.Request)
}

// serveRaw serves until the test ends.
func (w *world) serveRaw(t *testing.T, s rawServer) {
	t.Helper()
	serveQUIC(t, w.serverNode, s.quic, func(q *quic.Conn) {
		p := &peer{t: t, q: q, uni: make(chan *quic.ReceiveStream, 256)}
		h3 := &http3.Server{
			EnableDatagrams: true, AdditionalSettings: s.settings,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handle(p, w, r) }),
		}
		h, err := h3.NewRawServerConn(q)
		if err != nil {
			if _, gone := errors.AsType[*quic.ApplicationError](err); !gone { // some clients leave at once
				t.Error(err)
			}
			return
		}
		go p.sort(h.HandleUnidirectionalStream)
		for {
			str, err := q.AcceptStream(q.Context())
			if err != nil {
				return
			}
			go h.HandleRequestStream(str)
		}
	})
}

// take answers a request with a session, and returns its stream.
func take(w http.ResponseWriter, protocol string) *http3.Stream {
	if protocol != "" {
		w.Header().Set(wttr.ChoiceField, protocol)
	}
	w.WriteHeader(http.StatusOK)
	return w.(http3.HTTPStreamer).HTTPStream()
}

// closeWith is what ends a session by hand.
func closeWith(str interface {
	io.Writer
	Close() error
}, code uint32, reason string) {
	str.Write(wttr.AppendClose(nil, code, reason))
	str.Close()
}
