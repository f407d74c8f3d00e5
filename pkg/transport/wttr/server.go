package wttr

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"oxymoq/pkg/transport"
)

const (
	// maxHeaderBytes bounds the header fields of a request or a response.
	maxHeaderBytes = 64 << 10
	// requestTimeout ends a connection that carries neither a session nor
	// another request. Keep-alives would hold it forever.
	requestTimeout = 10 * time.Second
	// reorderTimeout is how long streams may come before the session that
	// they belong to, and how long CONNECT waits for the client's settings.
	reorderTimeout = 5 * time.Second
)

// Server takes WebTransport sessions on HTTP/3 connections. It has no state
// and must not be copied or changed once it serves.
type Server struct {
	// Protocols are those that are spoken. The client's order decides.
	Protocols []string
	// Unnamed is spoken with clients that name no protocol. Empty: they are
	// refused.
	Unnamed string
	// Strict takes what clients offer by the letter, see lenient.go.
	Strict bool
	// Check may refuse a request, for its path as a rule. Nil: all are served.
	Check func(r *http.Request) *Refusal
	// AllowOrigin may refuse the pages of an origin, "https://example.org".
	// Nil: all are welcome. An origin protects those who trust a browser's
	// cookies; MoQT has none, who may do what is decided by its tokens.
	AllowOrigin func(origin string) bool
	// Fallback serves HTTP/3 requests for anything else. Nil: 404.
	Fallback http.Handler
	// Log is told of sessions that are refused; nil discards.
	Log *slog.Logger
}

// Refusal is the answer to a CONNECT request that is not served.
type Refusal struct {
	Status int    // of HTTP
	Reason string // one sentence
}

// Serve serves a connection whose application protocol is h3, with datagrams
// and reliable resets enabled as by quictr.Options. It gives a session, if one
// is asked for, to accept, which should not block, and returns when the
// connection has ended, which it does with the session.
func (s *Server) Serve(q *quic.Conn, accept func(transport.Conn)) {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	v := &visit{Server: s, q: q, accept: accept, log: log.With("remote", q.RemoteAddr())}
	v.upstream = &webtransport.Server{
		H3: &http3.Server{
			Handler:        v,
			MaxHeaderBytes: maxHeaderBytes,
			IdleTimeout:    requestTimeout,
			Logger:         v.log,
		},
		ReorderingTimeout: reorderTimeout,
		CheckOrigin:       func(*http.Request) bool { return true }, // refusal has decided
	}
	if err := v.upstream.ServeQUICConn(q); err != nil {
		v.log.Info("HTTP/3 failed", "err", err)
	}
	_ = q.CloseWithError(codeNoError, "")
}

// visit is one connection to a Server.
type visit struct {
	*Server
	q        *quic.Conn
	accept   func(transport.Conn)
	log      *slog.Logger
	upstream *webtransport.Server
	taken    atomic.Bool // there is a session, or one begins
}

// ServeHTTP implements http.Handler.
func (v *visit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || r.Proto != protocol02 && r.Proto != protocol15 {
		if v.Fallback != nil {
			v.Fallback.ServeHTTP(w, r)
			return
		}
		http.Error(w, "This server speaks MoQT over WebTransport only.", http.StatusNotFound)
		return
	}
	protocol, as, refusal := v.judge(r)
	if refusal == nil {
		refusal = v.begin(w, r, protocol, as)
	}
	if refusal != nil {
		v.log.Info("refused a WebTransport session", "authority", r.Host, "path", r.RequestURI, "status", refusal.Status, "because", refusal.Reason)
		http.Error(w, refusal.Reason, refusal.Status)
	}
}

// judge chooses the protocol of a session, or says why there is none. as is how
// the client has named it, "" if it has not.
func (v *visit) judge(r *http.Request) (protocol, as string, _ *Refusal) {
	if origin := r.Header.Get("Origin"); origin != "" && v.AllowOrigin != nil && !v.AllowOrigin(origin) {
		return "", "", &Refusal{http.StatusForbidden, fmt.Sprintf("Pages of %q may not connect to this server.", origin)}
	}
	if v.Check != nil {
		if refusal := v.Check(r); refusal != nil {
			return "", "", refusal
		}
	}
	offer, err := offered(r.Header, v.Strict)
	switch {
	case errors.Is(err, errNoOffer) && v.Unnamed != "":
		return v.Unnamed, "", nil
	case errors.Is(err, errNoOffer):
		return "", "", &Refusal{http.StatusBadRequest, fmt.Sprintf("WT-Available-Protocols is missing: this server speaks %s.", strings.Join(v.Protocols, ", "))}
	case err != nil:
		return "", "", &Refusal{http.StatusBadRequest, fmt.Sprintf("WT-Available-Protocols is malformed: %v.", err)}
	}
	if protocol, as = choose(offer, v.Protocols, v.Strict); protocol == "" {
		return "", "", &Refusal{http.StatusNotAcceptable, fmt.Sprintf("No common protocol: the client offers %s, this server speaks %s.",
			strings.Join(offer, ", "), strings.Join(v.Protocols, ", "))}
	}
	return protocol, as, nil
}

// begin answers a request with a session; as is how the client has named the
// protocol.
func (v *visit) begin(w http.ResponseWriter, r *http.Request, protocol, as string) *Refusal {
	if v.taken.Swap(true) {
		return &Refusal{http.StatusTooManyRequests, "This server takes one session per connection."}
	}
	if as != "" {
		choice, err := formatProtocols(as)
		if err != nil {
			v.taken.Store(false)
			return &Refusal{http.StatusInternalServerError, "This server has a protocol that HTTP cannot name."}
		}
		// Not by webtransport-go, which does not take tokens, and would let in
		// those with whom it shares no protocol.
		w.Header().Set(choiceField, choice)
	}
	if r.Header.Get(draft02RequestName) != "" {
		w.Header().Set(draft02AnswerName, "draft02")
	}
	kept := &streamKeeper{ResponseWriter: w, Settingser: w.(http3.Settingser)}
	sess, err := v.upstream.Upgrade(kept, r)
	if err != nil {
		v.taken.Store(false)
		w.Header().Del(choiceField)
		if kept.stream != nil {
			v.log.Info("a WebTransport session failed", "err", err)
			return nil // too late for an answer
		}
		return &Refusal{http.StatusBadRequest, fmt.Sprintf("The session cannot begin: %v.", err)}
	}
	str := kept.stream
	str.SetPriority(firstUrgency, false) // what ends the session goes before its streams
	c := newConn(v.q, str.StreamID())
	c.authority, c.path, c.protocol = r.Host, r.RequestURI, protocol
	c.start(str, true) // Upgrade refuses those without datagrams
	go c.takeStreams(sess)
	go c.takeUniStreams(sess)
	go c.watch(sess, str)
	v.accept(c)
	return nil
}

// streamKeeper is the ResponseWriter for Upgrade that remembers the CONNECT
// stream: webtransport-go would end it so that browsers miss the close code.
type streamKeeper struct {
	http.ResponseWriter
	http3.Settingser
	stream *http3.Stream
}

// HTTPStream implements http3.HTTPStreamer. It sends the header fields.
func (k *streamKeeper) HTTPStream() *http3.Stream {
	k.stream = k.ResponseWriter.(http3.HTTPStreamer).HTTPStream()
	return k.stream
}

// Flush implements http.Flusher.
func (k *streamKeeper) Flush() { k.ResponseWriter.(http.Flusher).Flush() }

func (c *conn) takeStreams(sess *webtransport.Session) {
	for {
		s, err := sess.AcceptStream(c.ctx)
		if err != nil {
			return
		}
		c.bidi.push(newStream(c, acceptedSender{s}, acceptedReceiver{s}, nil))
	}
}

func (c *conn) takeUniStreams(sess *webtransport.Session) {
	for {
		s, err := sess.AcceptUniStream(c.ctx)
		if err != nil {
			return
		}
		c.uni.push(newReceiveStream(c, acceptedReceiver{s}))
	}
}

// watch waits until webtransport-go has read the CONNECT stream to its end.
func (c *conn) watch(sess *webtransport.Session, str *http3.Stream) {
	<-sess.Context().Done()
	code, cause := whyEnded(sess, str)
	c.peerEnded(cause, code)
}

// whyEnded says why a session ended that the peer ended, and with which code to
// close the connection.
func whyEnded(sess *webtransport.Session, str *http3.Stream) (code quic.ApplicationErrorCode, cause error) {
	_, err := sess.OpenUniStream() // fails, and says why
	if e, ok := errors.AsType[*webtransport.SessionError](err); ok {
		return codeNoError, &transport.CloseError{Code: uint64(e.ErrorCode), Reason: strings.ToValidUTF8(e.Message, "\uFFFD"), Remote: e.Remote}
	}
	// webtransport-go names no other reason, but the stream that it read does.
	_, readErr := str.QUICStream().Read(make([]byte, 1))
	if e, ok := errors.AsType[*quic.StreamError](readErr); ok && !e.Remote || readErr == nil {
		// It stopped reading itself: it did not like what it read.
		reason := err.Error()
		if e, ok := errors.AsType[*http3.Error](err); ok {
			reason = e.ErrorMessage
		}
		return codeCapsule, &HTTPError{Code: uint64(codeCapsule), Reason: reason}
	}
	return codeNoError, connectError(readErr)
}
