package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// Urgencies of streams: the control stream before requests before data
// (section 7.2). Package egress has 2 to 7 for data.
const (
	urgencyControl = 0
	urgencyRequest = 1
)

// openControl opens our control stream and sends SETUP.
func (s *Session) openControl(ctx context.Context) error {
	if s.shared != nil {
		return s.shared.open(ctx)
	}
	st, err := s.conn.OpenUniStream(ctx)
	if err != nil {
		return err
	}
	st.SetPriority(urgencyControl, false)
	s.control.dst, s.control.timeout = st, s.cfg.Limits.MessageTimeout
	return s.sendControl(s.setup())
}

// sendControl sends a message that belongs to no request.
func (s *Session) sendControl(m wire.Message) error {
	if s.shared != nil {
		return s.shared.send(m)
	}
	return s.sendMessage(&s.control, s.sendContext(wire.ControlStream, 0, 0), m, false)
}

// setup returns our SETUP.
func (s *Session) setup() *wire.Setup {
	m := &wire.Setup{Tokens: s.cfg.Tokens}
	m.MaxTokenCacheSize = model.Some(s.cfg.Limits.TokenCache)
	if s.cfg.Implementation != "" {
		m.Implementation = model.Some(s.cfg.Implementation)
	}
	if s.cfg.Role == wire.Client && s.conn.Kind() != transport.WebTransport {
		if s.cfg.Path != "" {
			m.Path = model.Some(s.cfg.Path)
		}
		if s.cfg.Authority != "" {
			m.Authority = model.Some(s.cfg.Authority)
		}
	}
	if s.dialect.sharesControl {
		m.MaxRequestID = model.Some(s.firstGrant())
	}
	if s.dialect.versions {
		m.Versions = []uint64{wire.VersionNumber(s.cfg.Draft)}
	}
	return m
}

// serveControl reads the peer's control stream, whose type was read already.
// SETUP shares its type number with the stream (section 3.3), so the window
// still holds it.
func (s *Session) serveControl(r *messageReader) error {
	first := true
	return s.readControl(r, func(typ uint64, body []byte) error {
		m, err := s.parseMessage(r.window.src, s.context(wire.ControlStream, 0, 0), typ, body)
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *wire.Setup:
			if !first {
				return violation("second SETUP")
			}
			err = s.acceptSetup(m)
		case *wire.Goaway:
			if first {
				return violation("GOAWAY before SETUP")
			}
			err = s.acceptGoaway(m)
		default:
			err = violation("%s on the control stream", wire.MessageName(s.cfg.Draft, typ))
		}
		first = false
		return err
	})
}

// readControl calls handle for each message of the peer's control stream, until
// that fails. The end of the stream fails too.
func (s *Session) readControl(r *messageReader, handle func(typ uint64, body []byte) error) error {
	for {
		typ, body, err := r.next()
		switch {
		case err == io.EOF:
			return s.leftControl()
		case err != nil:
			if _, ok := errors.AsType[*transport.StreamError](err); ok {
				return violation("peer reset its control stream")
			}
			return err
		}
		if err := handle(typ, body); err != nil {
			return err
		}
	}
}

func (s *Session) acceptSetup(m *wire.Setup) error {
	if c, ok := s.conn.(transport.Requested); ok && s.cfg.Role == wire.Server {
		// Where the carrier says it, SETUP may not (section 10.3.1).
		authority, path := c.Requested()
		m.Authority, m.Path = model.Some(authority), model.Some(path)
	}
	s.mu.Lock()
	tokens, err := s.cache.resolve(m.Tokens, true)
	s.mu.Unlock()
	if se := sessionError(err); se != nil {
		return se
	}
	if s.cfg.Role == wire.Server && s.cfg.CheckScope != nil {
		if err := s.cfg.CheckScope(m.Path.Value, m.Authority.Value); err != nil {
			return err
		}
	}
	if s.cfg.Role == wire.Server {
		grant, err := s.cfg.Authorizer.Authorize(s.ctx, auth.Request{Action: auth.Setup, Session: s.info(m, tokens)})
		if err != nil {
			return &model.SessionError{Code: model.Unauthorized, Reason: err.Error()}
		}
		s.closeWithGrant(grant)
	}
	if s.shared != nil {
		if err := s.shared.agree(m); err != nil {
			return err
		}
	}
	s.peer, s.tokens = *m, tokens
	s.recognize(m)
	close(s.setupDone)
	return nil
}

func (s *Session) info(m *wire.Setup, tokens []auth.Token) auth.Session {
	return auth.Session{
		ID: s.cfg.ID, Remote: fmt.Sprint(s.conn.RemoteAddr()), Transport: string(s.conn.Kind()),
		Authority: m.Authority.Value, Path: m.Path.Value, Tokens: tokens,
	}
}

// closeWithGrant ends the session when its permission does.
func (s *Session) closeWithGrant(g auth.Grant) {
	if g.Expires.IsZero() && g.Revoked == nil {
		return
	}
	ctx, cancel := g.Bound(s.ctx)
	context.AfterFunc(ctx, func() {
		defer cancel()
		if s.ctx.Err() == nil {
			code := model.Unauthorized
			if errors.Is(context.Cause(ctx), &model.RequestError{Code: model.RequestExpiredAuthToken}) {
				code = model.ExpiredAuthToken
			}
			s.Close(code, context.Cause(ctx).Error())
		}
	})
}

func (s *Session) acceptGoaway(m *wire.Goaway) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peerGoaway != nil {
		return violation("second GOAWAY on the control stream")
	}
	s.peerGoaway = &Goaway{URI: m.NewSessionURI, Timeout: milliseconds(m.Timeout)}
	close(s.goawayC)
	s.log.Info("peer asks us to leave", "uri", m.NewSessionURI, "timeout", s.peerGoaway.Timeout)
	return nil
}

// GoawayReceived is closed when the peer has asked us to leave. From then on
// new requests fail with ErrGoingAway; those that are open go on.
func (s *Session) GoawayReceived() <-chan struct{} { return s.goawayC }

// PeerGoaway returns what the peer sent, or nil.
func (s *Session) PeerGoaway() *Goaway {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peerGoaway
}

// ErrGoingAway refuses our own requests after the peer's GOAWAY.
var ErrGoingAway = errors.New("the peer is going away and takes no new requests")

// Goaway asks the peer to leave, to uri if it is not empty (servers only).
// New requests of the peer are refused from now on. If the session still
// exists after timeout it is closed with GOAWAY_TIMEOUT; a timeout of zero
// leaves that to the caller.
func (s *Session) Goaway(uri string, timeout time.Duration) error {
	if uri != "" && s.cfg.Role == wire.Client {
		return errors.New("only a server may name another URI in GOAWAY")
	}
	s.mu.Lock()
	if s.goneAway {
		s.mu.Unlock()
		return nil
	}
	s.goneAway = true
	unprocessed := s.ids.top
	s.mu.Unlock()
	m := &wire.Goaway{NewSessionURI: uri}
	if s.dialect.goawayDetails {
		m.Timeout, m.RequestID = uint64(timeout.Milliseconds()), model.Some(unprocessed)
	}
	if err := s.sendControl(m); err != nil {
		return err
	}
	if timeout > 0 {
		t := time.AfterFunc(timeout, func() { s.Close(model.GoawayTimeout, "peer did not leave in time") })
		context.AfterFunc(s.ctx, func() { t.Stop() })
	}
	return nil
}

// maxMilliseconds is the longest time that a Duration holds, in ms.
const maxMilliseconds = uint64(1<<63-1) / uint64(time.Millisecond)

// milliseconds converts a time from the wire; what is too long for a Duration
// is as good as for ever.
func milliseconds(ms uint64) time.Duration {
	return time.Duration(min(ms, maxMilliseconds)) * time.Millisecond
}
