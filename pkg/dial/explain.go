package dial

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// explained is an error in words for the user.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// explain puts into words why a session could not be made, where the error
// itself speaks of what users do not know.
func explain(t Target, protocols []string, err error) error {
	text := ""
	dns, isDNS := errors.AsType[*net.DNSError](err)
	closed, isClosed := errors.AsType[*model.SessionError](err)
	_, isPlain := errors.AsType[tls.RecordHeaderError](err)
	_, isStatus := errors.AsType[*wttr.StatusError](err)
	switch {
	case isDNS && dns.IsNotFound:
		text = fmt.Sprintf("there is no host %s", t.Host)
	case isDNS:
		text = fmt.Sprintf("the address of %s cannot be found out (%s)", t.Host, dns.Err)
	case errors.Is(err, quictr.ErrNoProtocol), errors.Is(err, wttr.ErrNoProtocol) && !isStatus:
		text = fmt.Sprintf("it speaks nothing that is offered here, which is %s", strings.Join(protocols, ", "))
	case isPlain:
		text = "what answers there over TCP does not speak QMux"
	case isClosed && closed.Remote && closed.Code != model.VersionNegotiationFailed:
		text = explainClose(t, closed)
	case isClosed && closed.Remote:
		text = withReason(fmt.Sprintf("it speaks none of the drafts that are offered here, which are %s", strings.Join(protocols, ", ")), closed)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		text = "this machine has no way there: the network is unreachable"
	case errors.Is(err, syscall.ECONNREFUSED):
		text = "nothing is served there"
	}
	if e, alike := err.(*quictr.AddrError); alike && text == "" { //nolint:errorlint // one in a list of others is no summary
		text = e.Err.Error() // the URL names the host
	}
	if text == "" {
		return err
	}
	return &explained{text, err}
}

// refused reports whether the server closed the session because of who we are or
// what we ask for, which the next session would be no better for.
func refused(err error) bool {
	e, ok := errors.AsType[*model.SessionError](err)
	if !ok || !e.Remote {
		return false
	}
	switch e.Code {
	case model.InvalidPath, model.MalformedPath, model.InvalidAuthority, model.MalformedAuthority,
		model.Unauthorized, model.VersionNegotiationFailed:
		return true
	}
	return false
}

// explainClose says why the server ended the session at once.
func explainClose(t Target, e *model.SessionError) string {
	text := ""
	switch e.Code {
	case model.InvalidPath, model.MalformedPath:
		text = fmt.Sprintf("the server has nothing at the path %q", t.Path)
	case model.InvalidAuthority, model.MalformedAuthority:
		text = fmt.Sprintf("the server does not serve %s", t.Authority)
	case model.Unauthorized:
		text = "the server does not let us in"
	default:
		text = fmt.Sprintf("the server closes the session with %v", e.Code)
	}
	return withReason(text, e)
}

// withReason adds what the server says.
func withReason(text string, e *model.SessionError) string {
	if e.Reason != "" {
		text += fmt.Sprintf(" (it says %q)", e.Reason)
	}
	return text
}
