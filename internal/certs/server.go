package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// ServerSource returns the certificate that a server shows: the pair of files
// if both are named, else the user's development certificate, or one for this
// run only if that cannot be kept. what says which, for the log.
func ServerSource(certFile, keyFile string, now time.Time) (source *Source, what string, err error) {
	switch {
	case certFile != "" && keyFile != "":
		cert, err := LoadPair(certFile, keyFile)
		if err != nil {
			return nil, "", err
		}
		return NewSource(cert), "certificate " + certFile + ", " + Expiry(cert, now), nil
	case certFile != "" || keyFile != "":
		return nil, "", errors.New("a certificate needs its key: give both -cert and -key, or neither for a development certificate")
	}
	store, err := UserStore()
	var cert tls.Certificate
	if err == nil {
		cert, err = store.Get(now)
	}
	what = "development certificate " + store.Path()
	if err != nil { // read-only home, no home: good enough for this run
		if cert, err = SelfSigned(now, DefaultHosts()...); err != nil {
			return nil, "", fmt.Errorf("make a development certificate: %w", err)
		}
		what = "development certificate for this run only"
	}
	return NewSource(cert), fmt.Sprintf("%s, SHA-256 %x", what, Fingerprint(cert)), nil
}
