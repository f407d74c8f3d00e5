package certs_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
)

// diary is a log that can be read while it is written.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *diary) lines(level string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []string
	for line := range strings.Lines(d.b.String()) {
		if strings.Contains(line, "level="+level) {
			found = append(found, line)
		}
	}
	return found
}

// keep runs Source.Keep until the test ends.
func keep(t *testing.T, s *certs.Source) *diary {
	t.Helper()
	d := new(diary)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Keep(ctx, slog.New(slog.NewTextHandler(d, nil)))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return d
}

// soon is more than Keep needs to notice a change, and to complain.
const soon = 10 * time.Second

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const day = 24 * time.Hour

// atAge puts a certificate into the user's store that was made so long ago.
func atAge(t *testing.T, age time.Duration) (certs.Store, [32]byte) {
	t.Helper()
	store := testkit.Must(certs.UserStore())(t)
	cert := testkit.Must(store.Get(time.Now().Add(-age)))(t)
	return store, certs.Fingerprint(cert)
}

func serverSource(t *testing.T, cert, key string) *certs.Source {
	t.Helper()
	s, _, err := certs.ServerSource(cert, key, time.Now())
	testkit.NoErr(t, err)
	return s
}

func shown(s *certs.Source) [32]byte { return certs.Fingerprint(s.Current()) }

func TestDevelopmentCertificateIsRenewedInTime(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		store, old := atAge(t, 11*day-time.Hour-2*time.Minute)
		one, two := serverSource(t, "", ""), serverSource(t, "", "")
		testkit.Equal(t, one.Development(), true)
		log := keep(t, one)
		keep(t, two)
		pass(time.Minute)
		testkit.Equal(t, shown(one), old)
		pass(2 * time.Minute) // from here on it has less than two days left
		if shown(one) == old {
			t.Fatal("the certificate was not renewed")
		}
		testkit.Equal(t, shown(two), shown(one))
		testkit.Equal(t, certs.Fingerprint(testkit.Must(store.Get(time.Now()))(t)), shown(one))
		testkit.Equal(t, certs.Expiry(one.Current(), time.Now().Add(10*day)), "")
		testkit.Equal(t, len(log.lines("WARN")), 0)
		pass(time.Minute)
		if n := len(log.lines("INFO")); n == 0 || n > 2 { // its own, and that of the other server
			t.Fatalf("the log has %d lines on the renewal:\n%s", n, log.b.String())
		}
	})
}

func TestAnotherServerReplacesTheDevelopmentCertificate(t *testing.T) {
	alone(t)
	synctest.Test(t, func(t *testing.T) {
		store, old := atAge(t, 0)
		s := serverSource(t, "", "")
		keep(t, s)
		newer := certs.Fingerprint(testkit.Must(store.Get(time.Now(), "elsewhere.example", "localhost", "127.0.0.1", "::1"))(t))
		pass(soon)
		testkit.Equal(t, shown(s), newer)
		if newer == old {
			t.Fatal("the certificate was not replaced")
		}
		// A store that was emptied gets the certificate in use.
		testkit.NoErr(t, os.Remove(store.Path()))
		pass(soon)
		testkit.Equal(t, shown(s), newer)
		testkit.Equal(t, certs.Fingerprint(testkit.Must(certs.LoadPair(store.Path(), store.Path()))(t)), newer)
	})
}

func TestWithoutAStoreTheCertificateIsRenewedInMemory(t *testing.T) {
	dir := alone(t)
	block := filepath.Join(dir, "block")
	testkit.NoErr(t, os.WriteFile(block, nil, 0o600))
	t.Setenv("XDG_CONFIG_HOME", block) // a file, where no directory can be made
	synctest.Test(t, func(t *testing.T) {
		s, what, err := certs.ServerSource("", "", time.Now().Add(-11*day))
		testkit.NoErr(t, err)
		testkit.Equal(t, what, "development certificate for this run only")
		old := shown(s)
		log := keep(t, s)
		pass(soon)
		if shown(s) == old {
			t.Fatal("the certificate was not renewed")
		}
		testkit.Equal(t, len(log.lines("INFO")), 1)
		kept := shown(s)
		// When there is a place for it, it goes there.
		testkit.NoErr(t, os.Remove(block))
		pass(10 * time.Minute)
		testkit.Equal(t, shown(s), kept)
		testkit.Equal(t, certs.Fingerprint(testkit.Must(testkit.Must(certs.UserStore())(t).Get(time.Now()))(t)), kept)
	})
}

func TestWithoutAHomeNothingIsReadFromTheWorkingDirectory(t *testing.T) {
	dir := alone(t)
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	synctest.Test(t, func(t *testing.T) {
		testkit.Must(certs.Store{Dir: dir}.Get(time.Now()))(t)
		s := serverSource(t, "", "")
		first := shown(s)
		keep(t, s)
		pass(soon)
		testkit.Equal(t, shown(s), first)
	})
}

func writeBoth(t *testing.T, certFile, keyFile string, cert tls.Certificate) {
	t.Helper()
	testkit.NoErr(t, certs.WritePair(cert, certFile, keyFile))
}

func TestFilesAreReadAgain(t *testing.T) {
	dir := alone(t)
	certFile, keyFile := filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "certificate.key")
	synctest.Test(t, func(t *testing.T) {
		made := func(age time.Duration) tls.Certificate {
			return testkit.Must(certs.SelfSigned(time.Now().Add(-age), "localhost"))(t)
		}
		sum := certs.Fingerprint
		first, second, third := made(0), made(0), made(0)
		writeBoth(t, certFile, keyFile, first)
		s := serverSource(t, certFile, keyFile)
		testkit.Equal(t, s.Development(), false)
		log := keep(t, s)
		warnings := 0
		stays := func(cert tls.Certificate, says string) {
			t.Helper()
			pass(10 * time.Minute)
			testkit.Equal(t, shown(s), sum(cert))
			warnings++
			lines := log.lines("WARN")
			testkit.Equal(t, len(lines), warnings)
			if last := lines[len(lines)-1]; !strings.Contains(last, says) {
				t.Fatalf("the log says %q, not %q", last, says)
			}
		}

		writeBoth(t, certFile, keyFile, second)
		pass(soon)
		testkit.Equal(t, shown(s), sum(second))
		testkit.Equal(t, len(log.lines("WARN")), 0)

		// Half a pair for a moment, as while a script writes them.
		whole := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: third.Certificate[0]})
		testkit.NoErr(t, os.WriteFile(certFile, whole[:len(whole)/2], 0o600))
		pass(2 * time.Second)
		testkit.NoErr(t, os.WriteFile(certFile, whole, 0o600))
		pass(2 * time.Second)
		testkit.Equal(t, shown(s), sum(second))
		testkit.Equal(t, len(log.lines("WARN")), 0)
		stays(second, "do not work together")
		writeBoth(t, certFile, keyFile, third)
		pass(soon)
		testkit.Equal(t, shown(s), sum(third))

		testkit.NoErr(t, os.WriteFile(certFile, whole[:len(whole)/2], 0o600))
		stays(third, "no CERTIFICATE block")
		testkit.NoErr(t, os.Remove(certFile))
		stays(third, "does not exist")
		writeBoth(t, certFile, keyFile, made(30*day))
		stays(third, "expired on")

		// A certificate in files is not ours to renew: it is said in time.
		aged := made(13*day - 90*time.Minute) // it has half an hour left
		writeBoth(t, certFile, keyFile, aged)
		stays(aged, "the certificate expires on")
		pass(30 * time.Minute)
		stays(aged, "the certificate expired on")
	})
}

func TestASourceWithoutOriginIsLeftAlone(t *testing.T) {
	cert := testkit.Must(certs.SelfSigned(time.Now(), "localhost"))(t)
	s := certs.NewSource(cert)
	s.Keep(t.Context(), slog.New(slog.DiscardHandler)) // returns at once
	testkit.Equal(t, shown(s), certs.Fingerprint(cert))
	testkit.Equal(t, s.Development(), false)
}
