package certs_test

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
)

// handshake returns why a client with conf refuses a server with cert.
func handshake(t *testing.T, conf *tls.Config, cert tls.Certificate) error {
	t.Helper()
	// A socket, since both ends may write at once, which net.Pipe cannot.
	ln := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer ln.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
	}()
	conn := testkit.Must(net.Dial("tcp", ln.Addr().String()))(t)
	err := tls.Client(conn, conf).Handshake()
	conn.Close()
	<-done
	return err
}

// alone makes sure that no certificate of the machine is found.
func alone(t *testing.T) (dir string) {
	dir = t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	return dir
}

func writeCert(t *testing.T, path string, cert tls.Certificate) {
	t.Helper()
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	testkit.NoErr(t, os.MkdirAll(filepath.Dir(path), 0o755))
	testkit.NoErr(t, os.WriteFile(path, b.Bytes(), 0o644))
}

func TestClientTrust(t *testing.T) {
	now := time.Now()
	cert := testkit.Must(certs.SelfSigned(now, "localhost", "127.0.0.1", "relay.example"))(t)
	nameless := testkit.Must(certs.SelfSigned(now, "somewhere.else"))(t)
	expired := testkit.Must(certs.SelfSigned(now.Add(-30*24*time.Hour), "localhost"))(t)
	finger := func(c tls.Certificate) string { f := certs.Fingerprint(c); return hex.EncodeToString(f[:]) }
	colons := func(s string) string {
		var parts []string
		for i := 0; i < len(s); i += 2 {
			parts = append(parts, strings.ToUpper(s[i:i+2]))
		}
		return strings.Join(parts, ":")
	}
	const ca = "ca.pem"
	for _, row := range []struct {
		name   string
		o      certs.ClientOptions
		local  *tls.Certificate // in ./certs
		user   *tls.Certificate // in the user's store
		server tls.Certificate
		accept bool
		note   bool
	}{
		{"unknown is refused", certs.ClientOptions{Host: "localhost"}, nil, nil, cert, false, false},
		{"insecure takes all and says so", certs.ClientOptions{Host: "relay.example", Insecure: true}, nil, nil, expired, true, true},
		{"fingerprint", certs.ClientOptions{Host: "any.example", Fingerprint: finger(cert)}, nil, nil, cert, true, false},
		{"fingerprint with colons", certs.ClientOptions{Host: "any.example", Fingerprint: colons(finger(cert))}, nil, nil, cert, true, false},
		{"other fingerprint", certs.ClientOptions{Host: "localhost", Fingerprint: finger(nameless)}, &cert, nil, cert, false, false},
		{"fingerprint of an expired one", certs.ClientOptions{Host: "localhost", Fingerprint: finger(expired)}, nil, nil, expired, false, false},
		{"CA file", certs.ClientOptions{Host: "relay.example", CAFile: ca}, nil, nil, cert, true, false},
		{"CA file, wrong name", certs.ClientOptions{Host: "other.example", CAFile: ca}, nil, nil, cert, false, false},
		{"CA file, other certificate", certs.ClientOptions{Host: "localhost", CAFile: ca}, nil, nil, nameless, false, false},
		{"local certificate towards localhost", certs.ClientOptions{Host: "localhost"}, &cert, nil, cert, true, true},
		{"local certificate towards 127.0.0.1", certs.ClientOptions{Host: "127.0.0.1"}, &cert, nil, cert, true, true},
		{"local certificate without the name", certs.ClientOptions{Host: "[::1]"}, &nameless, nil, nameless, true, true},
		{"local certificate towards elsewhere", certs.ClientOptions{Host: "relay.example"}, &cert, nil, cert, false, false},
		{"another certificate on loopback", certs.ClientOptions{Host: "127.0.0.1"}, &nameless, nil, cert, false, true},
		{"expired local certificate", certs.ClientOptions{Host: "localhost"}, &expired, nil, expired, false, true},
		{"user's certificate", certs.ClientOptions{Host: "::1"}, nil, &cert, cert, true, true},
		{"both", certs.ClientOptions{Host: "127.8.9.1"}, &nameless, &cert, cert, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			alone(t)
			writeCert(t, ca, cert)
			if row.local != nil {
				writeCert(t, certs.LocalCertificate, *row.local)
			}
			if row.user != nil {
				writeCert(t, testkit.Must(certs.UserStore())(t).Path(), *row.user)
			}
			conf, note, err := certs.ClientConfig(row.o)
			testkit.NoErr(t, err)
			testkit.Equal(t, note != "", row.note)
			err = handshake(t, conf, row.server)
			if (err == nil) != row.accept {
				t.Fatalf("handshake: %v; want acceptance: %v", err, row.accept)
			}
		})
	}
}

func TestRefusalSaysWhatToDo(t *testing.T) {
	alone(t)
	now := time.Now()
	trusted := testkit.Must(certs.SelfSigned(now))(t)
	other := testkit.Must(certs.SelfSigned(now, "localhost"))(t)
	expired := testkit.Must(certs.SelfSigned(now.Add(-30*24*time.Hour), "localhost"))(t)
	writeCert(t, certs.LocalCertificate, trusted)
	writeCert(t, "ca.pem", trusted)
	sum := certs.Fingerprint(trusted)
	for _, row := range []struct {
		name   string
		o      certs.ClientOptions
		server tls.Certificate
		says   string
	}{
		{"no authority", certs.ClientOptions{Host: "relay.example"}, other, "the certificate of relay.example is not trusted"},
		{"local", certs.ClientOptions{Host: "localhost"}, other, "unknown authority"},
		{"expired", certs.ClientOptions{Host: "localhost"}, expired, "expired"},
		{"other authority", certs.ClientOptions{Host: "localhost", CAFile: "ca.pem"}, other, "unknown authority"},
		{"other name", certs.ClientOptions{Host: "relay.example", CAFile: "ca.pem"}, trusted, "not relay.example"},
		{"other fingerprint", certs.ClientOptions{Host: "localhost", Fingerprint: hex.EncodeToString(sum[:])}, other, "not the one whose fingerprint was given"},
	} {
		t.Run(row.name, func(t *testing.T) {
			conf, _, err := certs.ClientConfig(row.o)
			testkit.NoErr(t, err)
			e := testkit.ErrAs[*certs.UntrustedError](t, handshake(t, conf, row.server))
			testkit.Equal(t, e.Fingerprint, certs.Fingerprint(row.server))
			for _, want := range []string{row.says, "-fingerprint " + hex.EncodeToString(e.Fingerprint[:]), "-ca ", "-insecure"} {
				if !strings.Contains(e.Error(), want) || strings.Contains(e.Error(), "\n") {
					t.Errorf("%q does not say %q", e, want)
				}
			}
		})
	}
}

func TestRenewedCertificatesAreTrustedAtTheNextHandshake(t *testing.T) {
	alone(t)
	user := testkit.Must(certs.UserStore())(t).Path()
	local, notes, err := certs.ClientConfig(certs.ClientOptions{Host: "localhost"})
	testkit.NoErr(t, err)
	testkit.Equal(t, notes, "") // there is nothing yet
	first := testkit.Must(certs.SelfSigned(time.Now()))(t)
	writeCert(t, "ca.pem", first)
	authority, _, err := certs.ClientConfig(certs.ClientOptions{Host: "localhost", CAFile: "ca.pem"})
	testkit.NoErr(t, err)
	for range 3 {
		next := testkit.Must(certs.SelfSigned(time.Now()))(t)
		for _, conf := range []*tls.Config{local, authority} {
			testkit.ErrAs[*certs.UntrustedError](t, handshake(t, conf, next))
		}
		writeCert(t, user, next)
		writeCert(t, "ca.pem", next)
		for _, conf := range []*tls.Config{local, authority} {
			testkit.NoErr(t, handshake(t, conf, next))
		}
	}
}

func TestClientConfigRefusesWhatItCannotRead(t *testing.T) {
	dir := alone(t)
	junk := filepath.Join(dir, "junk.pem")
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: []byte("not a certificate")})
	testkit.NoErr(t, os.WriteFile(junk, b.Bytes(), 0o600))
	empty := filepath.Join(dir, "empty.pem")
	testkit.NoErr(t, os.WriteFile(empty, nil, 0o600))
	for _, o := range []certs.ClientOptions{
		{Fingerprint: "abc"}, {Fingerprint: strings.Repeat("0", 62)}, {Fingerprint: strings.Repeat("g", 64)},
		{CAFile: "nothing"}, {CAFile: junk}, {CAFile: empty},
	} {
		if _, _, err := certs.ClientConfig(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	// What is trusted by default may be broken without harm.
	testkit.NoErr(t, os.MkdirAll("certs", 0o755))
	testkit.NoErr(t, os.Rename(junk, certs.LocalCertificate))
	_, note, err := certs.ClientConfig(certs.ClientOptions{Host: "localhost"})
	testkit.NoErr(t, err)
	testkit.Equal(t, note, "")
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "relay.localhost": true, "127.0.0.1": true, "127.255.1.2": true,
		"::1": true, "[::1]": true, "::ffff:127.0.0.1": true,
		"": false, "notlocalhost": false, "localhost.example": false, "10.0.0.1": false, "::": false, "0.0.0.0": false,
		"128.0.0.1": false,
	} {
		if certs.IsLoopback(host) != want {
			t.Errorf("IsLoopback(%q) = %v, want %v", host, !want, want)
		}
	}
}
