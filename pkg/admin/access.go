package admin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Scope is what somebody may do.
type Scope uint8

// Scopes, each with what those before it allow.
const (
	Nothing Scope = iota // health, and the page without what it shows
	Read                 // look
	Control              // change
)

// String returns the word that files of tokens and JSON have for it.
func (s Scope) String() string {
	switch s {
	case Read:
		return "read"
	case Control:
		return "control"
	}
	return "nothing"
}

// Access says who may do what at one address.
type Access struct {
	// Open is what everybody may do who reaches the address.
	Open Scope
	// Certified is what those may do whose certificate was verified.
	Certified Scope
	// Tokens say what those may do who show them; nil: none are known.
	Tokens *Tokens
	// Hosts are names by which the address may be asked, besides IP addresses and
	// localhost. A browser that was led here by a name of somebody else's shows that
	// name.
	Hosts []string
	// AnyHost lets every name pass: browsers cannot reach the address.
	AnyHost bool
}

// knows reports whether a request may name the host.
func (a Access) knows(host string) bool {
	if a.AnyHost {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// scope is what a request may do. known is false if a token might help: none was
// shown, or one that is not known.
func (a Access) scope(r *http.Request) (s Scope, known bool) {
	s = a.Open
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		s = max(s, a.Certified)
	}
	if a.Tokens == nil {
		return s, true
	}
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return s, s > Nothing
	}
	granted := a.Tokens.scope(strings.TrimSpace(token))
	return max(s, granted), granted > Nothing
}

// Limits of a file of tokens.
const (
	// MinToken is how many bytes a token must have, so that it cannot be guessed.
	MinToken = 16
	// MaxTokenFile is how many bytes a file of tokens may have.
	MaxTokenFile = 64 << 10
)

// Tokens are secrets, each with what it grants. They are kept as hashes.
type Tokens struct {
	sums   [][sha256.Size]byte
	scopes []Scope
}

// scope compares with every token, so that the time tells nothing.
func (t *Tokens) scope(token string) (s Scope) {
	sum := sha256.Sum256([]byte(token))
	for i := range t.sums {
		if subtle.ConstantTimeCompare(sum[:], t.sums[i][:]) == 1 {
			s = max(s, t.scopes[i])
		}
	}
	return s
}

// ReadTokens reads a file of tokens: in each line "read TOKEN" or "control TOKEN"; a
// line with a token alone grants control. Empty lines and those that begin with '#'
// say nothing.
func ReadTokens(file string) (*Tokens, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, MaxTokenFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > MaxTokenFile {
		return nil, fmt.Errorf("%s has more than %d bytes, which no file of tokens has", file, MaxTokenFile)
	}
	t, err := parseTokens(content)
	if err != nil {
		return nil, fmt.Errorf("%s, %w", file, err)
	}
	return t, nil
}

// parseTokens reads the content of a file. Its errors name the line and no token.
func parseTokens(content []byte) (*Tokens, error) {
	t := new(Tokens)
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, MaxTokenFile+1)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		scope, token := Control, words[len(words)-1]
		switch {
		case len(words) == 2 && words[0] == Read.String():
			scope = Read
		case len(words) == 2 && words[0] == Control.String(), len(words) == 1:
		default:
			return nil, fmt.Errorf("line %d: it is neither \"read TOKEN\" nor \"control TOKEN\"", n)
		}
		if len(token) < MinToken {
			return nil, fmt.Errorf("line %d: the token has %d bytes; it must have at least %d", n, len(token), MinToken)
		}
		t.sums, t.scopes = append(t.sums, sha256.Sum256([]byte(token))), append(t.scopes, scope)
	}
	if len(t.sums) == 0 {
		return nil, fmt.Errorf("line 1: there is no token")
	}
	return t, nil
}

// scopeKey is for the scope of a request in its context.
type scopeKey struct{}

func withScope(ctx context.Context, s Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

func scopeOf(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}
