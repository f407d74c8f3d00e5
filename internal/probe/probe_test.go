package probe

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/internal/testkit/website"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// generous takes what others refuse.
type generous struct{ session.Refuse }

func (generous) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	_, _ = r.Accept(session.Offer{}, nil)
}

func (generous) SubscribeNamespace(_ context.Context, r *session.PrefixRequest) {
	_, _ = r.Accept(nil)
}
func (generous) PublishNamespace(_ context.Context, r *session.NamespaceRequest) { _ = r.Accept() }
func (generous) Publish(_ context.Context, r *session.PublishRequest) {
	_, _ = r.Accept(session.Change{Forward: model.Some(false)}, deaf{})
}

// requests are the outcomes by the first word of the request.
func requests(o *Offer) map[string]Outcome {
	out := map[string]Outcome{}
	for _, r := range o.Requests {
		name, _, _ := strings.Cut(r.Name, " ")
		out[name] = r.Outcome
	}
	return out
}

func TestProbe(t *testing.T) {
	const unknown = "moqt-99"
	all := session.Protocols()
	cert := certificate(t, time.Now())
	for _, tt := range []struct {
		name    string
		handler session.Handler
		want    map[string]Outcome
	}{
		{"a server that refuses all", session.Refuse{}, map[string]Outcome{
			"TRACK_STATUS": Refused, "SUBSCRIBE": Refused, "SUBSCRIBE_NAMESPACE": Refused, "PUBLISH_NAMESPACE": Refused, "PUBLISH": Refused,
		}},
		{"a server that takes what it can", generous{}, map[string]Outcome{
			"TRACK_STATUS": Refused, "SUBSCRIBE": Taken, "SUBSCRIBE_NAMESPACE": Taken, "PUBLISH_NAMESPACE": Taken, "PUBLISH": Taken,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := session.Config{Implementation: "a\x1b[31m test", Handler: tt.handler, Limits: session.Limits{TokenCache: 99}}
			addr := server{cert: cert, protocols: all, web: all, serve: answers(cfg)}.start(t)
			o := options(t, "moqt", addr, cert)
			o.settle = time.Millisecond
			o.Dial.Protocols = append([]string{unknown}, all...)
			r := testkit.Must(Probe(t.Context(), o))(t)

			testkit.Equal(t, r.Accepted(), true)
			testkit.Equal(t, r.UDP, "answers")
			testkit.Equal(t, r.Versions, []string{"1", "2"})
			testkit.Equal(t, r.Addresses, []string{"127.0.0.1"})
			c := r.Certificate
			if c == nil || c.Untrusted != "" || c.Public || !c.SelfSigned || c.PinFault != "" || c.Key != "ECDSA P-256" || c.Days != 13 || c.Chain != 1 || c.TLS != "TLS 1.3" {
				t.Errorf("the certificate is %+v", c)
			}
			for i, kind := range []transport.Kind{transport.QUIC, transport.WebTransport} {
				got := r.Carriers[i]
				testkit.Equal(t, got.Transport, string(kind))
				testkit.Equal(t, len(got.Offers), len(o.Dial.Protocols))
				for j, offer := range got.Offers {
					testkit.Equal(t, offer.Protocol, o.Dial.Protocols[j])
					if offer.Accepted != (offer.Protocol != unknown) {
						t.Fatalf("%s over %s: accepted %v, %s", offer.Protocol, kind, offer.Accepted, offer.Why)
					}
					if !offer.Accepted {
						continue
					}
					testkit.Equal(t, offer.Implementation, cfg.Implementation)
					if offer.TokenCache == nil || *offer.TokenCache != 99 || offer.HandshakeMS == nil || offer.ConnectMS == nil || offer.SetupMS == nil || offer.Datagram < 1000 {
						t.Errorf("%s over %s: %+v", offer.Protocol, kind, offer)
					}
					testkit.Equal(t, requests(offer), tt.want)
				}
				if p := got.Parameters; p == nil || p.IdleTimeoutMS != 15000 || p.StreamsBidi != 1024 || p.Datagram == 0 || !p.ResetStreamAt {
					t.Errorf("the parameters over %s are %+v", kind, p)
				}
				if (got.HTTP3 != nil) != (kind == transport.WebTransport) {
					t.Errorf("the settings over %s are %v", kind, got.HTTP3)
				}
				if len(all) > 1 {
					// The server decides over QUIC, the client over WebTransport.
					want := Choice{Offered: all, Chosen: all[0], Reversed: all[0]}
					if kind == transport.WebTransport {
						want.Reversed = all[len(all)-1]
					}
					testkit.Equal(t, *got.Choice, want)
				}
			}

			var text, object bytes.Buffer
			testkit.NoErr(t, r.Text(&text))
			testkit.NoErr(t, r.JSON(&object))
			for _, want := range []string{"raw QUIC\n", "WebTransport\n", "self-signed, ECDSA P-256", "a?[31m test", "MAX_AUTH_TOKEN_CACHE_SIZE 99", unknown, "no: ", "WT_ENABLED"} {
				if !strings.Contains(text.String(), want) {
					t.Errorf("the text lacks %q:\n%s", want, &text)
				}
			}
			if strings.Contains(text.String(), "\x1b") {
				t.Error("the text has what the server says to the terminal")
			}
			var back Report
			testkit.NoErr(t, json.Unmarshal(object.Bytes(), &back))
			testkit.Equal(t, back, *r)
		})
	}
}

func TestProbeOfWrongServers(t *testing.T) {
	good := certificate(t, time.Now())
	all := session.Protocols()
	const wt02 = 0x2b603742
	for _, tt := range []struct {
		name   string
		start  func(t *testing.T) string
		change func(o *Options)
		kind   transport.Kind
		why    string
	}{
		{"silence", func(t *testing.T) string { return silentPort(t, false) }, func(o *Options) { o.Dial.Timeout = brief }, transport.QUIC, "no answer within 200ms"},
		{"nothing", func(*testing.T) string { return "127.0.0.1:1" }, nil, transport.QUIC, "nothing listens on this UDP port"},
		{"another protocol", server{cert: good, protocols: []string{"doq"}}.start, nil, transport.QUIC, "no_application_protocol"},
		{"no HTTP/3", server{cert: good, protocols: all}.start, nil, transport.WebTransport, "speaks no HTTP/3"},
		{"HTTP/3 without WebTransport", func(t *testing.T) string { return website.Serve(t, good, nil, 200, "") }, nil, transport.WebTransport, "not WebTransport"},
		{"a status", func(t *testing.T) string { return website.Serve(t, good, map[uint64]uint64{wt02: 1}, 404, "") }, nil, transport.WebTransport, "HTTP status 404"},
		{"a close", server{cert: good, protocols: all, serve: func(c transport.Conn) { _ = c.CloseWithError(uint64(model.ProtocolViolation), "odd") }}.start, nil, transport.QUIC, `PROTOCOL_VIOLATION (it says "odd") (code 0x3)`},
		{"no SETUP", server{cert: good, protocols: all, serve: hold}.start, func(o *Options) { o.Dial.Session.Limits.SetupTimeout = brief }, transport.QUIC, "no SETUP within 200ms"},
		{"QMux", server{cert: good, protocols: []string{"doq"}}.startQMux, nil, transport.QMUX, "no_application_protocol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, "moqt", tt.start(t), good)
			o.Dial.Transport = tt.kind
			if tt.change != nil {
				tt.change(&o)
			}
			r := testkit.Must(Probe(t.Context(), o))(t)
			testkit.Equal(t, r.Accepted(), false)
			if got := r.Carriers[0].Offers[0].Why; len(r.Carriers) != 1 || !strings.Contains(got, tt.why) || strings.Contains(got, "cannot connect") {
				t.Errorf("the reason is %q, want one with %q", got, tt.why)
			}
			testkit.NoErr(t, r.Text(io.Discard))
		})
	}
}

// Only what is public is told a server that is not trusted.
func TestProbeWithoutTrust(t *testing.T) {
	for _, query := range []string{"", "?jwt=secret"} {
		t.Run(fmt.Sprintf("query %q", query), func(t *testing.T) {
			addr := server{protocols: session.Protocols()}.start(t)
			o := options(t, "moqt", addr, tls.Certificate{})
			o.Target.Path += query
			o.Dial.Transport, o.settle = transport.QUIC, time.Millisecond
			r := testkit.Must(Probe(t.Context(), o))(t)
			testkit.Equal(t, r.Accepted(), query == "")
			if r.Certificate == nil || r.Certificate.Untrusted == "" {
				t.Errorf("the certificate is %+v, want one that is not trusted", r.Certificate)
			}
		})
	}
}

// A server that closes at one request is asked the others in another session.
func TestQuestionsGoOn(t *testing.T) {
	cert := certificate(t, time.Now())
	o := options(t, "moqt", server{cert: cert, protocols: session.Protocols(), serve: answers(session.Config{Handler: closes{code: model.InternalError}})}.start(t), cert)
	o.Dial.Transport, o.Dial.Protocols = transport.QUIC, session.Protocols()[:1]
	r := testkit.Must(Probe(t.Context(), o))(t)
	got := r.Carriers[0].Offers[0]
	testkit.Equal(t, requests(got), map[string]Outcome{
		"TRACK_STATUS": Ended, "SUBSCRIBE": Refused, "SUBSCRIBE_NAMESPACE": Refused, "PUBLISH_NAMESPACE": Refused, "PUBLISH": Refused,
	})
	if !strings.Contains(got.Requests[0].Detail, "INTERNAL_ERROR") {
		t.Errorf("the requests are %+v", got.Requests)
	}
}

// One that takes no second session is not asked for ever.
func TestQuestionsEnd(t *testing.T) {
	cert := certificate(t, time.Now())
	var came atomic.Int64
	serve := answers(session.Config{Handler: closes{code: model.InternalError}})
	addr := server{cert: cert, protocols: session.Protocols(), serve: func(c transport.Conn) {
		if came.Add(1) > 1 {
			_ = c.CloseWithError(uint64(model.Unauthorized), "again")
			return
		}
		serve(c)
	}}.start(t)
	o := options(t, "moqt", addr, cert)
	o.Dial.Transport, o.Dial.Protocols = transport.QUIC, session.Protocols()[:1]
	r := testkit.Must(Probe(t.Context(), o))(t)
	got := r.Carriers[0].Offers[0].Requests
	if len(got) != 2 || got[1].Outcome != NotAsked || !strings.Contains(got[1].Detail, `does not let us in (it says "again")`) {
		t.Errorf("the requests are %+v", got)
	}
}

func TestProbeStops(t *testing.T) {
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	_, err := Probe(ctx, options(t, "moqt", "127.0.0.1:1", tls.Certificate{}))
	testkit.ErrIs(t, err, gone)
}

func TestChoice(t *testing.T) {
	two := []string{"a", "b"}
	for _, tt := range []struct {
		c    Choice
		want string
	}{
		{Choice{two, "b", "b"}, "b in either order: the server's order decides"},
		{Choice{two, "a", "b"}, "the first: the client's order decides"},
		{Choice{[]string{"a", "b", "c"}, "b", "a"}, "b, and in the opposite order a"},
		{Choice{two, "", "a"}, "nothing"},
	} {
		if got := tt.c.text(); !strings.Contains(got, tt.want) {
			t.Errorf("%+v is %q, want %q in it", tt.c, got, tt.want)
		}
	}
}

func TestListing(t *testing.T) {
	var l listing
	testkit.Equal(t, l.count(), "it lists 0 namespaces")
	l.report(model.Namespace{"a", "b"}, true)
	l.report(model.Namespace{"a", "b"}, false)
	testkit.Equal(t, l.count(), "it lists 1 namespace")
	for i := range 2 * maxListed {
		l.report(model.Namespace{fmt.Sprint(i)}, true)
	}
	first, more := l.names()
	testkit.Equal(t, len(first), maxListed)
	testkit.Equal(t, more, maxListed+1)
	testkit.Equal(t, first[0], "a-b")
}

func TestOptionText(t *testing.T) {
	for want, p := range map[string]model.Property{
		"0x2 = 100":     {Type: 2, Int: 100},
		`0x9 = "a\x1b"`: {Type: 9, Bytes: []byte("a\x1b")},
		`0x9 = "0123456789abcdef" and 2 bytes more`: {Type: 9, Bytes: []byte("0123456789abcdefgh")},
	} {
		testkit.Equal(t, optionText(p), want)
	}
}

func TestSettingName(t *testing.T) {
	for id, want := range map[uint64]string{0x33: "H3_DATAGRAM", 0xbc: "reserved", 0x276: ""} {
		testkit.Equal(t, settingName(id), want)
	}
}

func TestKeyName(t *testing.T) {
	public, _, err := ed25519.GenerateKey(nil)
	testkit.NoErr(t, err)
	for want, key := range map[string]any{
		"RSA 1024": &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023)}, "Ed25519": public, "0": nil,
	} {
		testkit.Equal(t, keyName(&x509.Certificate{PublicKey: key}), want)
	}
}

func TestMilliseconds(t *testing.T) {
	for v, want := range map[float64]string{0.123: "0.12 ms", 12.34: "12.3 ms", 1234.5: "1234 ms"} {
		testkit.Equal(t, milliseconds(v), want)
	}
	testkit.Equal(t, took(nil), notTold)
}

// Events that a library writes otherwise one day are not told, and break nothing.
func TestEventsOfAnotherForm(t *testing.T) {
	s := &seen{}
	c := s.trace(transport.TraceStart{}).(*connection)
	for _, data := range []string{`x`, `{}`, `{"frame":{"frame_type":"settings","settings":[{"name":"unknown","name_bytes":9,"value":"odd"}]}}`, `{"initiator":"local","max_idle_timeout":1}`} {
		for _, name := range []string{"transport:parameters_set", "http3:frame_parsed", "transport:packet_sent"} {
			c.Event(name, func(w io.Writer, _ time.Time) error {
				_, err := io.WriteString(w, data)
				return err
			})
		}
	}
	c.Event("http3:frame_parsed", func(io.Writer, time.Time) error { return errors.New("broken") })
	c.Close()
	testkit.Equal(t, c.params, (*Parameters)(nil))
	testkit.Equal(t, c.settings, []Setting{{ID: 9}})
}
