package admin

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

const (
	readToken    = "0123456789abcdef"
	controlToken = "fedcba9876543210"
)

func tokens(t *testing.T, lines ...string) *Tokens {
	t.Helper()
	return testkit.Must(parseTokens([]byte(strings.Join(lines, "\n"))))(t)
}

func TestHosts(t *testing.T) {
	a := Access{Hosts: []string{"relay.example"}}
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:9670": true, "[::1]:9670": true, "[::1]": true, "192.0.2.1": true, "localhost": true, "LOCALHOST:1": true, "localhost.": true,
		"relay.example": true, "Relay.Example.:443": true,
		"": false, "attacker.example": false, "attacker.example:9670": false, "127.0.0.1.attacker.example": false, "localhost.attacker.example": false,
		"relay.example.attacker.example": false, "127.1": false, "0x7f000001": false, ":9670": false,
	} {
		if got := a.knows(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
	testkit.Equal(t, Access{AnyHost: true}.knows("anything"), true)
}

func TestScopes(t *testing.T) {
	both := tokens(t, "read "+readToken, "control "+controlToken)
	verified := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}
	for _, row := range []struct {
		name   string
		access Access
		header string
		tls    *tls.ConnectionState
		scope  Scope
		known  bool
	}{
		{"nobody may anything", Access{}, "", nil, Nothing, true},
		{"everybody may look", Access{Open: Read}, "", nil, Read, true},
		{"a token that nobody knows of", Access{Open: Read}, "Bearer " + controlToken, nil, Read, true},
		{"no token", Access{Tokens: both}, "", nil, Nothing, false},
		{"a token to look", Access{Tokens: both}, "Bearer " + readToken, nil, Read, true},
		{"a token to change", Access{Tokens: both}, "bearer  " + controlToken + " ", nil, Control, true},
		{"half a token", Access{Tokens: both}, "Bearer " + readToken[:8], nil, Nothing, false},
		{"more than a token", Access{Tokens: both}, "Bearer " + readToken + "0", nil, Nothing, false},
		{"an empty token", Access{Tokens: both}, "Bearer ", nil, Nothing, false},
		{"another kind", Access{Tokens: both}, "Basic " + controlToken, nil, Nothing, false},
		{"a wrong token where all may look", Access{Open: Read, Tokens: both}, "Bearer x", nil, Read, false},
		{"none where all may look", Access{Open: Read, Tokens: both}, "", nil, Read, true},
		{"a certificate", Access{Certified: Control}, "", verified, Control, true},
		{"a certificate that was not verified", Access{Certified: Control}, "", new(tls.ConnectionState), Nothing, true},
		{"a certificate and a token", Access{Tokens: both}, "Bearer " + readToken, verified, Read, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.Header.Set("Authorization", row.header)
			r.TLS = row.tls
			scope, known := row.access.scope(r)
			testkit.Equal(t, scope, row.scope)
			testkit.Equal(t, known, row.known)
		})
	}
}

func TestTokenFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	for _, row := range []struct {
		name, content, fault string
		tokens               int
	}{
		{"a token alone", controlToken, "", 1},
		{"comments and both kinds", "# for Prometheus\r\n  read  " + readToken + "\r\n\r\ncontrol " + controlToken + "\n", "", 2},
		{"nothing", "", "there is no token", 0},
		{"comments only", "# nothing\n", "there is no token", 0},
		{"another scope", "read " + readToken + "\nwrite " + controlToken, "line 2: it is neither", 0},
		{"three words", "read a b", "line 1: it is neither", 0},
		{"a short one", "read 0123456789abcde", "line 1: the token has 15 bytes; it must have at least 16", 0},
		{"a whole disk", strings.Repeat("#", MaxTokenFile+1), "no file of tokens has", 0},
		{"one long line", strings.Repeat("#", MaxTokenFile-1) + "\n" + controlToken, "no file of tokens has", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			testkit.NoErr(t, os.WriteFile(file, []byte(row.content), 0o600))
			got, err := ReadTokens(file)
			if row.fault != "" {
				if err == nil || !strings.Contains(err.Error(), row.fault) || strings.Contains(err.Error(), controlToken) {
					t.Fatalf("error %v, want %q", err, row.fault)
				}
				return
			}
			testkit.NoErr(t, err)
			testkit.Equal(t, len(got.sums), row.tokens)
			testkit.Equal(t, got.scope(controlToken), Control)
		})
	}
	_, err := ReadTokens(file + "x")
	testkit.ErrIs(t, err, os.ErrNotExist)
}

func FuzzTokens(f *testing.F) {
	f.Add([]byte("read " + readToken + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := parseTokens(content)
		if err == nil && len(got.sums) == 0 {
			t.Error("no token and no error")
		}
		if err == nil && got.scope("") != Nothing {
			t.Error("an empty token grants something")
		}
	})
}
