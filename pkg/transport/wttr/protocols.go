package wttr

import (
	"errors"
	"fmt"
	"net/http"

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

// errNoOffer says that a request names no protocol.
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
// wrong with the list. An empty list is as good as none (RFC 9651 section 3.1).
func offered(h http.Header, strict bool) ([]string, error) {
	names, err := parseProtocols(h.Values(offerField), strict)
	if err == nil && len(names) == 0 {
		err = errNoOffer
	}
	return names, err
}

// chosen returns the protocol that a response names, "" if none.
func chosen(h http.Header, strict bool) (string, error) {
	values := h.Values(choiceField)
	if len(values) == 0 {
		return "", nil
	}
	names, err := parseProtocols(values, strict)
	if err != nil {
		return "", err
	}
	if len(names) != 1 {
		return "", fmt.Errorf("%d protocols where one is due", len(names))
	}
	return names[0], nil
}

// choose returns the first of the offered protocols that is spoken, and how it
// was offered; both are empty if there is none.
func choose(offered, spoken []string, strict bool) (protocol, as string) {
	for _, as := range offered {
		for _, p := range spoken {
			if same(p, as, strict) {
				return p, as
			}
		}
	}
	return "", ""
}

// parseProtocols reads a list of structured-field strings; parameters are
// skipped. Unless strict, what some peers write instead is understood too.
func parseProtocols(fields []string, strict bool) (names []string, err error) {
	names, err = parseList(fields)
	if err != nil && !strict {
		if loose, ok := parseLoosely(fields); ok {
			names, err = loose, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if len(names) > maxOffered {
		return nil, fmt.Errorf("more than %d protocols", maxOffered)
	}
	for _, name := range names {
		if err := checkProtocol(name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// parseList reads what the text wants: strings, and nothing else.
func parseList(fields []string) (names []string, err error) {
	list, err := httpsfv.UnmarshalList(fields)
	if err != nil {
		return nil, err
	}
	for _, member := range list {
		item, _ := member.(httpsfv.Item)
		name, ok := item.Value.(string)
		if !ok {
			return nil, errors.New("a protocol is not a string")
		}
		names = append(names, name)
	}
	return names, nil
}
