package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"oxymoq/internal/certs"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/wire"
)

// isRefused reports whether a port said that nobody listens.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// isLate reports whether an attempt failed because nothing came in time.
func isLate(err error) bool {
	return errors.Is(err, quictr.ErrNoAnswer) || errors.Is(err, qmuxtr.ErrNoAnswer) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || isWaited(err)
}

// waited is why a step is given up: it is how long it had.
type waited time.Duration

// Error says so.
func (w waited) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(w)) }

func isWaited(err error) bool {
	_, ok := errors.AsType[waited](err)
	return ok
}

// within bounds one step.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, waited(d))
}

// closure is why there is no session: what dial said, or if the server closed
// the connection before there was a session, that as the end of one.
func (a *attempt) closure() error {
	if _, ok := errors.AsType[*model.SessionError](a.err); ok {
		return a.err
	}
	e, ok := errors.AsType[*transport.CloseError](a.err)
	if !ok || !e.Remote {
		return a.err
	}
	state, _ := a.tls()
	draft, ok := session.DraftOf(state.NegotiatedProtocol)
	if !ok {
		draft, _ = session.DraftOf(a.protocols[0])
	}
	return &model.SessionError{Code: wire.SessionCodeFromWire(draft, e.Code), Reason: e.Reason, Remote: true}
}

// reasonOf says why a certificate is not trusted.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*certs.UntrustedError](err); ok {
		err = e.Reason
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

// remedy says what is wrong with a certificate, all of it in one sentence, and
// which flag helps.
func remedy(chain []*x509.Certificate, host string, err error) string {
	leaf := chain[0]
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw}, Leaf: leaf}
	if errors.Is(err, certs.ErrOther) {
		return fmt.Sprintf("the certificate is not the one whose fingerprint was given; if this is the server that is meant all the same, use -fingerprint %x", certs.Fingerprint(pair))
	}
	now := time.Now()
	var faults []string
	help := fmt.Sprintf("trust it with -fingerprint %x, or anything with -insecure", certs.Fingerprint(pair))
	name := leaf.VerifyHostname(host) != nil
	dated := true
	switch {
	case now.After(leaf.NotAfter):
		faults = append(faults, "expired on "+leaf.NotAfter.UTC().Format(time.DateTime))
	case now.Before(leaf.NotBefore):
		faults = append(faults, "is valid only from "+leaf.NotBefore.UTC().Format(time.DateTime)+" on, unless the clock of this machine is wrong")
	default:
		dated = false
	}
	if name {
		names := slices.Clone(leaf.DNSNames)
		for _, ip := range leaf.IPAddresses {
			names = append(names, ip.String())
		}
		if len(names) == 0 {
			names = []string{"no host at all"}
		}
		faults = append(faults, fmt.Sprintf("is for %s, not for %s", strings.Join(names, ", "), host))
	}
	unknown, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case certs.SelfIssued(pair):
		faults = append(faults, "is vouched for by nobody but itself")
		if !name && !dated {
			help = "trust it with -ca FILE that holds it, " + strings.TrimPrefix(help, "trust it with ")
		}
	case isUnknown && unknown.Cert != nil:
		faults = append(faults, fmt.Sprintf("is of an authority that is not trusted, %s", leaf.Issuer))
		if !name && !dated {
			help = "trust its authority with -ca FILE, it alone with " + strings.TrimPrefix(help, "trust it with ")
		}
	}
	if dated {
		help = "the server needs another one, until then only -insecure connects"
	}
	if len(faults) == 0 {
		return fmt.Sprintf("the certificate is not trusted (%s); %s", reasonOf(err), help)
	}
	return fmt.Sprintf("the certificate %s; %s", list(faults), help)
}

// list joins clauses to one.
func list(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// tlsName names version and cipher.
func tlsName(s tls.ConnectionState) string {
	return tls.VersionName(s.Version) + " with " + tls.CipherSuiteName(s.CipherSuite)
}

// settingsText lists settings.
func settingsText(settings []Setting) string {
	if len(settings) == 0 {
		return "none"
	}
	var parts []string
	for _, s := range settings {
		name := s.Name
		if name == "" {
			name = fmt.Sprintf("0x%x", s.ID)
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, s.Value))
	}
	return strings.Join(parts, ", ")
}

// plain makes what a server said fit for a terminal: one line, nothing that
// moves the cursor.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
