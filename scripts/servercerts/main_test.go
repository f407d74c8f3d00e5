package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
)

func execute(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	var dir string
	code = program(&dir).Exec(t.Context(), &cli.Env{Out: &o, Err: &e}, args, func(string) (string, bool) { return "", false },
		func(_ context.Context, env *cli.Env) error { return run(env, dir, time.Now()) })
	return code, o.String(), e.String()
}

func TestPair(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	certFile, keyFile, hashFile := filepath.Join(dir, certName), filepath.Join(dir, keyName), filepath.Join(dir, hashName)
	code, out, errs := execute(t, "-dir", dir, "relay.example", "192.0.2.7", "localhost")
	if code != cli.ExitDone || errs != "" {
		t.Fatalf("code %d: %s", code, errs)
	}
	cert, err := certs.LoadPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range append(certs.DefaultHosts(), "relay.example", "192.0.2.7") {
		if err := cert.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if f := certs.PinFault(cert); f != "" {
		t.Errorf("browsers do not take it: %s", f)
	}
	sum := certs.Fingerprint(cert)
	if !strings.Contains(out, hex.EncodeToString(sum[:])) {
		t.Errorf("the hash is not printed: %s", out)
	}
	if raw, err := os.ReadFile(hashFile); err != nil || string(raw) != string(sum[:]) {
		t.Errorf("the file of the hash holds %x, %v", raw, err)
	}
	for file, want := range map[string]os.FileMode{certFile: 0o644, keyFile: 0o600, hashFile: 0o644} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", file, got, want)
		}
	}

	code, _, errs = execute(t, "-dir", dir)
	if code != cli.ExitDone || !strings.Contains(errs, "replaced") {
		t.Errorf("code %d for the second time: %s", code, errs)
	}
	if again, err := certs.LoadPair(certFile, keyFile); err != nil || certs.Fingerprint(again) == sum {
		t.Errorf("the pair was not replaced: %v", err)
	}
	if raw, err := os.ReadFile(hashFile); err != nil || string(raw) == string(sum[:]) {
		t.Errorf("the hash of before stays: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

func TestRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-dir", file}, cli.ExitFailed, file},
		{[]string{"-dir", filepath.Join(file, "certs")}, cli.ExitFailed, "not a directory"},
		{[]string{"-dir", filepath.Dir(file), "no host"}, cli.ExitUsage, `"no host" is neither`},
		{[]string{"-dir", filepath.Dir(file), "https://relay.example"}, cli.ExitUsage, "neither a host name"},
		{[]string{"-dir", filepath.Dir(file), "*.*.example"}, cli.ExitUsage, "neither a host name"},
		{[]string{"-dri", file}, cli.ExitUsage, "did you mean -dir"},
	} {
		code, out, errs := execute(t, row.args...)
		if code != row.code || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, row.says) {
			t.Errorf("%q: code %d, %q, %q; want code %d and %q", row.args, code, out, errs, row.code, row.says)
		}
	}
}
