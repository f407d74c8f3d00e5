package door_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
	"oxymoq/pkg/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// opened parses args and opens the port, which the test closes.
func opened(t *testing.T, d *door.Port, args ...string) (l *door.Listener, said string, code int) {
	t.Helper()
	p := cli.New("server", "serves")
	d.Declare(p, 9668)
	d.DeclareInsecure(p)
	var errs bytes.Buffer
	code = p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &errs}, args, func(string) (string, bool) { return "", false },
		func(_ context.Context, env *cli.Env) (err error) {
			if l, err = d.Listen(env); err == nil {
				t.Cleanup(func() { testkit.NoErr(t, l.Close()) })
			}
			return err
		})
	return l, errs.String(), code
}

// home makes an empty configuration directory, and the working directory empty.
func home(t *testing.T) (dir string) {
	dir = t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	return dir
}

// connect makes a session with a server that does nothing else.
func connect(t *testing.T, l *door.Listener, target string) error {
	t.Helper()
	return connectOver(t, l, target, "")
}

// connectOver does so over one transport, and offers the protocols, or all.
func connectOver(t *testing.T, l *door.Listener, target string, kind transport.Kind, protocols ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept(ctx)
		if err != nil {
			return
		}
		draft, _ := session.DraftOf(conn.Protocol())
		if s, err := session.Start(ctx, conn, session.Config{Role: wire.Server, Draft: draft}); err == nil {
			s.Wait()
		}
	}()
	to := testkit.Must(dial.Parse(target))(t)
	conf, _, err := certs.ClientConfig(certs.ClientOptions{Host: to.Host})
	testkit.NoErr(t, err)
	s, err := dial.Dial(ctx, to, dial.Options{TLS: conf, Transport: kind, Protocols: protocols})
	if err == nil {
		s.Close(0, "")
		s.Wait()
	}
	cancel()
	<-served
	return err
}

func fetch(t *testing.T, target string) string {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	resp := testkit.Must(client.Do(testkit.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))(t)))(t)
	defer resp.Body.Close()
	return string(testkit.Must(io.ReadAll(resp.Body))(t))
}

func hexSum(t *testing.T) string {
	t.Helper()
	store := testkit.Must(certs.UserStore())(t)
	sum := certs.Fingerprint(testkit.Must(certs.LoadPair(store.Path(), store.Path()))(t))
	return hex.EncodeToString(sum[:])
}

// ipv6 reports whether the machine has it; without, servers do with IPv4.
func ipv6() bool {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err == nil {
		ln.Close()
	}
	return err == nil
}

func TestOnePortForAllAddressesAndCarriers(t *testing.T) {
	home(t)
	d := &door.Port{Paths: []string{"/moq"}, Pages: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a page") })}
	l, said, code := opened(t, d, "-port", "0")
	testkit.Equal(t, code, cli.ExitDone)
	raw, web := testkit.Must(url.Parse(door.URL(l, "/moq")))(t), testkit.Must(url.Parse(door.WebURL(l, "/moq")))(t)
	testkit.Equal(t, raw.Scheme+raw.Hostname()+raw.Path, "moqtlocalhost/moq")
	testkit.Equal(t, web.Scheme+web.Hostname()+web.Path, "httpslocalhost/moq")
	testkit.Equal(t, l.HTTP(), "http://localhost:"+raw.Port())
	hosts := []string{"localhost", "127.0.0.1"}
	if ipv6() {
		hosts = append(hosts, "[::1]")
	}
	for _, host := range hosts {
		for _, scheme := range []string{"moqt", "https"} {
			for _, path := range []string{"/moq", "/", ""} {
				testkit.NoErr(t, connect(t, l, scheme+"://"+host+":"+raw.Port()+path))
			}
		}
		testkit.Equal(t, fetch(t, "http://"+host+":"+raw.Port()+"/certificate.sha256"), hexSum(t))
	}
	if err := connect(t, l, "https://localhost:"+raw.Port()+"/elsewhere"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Fatalf("a path that is not served: %v", err)
	}
	testkit.Equal(t, fetch(t, l.HTTP()+"/"), "a page")
	for _, want := range []string{
		"SHA-256 " + hexSum(t) + ".\n", l.HTTP() + "/fingerprint", "--origin-to-force-quic-on=localhost:" + raw.Port(),
		"--ignore-certificate-errors-spki-list=" + certs.SPKIHash(testkit.Must(testkit.Must(certs.UserStore())(t).Get(time.Now()))(t)),
	} {
		if !strings.Contains(said, want) {
			t.Fatalf("%q is not in %q", want, said)
		}
	}
	testkit.NoErr(t, l.Close())
	if _, err := net.DialTimeout("tcp", "127.0.0.1:"+raw.Port(), 20*time.Second); err == nil {
		t.Fatal("the TCP port is open after Close")
	}
}

// QMux and HTTP share the TCP port that has the number of the UDP port.
func TestQMUXBesideAllOthers(t *testing.T) {
	home(t)
	l, _, code := opened(t, new(door.Port), "-port", "0", "-qmux")
	testkit.Equal(t, code, cli.ExitDone)
	for _, protocol := range append(session.Protocols(), "") {
		for _, kind := range []transport.Kind{transport.QMUX, transport.QUIC, transport.WebTransport} {
			var protocols []string
			if protocol != "" {
				protocols = []string{protocol}
			}
			testkit.NoErr(t, connectOver(t, l, door.URL(l, "/"), kind, protocols...))
		}
		testkit.Equal(t, fetch(t, l.HTTP()+"/fingerprint"), hexSum(t))
	}
}

func TestQMUXAlone(t *testing.T) {
	home(t)
	for _, side := range []string{"off", "127.0.0.1:0"} {
		l, said, code := opened(t, new(door.Port), "-bind", "127.0.0.1:0", "-qmux", "-noquic", "-http", side)
		testkit.Equal(t, code, cli.ExitDone)
		testkit.NoErr(t, connectOver(t, l, door.URL(l, "/"), transport.QMUX))
		testkit.Equal(t, door.WebURL(l, "/"), "")
		if strings.Contains(said, "chromium") {
			t.Fatalf("browsers, which cannot come, are told how to: %q", said)
		}
		if side == "off" {
			testkit.Equal(t, l.HTTP(), "")
		} else {
			testkit.Equal(t, fetch(t, l.HTTP()+"/fingerprint"), hexSum(t))
		}
	}
}

// Over WebTransport those who name no protocol speak the one that needs no name,
// if it is served.
func TestWebTransportWithoutAName(t *testing.T) {
	home(t)
	for _, row := range []struct {
		served []string
		want   string // "": refused
	}{
		{[]string{"moqt-18", "moq-00"}, "moq-00"},
		{[]string{"moqt-18"}, ""},
	} {
		l, _, code := opened(t, &door.Port{Protocols: row.served}, "-bind", "127.0.0.1:0", "-http", "off")
		testkit.Equal(t, code, cli.ExitDone)
		conf, _, err := certs.ClientConfig(certs.ClientOptions{Host: "127.0.0.1"})
		testkit.NoErr(t, err)
		c, err := wttr.Offer{Unnamed: "moq-00"}.Dial(t.Context(), door.WebURL(l, "/"), conf, quictr.Options{})
		if row.want == "" {
			testkit.Equal(t, testkit.ErrAs[*wttr.StatusError](t, err).Status, http.StatusBadRequest)
			continue
		}
		testkit.NoErr(t, err)
		testkit.Equal(t, c.Protocol(), row.want)
		testkit.Equal(t, testkit.Must(l.Accept(t.Context()))(t).Protocol(), row.want)
		testkit.NoErr(t, c.CloseWithError(0, ""))
	}
}

func TestNoTCPPortForQMUX(t *testing.T) {
	home(t)
	taken := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer taken.Close()
	_, said, code := opened(t, new(door.Port), "-bind", taken.Addr().String(), "-qmux", "-noquic")
	testkit.Equal(t, code, cli.ExitFailed)
	if !strings.Contains(said, "cannot serve QMux") {
		t.Fatalf("it says %q", said)
	}
}

func TestTheHTTPPort(t *testing.T) {
	home(t)
	// A TCP port is taken here, but the UDP port of that number may be taken by
	// another process: then another number is tried.
	var l *door.Listener
	var port, said string
	var code int
	for range 10 {
		taken := testkit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
		defer taken.Close()
		port = fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
		if l, said, code = opened(t, new(door.Port), "-bind", "127.0.0.1", "-port", port); l != nil {
			break
		}
	}
	testkit.Equal(t, code, cli.ExitDone) // without the TCP port, and a warning
	testkit.Equal(t, l.HTTP(), "")
	if !strings.Contains(said, "WARN") || !strings.Contains(said, "in use") {
		t.Fatalf("no warning in %q", said)
	}
	testkit.Equal(t, door.URL(l, ""), "moqt://127.0.0.1:"+port)
	testkit.NoErr(t, connect(t, l, door.URL(l, "")))

	_, said, code = opened(t, new(door.Port), "-bind", "127.0.0.1", "-port", "0", "-http", port)
	testkit.Equal(t, code, cli.ExitFailed)
	if !strings.Contains(said, "in use") {
		t.Fatalf("the error does not say why: %q", said)
	}
	l, said, _ = opened(t, new(door.Port), "-bind", "127.0.0.1:0", "-http", "off")
	testkit.Equal(t, l.HTTP(), "")
	if strings.Contains(said, "/fingerprint") {
		t.Fatalf("a TCP port is promised that is off: %q", said)
	}
	l, _, _ = opened(t, new(door.Port), "-bind", "127.0.0.1:0", "-http", "localhost:0")
	testkit.Equal(t, fetch(t, l.HTTP()+"/fingerprint"), hexSum(t))
}

func TestCertificateFlags(t *testing.T) {
	dir := home(t)
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "c.key")
	own := testkit.Must(certs.SelfSigned(time.Now(), "localhost"))(t)
	testkit.NoErr(t, certs.WritePair(own, cert, key))
	sum := certs.Fingerprint(own)
	for _, row := range []struct {
		name, args, want string
	}{
		{"moxygen's", "-cert " + cert + " -key " + key, hex.EncodeToString(sum[:])},
		{"moq-relay's", "--tls-cert " + cert + " --tls-key=" + key, hex.EncodeToString(sum[:])},
		{"built in", "--insecure", filepath.Join("oxymoq", certs.StoreFile)},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, said, code := opened(t, new(door.Port), append(strings.Fields(row.args), "-port", "0")...)
			testkit.Equal(t, code, cli.ExitDone)
			if !strings.Contains(said, row.want) {
				t.Fatalf("%q is not in %q", row.want, said)
			}
		})
	}
}

func TestPortRefuses(t *testing.T) {
	dir := home(t)
	testkit.NoErr(t, os.WriteFile(filepath.Join(dir, "junk.pem"), []byte("junk"), 0o600))
	for _, row := range []struct {
		args, want string
		code       int
	}{
		{"-port 65536", "port 65536 is not between", cli.ExitUsage},
		{"-port -1", "port -1 is not between", cli.ExitUsage},
		{"-bind localhost:x", `port "x" is not between`, cli.ExitUsage},
		{"-bind [::]:4443 -port 4444", "different ports", cli.ExitUsage},
		{"-port 0 -http x", "-http x is neither", cli.ExitUsage},
		{"-port 0 -http localhost:http", "-http localhost:http is neither", cli.ExitUsage},
		{"-port 0 -http 70000", "-http 70000 is neither", cli.ExitUsage},
		{"-port 0 -noquic", "nothing to serve", cli.ExitUsage},
		{"-port 0 -cert c.pem", "needs its key", cli.ExitUsage},
		{"-port 0 -key c.key", "needs its key", cli.ExitUsage},
		{"-port 0 -cert none.pem -key none.key", "none.pem does not exist", cli.ExitFailed},
		{"-port 0 -cert junk.pem -key junk.pem", "no CERTIFICATE block", cli.ExitFailed},
		{"-port 0 -bind 192.0.2.1", "cannot serve on UDP port 0", cli.ExitFailed},
	} {
		t.Run(row.args, func(t *testing.T) {
			_, said, code := opened(t, new(door.Port), strings.Fields(row.args)...)
			testkit.Equal(t, code, row.code)
			if strings.Count(said, "\n") != 1 || !strings.Contains(said, row.want) {
				t.Fatalf("it does not say %q in one sentence: %q", row.want, said)
			}
		})
	}
}

func TestCloseEndsAccept(t *testing.T) {
	home(t)
	l, _, _ := opened(t, new(door.Port), "-bind", "127.0.0.1:0")
	testkit.NoErr(t, l.Close())
	_, err := l.Accept(t.Context())
	testkit.ErrIs(t, err, net.ErrClosed)
}
