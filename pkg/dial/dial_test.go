package dial_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/transport/wttr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// serve answers every session on a port of this machine and reports how it
// was asked for.
func serve(t *testing.T, raw, wt []string) (addr string, asked <-chan string) {
	t.Helper()
	conf := listen.Config{
		TLS:       &tls.Config{Certificates: []tls.Certificate{testkit.Must(certs.SelfSigned(time.Now()))(t)}},
		Protocols: raw,
	}
	if wt != nil {
		conf.WebTransport = &wttr.Server{Protocols: wt, Unnamed: session.Unnamed(wt)}
	}
	l := testkit.Must(listen.Listen("127.0.0.1:0", conf))(t)
	seen := make(chan string, 1)
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept(context.WithoutCancel(t.Context()))
			if err != nil {
				return
			}
			draft, _ := session.DraftOf(conn.Protocol())
			s, err := session.Start(t.Context(), conn, session.Config{Role: session.Server, Draft: draft})
			if err != nil {
				continue
			}
			seen <- string(conn.Kind()) + " " + s.Authority() + s.Path()
			s.Wait()
		}
	}()
	return l.Addr().String(), seen
}

func TestTransports(t *testing.T) {
	both := session.Protocols()
	for _, tt := range []struct {
		name, scheme string
		transport    transport.Kind
		raw, wt      []string
		want         transport.Kind
	}{
		{"moqt is raw QUIC", "moqt", "", both, both, transport.QUIC},
		{"https is WebTransport", "https", "", both, both, transport.WebTransport},
		{"moqt over WebTransport", "moqt", transport.WebTransport, both, both, transport.WebTransport},
		{"https over raw QUIC", "https", transport.QUIC, both, both, transport.QUIC},
		{"moqt where only WebTransport is spoken", "moqt", "", nil, both, transport.WebTransport},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, asked := serve(t, tt.raw, tt.wt)
			target := testkit.Must(dial.Parse(tt.scheme + "://" + addr + "/live?x=1"))(t)
			s := testkit.Must(dial.Dial(t.Context(), target, dial.Options{
				TLS: &tls.Config{InsecureSkipVerify: true}, Transport: tt.transport,
			}))(t)
			testkit.Equal(t, <-asked, string(tt.want)+" "+addr+"/live?x=1")
			s.Close(model.NoError, "")
			s.Wait()
		})
	}
}

// Each draft can be asked for alone, over either transport, and the log says what
// was negotiated.
func TestEveryDraft(t *testing.T) {
	all := session.Protocols()
	addr, asked := serve(t, all, all)
	for _, protocol := range all {
		for scheme, kind := range map[string]transport.Kind{"moqt": transport.QUIC, "https": transport.WebTransport} {
			t.Run(protocol+" over "+string(kind), func(t *testing.T) {
				var log strings.Builder
				s := testkit.Must(dial.Dial(t.Context(), testkit.Must(dial.Parse(scheme+"://"+addr+"/live"))(t), dial.Options{
					TLS: &tls.Config{InsecureSkipVerify: true}, Transport: kind, Protocols: []string{protocol},
					Session: session.Config{Strict: true, Log: slog.New(slog.NewTextHandler(&log, nil))},
				}))(t)
				testkit.Equal(t, <-asked, string(kind)+" "+addr+"/live")
				want, _ := session.DraftOf(protocol)
				testkit.Equal(t, s.Draft(), want)
				if said := fmt.Sprintf("transport=%s draft=%v protocol=%s ", kind, want, protocol); !strings.Contains(log.String(), said) {
					t.Errorf("the log says %q, want %q", log.String(), said)
				}
				s.Close(model.NoError, "")
				s.Wait()
			})
		}
	}
}

func TestNoCommonTransport(t *testing.T) {
	all := session.Protocols()
	for _, tt := range []struct {
		name, scheme string
		transport    transport.Kind
		raw, wt      []string
		want         string
	}{
		{"no WebTransport", "https", "", all, nil, "it speaks nothing that is offered here, which is moqt-18"},
		{"no raw QUIC", "moqt", transport.QUIC, nil, all, "it speaks nothing that is offered here, which is moqt-18"},
		{"no common draft over QUIC", "moqt", "", []string{"moqt-99"}, nil, "it speaks nothing that is offered here, which is moqt-18"},
		{"no common draft over WebTransport", "https", "", nil, []string{"moqt-99"}, "this server speaks moqt-99"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := serve(t, tt.raw, tt.wt)
			_, err := dial.Dial(t.Context(), testkit.Must(dial.Parse(tt.scheme+"://"+addr+"/"))(t), dial.Options{
				TLS: &tls.Config{InsecureSkipVerify: true}, Transport: tt.transport,
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestVersionsThatAreOffered(t *testing.T) {
	addr, _ := serve(t, session.Protocols(), nil)
	_, err := dial.Dial(t.Context(), testkit.Must(dial.Parse("moqt://"+addr))(t), dial.Options{
		TLS: &tls.Config{InsecureSkipVerify: true}, Transport: transport.QUIC, Protocols: []string{"moqt-99"},
	})
	if err == nil {
		t.Error("a draft that the server does not speak was accepted")
	}
}

func TestCertificateIsVerified(t *testing.T) {
	addr, _ := serve(t, session.Protocols(), session.Protocols())
	for _, scheme := range []string{"moqt", "https"} {
		_, err := dial.Dial(t.Context(), testkit.Must(dial.Parse(scheme+"://"+addr))(t), dial.Options{})
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("%s: the error is %v, want one of the certificate", scheme, err)
		}
	}
}

// Over raw QUIC the server sees the path when the session begins, perhaps after it
// has begun here.
func TestKeepEndsWithARefusal(t *testing.T) {
	target := testkit.Must(dial.Parse("moqt://relay:4433/nothing"))(t)
	for _, tt := range []struct {
		name  string
		code  model.SessionCode
		retry bool
		want  int // sessions
	}{
		{"wrong path", model.InvalidPath, false, 1},
		{"not allowed", model.Unauthorized, false, 1},
		{"the server stops", model.NoError, false, 3},
		{"wrong path for now", model.InvalidPath, true, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				enough, sessions, begun := errors.New("enough"), 0, make(chan struct{})
				err := dial.Keep(ctx, target, dial.KeepOptions{
					RetryFirst: tt.retry,
					Options: dial.Options{Connect: func(context.Context, string, *tls.Config) (transport.Conn, error) {
						ours, theirs := memtr.Pair()
						go func() {
							if s, err := session.Start(ctx, theirs, session.Config{Role: session.Server}); err == nil {
								<-begun
								s.Close(tt.code, "no")
								s.Wait()
							}
						}()
						return ours, nil
					}},
				}, func(_ context.Context, s *session.Session) error {
					begun <- struct{}{}
					s.Wait()
					if sessions++; sessions == 3 {
						cancel(enough)
					}
					return dial.Lost(s.Err())
				})
				testkit.Equal(t, sessions, tt.want)
				if tt.want == 1 && (err == nil || !strings.HasPrefix(err.Error(), "cannot connect to moqt://relay:4433/nothing: the server ")) {
					t.Errorf("Keep returned %v", err)
				}
				if tt.want == 3 {
					testkit.ErrIs(t, err, enough)
				}
			})
		})
	}
}

func TestTCPPortWithoutQMux(t *testing.T) {
	ln := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	web := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = web.Serve(ln)
	}()
	_, err := dial.Dial(t.Context(), testkit.Must(dial.Parse("moqt://"+ln.Addr().String()))(t), dial.Options{
		TLS: &tls.Config{InsecureSkipVerify: true}, Transport: transport.QMUX,
	})
	if err == nil || !strings.Contains(err.Error(), "does not speak QMux") {
		t.Errorf("the error is %v", err)
	}
	testkit.NoErr(t, web.Close())
	<-ended
}
