package certs_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestSelfSignedIsWhatBrowsersAcceptByFingerprint(t *testing.T) {
	now := time.Now()
	cert := testkit.Must(certs.SelfSigned(now))(t)
	key := cert.PrivateKey.(*ecdsa.PrivateKey)
	if key.Curve != elliptic.P256() {
		t.Fatalf("the key is on %s, want P-256", key.Params().Name)
	}
	life := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore)
	if life > 14*24*time.Hour {
		t.Fatalf("the certificate is valid for %v, more than 14 days", life)
	}
	if now.Before(cert.Leaf.NotBefore) {
		t.Fatalf("the certificate is valid only from %v", cert.Leaf.NotBefore)
	}
	for _, host := range certs.DefaultHosts() {
		testkit.NoErr(t, cert.Leaf.VerifyHostname(host))
	}
	other := testkit.Must(certs.SelfSigned(now))(t)
	if certs.Fingerprint(cert) == certs.Fingerprint(other) {
		t.Fatal("two certificates have one fingerprint")
	}
	testkit.Equal(t, certs.Fingerprint(tls.Certificate{}), [32]byte{})
}

func TestPinFaultSaysWhatBrowsersDoNotTake(t *testing.T) {
	ecKey := testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	rsaKey := testkit.Must(rsa.GenerateKey(rand.Reader, 2048))(t)
	for _, row := range []struct {
		name string
		key  crypto.Signer
		life time.Duration
		want string
	}{
		{"14 days", ecKey, 14 * 24 * time.Hour, ""},
		{"longer", ecKey, 30 * 24 * time.Hour, "it is valid for 30 days, more than 14"},
		{"RSA", rsaKey, time.Hour, "its key is RSA, not ECDSA"},
	} {
		t.Run(row.name, func(t *testing.T) {
			now := time.Now()
			template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(row.life)}
			der := testkit.Must(x509.CreateCertificate(rand.Reader, template, template, row.key.Public(), row.key))(t)
			testkit.Equal(t, certs.PinFault(tls.Certificate{Certificate: [][]byte{der}}), row.want)
		})
	}
	own := testkit.Must(certs.SelfSigned(time.Now()))(t)
	testkit.Equal(t, certs.PinFault(own), "")
	testkit.Equal(t, certs.PinFault(tls.Certificate{}), "it cannot be read")

	spki := sha256.Sum256(testkit.Must(x509.MarshalPKIXPublicKey(own.Leaf.PublicKey))(t))
	testkit.Equal(t, certs.SPKIHash(own), base64.StdEncoding.EncodeToString(spki[:]))
	testkit.Equal(t, certs.SPKIHash(tls.Certificate{}), "")
}

func TestStoreKeepsAndRenews(t *testing.T) {
	store := certs.Store{Dir: filepath.Join(t.TempDir(), "new", "oxymoq")}
	now := time.Now()
	first := testkit.Must(store.Get(now))(t)
	info := testkit.Must(os.Stat(store.Path()))(t)
	testkit.Equal(t, info.Mode().Perm(), os.FileMode(0o600))

	get := func(now time.Time, hosts ...string) [32]byte {
		t.Helper()
		return certs.Fingerprint(testkit.Must(store.Get(now, hosts...))(t))
	}
	old := certs.Fingerprint(first)
	testkit.Equal(t, get(now), old)
	testkit.Equal(t, get(now.Add(10*24*time.Hour)), old)

	renewed := get(now.Add(11*24*time.Hour + time.Hour))
	if renewed == old {
		t.Fatal("a certificate with less than two days left was kept")
	}
	if get(now.Add(11*24*time.Hour), "elsewhere.example") == renewed {
		t.Fatal("a certificate without the wanted host was kept")
	}
	if get(now.Add(-100*24*time.Hour)) == renewed {
		t.Fatal("a certificate of the future was kept")
	}
	testkit.NoErr(t, os.WriteFile(store.Path(), []byte("garbage"), 0o600))
	get(now)
	entries := testkit.Must(os.ReadDir(store.Dir))(t)
	testkit.Equal(t, len(entries), 1)
}

func TestStoreSaysWhyItCannotKeep(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	testkit.NoErr(t, os.WriteFile(file, nil, 0o600))
	_, err := certs.Store{Dir: filepath.Join(file, "oxymoq")}.Get(time.Now())
	if err == nil {
		t.Fatal("a store below a file worked")
	}
}

func TestUserStoreIsInTheConfigurationDirectory(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/somewhere")
	store := testkit.Must(certs.UserStore())(t)
	testkit.Equal(t, store.Path(), "/somewhere/oxymoq/development.pem")
}

func TestSourceSwaps(t *testing.T) {
	var empty certs.Source
	if _, err := empty.GetCertificate(nil); err == nil {
		t.Fatal("an empty source gave a certificate")
	}
	testkit.Equal(t, len(empty.Current().Certificate), 0)
	a := testkit.Must(certs.SelfSigned(time.Now(), "a"))(t)
	b := testkit.Must(certs.SelfSigned(time.Now(), "b"))(t)
	s := certs.NewSource(a)
	got := testkit.Must(s.GetCertificate(nil))(t)
	testkit.Equal(t, certs.Fingerprint(*got), certs.Fingerprint(a))
	s.Set(b)
	testkit.Equal(t, certs.Fingerprint(s.Current()), certs.Fingerprint(b))
}

func TestExpirySpeaksUp(t *testing.T) {
	now := time.Now()
	cert := testkit.Must(certs.SelfSigned(now))(t)
	for _, row := range []struct {
		name string
		at   time.Time
		warn bool
	}{
		{"fresh", now, false},
		{"not valid yet", now.Add(-2 * time.Hour), true},
		{"expires tomorrow", now.Add(12 * 24 * time.Hour), true},
		{"expired", now.Add(14 * 24 * time.Hour), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			testkit.Equal(t, certs.Expiry(cert, row.at) != "", row.warn)
			cert.Leaf = nil // as from tls.X509KeyPair with GODEBUG=x509keypairleaf=0
			testkit.Equal(t, certs.Expiry(cert, row.at) != "", row.warn)
		})
	}
	testkit.Equal(t, certs.Expiry(tls.Certificate{}, now) != "", true)
}
