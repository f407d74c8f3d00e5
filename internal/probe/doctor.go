package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// Stage is a step on the way to a session.
type Stage string

// The stages, in their order. Over QMux there are TCP instead of UDP and no
// HTTP/3, over raw QUIC there is no HTTP/3.
const (
	Name         Stage = "name"
	UDP          Stage = "udp"
	TCP          Stage = "tcp"
	Handshake    Stage = "handshake"
	Cert         Stage = "certificate"
	HTTP3        Stage = "http/3"
	WebTransport Stage = "webtransport"
	Draft        Stage = "draft"
	Setup        Stage = "setup"
	Session      Stage = "session"
)

// Check is what was found at one stage.
type Check struct {
	Stage Stage
	OK    bool
	// Text is a sentence without its full stop, or if OK what was seen.
	Text string
	Took time.Duration // 0: not measured
}

// Diagnose goes from stage to stage, tells of each, and stops at the first that
// fails. It returns the check that failed, nil if a session works; the error is
// that of ctx.
func Diagnose(ctx context.Context, o Options, tell func(Check)) (*Check, error) {
	d := &doctor{o: &o, tell: tell}
	d.run(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return d.failure, nil
}

// doctor is one Diagnose.
type doctor struct {
	o       *Options
	tell    func(Check)
	failure *Check

	addrs []netip.AddrPort
	udp   []reach
}

func (d *doctor) ok(stage Stage, took time.Duration, format string, args ...any) {
	d.tell(Check{Stage: stage, OK: true, Text: fmt.Sprintf(format, args...), Took: took})
}

func (d *doctor) fail(stage Stage, took time.Duration, format string, args ...any) {
	d.failure = &Check{Stage: stage, Text: fmt.Sprintf(format, args...), Took: took}
	d.tell(*d.failure)
}

func (d *doctor) run(ctx context.Context) {
	o := d.o
	addrs, took, err := o.resolve(ctx)
	if err != nil || len(addrs) == 0 {
		text := "the host " + o.Target.Host + " has no address"
		if err != nil {
			text = o.sentence(err)
		}
		d.fail(Name, took, "%s", text)
		return
	}
	d.addrs = addrs
	var names []string
	for _, a := range addrs {
		names = append(names, a.Addr().String())
	}
	d.ok(Name, took, "%s is %s", o.Target.Host, strings.Join(names, ", "))

	kind := o.Dial.Transport
	if kind == "" && o.Target.Scheme == dial.SchemeHTTPS {
		kind = transport.WebTransport
	}
	if kind == transport.QMUX {
		if d.reachTCP(ctx) {
			d.attempt(ctx, kind)
		}
		return
	}
	if !d.reachUDP(ctx) {
		return
	}
	if kind == "" { // as dial does
		if d.attempt(ctx, transport.QUIC) {
			d.attempt(ctx, transport.WebTransport)
		}
		return
	}
	d.attempt(ctx, kind)
}

// reachTCP reports whether the port is open.
func (d *doctor) reachTCP(ctx context.Context) bool {
	o := d.o
	switch got, took := o.knockTCP(ctx, d.addrs); got {
	case open:
		d.ok(TCP, took, "port %s is open", o.Target.Port)
		return true
	case closed:
		d.fail(TCP, took, "nothing listens on TCP port %s of %s", o.Target.Port, o.Target.Host)
	default:
		d.fail(TCP, took, "%s does not answer on TCP port %s: it is down, or a firewall drops what is sent there", o.Target.Host, o.Target.Port)
	}
	return false
}

// reachUDP reports whether it is worth to go on. Silence does not say that: not
// all servers answer to a version that nobody speaks.
func (d *doctor) reachUDP(ctx context.Context) bool {
	o := d.o
	d.udp = knockAll(ctx, d.addrs, o.timeout())
	var failed []error
	for _, r := range d.udp {
		switch {
		case r.answered:
			var names []string
			for _, v := range r.versions {
				names = append(names, versionName(v))
			}
			if !slices.ContainsFunc(r.versions, func(v uint32) bool { return slices.Contains(spokenVersions, v) }) {
				d.fail(UDP, r.took, "the server speaks QUIC only in the versions %s, of which this program speaks none", strings.Join(names, ", "))
				return false
			}
			d.ok(UDP, r.took, "%s answers, with QUIC in the versions %s", r.addr, strings.Join(names, ", "))
			return true
		case r.err != nil:
			failed = append(failed, r.err)
		}
	}
	if len(failed) < len(d.udp) {
		return true
	}
	err := failed[0]
	switch {
	case isRefused(err):
		got, _ := o.knockTCP(ctx, d.addrs)
		d.fail(UDP, 0, "%s", shut(o.Target, got))
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		d.fail(UDP, 0, "this machine forbids UDP to there, probably by a firewall of its own")
	default:
		d.fail(UDP, 0, "%s", o.sentence(err))
	}
	return false
}

// attempt makes a session, checks what was seen on the way and then the session
// itself. It reports whether another carrier is worth an attempt.
func (d *doctor) attempt(ctx context.Context, kind transport.Kind) (next bool) {
	a := d.o.try(ctx, kind, d.o.protocols(), false)
	defer a.close()
	if ctx.Err() != nil {
		return false
	}
	if kind == transport.QUIC && d.o.Dial.Transport == "" && errors.Is(a.err, quictr.ErrNoProtocol) {
		d.ok(Handshake, 0, "the server speaks no MoQT over raw QUIC; WebTransport is tried, as the other programs do")
		return true
	}
	if d.secure(ctx, a) && d.web(a) && d.greet(a) {
		d.stay(ctx, a)
	}
	return false
}

// secure checks the handshake and the certificate.
func (d *doctor) secure(ctx context.Context, a *attempt) bool {
	o := d.o
	state, at := a.tls()
	took := time.Since(a.began)
	if at.IsZero() {
		d.unsecured(ctx, a, took)
		return false
	}
	if !d.answeredUDP() && a.kind != transport.QMUX {
		d.ok(UDP, 0, "%s answers", o.Target.Host)
	}
	protocol := state.NegotiatedProtocol
	d.ok(Handshake, at.Sub(a.start()), "the server chose %s by ALPN, %s", protocol, tlsName(state))
	var untrusted error
	a.look(func(s *seen) { untrusted = s.untrusted })
	c := certificateOf(state, o.Target.Host, untrusted)
	if untrusted != nil {
		d.fail(Cert, 0, "%s", remedy(state.PeerCertificates, o.Target.Host, untrusted))
		return false
	}
	trust := "trusted"
	if o.trustsAny() {
		trust = "not verified (-insecure)"
	}
	d.ok(Cert, 0, "%s, for %s, until %s", trust, strings.Join(c.Names, ", "), c.NotAfter.UTC().Format(time.DateTime))
	return true
}

// answeredUDP reports whether the port has answered before.
func (d *doctor) answeredUDP() bool {
	return slices.ContainsFunc(d.udp, func(r reach) bool { return r.answered })
}

// unsecured says why there was no certificate.
func (d *doctor) unsecured(ctx context.Context, a *attempt, took time.Duration) {
	o := d.o
	offered := strings.Join(o.protocols(), ", ")
	switch {
	case isNoProtocol(a.err) && a.kind == transport.WebTransport:
		d.fail(Handshake, took, "the server speaks QUIC but not HTTP/3, so there is no WebTransport: a moqt:// URL asks for raw QUIC")
	case isNoProtocol(a.err) && a.kind == transport.QMUX:
		d.fail(Handshake, took, "the server speaks TLS but none of %s over QMux", offered)
	case isNoProtocol(a.err):
		d.fail(Handshake, took, "the server speaks QUIC but none of %s over it: an https:// URL asks for WebTransport", offered)
	case errors.Is(a.err, quictr.ErrRefused):
		d.fail(Handshake, took, "the server turns connections away (CONNECTION_REFUSED): it may be overloaded or about to stop")
	case a.answered() || d.answeredUDP() || a.kind == transport.QMUX:
		if isLate(a.err) {
			d.fail(Handshake, took, "the server answers, but the handshake does not end within %v", o.timeout())
		} else {
			d.fail(Handshake, took, "the handshake fails: %s", o.sentence(a.err))
		}
	case !isLate(a.err):
		d.fail(UDP, took, "%s", o.sentence(a.err))
	default:
		got, _ := o.knockTCP(ctx, d.addrs)
		d.fail(UDP, took, "%s", mute(o.Target, got))
	}
}

// shut is the sentence for a port that is closed over UDP.
func shut(t dial.Target, tcp answer) string {
	text := fmt.Sprintf("nothing listens on UDP port %s of %s", t.Port, t.Host)
	if tcp == open {
		text += ", while the TCP port of that number answers: the server has no QUIC there, or speaks QMux only (-transport qmux)"
	}
	return text
}

// mute is the sentence for a port that is silent over UDP.
func mute(t dial.Target, tcp answer) string {
	switch tcp {
	case open:
		return fmt.Sprintf("UDP port %[1]s of %[2]s does not answer, while its TCP port %[1]s does: UDP is blocked on the way, or the server speaks TCP only (-transport qmux)", t.Port, t.Host)
	case closed:
		return fmt.Sprintf("UDP port %[1]s of %[2]s does not answer, and its TCP port is closed: the host is there, but UDP is blocked or what listens there speaks no QUIC", t.Port, t.Host)
	}
	return fmt.Sprintf("%s does not answer, neither over UDP nor over TCP: it is down, a firewall drops what is sent there, or the address is wrong", t.Host)
}

// web checks HTTP/3 and the answer to CONNECT, where that is spoken.
func (d *doctor) web(a *attempt) bool {
	if a.kind != transport.WebTransport {
		return true
	}
	o := d.o
	var settings []Setting
	var has bool
	var status string
	a.look(func(*seen) { settings, has, status = a.conn.settings, a.conn.hasH3, a.conn.status })
	if !has {
		if isLate(a.err) {
			d.fail(HTTP3, 0, "the server begins HTTP/3 but sends no SETTINGS within %v", o.timeout())
		} else {
			d.fail(HTTP3, 0, "HTTP/3 fails: %s", o.sentence(a.err))
		}
		return false
	}
	if errors.Is(a.err, wttr.ErrNotWebTransport) {
		d.fail(HTTP3, 0, "the server speaks HTTP/3 but not WebTransport: its SETTINGS are %s", settingsText(settings))
		return false
	}
	d.ok(HTTP3, 0, "%s", settingsText(settings))
	refusal, refused := errors.AsType[*wttr.StatusError](a.err)
	switch {
	case refused:
		stage, text := o.statusText(refusal)
		d.fail(stage, 0, "%s", text)
		return false
	case errors.Is(a.err, wttr.ErrNoProtocol):
		d.ok(WebTransport, 0, "the server takes the session")
		d.fail(Draft, 0, "the server takes the session without saying which draft is spoken in it, of those that were offered: %s", strings.Join(o.protocols(), ", "))
		return false
	case status == "" && isLate(a.err):
		d.fail(WebTransport, 0, "the server does not answer the request for a WebTransport session within %v", o.timeout())
		return false
	case status == "" && a.err != nil:
		d.fail(WebTransport, 0, "the request for a WebTransport session fails: %s", o.sentence(a.err))
		return false
	}
	d.ok(WebTransport, 0, "the server takes the session at %s (HTTP status %s)", path(o.Target), status)
	return true
}

// statusText is the stage and the sentence for a CONNECT that was refused.
func (o *Options) statusText(e *wttr.StatusError) (Stage, string) {
	stage, text := WebTransport, ""
	switch e.Status {
	case http.StatusNotFound:
		text = fmt.Sprintf("the server has nothing at the path %s, so the path of the URL is probably wrong", path(o.Target))
	case http.StatusMethodNotAllowed:
		text = fmt.Sprintf("there is something else than MoQT at the path %s, so the path of the URL is probably wrong", path(o.Target))
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusUpgradeRequired:
		stage = Draft
		text = "the server takes none of the drafts that were offered, which are " + strings.Join(o.protocols(), ", ")
	case http.StatusUnauthorized, http.StatusForbidden:
		text = "the server does not let us in"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		text = "the server is busy"
	default:
		text = "the server does not take the session"
	}
	text += fmt.Sprintf(" (HTTP status %d)", e.Status)
	if e.Reason != "" {
		text += fmt.Sprintf("; it says %q", e.Reason)
	}
	return stage, text
}

// path is what a request asks for.
func path(t dial.Target) string {
	if strings.HasPrefix(t.Path, "/") {
		return t.Path
	}
	return "/" + t.Path
}

// greet checks the draft and the exchange of SETUP.
func (d *doctor) greet(a *attempt) bool {
	o := d.o
	err := a.closure()
	ended, isEnd := errors.AsType[*model.SessionError](err)
	var connected, greeted time.Time
	a.look(func(s *seen) { connected, greeted = s.connected, s.greeted })
	if a.session != nil {
		d.ok(Draft, 0, "%s, which is draft %v", a.session.Conn().Protocol(), a.session.Draft())
		by := ""
		if name := a.session.PeerImplementation(); name != "" {
			by = fmt.Sprintf(" of %q", name)
		}
		d.ok(Setup, greeted.Sub(connected), "the server's SETUP%s came", by)
		return true
	}
	switch {
	case isEnd && ended.Remote && ended.Code == model.VersionNegotiationFailed:
		d.fail(Draft, 0, "the server speaks none of %s: %s", strings.Join(o.protocols(), ", "), o.sentence(err))
	case isEnd && ended.Remote:
		d.fail(Setup, 0, "%s", o.sentence(err))
	case isEnd:
		d.fail(Setup, 0, "what the server sends instead of SETUP breaks the draft: %v %s", ended.Code, ended.Reason)
	case errors.Is(err, net.ErrClosed), errors.Is(err, transport.ErrIdle):
		d.fail(Setup, 0, "the connection ends before the server's SETUP: %s", o.sentence(err))
	case connected.IsZero():
		d.fail(Draft, 0, "%s", o.sentence(err))
	default:
		d.fail(Setup, time.Since(connected), "the server takes the connection but sends no SETUP within %v, so it may speak another draft than it says", setupTime(o))
	}
	return false
}

// setupTime is how long SETUP is awaited.
func setupTime(o *Options) time.Duration {
	if t := o.Dial.Session.Limits.SetupTimeout; t > 0 {
		return min(t, o.timeout())
	}
	return min(session.DefaultSetupTimeout, o.timeout())
}

// stay watches whether the session lives, and makes a request. What becomes of
// that is told, but is no failure: some servers do not like TRACK_STATUS.
func (d *doctor) stay(ctx context.Context, a *attempt) {
	o, s := d.o, a.session
	o.watch(ctx, s)
	switch {
	case ctx.Err() != nil:
		return
	case s.Context().Err() != nil:
		d.fail(Session, 0, "the session ends right after SETUP: %s", o.sentence(s.Err()))
		return
	case s.PeerGoaway() != nil:
		text := "the server tells us to leave as soon as we come (GOAWAY)"
		if uri := s.PeerGoaway().URI; uri != "" {
			text += fmt.Sprintf(" and to go to %q", uri)
		}
		d.fail(Session, 0, "%s", text)
		return
	}
	within, cancel := within(ctx, o.answerTime())
	defer cancel()
	began := time.Now()
	_, err := s.TrackStatus(within, model.FullTrackName{Namespace: nowhere(), Name: "nothing"})
	took := time.Since(began)
	if ctx.Err() != nil {
		return
	}
	outcome, detail := o.outcome(s, err)
	switch outcome {
	case Taken, Refused:
		d.ok(Session, took, "it answers requests (TRACK_STATUS of no track: %s)", strings.TrimSpace(string(outcome)+" "+detail))
	case Ended:
		if ofWhoAsks(s.Err()) { // it comes late
			d.fail(Session, took, "the session ends right after SETUP: %s", detail)
			return
		}
		d.ok(Session, took, "it stays until TRACK_STATUS of no track ends it: %s", detail)
	default:
		d.ok(Session, took, "it stays, though TRACK_STATUS of no track gets: %s %s", outcome, detail)
	}
}

// ofWhoAsks reports whether the server closed the session because of what SETUP
// told it, and not because of a request.
func ofWhoAsks(err error) bool {
	e, ok := errors.AsType[*model.SessionError](err)
	if !ok || !e.Remote {
		return false
	}
	switch e.Code {
	case model.InvalidPath, model.MalformedPath, model.InvalidAuthority, model.MalformedAuthority, model.Unauthorized:
		return true
	}
	return false
}
