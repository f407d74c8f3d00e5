package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// ServerSource returns the certificate that a server shows: the pair of files
// if both are named, else the user's development certificate, or one for this
// run only if that cannot be kept. what says which, for the log. Keep follows
// the files and renews the development certificate.
func ServerSource(certFile, keyFile string, now time.Time) (source *Source, what string, err error) {
	switch {
	case certFile != "" && keyFile != "":
		files := &pairFiles{cert: certFile, key: keyFile}
		cert, err := files.look(now, tls.Certificate{})
		if err != nil {
			return nil, "", err
		}
		source = NewSource(cert)
		source.origin = files
		return source, files.name(), nil
	case certFile != "" || keyFile != "":
		return nil, "", errors.New("a certificate needs its key: give both -cert and -key, or neither for a development certificate")
	}
	dev := new(kept)
	var cert tls.Certificate
	if dev.store, err = UserStore(); err == nil {
		cert, err = dev.store.Get(now)
	}
	if err != nil { // read-only home, no home: good enough for this run
		dev.private, dev.retry = true, now.Add(retryStore)
		if cert, err = SelfSigned(now, DefaultHosts()...); err != nil {
			return nil, "", fmt.Errorf("make a development certificate: %w", err)
		}
	}
	source = NewSource(cert)
	source.origin = dev
	return source, dev.name(), nil
}

// Development reports whether the Source has the certificate that a server
// makes for itself.
func (s *Source) Development() bool {
	_, made := s.origin.(*kept)
	return made
}
