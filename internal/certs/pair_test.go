package certs_test

import (
	"bytes"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
)

func TestLoadPairNamesTheFault(t *testing.T) {
	dir := t.TempDir()
	one := certs.Store{Dir: filepath.Join(dir, "one")}
	two := certs.Store{Dir: filepath.Join(dir, "two")}
	want := testkit.Must(one.Get(time.Now()))(t)
	testkit.Must(two.Get(time.Now()))(t)
	certOnly := filepath.Join(dir, "cert.pem")
	keyOnly := filepath.Join(dir, "key.pem")
	split(t, one.Path(), certOnly, keyOnly)
	empty := filepath.Join(dir, "empty.pem")
	testkit.NoErr(t, os.WriteFile(empty, nil, 0o600))
	huge := filepath.Join(dir, "huge.pem")
	testkit.NoErr(t, os.WriteFile(huge, make([]byte, 2<<20), 0o600))

	got := testkit.Must(certs.LoadPair(certOnly, keyOnly))(t)
	testkit.Equal(t, certs.Fingerprint(got), certs.Fingerprint(want))

	for _, row := range []struct{ name, cert, key, says string }{
		{"no certificate given", "", keyOnly, "no certificate file given"},
		{"no key given", certOnly, "", "no private key file given"},
		{"certificate missing", filepath.Join(dir, "nothing"), keyOnly, "does not exist"},
		{"key missing", certOnly, filepath.Join(dir, "nothing"), "private key file"},
		{"certificate empty", empty, keyOnly, "no CERTIFICATE block"},
		{"files swapped", keyOnly, certOnly, "no CERTIFICATE block"},
		{"key file holds a certificate", certOnly, certOnly, "no PRIVATE KEY block"},
		{"key of another certificate", certOnly, two.Path(), "do not work together"},
		{"huge", huge, keyOnly, "more than"},
		{"a directory", dir, keyOnly, "certificate file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := certs.LoadPair(row.cert, row.key)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("got %v, want an error that says %q", err, row.says)
			}
		})
	}
	_, err := certs.LoadPair(filepath.Join(dir, "nothing"), keyOnly)
	testkit.ErrIs(t, err, fs.ErrNotExist)
}

// split writes the certificate and the key of a store to files of their own.
func split(t *testing.T, store, certFile, keyFile string) {
	t.Helper()
	data := testkit.Must(os.ReadFile(store))(t)
	var cert, key bytes.Buffer
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			pem.Encode(&cert, block)
		} else {
			pem.Encode(&key, block)
		}
	}
	testkit.NoErr(t, os.WriteFile(certFile, cert.Bytes(), 0o600))
	testkit.NoErr(t, os.WriteFile(keyFile, key.Bytes(), 0o600))
}
