package wttr

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/dunglas/httpsfv"
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
func formatProtocols(names ...string) (string, error) {
	list := make(httpsfv.List, len(names))
	for i, name := range names {
		if err := checkProtocol(name); err != nil {
			return "", err
		}
		list[i] = httpsfv.NewItem(name)
	}
	field, err := httpsfv.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("HTTP cannot name the protocols %q: %w", names, err)
	}
	return field, nil
}

func checkProtocol(name string) error {
	if name == "" || len(name) > maxProtocolName {
		return fmt.Errorf("protocol %q must have 1 to %d bytes", name, maxProtocolName)
	}
	return nil
}

// offered returns the protocols that a request offers, errNoOffer, or what is
// wrong with the list.
func offered(h http.Header) ([]string, error) {
	values := h.Values(offerField)
	if len(values) == 0 {
		return nil, errNoOffer
	}
	return parseProtocols(values)
}

// chosen returns the protocol that a response names, "" if none.
func chosen(h http.Header) (string, error) {
	values := h.Values(choiceField)
	if len(values) == 0 {
		return "", nil
	}
	list, err := parseProtocols(values)
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
func parseProtocols(fields []string) (names []string, err error) {
	list, err := httpsfv.UnmarshalList(fields)
	if err != nil {
		return nil, err
	}
	if len(list) > maxOffered {
		return nil, fmt.Errorf("more than %d protocols", maxOffered)
	}
	for _, member := range list {
		var name string
		item, _ := member.(httpsfv.Item)
		switch v := item.Value.(type) {
		case string:
			name = v
		case httpsfv.Token:
			name = string(v)
		default:
			return nil, errors.New("a protocol is neither a string nor a token")
		}
		if err := checkProtocol(name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
