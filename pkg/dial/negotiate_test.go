package dial

import (
	"context"
	"crypto/tls"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/wttr"
)

const p18, p16, p14 = "moqt-18", "moqt-16", "moq-00"

// negotiated connects to a server on a port of this machine, and returns what
// both sides then take for the protocol.
func negotiated(t *testing.T, serve listen.Config, scheme string, opts Options) (protocol string, err error) {
	t.Helper()
	serve.TLS = &tls.Config{Certificates: []tls.Certificate{testkit.Must(certs.SelfSigned(time.Now()))(t)}}
	l := testkit.Must(listen.Listen("127.0.0.1:0", serve))(t)
	defer l.Close()
	opts.TLS = &tls.Config{InsecureSkipVerify: true}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := connect(ctx, testkit.Must(Parse(scheme+"://"+l.Addr().String()+"/moq"))(t), opts)
	if err != nil {
		return "", err
	}
	defer conn.CloseWithError(0, "")
	theirs := testkit.Must(l.Accept(ctx))(t)
	testkit.Equal(t, theirs.Protocol(), conn.Protocol())
	return conn.Protocol(), nil
}

// Over raw QUIC the order of the server decides, as ALPN has it, over
// WebTransport that of the client (draft-ietf-webtrans-http3, section 3.3).
func TestWhoseOrderDecides(t *testing.T) {
	all, some := []string{p18, p16, p14}, []string{p16, p18}
	for _, row := range []struct {
		name           string
		scheme         string
		client, server []string
		want           string
	}{
		{"raw QUIC", SchemeMoQT, []string{p14, p16, p18}, all, p18},
		{"raw QUIC, and the server prefers another", SchemeMoQT, all, some, p16},
		{"raw QUIC, one in common", SchemeMoQT, all, []string{p14}, p14},
		{"WebTransport", SchemeHTTPS, some, all, p16},
		{"WebTransport, and the client prefers another", SchemeHTTPS, all, some, p18},
		{"WebTransport, the last in common", SchemeHTTPS, all, []string{p14}, p14},
		{"WebTransport, without a name", SchemeHTTPS, []string{p14}, all, p14},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := negotiated(t, listen.Config{
				Protocols: row.server, WebTransport: &wttr.Server{Protocols: row.server, Unnamed: p14},
			}, row.scheme, Options{Protocols: row.client})
			testkit.NoErr(t, err)
			testkit.Equal(t, got, row.want)
		})
	}
}

// A server that knows only how to agree inside the session is asked again
// without the header, and the user learns of it.
func TestAskingWithoutAName(t *testing.T) {
	for _, row := range []struct {
		name     string
		protocol []string
		unnamed  string // of the server
		again    bool
		want     string // "": refused
	}{
		{"draft 14 is offered too", []string{p18, p14}, p14, true, p14},
		{"draft 14 is not offered", []string{p18, p16}, p14, false, ""},
		{"the server does not speak it either", []string{p18, p14}, "", true, ""},
		{"draft 14 alone", []string{p14}, p14, false, p14},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log strings.Builder
			opts := Options{Protocols: row.protocol}
			opts.Session.Log = slog.New(slog.NewTextHandler(&log, nil))
			got, err := negotiated(t, listen.Config{
				WebTransport: &wttr.Server{Protocols: []string{"moqt-99"}, Unnamed: row.unnamed, Log: slog.New(slog.DiscardHandler)},
			}, SchemeHTTPS, opts)
			testkit.Equal(t, got, row.want)
			testkit.Equal(t, strings.Contains(log.String(), "without a name"), row.again)
			if row.want == "" && (err == nil || !strings.Contains(err.Error(), "moqt-99")) {
				t.Errorf("the error is %v, want the one of the first answer", err)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	for _, row := range []struct {
		name    string
		wanted  []string
		strict  bool
		named   []string
		unnamed string
	}{
		{"many", []string{p18, p16, p14}, false, []string{p18, p16, p14}, p14},
		{"many that need a name", []string{p18, p16}, false, []string{p18, p16}, ""},
		{"one that needs none", []string{p14}, false, nil, p14},
		{"the same, strictly", []string{p14}, true, nil, p14},
		{"one, which the user insists on", []string{p16}, false, []string{p16}, p16},
		{"the same, strictly", []string{p16}, true, []string{p16}, ""},
	} {
		o := Options{Protocols: row.wanted, Session: session.Config{Strict: row.strict}}
		if got := o.offer(); !slices.Equal(got.Protocols, row.named) || got.Unnamed != row.unnamed {
			t.Errorf("%s: %v and %q without a name, want %v and %q", row.name, got.Protocols, got.Unnamed, row.named, row.unnamed)
		}
	}
}
