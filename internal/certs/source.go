package certs

import (
	"crypto/tls"
	"errors"
	"sync/atomic"
)

// Source hands a server's certificate to TLS and can be given another one
// while the server runs. It is safe for use from many goroutines.
type Source struct {
	cert atomic.Pointer[tls.Certificate]
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
