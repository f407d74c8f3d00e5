package session

import "oxymoq/pkg/model"

// protocols are the application protocols by draft, best first. Drafts up to
// 14 share one and agree on their number in SETUP.
var protocols = []struct {
	draft model.Draft
	token string
}{
	{model.Draft18, "moqt-18"},
	{model.Draft16, "moqt-16"},
	{model.Draft14, inBand},
}

// Primary is the draft that objects are kept in where no peer has chosen one.
const Primary = model.Draft18

// Protocols returns the application protocols of the drafts that are spoken
// here, best first; they are offered as ALPN on raw QUIC.
func Protocols() []string {
	var tokens []string
	for _, p := range protocols {
		tokens = append(tokens, p.token)
	}
	return tokens
}

// DraftOf returns the draft that a negotiated application protocol stands for.
func DraftOf(protocol string) (model.Draft, bool) {
	for _, p := range protocols {
		if p.token == protocol {
			return p.draft, true
		}
	}
	return 0, false
}
