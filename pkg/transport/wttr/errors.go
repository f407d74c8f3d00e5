package wttr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// HTTPError is the cause of a session that ended below WebTransport: HTTP/3
// found something wrong, or the CONNECT stream was reset.
type HTTPError struct {
	Code   uint64 // of HTTP/3
	Reason string
	Remote bool
}

// Error names side, code and reason.
func (e *HTTPError) Error() string {
	side := "locally"
	if e.Remote {
		side = "by the peer"
	}
	return fmt.Sprintf("HTTP/3 was closed %s with %v %q", side, http3.ErrCode(e.Code), e.Reason)
}

// Unwrap makes errors.Is(err, net.ErrClosed) true.
func (e *HTTPError) Unwrap() error { return net.ErrClosed }

// isDeadline says that a stream goes on although a call on it failed.
func isDeadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// connectionError translates why a QUIC connection ended.
func connectionError(err error) error {
	e, ok := errors.AsType[*quic.ApplicationError](err)
	if !ok {
		return quictr.Translate(err)
	}
	// A peer of ours says code and reason there too; an HTTP/3 peer that
	// knows nothing of this takes the code for NO_ERROR (RFC 9114 section 9).
	if code, ok := fromHTTP(uint64(e.ErrorCode)); ok {
		return &transport.CloseError{Code: uint64(code), Reason: e.ErrorMessage, Remote: e.Remote}
	}
	if e.ErrorCode == codeNoError || e.ErrorCode == 0 {
		return &transport.CloseError{Reason: e.ErrorMessage, Remote: e.Remote}
	}
	return &HTTPError{Code: uint64(e.ErrorCode), Reason: e.ErrorMessage, Remote: e.Remote}
}

// connectError translates why the CONNECT stream ended without a capsule that
// says so. A FIN means code 0 (draft-ietf-webtrans-http3 section 5).
func connectError(err error) error {
	if err == io.EOF {
		return &transport.CloseError{Remote: true}
	}
	if e, ok := errors.AsType[*quic.StreamError](err); ok {
		return &HTTPError{Code: uint64(e.ErrorCode), Reason: "the CONNECT stream was reset", Remote: e.Remote}
	}
	return connectionError(err)
}

// endsConnection says that err is not of one stream: the connection, or at
// least the session, has ended.
func endsConnection(err error) bool {
	if errors.Is(err, quic.ErrTransportClosed) {
		return true
	}
	switch {
	case is[*quic.ApplicationError](err), is[*quic.TransportError](err), is[*quic.IdleTimeoutError](err),
		is[*quic.HandshakeTimeoutError](err), is[*quic.StatelessResetError](err), is[*quic.VersionNegotiationError](err):
		return true
	}
	return is[*webtransport.SessionError](err) || is[*http3.Error](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// streamError translates the error of a stream.
func (c *conn) streamError(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case isDeadline(err):
		return os.ErrDeadlineExceeded
	case errors.Is(err, quic.ErrStreamClosed):
		return transport.ErrStreamClosed
	case endsConnection(err):
		// Why, the session knows in a moment.
		<-c.ctx.Done()
		return context.Cause(c.ctx)
	}
	if e, ok := errors.AsType[*webtransport.StreamError](err); ok {
		return &transport.StreamError{Code: uint64(e.ErrorCode), Remote: e.Remote}
	}
	e, ok := errors.AsType[*quic.StreamError](err)
	if !ok {
		// webtransport-go met a code that it cannot map, and does not say it.
		return &transport.StreamError{Code: unknownCode, Remote: true}
	}
	if sessionGone(err) {
		// The peer ends the session; that it did, and why, may come later.
		select {
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case <-time.After(maxCloseWait):
		}
	}
	code, ok := fromHTTP(uint64(e.ErrorCode))
	if !ok {
		code = unknownCode
	}
	return &transport.StreamError{Code: uint64(code), Remote: e.Remote}
}

// sessionGone says that the peer ended a stream because it ends the session.
func sessionGone(err error) bool {
	e, ok := errors.AsType[*quic.StreamError](err)
	return ok && e.Remote && e.ErrorCode == codeSessionGone
}

// openError translates why a stream could not be opened; ctx is that of the
// call.
func (c *conn) openError(ctx context.Context, err error) error {
	if gone := ended(ctx, c.ctx); gone != nil {
		return gone
	}
	if is[*quic.StreamLimitReachedError](err) {
		return transport.ErrNoCredit
	}
	if endsConnection(err) {
		<-c.ctx.Done()
		return context.Cause(c.ctx)
	}
	return quictr.Translate(err)
}
