package clients

import "strings"

// Carrier names what carries a session, and its draft, in few letters: "quic d18"
// for "quic" and "moqt-18". Without a session it is empty.
func Carrier(transport, protocol string) string {
	if draft, ok := strings.CutPrefix(protocol, "moqt-"); ok {
		protocol = "d" + draft
	}
	return strings.TrimSpace(transport + " " + protocol)
}
