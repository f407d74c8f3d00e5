package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// LocalCertificate is where a checkout keeps its certificate. It is trusted
// towards loopback.
const LocalCertificate = "./certs/certificate.pem"

// ClientOptions say what a client trusts. At most one of Insecure, Fingerprint
// and CAFile takes effect, in this order.
type ClientOptions struct {
	// Host is the name or address that the client connects to.
	Host string
	// Insecure accepts any certificate.
	Insecure bool
	// Fingerprint is the SHA-256 of the only certificate to accept, in hex,
	// with or without colons. Its names are not checked, its dates are.
	Fingerprint string
	// CAFile holds the only certificates to trust, in PEM.
	CAFile string
}

// ClientConfig returns the TLS configuration for o and, if it trusts more than
// the system does, a sentence that says so, for the user to see. The caller
// sets NextProtos.
//
// Without options the system's authorities decide. Towards loopback
// ("localhost", 127.0.0.0/8, ::1) LocalCertificate and the user's development
// certificate are trusted too: whoever could put another server there owns the
// machine already. Files are read at every handshake, since certificates are
// renewed while clients run. A server that is not trusted makes the handshake
// fail with an *UntrustedError.
func ClientConfig(o ClientOptions) (conf *tls.Config, note string, err error) {
	host := strings.TrimSuffix(strings.TrimPrefix(o.Host, "["), "]")
	conf = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}
	if o.Insecure {
		return conf, "the server's certificate is not verified", nil
	}
	check := func(chain []*x509.Certificate) error { return verify(chain, host, nil) }
	switch {
	case o.Fingerprint != "":
		want, err := parseFingerprint(o.Fingerprint)
		if err != nil {
			return nil, "", err
		}
		check = func(chain []*x509.Certificate) error { return checkFingerprint(chain[0], want) }
	case o.CAFile != "":
		if _, err := readCertificates(o.CAFile); err != nil {
			return nil, "", err
		}
		check = func(chain []*x509.Certificate) error {
			found, err := readCertificates(o.CAFile)
			if err != nil {
				return err
			}
			return verify(chain, host, poolOf(found))
		}
	case IsLoopback(host):
		check = func(chain []*x509.Certificate) error { return verifyLocal(chain, host) }
		if _, files := localCertificates(); len(files) > 0 {
			note = fmt.Sprintf("trusting %s towards %s, which is this machine", strings.Join(files, " and "), host)
		}
	}
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return &UntrustedError{Host: host, Reason: errors.New("there is none")}
		}
		if err := check(s.PeerCertificates); err != nil {
			return &UntrustedError{Host: host, Reason: err, Fingerprint: sha256.Sum256(s.PeerCertificates[0].Raw)}
		}
		return nil
	}
	return conf, note, nil
}

// UntrustedError says that a server's certificate is not trusted, and what to
// do about it.
type UntrustedError struct {
	Host   string
	Reason error
	// Fingerprint is the SHA-256 of the certificate.
	Fingerprint [sha256.Size]byte
}

// Error is one sentence without its full stop.
func (e *UntrustedError) Error() string {
	return fmt.Sprintf("the certificate of %s is not trusted (%s); trust it with -fingerprint %x, its authority with -ca FILE, or anything with -insecure",
		e.Host, strings.TrimPrefix(e.Reason.Error(), "x509: "), e.Fingerprint)
}

// Unwrap returns the reason.
func (e *UntrustedError) Unwrap() error { return e.Reason }

// IsLoopback reports whether host names this machine: "localhost", a name
// below it, 127.0.0.0/8 or ::1, with or without brackets.
func IsLoopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// localCertificates returns the certificates of development, if there are any,
// and the files that have them.
func localCertificates() (trusted []*x509.Certificate, files []string) {
	places := []string{LocalCertificate}
	if store, err := UserStore(); err == nil {
		places = append(places, store.Path())
	}
	for _, file := range places {
		// One that is missing or broken is simply not trusted.
		if found, err := readCertificates(file); err == nil {
			trusted = append(trusted, found...)
			files = append(files, file)
		}
	}
	return trusted, files
}

// verifyLocal accepts a certificate that is among those of development whatever
// names it has, since older tools make them without; others must verify as
// usual, or be signed by one of them.
func verifyLocal(chain []*x509.Certificate, host string) error {
	trusted, _ := localCertificates()
	if slices.ContainsFunc(trusted, chain[0].Equal) {
		return checkDates(chain[0])
	}
	err := verify(chain, host, nil)
	if err != nil && len(trusted) > 0 && verify(chain, host, poolOf(trusted)) == nil {
		return nil
	}
	return err
}

// verify checks a chain for host; nil roots are those of the system.
func verify(chain []*x509.Certificate, host string, roots *x509.CertPool) error {
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: poolOf(chain[1:])})
	return err
}

func poolOf(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool
}

// ErrOther is the reason of an UntrustedError if a server shows another
// certificate than the one that was pinned by its fingerprint.
var ErrOther = errors.New("it is not the one whose fingerprint was given")

func checkFingerprint(leaf *x509.Certificate, want [sha256.Size]byte) error {
	if sha256.Sum256(leaf.Raw) != want {
		return ErrOther
	}
	return checkDates(leaf)
}

func checkDates(leaf *x509.Certificate) error {
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return x509.CertificateInvalidError{
			Cert: leaf, Reason: x509.Expired,
			Detail: fmt.Sprintf("it is valid from %s to %s", leaf.NotBefore.Format(time.DateTime), leaf.NotAfter.Format(time.DateTime)),
		}
	}
	return nil
}

func parseFingerprint(s string) (f [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(s), ":", ""))
	if err != nil || len(b) != len(f) {
		return f, fmt.Errorf("the fingerprint %q is not a SHA-256 in hex (64 digits)", s)
	}
	return [sha256.Size]byte(b), nil
}

// readCertificates reads all certificates of a PEM file.
func readCertificates(file string) ([]*x509.Certificate, error) {
	data, err := readPEM(file, "certificate")
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(bytes.TrimSpace(data)); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate file %s: %w", file, err)
		}
		found = append(found, c)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("certificate file %s holds no CERTIFICATE block", file)
	}
	return found, nil
}
