package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/internal/testkit/website"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// closes ends a session when it is asked for the status of a track.
type closes struct {
	session.Refuse
	code model.SessionCode
}

func (c closes) TrackStatus(_ context.Context, r *session.TrackStatusRequest) {
	r.Session().Close(c.code, "not here")
}

// mutes does not answer that.
type mutes struct{ session.Refuse }

func (mutes) TrackStatus(context.Context, *session.TrackStatusRequest) {}

// oldVersions answers every packet with the versions of QUIC that it speaks.
func oldVersions(t *testing.T) (addr string) {
	pc := testkit.Must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))(t)
	ended := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-ended })
	go func() {
		defer close(ended)
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = pc.WriteToUDPAddrPort(versionsFor(b[:n], 0xff00001d, 0x1a2a3a4a, 0x51303530), from)
		}
	}()
	return pc.LocalAddr().String()
}

// versionsFor is a Version Negotiation packet that answers a packet of newKnock.
func versionsFor(sent []byte, versions ...uint32) []byte {
	b := []byte{longHeader, 0, 0, 0, 0, knockID}
	b = append(b, sent[7+knockID:7+2*knockID]...)
	b = append(b, knockID)
	b = append(b, sent[6:6+knockID]...)
	for _, v := range versions {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// TestDiagnose has a server for each sentence. What must not be there would be
// codes and words of libraries.
func TestDiagnose(t *testing.T) {
	now := time.Now()
	good := certificate(t, now)
	all := session.Protocols()
	list := strings.Join(all, ", ")
	const wt02 = 0x2b603742
	for _, tt := range []struct {
		name   string
		scheme string
		start  func(t *testing.T) string
		change func(o *Options)
		// distrust leaves the certificate to be judged.
		distrust bool
		stage    Stage // that fails; empty: none
		want     []string
		passed   []Stage // before that, in this order
	}{
		{name: "all is well over raw QUIC", scheme: "moqt", start: server{cert: good, protocols: all, web: all}.start,
			passed: []Stage{Name, UDP, Handshake, Cert, Draft, Setup, Session}},
		{name: "all is well over WebTransport", scheme: "https", start: server{cert: good, protocols: all, web: all}.start,
			passed: []Stage{Name, UDP, Handshake, Cert, HTTP3, WebTransport, Draft, Setup, Session}},
		{name: "all is well over QMux", scheme: "moqt", start: server{cert: good, protocols: all}.startQMux,
			change: func(o *Options) { o.Dial.Transport = transport.QMUX },
			passed: []Stage{Name, TCP, Handshake, Cert, Draft, Setup, Session}},
		{name: "WebTransport only", scheme: "moqt", start: server{cert: good, web: all}.start,
			passed: []Stage{Name, UDP, Handshake, Handshake, Cert, HTTP3, WebTransport, Draft, Setup, Session}},
		{name: "no such host", scheme: "moqt", start: func(*testing.T) string { return "relay.example:1" },
			change: func(o *Options) {
				o.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
					return nil, &net.DNSError{Name: "relay.example", Err: "no such host", IsNotFound: true}
				}
			},
			stage: Name, want: []string{"there is no host relay.example"}},
		{name: "nothing listens", scheme: "moqt", start: func(*testing.T) string { return "127.0.0.1:1" },
			stage: UDP, want: []string{"nothing listens on UDP port 1 of 127.0.0.1"}, passed: []Stage{Name}},
		{name: "nothing listens over TCP", scheme: "moqt", start: func(*testing.T) string { return "127.0.0.1:1" },
			change: func(o *Options) { o.Dial.Transport = transport.QMUX },
			stage:  TCP, want: []string{"nothing listens on TCP port 1 of 127.0.0.1"}, passed: []Stage{Name}},
		{name: "TCP only", scheme: "https", start: func(t *testing.T) string { return silentPort(t, true) },
			change: func(o *Options) { o.Dial.Timeout = brief },
			stage:  UDP, want: []string{"does not answer, while its TCP port", "UDP is blocked on the way, or the server speaks TCP only"}, passed: []Stage{Name}},
		{name: "silence", scheme: "moqt", start: func(t *testing.T) string { return silentPort(t, false) },
			change: func(o *Options) { o.Dial.Timeout = brief },
			stage:  UDP, want: []string{"does not answer"}, passed: []Stage{Name}},
		{name: "other versions of QUIC", scheme: "moqt", start: oldVersions,
			stage: UDP, want: []string{"only in the versions draft 29, 0x51303530"}, passed: []Stage{Name}},
		{name: "wrong ALPN over raw QUIC", scheme: "moqt", start: server{cert: good, protocols: []string{"doq"}}.start,
			change: func(o *Options) { o.Dial.Transport = transport.QUIC },
			stage:  Handshake, want: []string{"speaks QUIC but none of " + list, "https://"}, passed: []Stage{Name, UDP}},
		{name: "neither MoQT nor HTTP/3", scheme: "moqt", start: server{cert: good, protocols: []string{"doq"}}.start,
			stage: Handshake, want: []string{"speaks QUIC but not HTTP/3"}, passed: []Stage{Name, UDP, Handshake}},
		{name: "no HTTP/3", scheme: "https", start: server{cert: good, protocols: all}.start,
			stage: Handshake, want: []string{"speaks QUIC but not HTTP/3", "moqt://"}, passed: []Stage{Name, UDP}},
		{name: "wrong ALPN over QMux", scheme: "moqt", start: server{cert: good, protocols: []string{"doq"}}.startQMux,
			change: func(o *Options) { o.Dial.Transport = transport.QMUX },
			stage:  Handshake, want: []string{"speaks TLS but none of " + list}, passed: []Stage{Name, TCP}},
		{name: "an expired certificate", scheme: "moqt", start: server{cert: certificate(t, now.Add(-20*24*time.Hour)), protocols: all}.start, distrust: true,
			stage: Cert, want: []string{"expired on ", "the server needs another one", "only -insecure"}, passed: []Stage{Name, UDP, Handshake}},
		{name: "a certificate of the future", scheme: "moqt", start: server{cert: certificate(t, now.Add(48*time.Hour)), protocols: all}.start, distrust: true,
			stage: Cert, want: []string{"is valid only from ", "clock"}, passed: []Stage{Name, UDP, Handshake}},
		{name: "a certificate for others", scheme: "https", start: server{cert: certificate(t, now, "other.example", "10.0.0.1"), web: all}.start, distrust: true,
			stage: Cert, want: []string{"is for other.example, 10.0.0.1, not for 127.0.0.1 and is vouched for by nobody but itself; trust it with -fingerprint "}, passed: []Stage{Name, UDP, Handshake}},
		{name: "a self-signed certificate", scheme: "moqt", start: server{protocols: all}.start, distrust: true,
			stage: Cert, want: []string{"is vouched for by nobody but itself; trust it with -ca FILE that holds it, -fingerprint ", "-insecure"}, passed: []Stage{Name, UDP, Handshake}},
		{name: "another certificate than the one that is pinned", scheme: "moqt", start: server{protocols: all}.start,
			stage: Cert, want: []string{"is not the one whose fingerprint was given; if this is the server that is meant all the same, use -fingerprint "}, passed: []Stage{Name, UDP, Handshake}},
		{name: "HTTP/3 without WebTransport", scheme: "https",
			start: func(t *testing.T) string { return website.Serve(t, good, nil, 200, "") },
			stage: HTTP3, want: []string{"speaks HTTP/3 but not WebTransport", "H3_DATAGRAM 1"}, passed: []Stage{Name, UDP, Handshake, Cert}},
		{name: "a wrong path", scheme: "https",
			start: func(t *testing.T) string {
				return website.Serve(t, good, map[uint64]uint64{wt02: 1}, 404, "no \x1b[31msuch thing")
			},
			stage: WebTransport, want: []string{"nothing at the path /moq", "HTTP status 404", `it says "no [31msuch thing"`}, passed: []Stage{Name, UDP, Handshake, Cert, HTTP3}},
		{name: "another thing at the path", scheme: "https",
			start: func(t *testing.T) string { return website.Serve(t, good, map[uint64]uint64{wt02: 1}, 405, "") },
			stage: WebTransport, want: []string{"something else than MoQT at the path /moq"}, passed: []Stage{Name, UDP, Handshake, Cert, HTTP3}},
		{name: "not allowed in", scheme: "https",
			start: func(t *testing.T) string { return website.Serve(t, good, map[uint64]uint64{wt02: 1}, 403, "") },
			stage: WebTransport, want: []string{"does not let us in (HTTP status 403)"}, passed: []Stage{Name, UDP, Handshake, Cert, HTTP3}},
		{name: "no common draft", scheme: "https", start: server{cert: good, web: []string{"moqt-99"}}.start,
			stage: Draft, want: []string{"none of the drafts that were offered, which are " + list, "moqt-99"}, passed: []Stage{Name, UDP, Handshake, Cert, HTTP3}},
		{name: "no SETUP", scheme: "moqt", start: server{cert: good, protocols: all, serve: hold}.start,
			change: func(o *Options) { o.Dial.Session.Limits.SetupTimeout = brief },
			stage:  Setup, want: []string{"takes the connection but sends no SETUP within 200ms"}, passed: []Stage{Name, UDP, Handshake, Cert}},
		{name: "no SETUP over WebTransport", scheme: "https", start: server{cert: good, web: all, serve: hold}.start,
			change: func(o *Options) { o.Dial.Session.Limits.SetupTimeout = brief },
			stage:  Setup, want: []string{"sends no SETUP"}, passed: []Stage{Name, UDP, Handshake, Cert, HTTP3, WebTransport}},
		{name: "closed at once", scheme: "moqt",
			start: server{cert: good, protocols: all, serve: func(c transport.Conn) { _ = c.CloseWithError(uint64(model.Unauthorized), "who are you") }}.start,
			stage: Setup, want: []string{`does not let us in (it says "who are you")`}, passed: []Stage{Name, UDP, Handshake, Cert}},
		{name: "closed for want of a common draft", scheme: "moqt",
			start: server{cert: good, protocols: all, serve: func(c transport.Conn) {
				_ = c.CloseWithError(uint64(model.VersionNegotiationFailed), "only 7")
			}}.start,
			stage: Draft, want: []string{"speaks none of ", "only 7"}, passed: []Stage{Name, UDP, Handshake, Cert}},
		{name: "closed for the path, but late", scheme: "moqt", start: server{cert: good, protocols: all, serve: answers(session.Config{Handler: closes{code: model.InvalidPath}})}.start,
			stage: Session, want: []string{"ends right after SETUP", `nothing at the path "/moq"`}, passed: []Stage{Name, UDP, Handshake, Cert, Draft, Setup}},
		{name: "closed at a request", scheme: "moqt", start: server{cert: good, protocols: all, serve: answers(session.Config{Handler: closes{code: model.InternalError}})}.start,
			passed: []Stage{Name, UDP, Handshake, Cert, Draft, Setup, Session}},
		{name: "no answer to a request", scheme: "moqt", start: server{cert: good, protocols: all, serve: answers(session.Config{Handler: mutes{}})}.start,
			change: func(o *Options) { o.patience = brief },
			passed: []Stage{Name, UDP, Handshake, Cert, Draft, Setup, Session}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trusted := good
			if tt.distrust {
				trusted = tls.Certificate{}
			}
			o := options(t, tt.scheme, tt.start(t), trusted)
			o.settle = time.Millisecond
			if tt.change != nil {
				tt.change(&o)
			}
			var told []Check
			failure, err := Diagnose(t.Context(), o, func(c Check) { told = append(told, c) })
			testkit.NoErr(t, err)
			for _, c := range told {
				t.Log(c)
			}
			var passed []Stage
			for _, c := range told {
				if c.OK {
					passed = append(passed, c.Stage)
				}
			}
			testkit.Equal(t, passed, tt.passed)
			if (failure == nil) != (tt.stage == "") {
				t.Fatalf("the failure is %v, want one at %q", failure, tt.stage)
			}
			if failure == nil {
				return
			}
			testkit.Equal(t, failure.Stage, tt.stage)
			testkit.Equal(t, told[len(told)-1], *failure)
			for _, want := range tt.want {
				if !strings.Contains(failure.Text, want) {
					t.Errorf("the sentence is %q, want one with %q", failure.Text, want)
				}
			}
			for _, raw := range []string{"CRYPTO_ERROR", "x509:", "tls:", "lookup ", "read udp", "context deadline", "\x1b"} {
				if strings.Contains(failure.Text, raw) {
					t.Errorf("the sentence %q has %q in it", failure.Text, raw)
				}
			}
		})
	}
}

// TestDiagnoseSessions: a session that ends as soon as it is there is of no use.
func TestDiagnoseSessions(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(s *session.Session)
		want string
	}{
		{"closed after SETUP", func(s *session.Session) { s.Close(model.InvalidPath, "not here") },
			`ends right after SETUP: the server has nothing at the path "/moq" (it says "not here")`},
		{"GOAWAY at once", func(s *session.Session) { _ = s.Goaway("moqt://elsewhere", 0) },
			`to leave as soon as we come (GOAWAY) and to go to "moqt://elsewhere"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			greeted := make(chan struct{})
			cert := certificate(t, time.Now())
			addr := server{cert: cert, protocols: session.Protocols(), serve: func(c transport.Conn) {
				draft, _ := session.DraftOf(c.Protocol())
				s, err := session.Start(context.Background(), c, session.Config{Role: session.Server, Draft: draft})
				if err != nil {
					t.Error(err)
					return
				}
				<-greeted
				tt.end(s)
				s.Wait()
			}}.start(t)
			o := options(t, "moqt", addr, cert)
			o.settle = plenty
			failure, err := Diagnose(t.Context(), o, func(c Check) {
				if c.Stage == Setup {
					close(greeted)
				}
			})
			testkit.NoErr(t, err)
			if failure == nil || failure.Stage != Session || !strings.Contains(failure.Text, tt.want) {
				t.Errorf("the failure is %v, want one with %q", failure, tt.want)
			}
		})
	}
}

// What depends on a firewall cannot be had on one machine.
func TestSentencesOfSilence(t *testing.T) {
	to := dial.Target{Host: "h", Port: "7"}
	for _, tt := range []struct{ got, want string }{
		{mute(to, open), "UDP port 7 of h does not answer, while its TCP port 7 does"},
		{mute(to, closed), "its TCP port is closed"},
		{mute(to, silent), "neither over UDP nor over TCP"},
		{shut(to, open), "nothing listens on UDP port 7 of h, while the TCP port"},
		{shut(to, closed), "nothing listens on UDP port 7 of h"},
	} {
		if !strings.Contains(tt.got, tt.want) {
			t.Errorf("%q, want one with %q", tt.got, tt.want)
		}
	}
}

// Servers that stop in the middle, as they were seen.
func TestSentencesOfStalledServers(t *testing.T) {
	late := error(waited(time.Second))
	begun := time.Now()
	for _, tt := range []struct {
		name  string
		kind  transport.Kind
		err   error
		conn  connection
		known bool // the certificate was there
		stage Stage
		want  string
	}{
		{"the handshake does not end", transport.QUIC, late, connection{answered: true}, false, Handshake, "the handshake does not end within 1s"},
		{"the handshake fails", transport.QUIC, errors.New("odd"), connection{answered: true}, false, Handshake, "the handshake fails: odd"},
		{"connections are turned away", transport.QUIC, quictr.ErrRefused, connection{answered: true}, false, Handshake, "turns connections away"},
		{"no SETTINGS", transport.WebTransport, late, connection{answered: true}, true, HTTP3, "sends no SETTINGS within 1s"},
		{"HTTP/3 breaks", transport.WebTransport, errors.New("odd"), connection{answered: true}, true, HTTP3, "HTTP/3 fails: odd"},
		{"no answer to CONNECT", transport.WebTransport, late, connection{hasH3: true}, true, WebTransport, "does not answer the request"},
		{"CONNECT fails", transport.WebTransport, errors.New("odd"), connection{hasH3: true}, true, WebTransport, "session fails: odd"},
		{"no word about the draft", transport.WebTransport, wttr.ErrNoProtocol, connection{hasH3: true, status: "200"}, true, Draft, "without saying which draft"},
		{"a busy server", transport.WebTransport, &wttr.StatusError{Status: 503}, connection{hasH3: true, status: "503"}, true, WebTransport, "the server is busy (HTTP status 503)"},
		{"a broken server", transport.WebTransport, &wttr.StatusError{Status: 500}, connection{hasH3: true, status: "500"}, true, WebTransport, "does not take the session (HTTP status 500)"},
		{"something else than SETUP", transport.QUIC, &model.SessionError{Code: model.ProtocolViolation, Reason: "no SETUP"}, connection{}, true, Setup, "breaks the draft"},
		{"the connection breaks", transport.QUIC, transport.ErrIdle, connection{}, true, Setup, "ends before the server's SETUP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Target: testkit.Must(dial.Parse("moqt://h:7/x"))(t)}
			o.Dial.Timeout = time.Second
			var told []Check
			d := &doctor{o: &o, tell: func(c Check) { told = append(told, c) }, udp: []reach{{answered: true}}}
			a := &attempt{kind: tt.kind, protocols: session.Protocols(), began: begun, err: tt.err, seen: &seen{}, conn: &tt.conn}
			if tt.known {
				a.seen.secured, a.seen.connected = begun, begun
				a.seen.tls.PeerCertificates = []*x509.Certificate{certificate(t, begun).Leaf}
			}
			if d.secure(t.Context(), a) && d.web(a) {
				d.greet(a)
			}
			if d.failure == nil || d.failure.Stage != tt.stage || !strings.Contains(d.failure.Text, tt.want) {
				t.Errorf("the failure is %v, want %q at %s", d.failure, tt.want, tt.stage)
			}
		})
	}
}

// A doctor who is sent away says so, and no more.
func TestDiagnoseStops(t *testing.T) {
	o := options(t, "moqt", silentPort(t, false), tls.Certificate{})
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := Diagnose(ctx, o, func(c Check) {
		if c.Stage == Name {
			cancel(gone)
		}
	})
	testkit.ErrIs(t, err, gone)
}

func TestCheck(t *testing.T) {
	c := Check{Stage: Cert, Text: "a\x1b[0m b", Took: 1500 * time.Microsecond}
	testkit.Equal(t, c.String(), "FAIL certificate   a?[0m b. (1.50 ms)")
	testkit.Equal(t, Check{Stage: UDP, OK: true, Text: "x"}.String(), "ok   udp           x")
	testkit.Equal(t, string(testkit.Must(json.Marshal(c))(t)), `{"stage":"certificate","ok":false,"text":"a\u001b[0m b","ms":1.5}`)
}

func TestParseVersions(t *testing.T) {
	sent := newKnock()
	answer := versionsFor(sent, 1, 0x3a4a5a6a, 0x6b3343cf)
	got, ok := parseVersions(answer, sent)
	if !ok || !slices.Equal(got, []uint32{1, 0x6b3343cf}) {
		t.Errorf("the versions are %v, %v", got, ok)
	}
	for n := range answer {
		if (n-len(versionsFor(sent)))%4 == 0 && n >= len(versionsFor(sent)) {
			continue // a shorter list
		}
		if _, ok := parseVersions(answer[:n], sent); ok {
			t.Errorf("%d of %d bytes are taken for an answer", n, len(answer))
		}
	}
	if _, ok := parseVersions(answer, newKnock()); ok {
		t.Error("the answer to another packet is taken")
	}
}

func FuzzVersions(f *testing.F) {
	sent := newKnock()
	f.Add(versionsFor(sent, 1))
	f.Add(versionsFor(sent)[:10])
	f.Fuzz(func(t *testing.T, b []byte) {
		versions, ok := parseVersions(b, sent)
		if !ok && versions != nil || 4*len(versions) > len(b) {
			t.Errorf("%v, %v of %d bytes", versions, ok, len(b))
		}
	})
}
