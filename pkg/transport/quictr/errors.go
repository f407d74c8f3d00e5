package quictr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

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
		if e.ErrorCode.IsCryptoError() && !e.Remote {
			return ofTLS(e)
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

// ofTLS returns what TLS of ours, or who checked the certificate for it, has said;
// the codes around it are of no use to anybody.
func ofTLS(e *quic.TransportError) error {
	for _, inner := range e.Unwrap() {
		if inner != nil && !errors.Is(inner, net.ErrClosed) {
			return inner
		}
	}
	return e
}

// AddrError is why no connection could be made to some addresses of a host,
// which failed alike.
type AddrError struct {
	Addrs []netip.AddrPort
	Err   error
}

// Error names the addresses.
func (e *AddrError) Error() string {
	var names []string
	for _, a := range e.Addrs {
		names = append(names, a.String())
	}
	return strings.Join(names, " and ") + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *AddrError) Unwrap() error { return e.Err }

// allFailed is the error of a race that nobody won: an *AddrError if all failed
// alike.
func allFailed(errs []*AddrError) error {
	var kinds []*AddrError
	for _, e := range errs {
		same := slices.IndexFunc(kinds, func(k *AddrError) bool { return k.Err.Error() == e.Err.Error() })
		if same < 0 {
			kinds = append(kinds, &AddrError{Addrs: slices.Clone(e.Addrs), Err: e.Err})
			continue
		}
		kinds[same].Addrs = append(kinds[same].Addrs, e.Addrs...)
	}
	if len(kinds) == 1 {
		return kinds[0]
	}
	return raceError(kinds)
}

// raceError is why none of several addresses did, where the reasons differ.
type raceError []*AddrError

func (r raceError) Error() string {
	var texts []string
	for _, e := range r {
		texts = append(texts, e.Error())
	}
	return strings.Join(texts, "; ")
}

func (r raceError) Unwrap() (all []error) {
	for _, e := range r {
		all = append(all, e)
	}
	return all
}
