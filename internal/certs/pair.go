package certs

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// maxPEM is the largest PEM file that is read.
const maxPEM = 1 << 20

// LoadPair reads a certificate chain and its private key from PEM files. The
// errors say which file is wrong and how. It does not look at the dates; see
// Expiry.
func LoadPair(certFile, keyFile string) (tls.Certificate, error) {
	certPEM, err := readPEM(certFile, "certificate")
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := readPEM(keyFile, "private key")
	if err != nil {
		return tls.Certificate{}, err
	}
	if !hasBlock(certPEM, "CERTIFICATE") {
		return tls.Certificate{}, fmt.Errorf("certificate file %s holds no CERTIFICATE block", certFile)
	}
	if !hasBlock(keyPEM, "PRIVATE KEY") {
		return tls.Certificate{}, fmt.Errorf("private key file %s holds no PRIVATE KEY block", keyFile)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate %s and key %s do not work together: %w", certFile, keyFile, err)
	}
	return cert, nil
}

// hasBlock reports whether data holds a PEM block whose type ends in suffix,
// as "EC PRIVATE KEY" ends in "PRIVATE KEY".
func hasBlock(data []byte, suffix string) bool {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return false
		}
		if bytes.HasSuffix([]byte(block.Type), []byte(suffix)) {
			return true
		}
	}
}

func readPEM(file, what string) ([]byte, error) {
	if file == "" {
		return nil, fmt.Errorf("no %s file given", what)
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s file %s does not exist: %w", what, file, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("%s file: %w", what, err)
	case info.Size() > maxPEM:
		return nil, fmt.Errorf("%s file %s has %d bytes, more than the %d that a PEM file may have", what, file, info.Size(), maxPEM)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s file: %w", what, err)
	}
	return b, nil
}

// Expiry returns a sentence to warn with if clients will not accept the
// certificate at now, or soon will not; otherwise "".
func Expiry(cert tls.Certificate, now time.Time) string {
	leaf, err := leafOf(cert)
	switch {
	case err != nil:
		return "the certificate cannot be read: " + err.Error()
	case now.Before(leaf.NotBefore):
		return "the certificate is valid only from " + leaf.NotBefore.Format(time.DateTime)
	case now.After(leaf.NotAfter):
		return "the certificate expired on " + leaf.NotAfter.Format(time.DateTime)
	case leaf.NotAfter.Sub(now) < renewBefore:
		return "the certificate expires on " + leaf.NotAfter.Format(time.DateTime)
	}
	return ""
}
