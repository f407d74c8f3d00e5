package wttr

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// Errors of Dial, besides *StatusError and those of quictr.Dial. Test with
// errors.Is.
var (
	// ErrNotWebTransport says that the server speaks HTTP/3 without it.
	ErrNotWebTransport = errors.New("the server speaks HTTP/3 but not WebTransport")
	// ErrNoProtocol says that the server took the session without saying what
	// is spoken in it.
	ErrNoProtocol = errors.New("the server chose none of the offered protocols")
)

// maxRefusal is how many bytes of a server's explanation are read.
const maxRefusal = 512

// StatusError is the answer of a server that does not take a session.
type StatusError struct {
	Status int    // of HTTP
	Reason string // what the server says, if anything; one line
}

// Error is a sentence for users, with what the server says.
func (e *StatusError) Error() string {
	var what string
	switch e.Status {
	case http.StatusNotFound:
		what = "the server has nothing at this path"
	case http.StatusBadRequest, http.StatusNotAcceptable:
		what = "the server does not take the session, perhaps because it has no protocol in common with us"
	case http.StatusUnauthorized, http.StatusForbidden:
		what = "the server does not let us in"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		what = "the server is busy"
	default:
		what = "the server does not take the session"
	}
	what = fmt.Sprintf("%s (HTTP status %d)", what, e.Status)
	if e.Reason != "" {
		what += ": " + e.Reason
	}
	return what
}

// Offer is what a client wants to speak. There must be something.
type Offer struct {
	// Protocols are named in the request, the preferred first; the server
	// chooses. None: the request names none.
	Protocols []string
	// Unnamed is spoken with a server that takes the session and names no
	// protocol. Empty: Dial fails with ErrNoProtocol then.
	Unnamed string
	// Strict takes the server's answer by the letter, see lenient.go.
	Strict bool
	// Log is told what is assumed about a server that says nothing; nil discards.
	Log *slog.Logger
}

// Dial is Offer.Dial with no more than protocols.
func Dial(ctx context.Context, rawURL string, conf *tls.Config, protocols []string, o quictr.Options) (transport.Conn, error) {
	return Offer{Protocols: protocols}.Dial(ctx, rawURL, conf, o)
}

// Dial makes a session at an https URL, "https://host:port/path?query"; the
// port is 443 unless named. It finds the host as quictr.Dial does, and speaks
// WebTransport in the dialect that the server's settings show, of draft 02 or
// later. Protocol of the result is one of those of the Offer.
//
// NextProtos of conf is replaced. ctx and q.HandshakeTimeout bound the wait.
func (o Offer) Dial(ctx context.Context, rawURL string, conf *tls.Config, q quictr.Options) (transport.Conn, error) {
	u, addr, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	field, err := formatProtocols(o.Protocols...)
	switch {
	case err != nil:
		return nil, err
	case field == "" && o.Unnamed == "":
		return nil, errors.New("no protocol to offer")
	case conf == nil:
		return nil, errors.New("no TLS configuration")
	}
	d := &client{url: u, addr: addr, conf: conf.Clone(), offer: o, field: field, options: q}
	d.conf.NextProtos = []string{http3.NextProtoH3}
	c, next, err := d.attempt(ctx, "")
	if err != nil && next != "" {
		// Servers of a dialect may know another name of it only.
		if other, _, again := d.attempt(ctx, next); again == nil {
			return other, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// parseURL returns what to ask for and where to connect to.
func parseURL(raw string) (u *url.URL, addr string, err error) {
	if u, err = url.Parse(raw); err != nil {
		return nil, "", err
	}
	switch {
	case u.Scheme != "https":
		err = errors.New("WebTransport needs an https URL")
	case u.Hostname() == "":
		err = errors.New("the URL has no host")
	case u.User != nil:
		err = errors.New("the URL has a user name, which HTTP does not send")
	case u.Opaque != "":
		err = errors.New("the URL has no path")
	}
	if err != nil {
		return nil, "", err
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	u = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery}
	return u, net.JoinHostPort(u.Hostname(), port), nil
}

// client is one Dial.
type client struct {
	url     *url.URL
	addr    string
	conf    *tls.Config
	offer   Offer
	field   string // the protocols of the offer in the header, "" if none are named
	options quictr.Options
}

// attempt makes a QUIC connection and asks for a session on it, by the given
// name of WebTransport or by the likeliest. If another name is worth an
// attempt, next is that.
func (d *client) attempt(ctx context.Context, name string) (_ *conn, next string, err error) {
	timeout := d.options.HandshakeTimeout
	if timeout == 0 {
		timeout = quictr.HandshakeTimeout
	}
	q, err := quictr.Connect(ctx, d.addr, d.conf, d.options)
	if err != nil {
		return nil, "", err
	}
	late := fmt.Errorf("%w to the WebTransport request", quictr.ErrNoAnswer)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, late)
	defer cancel()
	c := newConn(q, 0)
	c.authority, c.path = d.url.Host, d.url.RequestURI()
	defer func() {
		if err != nil {
			_ = q.CloseWithError(codeNoError, "")
		}
	}()

	h := (&http3.Transport{
		EnableDatagrams:        true,
		AdditionalSettings:     clientSettings(),
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
	}).NewRawClientConn(q)
	go c.sortStreams(h)
	go c.sortUniStreams(h)

	select {
	case <-h.ReceivedSettings():
	case <-ctx.Done():
		return nil, "", context.Cause(ctx)
	case <-q.Context().Done():
		return nil, "", connectionError(context.Cause(q.Context()))
	}
	names := namesFor(h.Settings())
	switch {
	case len(names) == 0:
		return nil, "", ErrNotWebTransport
	case name == "":
		name, names = names[0], names[1:]
	default:
		names = nil
	}
	str, err := d.request(ctx, c, h, name)
	if err != nil {
		if len(names) > 0 && nameMatters(err) {
			next = names[0]
		}
		return nil, next, err
	}
	c.start(str, h.Settings().EnableDatagrams)
	go c.readConnect(str)
	return c, "", nil
}

// nameMatters says whether a server that fails with err may not have known the
// name of WebTransport. It did, if the answer is about something else.
func nameMatters(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	if !ok {
		return is[*HTTPError](err) || is[*transport.CloseError](err)
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable, http.StatusTooManyRequests:
		return false
	case http.StatusNotImplemented:
		return true
	}
	return e.Status/100 == 4
}

// request asks for a session and judges the answer.
func (d *client) request(ctx context.Context, c *conn, h *http3.RawClientConn, name string) (*http3.RequestStream, error) {
	str, err := h.OpenRequestStream(ctx)
	if err != nil {
		return nil, requestError(ctx, err)
	}
	if str.StreamID() != c.id {
		return nil, fmt.Errorf("the first stream has the ID %d", str.StreamID())
	}
	stop := context.AfterFunc(ctx, func() {
		str.CancelRead(codeCancelled)
		str.CancelWrite(codeCancelled)
	})
	defer stop()
	r := &http.Request{
		Method: http.MethodConnect,
		Proto:  name,
		URL:    d.url,
		Host:   d.url.Host,
		Header: http.Header{"User-Agent": nil},
	}
	if d.field != "" {
		r.Header.Set(offerField, d.field)
	}
	if name == protocol02 {
		r.Header.Set(draft02RequestName, "1")
	}
	if err := str.SendRequestHeader(r); err != nil {
		return nil, requestError(ctx, err)
	}
	answer, err := str.ReadResponse() //nolint:bodyclose // the body of a session is its CONNECT stream
	if err != nil {
		return nil, requestError(ctx, err)
	}
	if answer.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what came counts
		return nil, &StatusError{answer.StatusCode, oneLine(text)}
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if c.protocol, err = d.offer.taken(answer.Header); err != nil {
		return nil, err
	}
	return str, nil
}

// taken returns what is spoken with a server that answers with h.
func (o *Offer) taken(h http.Header) (protocol string, err error) {
	said, err := chosen(h, o.Strict)
	if err != nil {
		return "", fmt.Errorf("%w: WT-Protocol is malformed: %w", ErrNoProtocol, err)
	}
	switch {
	case said == "" && o.Unnamed == "":
		return "", ErrNoProtocol
	case said == "":
		if o.Log != nil && len(o.Protocols) > 0 {
			o.Log.Info("the server does not say which protocol it chose", "assumed", o.Unnamed)
		}
		return o.Unnamed, nil
	}
	if protocol, _ = choose([]string{said}, o.all(), o.Strict); protocol == "" {
		return "", fmt.Errorf("%w, but %q", ErrNoProtocol, said)
	}
	return protocol, nil
}

// all returns what may be spoken.
func (o *Offer) all() []string {
	if o.Unnamed == "" || slices.Contains(o.Protocols, o.Unnamed) {
		return o.Protocols
	}
	return append(slices.Clone(o.Protocols), o.Unnamed)
}

// requestError translates why there is no answer to a request.
func requestError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return connectError(err)
}

// oneLine makes text of a server fit for a log.
func oneLine(text []byte) string {
	s := strings.ToValidUTF8(string(text), "")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// readConnect waits for the end of the session.
func (c *conn) readConnect(str *http3.RequestStream) {
	err := readCapsules(str)
	switch {
	case is[*transport.CloseError](err):
		c.peerEnded(err, codeNoError)
	case errors.Is(err, errCapsule):
		c.peerEnded(&HTTPError{Code: uint64(codeCapsule), Reason: err.Error()}, codeCapsule)
	default:
		c.peerEnded(connectError(err), codeNoError)
	}
}

// sortStreams takes the bidirectional streams that the server opens: HTTP/3
// itself has none.
func (c *conn) sortStreams(h *http3.RawClientConn) {
	for {
		s, err := c.q.AcceptStream(c.ctx)
		if err != nil {
			return
		}
		go func() {
			if typ, err := quicvarint.Peek(s); err != nil {
				s.CancelRead(codeStreamRejected)
				s.CancelWrite(codeStreamRejected)
			} else if typ != bidiType {
				h.HandleBidirectionalStream(s)
			} else if c.belongs(s) {
				c.bidi.push(newStream(c, nativeSender{s}, nativeReceiver{s}, nil))
			} else {
				s.CancelRead(codeStreamRejected)
				s.CancelWrite(codeStreamRejected)
			}
		}()
	}
}

// sortUniStreams takes the unidirectional streams that the server opens: those
// of HTTP/3 and those of the session.
func (c *conn) sortUniStreams(h *http3.RawClientConn) {
	for {
		s, err := c.q.AcceptUniStream(c.ctx)
		if err != nil {
			return
		}
		go func() {
			if typ, err := quicvarint.Peek(s); err != nil {
				s.CancelRead(codeStreamRejected)
			} else if typ != uniType {
				h.HandleUnidirectionalStream(s)
			} else if c.belongs(s) {
				c.uni.push(newReceiveStream(c, nativeReceiver{s}))
			} else {
				s.CancelRead(codeStreamRejected)
			}
		}()
	}
}

// belongs reads a stream's header and says whether it is of this session. The
// ID of a session that cannot be ends the connection.
func (c *conn) belongs(s io.Reader) bool {
	id, err := readHeader(s)
	if err == nil && !validSession(id) {
		_ = c.q.CloseWithError(codeIDError, "a stream names a session that cannot be")
	}
	return err == nil && id == c.id
}
