package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
	"oxymoq/pkg/transport/quictr"
)

// Probe finds out what a server speaks. Whatever the server does is in the
// report; the error is about the name of the host or ctx.
func Probe(ctx context.Context, o Options) (*Report, error) {
	r := &Report{URL: o.Target.String()}
	addrs, took, err := o.resolve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, errors.New(o.sentence(err))
	}
	r.LookupMS = ms(took)
	for _, a := range addrs {
		r.Addresses = append(r.Addresses, a.Addr().String())
	}
	only := o.Dial.Transport
	udp := only != transport.QMUX
	if udp {
		r.UDP, r.Versions = udpAnswer(knockAll(ctx, addrs, o.timeout()))
	}
	tcp := silent
	if only == "" || only == transport.QMUX {
		tcp, _ = o.knockTCP(ctx, addrs)
		r.TCP = tcp.String()
	}
	for _, kind := range []transport.Kind{transport.QUIC, transport.WebTransport, transport.QMUX} {
		if only != "" && kind != only || kind == transport.QMUX && only == "" && tcp != open {
			continue
		}
		r.Carriers = append(r.Carriers, o.carrier(ctx, kind, r))
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	if udp && r.UDP == silent.String() && slices.ContainsFunc(r.Carriers, (*Carrier).answers) {
		// Not all servers name their versions.
		r.UDP = open.String()
	}
	return r, nil
}

// answers reports whether anything came back over UDP.
func (c *Carrier) answers() bool { return c.Transport != string(transport.QMUX) && c.Parameters != nil }

// String is what a Report says.
func (a answer) String() string {
	switch a {
	case open:
		return "answers"
	case closed:
		return "closed"
	}
	return "silent"
}

// udpAnswer sums up what the addresses say.
func udpAnswer(all []reach) (string, []string) {
	best := silent
	for _, r := range all {
		switch {
		case r.answered:
			var names []string
			for _, v := range r.versions {
				names = append(names, versionName(v))
			}
			return open.String(), names
		case isRefused(r.err):
			best = closed
		}
	}
	return best.String(), nil
}

// carrier offers each protocol alone over one carrier, and then all together.
// What is seen of the certificate is added to r.
func (o *Options) carrier(ctx context.Context, kind transport.Kind, r *Report) *Carrier {
	c := &Carrier{Transport: string(kind)}
	if kind != transport.QMUX && r.UDP == closed.String() {
		for _, p := range o.protocols() {
			c.Offers = append(c.Offers, &Offer{Protocol: p, Draft: draftNumber(p), Why: "nothing listens on this UDP port"})
		}
		return c
	}
	var taken []string
	for _, p := range o.protocols() {
		a := o.try(ctx, kind, []string{p}, o.public())
		offer := &Offer{Protocol: p, Draft: draftNumber(p)}
		o.describe(a, offer, c, r)
		if a.session != nil {
			taken = append(taken, p)
			o.ask(ctx, a.session, func() *attempt { return o.try(ctx, kind, []string{p}, o.public()) }, offer)
			o.heard(a, offer)
		}
		a.close()
		c.Offers = append(c.Offers, offer)
		if ctx.Err() != nil || a.session == nil && !a.answered() && !isNoProtocol(a.err) {
			break // it will not answer to other drafts either
		}
	}
	if len(taken) > 1 && ctx.Err() == nil {
		turned := slices.Clone(taken)
		slices.Reverse(turned)
		c.Choice = &Choice{Offered: taken, Chosen: o.chosen(ctx, kind, taken), Reversed: o.chosen(ctx, kind, turned)}
	}
	return c
}

// draftNumber is for a report; 0 if nobody knows.
func draftNumber(protocol string) int {
	d, _ := session.DraftOf(protocol)
	return int(d)
}

// chosen returns what the server chooses of several protocols, "" if nothing.
func (o *Options) chosen(ctx context.Context, kind transport.Kind, offered []string) string {
	a := o.try(ctx, kind, offered, o.public())
	defer a.close()
	if a.session == nil {
		return ""
	}
	for _, p := range offered {
		if d, ok := session.DraftOf(p); ok && d == a.session.Draft() {
			return p
		}
	}
	return a.session.Conn().Protocol()
}

// describe adds what was seen of one attempt.
func (o *Options) describe(a *attempt, offer *Offer, c *Carrier, r *Report) {
	a.look(func(s *seen) {
		if r.Certificate == nil && !s.secured.IsZero() {
			if r.Certificate = certificateOf(s.tls, o.Target.Host, s.untrusted); r.Certificate != nil {
				r.Certificate.Unasked = o.trustsAny()
			}
		}
		if c.Parameters == nil {
			c.Parameters = a.conn.params
		}
		if c.HTTP3 == nil && a.conn.hasH3 {
			c.HTTP3 = slices.Clone(a.conn.settings)
		}
		for _, f := range a.conn.fields {
			if f.Name == "server" && c.Server == "" {
				c.Server = f.Value
			}
		}
		if !s.secured.IsZero() {
			offer.HandshakeMS = msp(s.secured.Sub(a.start()))
			if p := s.tls.NegotiatedProtocol; p != offer.Protocol {
				offer.ALPN = p
			}
		}
		if !s.connected.IsZero() {
			offer.ConnectMS = msp(s.connected.Sub(a.start()))
		}
		if !s.greeted.IsZero() {
			offer.SetupMS = msp(s.greeted.Sub(s.connected))
		}
	})
	offer.Accepted = a.session != nil
	if a.session == nil {
		offer.Why = o.why(a)
		return
	}
	if rtt := a.session.Conn().Stats().RTT; rtt > 0 {
		offer.RTTMS = msp(rtt)
	}
	offer.Datagram = a.session.Conn().MaxDatagramSize()
}

// heard adds what the server said of itself, once it had the time to.
func (o *Options) heard(a *attempt, offer *Offer) {
	a.look(func(s *seen) {
		offer.Implementation = s.setup.Implementation.Value
		if n, ok := s.setup.MaxRequestID.Get(); ok || s.granted > 0 {
			n = max(n, s.granted)
			offer.MaxRequestID = &n
		}
		if n, ok := s.setup.MaxTokenCacheSize.Get(); ok {
			offer.TokenCache = &n
		}
		for _, p := range s.setup.Unknown {
			offer.OtherOptions = append(offer.OtherOptions, optionText(p))
		}
	})
	if g := a.session.PeerGoaway(); g != nil {
		offer.Goaway = &Goaway{URI: g.URI, TimeoutMS: ms(g.Timeout)}
	}
}

// maxOptionBytes of an option that nobody knows are shown.
const maxOptionBytes = 16

// optionText shows an option that is not known here, by its type and its value,
// which is a number if the type is even.
func optionText(p model.Property) string {
	switch {
	case p.Type%2 == 0:
		return fmt.Sprintf("0x%x = %d", p.Type, p.Int)
	case len(p.Bytes) > maxOptionBytes:
		return fmt.Sprintf("0x%x = %q and %d bytes more", p.Type, p.Bytes[:maxOptionBytes], len(p.Bytes)-maxOptionBytes)
	}
	return fmt.Sprintf("0x%x = %q", p.Type, p.Bytes)
}

// why says how an offer was refused.
func (o *Options) why(a *attempt) string {
	why := o.sentence(a.closure())
	switch {
	case isNoProtocol(a.err) && a.kind != transport.WebTransport:
		return "the server does not speak it (TLS alert no_application_protocol)"
	case errors.Is(a.err, quictr.ErrNoProtocol):
		return "the server speaks no HTTP/3 (TLS alert no_application_protocol)"
	}
	if a.kind == transport.WebTransport && a.conn.status != "" && !strings.Contains(why, "HTTP status") {
		why += " (HTTP status " + a.conn.status + ")"
	}
	if e, ok := errors.AsType[*model.SessionError](a.closure()); ok && e.Remote {
		why += fmt.Sprintf(" (code 0x%x)", uint64(e.Code))
	}
	return why
}

// isNoProtocol reports whether TLS could agree on no protocol.
func isNoProtocol(err error) bool {
	return errors.Is(err, quictr.ErrNoProtocol) || errors.Is(err, qmuxtr.ErrNoProtocol)
}
