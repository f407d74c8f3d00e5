package website

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Serve answers every request on a UDP port of this machine with the status and
// the text, until the test ends. settings are those of HTTP/3 besides the usual.
// It returns the address.
func Serve(tb testing.TB, cert tls.Certificate, settings map[uint64]uint64, status int, text string) string {
	tb.Helper()
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	server := &http3.Server{
		TLSConfig:          http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}}),
		QUICConfig:         &quic.Config{EnableDatagrams: true},
		EnableDatagrams:    true,
		AdditionalSettings: settings,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text) // who left does not read it
		}),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(pc) // it ends when it is closed
	}()
	tb.Cleanup(func() {
		server.Close()
		pc.Close()
		<-ended
	})
	return pc.LocalAddr().String()
}
