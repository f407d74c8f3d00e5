package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"time"
)

// pairFiles is the origin of a certificate in files that somebody else writes.
type pairFiles struct {
	cert, key string
	seen      [sha256.Size]byte // of both files, when they were last good
}

func (p *pairFiles) name() string { return "certificate " + p.cert }

// look reads the files. They are small, and their contents tell better than
// their dates whether they changed.
func (p *pairFiles) look(now time.Time, current tls.Certificate) (tls.Certificate, error) {
	certPEM, keyPEM, err := readPair(p.cert, p.key)
	if err != nil {
		return current, err
	}
	contents := digest(certPEM, keyPEM)
	if contents == p.seen {
		return current, nil
	}
	cert, err := parsePair(p.cert, p.key, certPEM, keyPEM)
	if err != nil {
		return current, err
	}
	if validAt(current, now) && !validAt(cert, now) {
		return current, fmt.Errorf("%s is another one, but %s", p.cert, Expiry(cert, now))
	}
	p.seen = contents
	return cert, nil
}

func digest(a, b []byte) [sha256.Size]byte {
	x, y := sha256.Sum256(a), sha256.Sum256(b)
	return sha256.Sum256(append(x[:], y[:]...))
}

// kept is the origin of a development certificate.
type kept struct {
	store   Store     // without a directory if the user has no place for it
	retry   time.Time // when to try again to write to the store
	private bool      // the certificate is in memory only
}

// retryStore is how long a store that cannot be written to is left alone.
const retryStore = 5 * time.Minute

func (k *kept) name() string {
	if k.private {
		return "development certificate for this run only"
	}
	return "development certificate " + k.store.Path()
}

// look takes what is in the store, where another server may have renewed it. If
// there is nothing good, the certificate in use goes there, or a new one if
// that is old. The host name may be missing: servers of several machines with
// one home would replace each other's certificate without end.
func (k *kept) look(now time.Time, current tls.Certificate) (tls.Certificate, error) {
	if k.store.Dir != "" {
		if cert, err := LoadPair(k.store.Path(), k.store.Path()); err == nil && usable(cert, now, loopbackHosts) {
			k.private = false
			return cert, nil
		}
	}
	if !usable(current, now, loopbackHosts) {
		cert, err := SelfSigned(now, DefaultHosts()...)
		if err != nil {
			return current, fmt.Errorf("make a development certificate: %w", err)
		}
		current = cert
	}
	if k.store.Dir == "" || now.Before(k.retry) {
		k.private = true
		return current, nil
	}
	k.private = k.store.put(current) != nil
	if k.private {
		k.retry = now.Add(retryStore)
	}
	return current, nil
}
