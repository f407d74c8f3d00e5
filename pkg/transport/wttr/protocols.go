package wttr

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The header fields that choose what is spoken inside a session
// (draft-ietf-webtrans-http3 section 3.3).
const (
	offerField  = "Wt-Available-Protocols" // in the request: a list, the preferred first
	choiceField = "Wt-Protocol"            // in the response: one of them
)

// Limits of what a peer may offer.
const (
	maxOffered      = 64  // protocols
	maxProtocolName = 255 // bytes, as in ALPN
)

// errNoOffer says that a request has no list of protocols.
var errNoOffer = errors.New("no protocols offered")

// formatProtocols writes a list of structured-field strings (RFC 9651 section
// 3.3.3): "moqt-18", "moqt-16" with the quotes.
func formatProtocols(list ...string) (string, error) {
	var b strings.Builder
	for i, p := range list {
		if p == "" || len(p) > maxProtocolName {
			return "", fmt.Errorf("protocol %q must have 1 to %d bytes", p, maxProtocolName)
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('"')
		for _, c := range []byte(p) {
			if c < ' ' || c > '~' {
				return "", fmt.Errorf("protocol %q is not printable ASCII", p)
			}
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		b.WriteByte('"')
	}
	return b.String(), nil
}

// offered returns the protocols that a request offers, errNoOffer, or what is
// wrong with the list.
func offered(h http.Header) ([]string, error) {
	values := h.Values(offerField)
	if len(values) == 0 {
		return nil, errNoOffer
	}
	return parseProtocols(strings.Join(values, ","))
}

// chosen returns the protocol that a response names, "" if none.
func chosen(h http.Header) (string, error) {
	values := h.Values(choiceField)
	if len(values) == 0 {
		return "", nil
	}
	list, err := parseProtocols(strings.Join(values, ","))
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("%d protocols where one is due", len(list))
	}
	return list[0], nil
}

// choose returns the first of the offered protocols that is spoken, "" if none.
func choose(offered, spoken []string) string {
	for _, p := range offered {
		if slices.Contains(spoken, p) {
			return p
		}
	}
	return ""
}

// parseProtocols reads a list of structured-field strings. Bare tokens, which
// some peers send instead, are taken as such; parameters are skipped. Items of
// other types are errors.
func parseProtocols(field string) ([]string, error) {
	p := fieldParser{rest: field}
	var list []string
	p.space()
	for p.rest != "" {
		name, err := p.item()
		if err == nil && (name == "" || len(name) > maxProtocolName) {
			err = fmt.Errorf("a protocol must have 1 to %d bytes", maxProtocolName)
		}
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", len(field)-len(p.rest), err)
		}
		if len(list) == maxOffered {
			return nil, fmt.Errorf("more than %d protocols", maxOffered)
		}
		list = append(list, name)
		p.space()
		if p.rest == "" {
			break
		}
		if !p.take(',') {
			return nil, fmt.Errorf("at byte %d: a comma is missing", len(field)-len(p.rest))
		}
		p.space()
		if p.rest == "" {
			return nil, errors.New("a comma ends the list")
		}
	}
	return list, nil
}

// fieldParser reads a header field from the front.
type fieldParser struct{ rest string }

func (p *fieldParser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *fieldParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// item reads a string or token, and skips its parameters.
func (p *fieldParser) item() (string, error) {
	value, err := p.bare()
	if err != nil {
		return "", err
	}
	for p.take(';') {
		p.rest = strings.TrimLeft(p.rest, " ")
		if p.token() == "" {
			return "", errors.New("a parameter has no name")
		}
		if p.take('=') {
			if _, err := p.bare(); err != nil {
				return "", err
			}
		}
	}
	return value, nil
}

// bare reads a string or what looks like a token; of parameters, that covers
// numbers, booleans and byte sequences too.
func (p *fieldParser) bare() (string, error) {
	if p.take('"') {
		return p.quoted()
	}
	if t := p.token(); t != "" {
		return t, nil
	}
	return "", errors.New("neither a string nor a token")
}

// quoted reads what follows the opening quote.
func (p *fieldParser) quoted() (string, error) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\':
			i++
			if i == len(p.rest) || p.rest[i] != '"' && p.rest[i] != '\\' {
				return "", errors.New("a string has a wrong escape")
			}
			b.WriteByte(p.rest[i])
		case c < ' ' || c > '~':
			return "", errors.New("a string is not printable ASCII")
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("a string does not end")
}

// token reads up to a delimiter.
func (p *fieldParser) token() string {
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`",;=()<>@[\]{}`, r)
	})
	if n < 0 {
		n = len(p.rest)
	}
	t := p.rest[:n]
	p.rest = p.rest[n:]
	return t
}
