package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"time"
)

const (
	// Validity is how long a self-signed certificate holds. Browsers accept
	// fingerprints only of certificates that are valid for at most 14 days
	// (W3C WebTransport, "custom certificate requirements").
	Validity = 13 * 24 * time.Hour
	// maxPinned is the longest validity of a certificate that browsers accept by
	// its fingerprint.
	maxPinned = 14 * 24 * time.Hour
	// clockSkew is how far a client's clock may be behind; it is part of
	// Validity.
	clockSkew = time.Hour
)

// loopbackHosts are the names of this machine that every machine has.
var loopbackHosts = []string{"localhost", "127.0.0.1", "::1"}

// DefaultHosts are the names and addresses by which this machine reaches
// itself: localhost, 127.0.0.1, ::1 and its host name if it has one.
func DefaultHosts() []string {
	hosts := slices.Clone(loopbackHosts)
	if name, err := os.Hostname(); err == nil && name != "" && !slices.Contains(hosts, name) {
		hosts = append(hosts, name)
	}
	return hosts
}

// SelfSigned makes a certificate that is valid from now for Validity, for the
// given names and IP addresses, or DefaultHosts if there are none.
func SelfSigned(now time.Time, hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		hosts = DefaultHosts()
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make serial number: %w", err)
	}
	from := now.Add(-clockSkew)
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: hosts[0], Organization: []string{"oxymoq development"}},
		NotBefore:    from,
		NotAfter:     from.Add(Validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// Fingerprint is the SHA-256 of the certificate's DER, as browsers want it in
// serverCertificateHashes. It is zero for an empty certificate.
func Fingerprint(cert tls.Certificate) [sha256.Size]byte {
	if len(cert.Certificate) == 0 {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(cert.Certificate[0])
}

// SPKIHash is the SHA-256 of the certificate's public key, in base64, as
// Chromium wants it in --ignore-certificate-errors-spki-list. It is "" for an
// empty certificate.
func SPKIHash(cert tls.Certificate) string {
	leaf, err := leafOf(cert)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// SelfIssued reports whether nobody else vouches for the certificate.
func SelfIssued(cert tls.Certificate) bool {
	leaf, err := leafOf(cert)
	return err == nil && bytes.Equal(leaf.RawIssuer, leaf.RawSubject)
}

// PinFault says why browsers will not accept the certificate by its
// fingerprint; "" if they will as far as it is concerned (W3C WebTransport,
// "custom certificate requirements").
func PinFault(cert tls.Certificate) string {
	leaf, err := leafOf(cert)
	switch {
	case err != nil:
		return "it cannot be read"
	case leaf.PublicKeyAlgorithm == x509.RSA:
		return "its key is RSA, not ECDSA"
	case leaf.NotAfter.Sub(leaf.NotBefore) > maxPinned:
		return fmt.Sprintf("it is valid for %.0f days, more than 14", leaf.NotAfter.Sub(leaf.NotBefore).Hours()/24)
	}
	return ""
}

// leafOf returns the parsed leaf.
func leafOf(cert tls.Certificate) (*x509.Certificate, error) {
	if cert.Leaf != nil {
		return cert.Leaf, nil
	}
	if len(cert.Certificate) == 0 {
		return nil, errors.New("no certificate")
	}
	return x509.ParseCertificate(cert.Certificate[0])
}
