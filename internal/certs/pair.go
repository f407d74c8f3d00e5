package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// maxPEM is the largest PEM file that is read.
const maxPEM = 1 << 20

// LoadPair reads a certificate chain and its private key from PEM files. The
// errors say which file is wrong and how. It does not look at the dates; see
// Expiry.
func LoadPair(certFile, keyFile string) (tls.Certificate, error) {
	certPEM, keyPEM, err := readPair(certFile, keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return parsePair(certFile, keyFile, certPEM, keyPEM)
}

func readPair(certFile, keyFile string) (certPEM, keyPEM []byte, err error) {
	if certPEM, err = readPEM(certFile, "certificate"); err != nil {
		return nil, nil, err
	}
	if keyPEM, err = readPEM(keyFile, "private key"); err != nil {
		return nil, nil, err
	}
	return certPEM, keyPEM, nil
}

// parsePair is LoadPair for what the files hold.
func parsePair(certFile, keyFile string, certPEM, keyPEM []byte) (tls.Certificate, error) {
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

// WritePair writes a certificate and its private key to two PEM files, the key
// readable for the user only. Each file is replaced in one step, so that no
// reader sees half of one; a reader may see the new key with the old
// certificate for a moment.
func WritePair(cert tls.Certificate, certFile, keyFile string) error {
	certPEM, keyPEM, err := encodePair(cert)
	if err != nil {
		return err
	}
	if err := replaceFile(keyFile, keyPEM, 0o600); err != nil {
		return fmt.Errorf("write the private key: %w", err)
	}
	if err := replaceFile(certFile, certPEM, 0o644); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return nil
}

// WriteFingerprint writes the 32 bytes of a certificate's Fingerprint to a file,
// replacing it in one step. Pages of moq-encoder-player fetch such a file from
// their own server.
func WriteFingerprint(cert tls.Certificate, file string) error {
	sum := Fingerprint(cert)
	if err := replaceFile(file, sum[:], 0o644); err != nil {
		return fmt.Errorf("write the fingerprint: %w", err)
	}
	return nil
}

func encodePair(cert tls.Certificate) (certPEM, keyPEM []byte, err error) {
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	for _, der := range cert.Certificate {
		certPEM = append(certPEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), nil
}

// replaceFile gives a file other contents in one step.
func replaceFile(name string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if e := f.Chmod(mode); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
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

func validAt(cert tls.Certificate, now time.Time) bool {
	leaf, err := leafOf(cert)
	return err == nil && !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter)
}
