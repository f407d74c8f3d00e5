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
// machine already.
func ClientConfig(o ClientOptions) (conf *tls.Config, note string, err error) {
	host := strings.TrimSuffix(strings.TrimPrefix(o.Host, "["), "]")
	conf = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS13}
	switch {
	case o.Insecure:
		conf.InsecureSkipVerify = true
		return conf, "the server's certificate is not verified", nil
	case o.Fingerprint != "":
		want, err := parseFingerprint(o.Fingerprint)
		if err != nil {
			return nil, "", err
		}
		conf.InsecureSkipVerify = true // VerifyConnection does it
		conf.VerifyConnection = func(s tls.ConnectionState) error { return checkFingerprint(s, want) }
		return conf, "", nil
	case o.CAFile != "":
		found, err := readCertificates(o.CAFile)
		if err != nil {
			return nil, "", err
		}
		conf.RootCAs = x509.NewCertPool()
		for _, c := range found {
			conf.RootCAs.AddCert(c)
		}
		return conf, "", nil
	case IsLoopback(host):
		return conf, trustLocal(conf), nil
	}
	return conf, "", nil
}

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

// trustLocal makes conf accept the certificates of development, if there are
// any, and says so.
func trustLocal(conf *tls.Config) (note string) {
	files := []string{LocalCertificate}
	if store, err := UserStore(); err == nil {
		files = append(files, store.Path())
	}
	var trusted []*x509.Certificate
	var names []string
	for _, file := range files {
		// One that is missing or broken is simply not trusted.
		if found, err := readCertificates(file); err == nil {
			trusted = append(trusted, found...)
			names = append(names, file)
		}
	}
	if len(trusted) == 0 {
		return ""
	}
	conf.InsecureSkipVerify = true // VerifyConnection does it
	host := conf.ServerName        // the ConnectionState has none if it is an address
	conf.VerifyConnection = func(s tls.ConnectionState) error { return verifyLocal(s, host, trusted) }
	return fmt.Sprintf("trusting %s towards %s, which is this machine", strings.Join(names, " and "), host)
}

// verifyLocal accepts a certificate that is among trusted whatever names it
// has, since older tools make them without; others must verify as usual.
func verifyLocal(s tls.ConnectionState, host string, trusted []*x509.Certificate) error {
	leaf, err := peerLeaf(s)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(trusted, leaf.Equal) {
		return checkDates(leaf)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, c := range trusted {
		roots.AddCert(c)
	}
	intermediates := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: intermediates})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}

func checkFingerprint(s tls.ConnectionState, want [sha256.Size]byte) error {
	leaf, err := peerLeaf(s)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(leaf.Raw); got != want {
		return fmt.Errorf("the server's certificate has the fingerprint %x, not the one that was given", got)
	}
	return checkDates(leaf)
}

func peerLeaf(s tls.ConnectionState) (*x509.Certificate, error) {
	if len(s.PeerCertificates) == 0 {
		return nil, errors.New("the server sent no certificate")
	}
	return s.PeerCertificates[0], nil
}

func checkDates(leaf *x509.Certificate) error {
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return &tls.CertificateVerificationError{
			UnverifiedCertificates: []*x509.Certificate{leaf},
			Err: x509.CertificateInvalidError{
				Cert: leaf, Reason: x509.Expired,
				Detail: fmt.Sprintf("it is valid from %s to %s", leaf.NotBefore.Format(time.DateTime), leaf.NotAfter.Format(time.DateTime)),
			},
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
