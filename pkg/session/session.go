package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// Config says how a session behaves. The zero value is a client that refuses
// every request of the peer.
type Config struct {
	Role  wire.Role
	Draft model.Draft // zero: 18
	// ID is what logs, the authorizer and the dashboard call the session.
	ID string
	// Handler answers the peer's requests; nil refuses them all.
	Handler Handler
	// Authorizer is asked about every request of the peer; nil allows all.
	Authorizer auth.Authorizer
	// Implementation is told to the peer, for its logs.
	Implementation string
	// Path (with query) and Authority are told to a server over raw QUIC; over
	// WebTransport the carrier has told them.
	Path, Authority string
	// CheckScope is asked by a server about path and authority; it returns a
	// *model.SessionError with InvalidPath or InvalidAuthority to refuse.
	CheckScope func(path, authority string) error
	// Tokens are sent in our SETUP.
	Tokens []wire.Token
	// Strict turns off what is accepted beyond the text of the draft, and what is
	// known of the faults of peers (quirks.go, profiles.go).
	Strict bool
	// Profile names what the peer is taken for (ProfileNamed); empty: its SETUP
	// decides.
	Profile string
	Limits  Limits
	// Log receives what happens; nil discards it.
	Log *slog.Logger
	// Trace is called once for each session and returns what is told of all that
	// is written and read. Nil, or what returns nil, costs nothing and tells
	// nobody.
	Trace func(*Session) TraceFunc
}

// Session is one MoQT session. All methods may be called from any goroutine.
type Session struct {
	conn  transport.Conn
	cfg   Config
	log   *slog.Logger
	ctx   context.Context // ends with the connection
	loops tasks
	trace TraceFunc // may be nil

	dialect dialect
	control messageWriter  // since draft 17
	shared  *sharedControl // before; else nil

	setupDone chan struct{} // closed when the peer's SETUP is in
	peer      wire.Setup    // valid after setupDone
	tokens    []auth.Token  // of the peer's SETUP; valid after setupDone

	profile atomic.Pointer[Profile] // of the peer

	mu         sync.Mutex
	err        error         // why we closed, if we did
	closed     chan struct{} // closed when the peer has been told; nil if we did not close
	ids        requestIDs
	cache      tokenCache
	credit     credit
	open       int // open requests of the peer
	nextAlias  uint64
	inbound    map[uint64]*Inbound // by the peer's track alias
	gone       recent              // aliases of the past
	parked     parking
	outbound   map[uint64]*Outbound // by Request ID
	joinable   chan struct{}        // closed and replaced when outbound grows
	sending    map[string]*Outbound // by track: one per track (section 5.1)
	receiving  map[string]any       // by track: who has claimed it; one per track
	fetches    map[uint64]*Fetch    // ours, by Request ID
	prefixes   map[wire.MessageKind][]*prefixHold
	asked      map[string]*askedPrefix // ours that mean both, by prefix
	goneAway   bool                    // we sent GOAWAY
	peerGoaway *Goaway                 // what the peer sent
	goawayC    chan struct{}
}

// Goaway is the peer's wish that we leave (section 10.4).
type Goaway struct {
	URI     string        // empty: come back to the same place
	Timeout time.Duration // 0: unspecified
}

// Start opens a session on conn: it sends SETUP, waits for the peer's and
// begins to serve requests. ctx bounds the waiting only. On failure the
// connection is closed.
func Start(ctx context.Context, conn transport.Conn, cfg Config) (*Session, error) {
	if cfg.Draft == 0 {
		cfg.Draft = Primary
	}
	if _, spoken := dialects[cfg.Draft]; !spoken {
		_ = conn.CloseWithError(uint64(model.VersionNegotiationFailed), "draft is not spoken") // there is no better way to say it
		return nil, fmt.Errorf("session setup: draft %v is not spoken", cfg.Draft)
	}
	profile, err := cfg.chosenProfile()
	if err != nil {
		_ = conn.CloseWithError(wire.SessionCodeToWire(cfg.Draft, model.InternalError), "wrong configuration") // as above
		return nil, fmt.Errorf("session setup: %w", err)
	}
	if cfg.Handler == nil {
		cfg.Handler = Refuse{}
	}
	if cfg.Authorizer == nil {
		cfg.Authorizer = auth.AllowAll
	}
	cfg.Limits = cfg.Limits.withDefaults()
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Session{
		conn: conn, cfg: cfg, log: log, ctx: conn.Context(), dialect: dialects[cfg.Draft],
		setupDone: make(chan struct{}),
		ids:       newRequestIDs(cfg.Role),
		cache:     tokenCache{limit: cfg.Limits.TokenCache},
		inbound:   map[uint64]*Inbound{},
		outbound:  map[uint64]*Outbound{},
		joinable:  make(chan struct{}),
		sending:   map[string]*Outbound{},
		receiving: map[string]any{},
		fetches:   map[uint64]*Fetch{},
		prefixes:  map[wire.MessageKind][]*prefixHold{},
		asked:     map[string]*askedPrefix{},
		goawayC:   make(chan struct{}),
	}
	s.profile.Store(&profile)
	s.parked.byAlias = map[uint64]*parkingLot{}
	s.conn = s.startTrace(conn)
	if s.dialect.sharesControl {
		s.credit = newCredit()
		s.shared = newSharedControl(s)
	}
	setup, cancel := context.WithTimeout(ctx, cfg.Limits.SetupTimeout)
	defer cancel()
	if err := s.openControl(setup); err != nil {
		return nil, s.startFailed(ctx, err)
	}
	s.loops.Go(s.acceptUniStreams)
	if s.shared != nil {
		s.loops.Go(s.shared.acceptStreams)
	} else {
		s.loops.Go(s.acceptRequests)
	}
	s.loops.Go(s.receiveDatagrams)
	select {
	case <-s.setupDone:
		return s, nil
	case <-s.ctx.Done():
		return nil, s.Err()
	case <-setup.Done():
		return nil, s.startFailed(ctx, fmt.Errorf("no SETUP within %v", cfg.Limits.SetupTimeout))
	}
}

func (s *Session) startFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.closeWith(&model.SessionError{Code: model.ControlMessageTimeout, Reason: err.Error()})
	return fmt.Errorf("session setup: %w", err)
}

// Conn returns the connection below.
func (s *Session) Conn() transport.Conn { return s.conn }

// Draft returns the draft that is spoken.
func (s *Session) Draft() model.Draft { return s.cfg.Draft }

// Role returns our side.
func (s *Session) Role() wire.Role { return s.cfg.Role }

// PeerImplementation is what the peer says it is; may be empty.
func (s *Session) PeerImplementation() string { return s.peer.Implementation.Value }

// Path returns, on a server, the path that the peer asked for, with query.
func (s *Session) Path() string { return s.peer.Path.Value }

// Authority returns, on a server, the authority that the peer asked for.
func (s *Session) Authority() string { return s.peer.Authority.Value }

// Context ends with the session; Err says why.
func (s *Session) Context() context.Context { return s.ctx }

// Err returns why the session ended: a *model.SessionError if one side closed
// it, else what the transport said. It is nil while the session lives.
func (s *Session) Err() error {
	if s.ctx.Err() == nil {
		return nil
	}
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err != nil {
		return err
	}
	cause := context.Cause(s.ctx)
	if ce, ok := errors.AsType[*transport.CloseError](cause); ok {
		return &model.SessionError{Code: wire.SessionCodeFromWire(s.cfg.Draft, ce.Code), Reason: ce.Reason, Remote: ce.Remote}
	}
	return cause
}

// hearsay is how much later than one of its streams a session may hear of the end
// of its connection.
const hearsay = time.Second

// endOf returns why the session has ended if err, of a stream or of opening one,
// comes from that, else err.
func (s *Session) endOf(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, transport.ErrIdle) {
		t := time.NewTimer(hearsay)
		defer t.Stop()
		select {
		case <-s.ctx.Done():
		case <-t.C: // the error is about another connection
		}
	}
	if s.ctx.Err() != nil {
		return s.Err()
	}
	return err
}

// Close ends the session with a code and a reason for the peer.
func (s *Session) Close(code model.SessionCode, reason string) {
	s.closeWith(&model.SessionError{Code: code, Reason: reason})
}

// Wait returns when the session has ended and all its goroutines have too.
func (s *Session) Wait() {
	<-s.ctx.Done()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed != nil {
		<-closed // or a program could end before the peer is told
	}
	s.loops.Wait()
}

func (s *Session) closeWith(err *model.SessionError) {
	closed := make(chan struct{})
	defer close(closed)
	s.mu.Lock()
	first := s.err == nil && s.ctx.Err() == nil
	if first {
		s.err, s.closed = err, closed
	}
	s.mu.Unlock()
	if first {
		_ = s.conn.CloseWithError(wire.SessionCodeToWire(s.cfg.Draft, err.Code), err.Reason)
	}
}

// fail ends the session because of err, unless err itself comes from the end
// of the session or of a stream.
func (s *Session) fail(err error) {
	if se := sessionError(err); se != nil {
		s.mu.Lock()
		closing := s.err != nil // whose own end may be what it has met
		s.mu.Unlock()
		if !closing {
			s.log.Warn("closing session", "code", se.Code, "reason", se.Reason)
		}
		s.closeWith(se)
	}
}

// sessionError is the one place where errors become close codes. It returns
// nil for errors that do not end a session.
func sessionError(err error) *model.SessionError {
	if se, ok := errors.AsType[*model.SessionError](err); ok {
		return se
	}
	if pe, ok := errors.AsType[*wire.ParseError](err); ok {
		if !pe.Fatal() {
			return nil
		}
		return &model.SessionError{Code: pe.Code, Reason: pe.Error()}
	}
	if errors.Is(err, varint.ErrTruncated) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &model.SessionError{Code: model.ProtocolViolation, Reason: "stream ends within a header"}
	}
	if errors.Is(err, errStalled) {
		return &model.SessionError{Code: model.ControlMessageTimeout, Reason: err.Error()}
	}
	return nil
}

func violation(format string, args ...any) error {
	return &model.SessionError{Code: model.ProtocolViolation, Reason: fmt.Sprintf(format, args...)}
}

// context returns what the decoder of a message on the given stream must know.
func (s *Session) context(stream wire.StreamKind, request, answers wire.MessageKind) wire.Context {
	return wire.Context{
		Draft: s.cfg.Draft, Stream: stream, Request: request, Answers: answers,
		Receiver: s.cfg.Role, WebTransport: s.conn.Kind() == transport.WebTransport,
		Strict: s.cfg.Strict, Quirks: s.Quirks().Quirks,
	}
}

// sendContext is context for what we write: the peer receives it.
func (s *Session) sendContext(stream wire.StreamKind, request, answers wire.MessageKind) wire.Context {
	c := s.context(stream, request, answers)
	c.Receiver = 1 - c.Receiver
	return c
}
