package main

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/admin"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/relay"
)

const readToken, controlToken = "a token for reading", "0123456789abcdef"

// api is an admin API that the flags describe.
type api struct {
	*adminServer
	said, log *strings.Builder
}

// openAPI opens the API with the arguments and serves a relay there.
func openAPI(t *testing.T, args ...string) (*api, error) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	var f flags
	a := &api{said: new(strings.Builder), log: new(strings.Builder)}
	var opened error
	f.program().Exec(t.Context(), &cli.Env{Out: io.Discard, Err: io.Discard}, args, func(string) (string, bool) { return "", false },
		func(context.Context, *cli.Env) error {
			env := &cli.Env{Err: a.said, Log: slog.New(slog.NewTextHandler(a.log, nil)), Levels: new(cli.Levels)}
			if a.adminServer, opened = f.admin.server(env); opened == nil {
				opened = a.open(&net.UDPAddr{Port: 4433})
			}
			return opened
		})
	if opened != nil {
		return nil, opened
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	r := relay.New(relay.Config{Identity: observe.Identity{Name: "test"}})
	go func() {
		defer close(ended)
		a.serve(ctx, admin.Config{Source: r, Control: r, Levels: logLevels{a.env.Levels}, Tracks: f.admin.tracks})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		r.Wait()
	})
	a.explain()
	return a, nil
}

// status asks the n-th address for a path.
func (a *api) status(t *testing.T, n int, method, path, token string, conf *tls.Config) int {
	t.Helper()
	ln := a.listeners[n]
	scheme := "http"
	if a.tls != nil {
		scheme = "https"
	}
	transport := &http.Transport{TLSClientConfig: conf, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, ln.Addr().Network(), ln.Addr().String())
	}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, scheme+"://localhost"+path, nil)
	testkit.NoErr(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	testkit.NoErr(t, err)
	return resp.StatusCode
}

func writeFile(t *testing.T, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	testkit.NoErr(t, os.WriteFile(path, []byte(content), mode))
	testkit.NoErr(t, os.Chmod(path, mode))
	return path
}

func tokenFile(t *testing.T, mode os.FileMode) string {
	return writeFile(t, "tokens", "read "+strings.ReplaceAll(readToken, " ", "-")+"\ncontrol "+controlToken+"\n", mode)
}

func TestTheSocketIsThereByDefault(t *testing.T) {
	a, err := openAPI(t)
	testkit.NoErr(t, err)
	want := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "oxymoq", "relay-4433.sock")
	testkit.Equal(t, a.said.String(), "The admin API is at unix:"+want+".\n")
	testkit.Equal(t, admin.Sockets(), []string{want})
	info := testkit.Must(os.Lstat(want))(t)
	testkit.Equal(t, info.Mode(), os.ModeSocket|0o600)
	testkit.Equal(t, a.status(t, 0, "POST", "/v1/drain", "", nil), http.StatusNoContent)
}

func TestNoAPI(t *testing.T) {
	a, err := openAPI(t, "-admin", "off")
	testkit.NoErr(t, err)
	testkit.Equal(t, len(a.listeners), 0)
	testkit.Equal(t, a.said.String(), "")
}

// TestWithoutAPlaceForTheSocket: the relay serves all the same, unless the socket was asked for.
func TestWithoutAPlaceForTheSocket(t *testing.T) {
	file := writeFile(t, "file", "", 0o600)
	for _, args := range [][]string{nil, {"-admin", "unix:" + file}} {
		a, err := openAPIAt(t, file, args...)
		if len(args) > 0 {
			if err == nil || !strings.Contains(err.Error(), "is there already and is no socket") {
				t.Errorf("error %v", err)
			}
			continue
		}
		testkit.NoErr(t, err)
		testkit.Equal(t, len(a.listeners), 0)
		testkit.Equal(t, strings.Contains(a.log.String(), "the admin API has no socket"), true)
	}
}

// openAPIAt is openAPI where sockets have no place.
func openAPIAt(t *testing.T, runtime string, args ...string) (*api, error) {
	t.Helper()
	var f flags
	a := &api{said: new(strings.Builder), log: new(strings.Builder)}
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	var err error
	f.program().Exec(t.Context(), &cli.Env{Out: io.Discard, Err: io.Discard}, args, func(string) (string, bool) { return "", false },
		func(context.Context, *cli.Env) error {
			a.adminServer, err = f.admin.server(&cli.Env{Err: a.said, Log: slog.New(slog.NewTextHandler(a.log, nil))})
			if err == nil {
				err = a.open(&net.UDPAddr{Port: 4433})
			}
			return err
		})
	return a, err
}

func TestWhoMayDoWhat(t *testing.T) {
	read := strings.ReplaceAll(readToken, " ", "-")
	for _, row := range []struct {
		name           string
		args           []string
		token          string
		state, changes int
	}{
		{"this machine", []string{"-admin", "0"}, "", 200, 403},
		{"this machine, by address", []string{"-admin", "127.0.0.1:0"}, "", 200, 403},
		{"no token", []string{"-admin", "0", "-admin_token", tokenFile(t, 0o600)}, "", 401, 401},
		{"a wrong token", []string{"-admin", "0", "-admin_token", tokenFile(t, 0o600)}, "wrong", 401, 401},
		{"a token for reading", []string{"-admin", "0", "-admin_token", tokenFile(t, 0o600)}, read, 200, 403},
		{"a token for everything", []string{"-admin", "0", "-admin_token", tokenFile(t, 0o600)}, controlToken, 200, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, err := openAPI(t, row.args...)
			testkit.NoErr(t, err)
			testkit.Equal(t, a.status(t, 0, "GET", "/v1/state", row.token, nil), row.state)
			testkit.Equal(t, a.status(t, 0, "GET", "/debug/pprof/cmdline", row.token, nil), row.changes)
			testkit.Equal(t, a.log.String(), "")
		})
	}
}

func TestSeveralAddresses(t *testing.T) {
	a, err := openAPI(t, "-admin", "auto,0", "-admin", "localhost:0")
	testkit.NoErr(t, err)
	testkit.Equal(t, len(a.listeners), 3)
	testkit.Equal(t, a.status(t, 0, "GET", "/debug/pprof/cmdline", "", nil), 200)
	testkit.Equal(t, a.status(t, 1, "GET", "/debug/pprof/cmdline", "", nil), 403)
	testkit.Equal(t, a.status(t, 2, "GET", "/v1/state", "", nil), 200)
}

func TestWarnings(t *testing.T) {
	for want, args := range map[string][]string{
		"other users of this machine can read the tokens": {"-admin", "0", "-admin_token", tokenFile(t, 0o644)},
		"in the clear": {"-admin", ":0", "-admin_token", tokenFile(t, 0o600)},
	} {
		a, err := openAPI(t, args...)
		testkit.NoErr(t, err)
		if !strings.Contains(a.log.String(), want) {
			t.Errorf("%v: the log %q does not say %q", args, a.log, want)
		}
	}
}

// pair writes a certificate and its key, and returns it too.
func pair(t *testing.T, name string) (cert, key string, c tls.Certificate) {
	t.Helper()
	c = testkit.Must(certs.SelfSigned(time.Now(), name))(t)
	der := testkit.Must(x509.MarshalPKCS8PrivateKey(c.PrivateKey))(t)
	cert = writeFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})), 0o600)
	return cert, writeFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600), c
}

// operator makes a certificate of a client, and writes it as the only authority.
func operator(t *testing.T) (ca string, c tls.Certificate) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	testkit.NoErr(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "operator"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der := testkit.Must(x509.CreateCertificate(nil, template, template, public, private))(t)
	ca = writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o600)
	return ca, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

func TestMutualTLS(t *testing.T) {
	cert, key, server := pair(t, "localhost")
	clientCA, client := operator(t)
	_, stranger := operator(t)
	trust := x509.NewCertPool()
	trust.AddCert(testkit.Must(x509.ParseCertificate(server.Certificate[0]))(t))
	as := func(c ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: trust, Certificates: c, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"}}
	}
	args := []string{"-admin", ":0", "-admin_cert", cert, "-admin_key", key, "-admin_client_ca", clientCA}

	a, err := openAPI(t, args...)
	testkit.NoErr(t, err)
	testkit.Equal(t, strings.HasPrefix(a.said.String(), "The admin API is at https://"), true)
	testkit.Equal(t, a.status(t, 0, "GET", "/debug/pprof/cmdline", "", as(client)), 200)
	testkit.Equal(t, a.status(t, 0, "GET", "/v1/state", "", as()), 0)
	testkit.Equal(t, a.status(t, 0, "GET", "/v1/state", "", as(stranger)), 0)

	both, err := openAPI(t, append(args, "-admin_token", tokenFile(t, 0o600))...)
	testkit.NoErr(t, err)
	testkit.Equal(t, both.status(t, 0, "GET", "/v1/state", "", as(client)), 401)
	testkit.Equal(t, both.status(t, 0, "GET", "/v1/state", controlToken, as(client)), 200)
	testkit.Equal(t, both.status(t, 0, "GET", "/v1/state", controlToken, as()), 0)
}

func TestFilesThatAreWrong(t *testing.T) {
	cert, key, _ := pair(t, "localhost")
	empty := writeFile(t, "empty", "", 0o600)
	for want, args := range map[string][]string{
		"-admin_token: ":                        {"-admin_token", empty + "x"},
		"there is no token":                     {"-admin_token", empty},
		"-admin_cert: ":                         {"-admin_cert", empty, "-admin_key", key},
		"has no certificate in PEM":             {"-admin_cert", cert, "-admin_key", key, "-admin_client_ca", empty},
		"-admin_client_ca: open":                {"-admin_cert", cert, "-admin_key", key, "-admin_client_ca", empty + "x"},
		"-admin 192.0.2.1:1: bind":              {"-admin", "192.0.2.1:1", "-admin_token", tokenFile(t, 0o600)},
		"-admin unix:/nowhere":                  {"-admin", "unix:/nowhere/relay.sock"},
		"-admin somewhere:here is neither auto": {"-admin", "somewhere:here"},
	} {
		_, err := openAPI(t, args...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", args, err, want)
		}
	}
}

func TestLogLevels(t *testing.T) {
	var all cli.Levels
	l := logLevels{&all}
	testkit.NoErr(t, l.SetLevel("WARN,session=DBG4"))
	testkit.Equal(t, l.Level(), "WARN,session=DBG4")
	if err := l.SetLevel("LOUD"); err == nil {
		t.Error("a level that is none was set")
	}
	if b, err := json.Marshal(admin.LogLevel{Level: l.Level()}); err != nil || string(b) != `{"level":"WARN,session=DBG4"}` {
		t.Errorf("%s, %v", b, err)
	}
}
