package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// checkEvery is how often Keep looks for another certificate.
const checkEvery = 2 * time.Second

// Source hands a server's certificate to TLS and can be given another one
// while the server runs. It is safe for use from many goroutines.
type Source struct {
	cert   atomic.Pointer[tls.Certificate]
	origin origin // nil: nobody but Set changes the certificate
}

// origin is where a Source has its certificate from.
type origin interface {
	// look returns the certificate to use from now on, which may be current.
	// Keep alone calls it.
	look(now time.Time, current tls.Certificate) (tls.Certificate, error)
	// name says where that is.
	name() string
}

// NewSource returns a Source of cert.
func NewSource(cert tls.Certificate) *Source {
	s := new(Source)
	s.Set(cert)
	return s
}

// Set makes handshakes from now on use cert.
func (s *Source) Set(cert tls.Certificate) { s.cert.Store(&cert) }

// Current returns the certificate in use, or an empty one.
func (s *Source) Current() tls.Certificate {
	if c := s.cert.Load(); c != nil {
		return *c
	}
	return tls.Certificate{}
}

// GetCertificate is for tls.Config.
func (s *Source) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := s.cert.Load(); c != nil {
		return c, nil
	}
	return nil, errors.New("no certificate set")
}

// Keep looks every two seconds whether there is another certificate, until ctx
// ends: files that changed are read again, a development certificate is
// replaced two days before it expires or when another server has replaced it.
// While something is wrong, the certificate in use stays, and log is told once
// why.
func (s *Source) Keep(ctx context.Context, log *slog.Logger) {
	if s.origin == nil {
		return
	}
	t := time.NewTicker(checkEvery)
	defer t.Stop()
	var doubt, said string
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now, current := time.Now(), s.Current()
		cert, err := s.origin.look(now, current)
		if err != nil {
			// Files are replaced one after the other: only what is wrong twice
			// is worth a word.
			if err.Error() == doubt && doubt != said {
				said = doubt
				log.Warn("the certificate in use stays: " + said)
			}
			doubt = err.Error()
			continue
		}
		if doubt = ""; !sameChain(cert, current) {
			s.Set(cert)
			log.Info(fmt.Sprintf("serving with another certificate now: %s, SHA-256 %x", s.origin.name(), Fingerprint(cert)))
			said = ""
		}
		if e := Expiry(cert, now); e != said {
			if said = e; e != "" {
				log.Warn(e)
			}
		}
	}
}

func sameChain(a, b tls.Certificate) bool {
	return slices.EqualFunc(a.Certificate, b.Certificate, bytes.Equal)
}
