package certs

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// StoreFile is the name of the development certificate in a Store.
	StoreFile = "development.pem"
	// renewBefore is the rest of its life at which the certificate is replaced.
	renewBefore = 48 * time.Hour
)

// Store keeps a development certificate in a directory. Certificate and key
// share a file, so that they are replaced together.
type Store struct {
	Dir string
}

// UserStore is the store of the user: the directory "oxymoq" in the user's
// configuration directory.
func UserStore() (Store, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return Store{}, fmt.Errorf("find the place for the development certificate: %w", err)
	}
	return Store{Dir: filepath.Join(dir, "oxymoq")}, nil
}

// Path is the file that holds the certificate.
func (s Store) Path() string { return filepath.Join(s.Dir, StoreFile) }

// Get returns the certificate for hosts (none: DefaultHosts). It makes a new
// one if there is none, if it cannot be read, if it has less than two days
// left at now, or if it lacks one of the hosts. The file is readable for the
// user only.
func (s Store) Get(now time.Time, hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		hosts = DefaultHosts()
	}
	if cert, err := LoadPair(s.Path(), s.Path()); err == nil && usable(cert, now, hosts) {
		return cert, nil
	}
	cert, err := SelfSigned(now, hosts...)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := s.put(cert); err != nil {
		return tls.Certificate{}, fmt.Errorf("keep the development certificate: %w", err)
	}
	return cert, nil
}

func usable(cert tls.Certificate, now time.Time, hosts []string) bool {
	leaf, err := leafOf(cert)
	if err != nil || now.Before(leaf.NotBefore) || leaf.NotAfter.Sub(now) < renewBefore {
		return false
	}
	return !slices.ContainsFunc(hosts, func(h string) bool {
		if ip := net.ParseIP(h); ip != nil {
			return !slices.ContainsFunc(leaf.IPAddresses, ip.Equal)
		}
		return !slices.Contains(leaf.DNSNames, h)
	})
}

// put replaces the file in one step.
func (s Store) put(cert tls.Certificate) error {
	certPEM, keyPEM, err := encodePair(cert)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	return replaceFile(s.Path(), append(keyPEM, certPEM...), 0o600)
}
