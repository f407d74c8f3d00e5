package moqt_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/wttr"
)

// trust returns the settings of a server for localhost and of who trusts it.
func trust() (server, client *tls.Config) {
	cert, err := certs.SelfSigned(time.Now(), "localhost", "127.0.0.1", "::1")
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: roots}
}

// TestNetwork: both transports on one port of a real socket.
func TestNetwork(t *testing.T) {
	serverTLS, clientTLS := trust()
	l := testkit.Must(listen.Listen("localhost:0", listen.Config{
		TLS: serverTLS, Protocols: session.Protocols(), WebTransport: &wttr.Server{Protocols: session.Protocols()},
	}))(t)
	defer l.Close()
	mux := moqt.NewTrackMux()
	server := &moqt.Server{Handler: mux}
	var serving sync.WaitGroup
	serving.Go(func() { testkit.ErrIs(t, server.Serve(t.Context(), l), moqt.ErrServerClosed) })
	for _, scheme := range []string{"moqt", "https"} {
		t.Run(scheme, func(t *testing.T) {
			name := moqt.Track("live", scheme)
			w := testkit.Must(mux.PublishTrack(t.Context(), name))(t)
			s := testkit.Must(moqt.Dial(t.Context(), fmt.Sprintf("%s://%v/moq", scheme, l.Addr()), &moqt.Dialer{TLS: clientTLS}))(t)
			defer s.Close()
			r := testkit.Must(s.Subscribe(t.Context(), name))(t)
			g := testkit.Must(w.OpenGroup(1))(t)
			put(t, g, 0, 500)
			testkit.NoErr(t, g.Close())
			in := testkit.Must(r.AcceptGroup(t.Context()))(t)
			want(t, in, 0, 500)
			wantEnd(t, in, io.EOF)
			w.Close()
			_, err := r.AcceptGroup(t.Context())
			testkit.ErrIs(t, err, io.EOF)
			if stats := s.Stats(); !stats.Connected || stats.Transport == "" || stats.BytesReceived == 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
	testkit.NoErr(t, server.Shutdown(t.Context()))
	serving.Wait()
}

// TestListenAndServe until its context ends.
func TestListenAndServe(t *testing.T) {
	if err := (&moqt.Server{Addr: "localhost:0"}).ListenAndServe(t.Context()); err == nil {
		t.Error("it serves without a certificate")
	}
	serverTLS, _ := trust()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	s := &moqt.Server{Addr: "localhost:0", TLS: serverTLS}
	testkit.ErrIs(t, s.ListenAndServe(ctx), errEnough)
}
