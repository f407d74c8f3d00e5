package session

import "slices"

// inBand is the application protocol of drafts up to 14, which agree on their
// number in SETUP (draft 14, section 3.1).
const inBand = "moq-00"

// Unnamed returns the one of the protocols that is spoken over WebTransport
// where neither side names one, or "": only the drafts that agree on their
// number in SETUP can do without a name.
func Unnamed(protocols []string) string {
	if slices.Contains(protocols, inBand) {
		return inBand
	}
	return ""
}
