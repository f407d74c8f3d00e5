package quictr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
)

// Errors of Dial, besides those of TLS. Test with errors.Is.
var (
	// ErrNoAnswer says that nothing at the address answered in time.
	ErrNoAnswer = errors.New("no answer")
	// ErrNoProtocol says that the peer speaks none of the offered protocols.
	ErrNoProtocol = errors.New("the peer speaks none of the offered protocols")
	// ErrRefused says that the peer answered and wants no connection.
	ErrRefused = errors.New("the peer refuses the connection")
)

// errRestarted is the cause of a connection that the peer knows nothing of.
var errRestarted = fmt.Errorf("the peer was restarted: %w", net.ErrClosed)

// noProtocolAlert is the TLS alert no_application_protocol as a QUIC error.
const noProtocolAlert = 0x100 + 120

// Translate turns an error of quic-go into one of package transport. Errors that package transport
// has no name for pass unchanged.
func Translate(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if e, ok := errors.AsType[*quic.StreamError](err); ok {
		return &transport.StreamError{Code: uint64(e.ErrorCode), Remote: e.Remote}
	}
	if e, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return &transport.CloseError{Code: uint64(e.ErrorCode), Reason: e.ErrorMessage, Remote: e.Remote}
	}
	if e, ok := errors.AsType[*quic.TransportError](err); ok && e.ErrorCode == quic.NoError {
		// Some stacks say good-bye with the transport's NO_ERROR.
		return &transport.CloseError{Reason: e.ErrorMessage, Remote: e.Remote}
	}
	if _, ok := errors.AsType[*quic.StreamLimitReachedError](err); ok {
		return transport.ErrNoCredit
	}
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return transport.ErrIdle
	}
	if _, ok := errors.AsType[*quic.StatelessResetError](err); ok {
		return errRestarted
	}
	switch {
	case errors.Is(err, quic.ErrStreamClosed):
		return transport.ErrStreamClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, quic.ErrTransportClosed):
		return &transport.CloseError{Reason: "socket closed"}
	}
	return err
}

// waited is Translate for calls that ctx may have ended; it then returns the
// cause of ctx.
func waited(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return Translate(err)
}

// dialError translates why a handshake failed. Errors of TLS stay visible to
// errors.As.
func dialError(err error) error {
	if e, ok := errors.AsType[*quic.TransportError](err); ok {
		switch e.ErrorCode {
		case noProtocolAlert:
			return ErrNoProtocol
		case quic.ConnectionRefused:
			return ErrRefused
		}
		return err
	}
	if _, ok := errors.AsType[*quic.HandshakeTimeoutError](err); ok {
		return ErrNoAnswer
	}
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return ErrNoAnswer
	}
	return Translate(err)
}
