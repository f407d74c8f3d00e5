package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// attempt is one attempt to make a session over one carrier.
type attempt struct {
	kind      transport.Kind
	protocols []string // offered
	began     time.Time
	session   *session.Session // nil if there is none
	err       error            // why

	// What was seen; it changes no more, except for what a session hears later.
	seen *seen
	conn *connection
}

// try makes an attempt. The caller closes it.
func (o *Options) try(ctx context.Context, kind transport.Kind, protocols []string, lenient bool) *attempt {
	a := &attempt{kind: kind, protocols: protocols, seen: &seen{}}
	opts := o.Dial
	opts.Transport, opts.Protocols, opts.Timeout = kind, protocols, 0
	opts.TLS = a.seen.config(opts.TLS, lenient)
	opts.Trace, opts.Session.Trace = a.seen.trace, a.seen.session
	within, cancel := within(ctx, o.timeout())
	defer cancel()
	a.began = time.Now()
	session, err := dial.Dial(within, o.Target, opts)
	a.session = session
	if err != nil {
		a.err = cmp.Or(errors.Unwrap(err), err) // without the name of the target
	}
	a.seen.mu.Lock()
	defer a.seen.mu.Unlock()
	a.conn = a.seen.connection()
	return a
}

// close ends the session, if there is one.
func (a *attempt) close() {
	if a.session != nil {
		a.session.Close(model.NoError, "")
		a.session.Wait()
	}
}

// start returns when the connection that came furthest began.
func (a *attempt) start() time.Time {
	if a.conn.began.IsZero() {
		return a.began
	}
	return a.conn.began
}

// look calls f with what was seen.
func (a *attempt) look(f func(s *seen)) {
	a.seen.mu.Lock()
	defer a.seen.mu.Unlock()
	f(a.seen)
}

// tls returns the state of TLS, and whether the server got as far as showing its
// certificate, and when.
func (a *attempt) tls() (state tls.ConnectionState, at time.Time) {
	a.look(func(s *seen) { state, at = s.tls, s.secured })
	return state, at
}

// answered reports whether anything came back.
func (a *attempt) answered() (yes bool) {
	a.look(func(s *seen) { yes = a.conn.answered || !s.secured.IsZero() })
	return yes
}
