package clients

import (
	"strconv"
	"strings"
)

// Carrier names what carries a session, and its draft, in few letters: "quic d18"
// for "quic" and "18". What is no number stays as it is. Without a session it is
// empty.
func Carrier(transport, draft string) string {
	if _, err := strconv.ParseUint(draft, 10, 8); err == nil {
		draft = "d" + draft
	}
	return strings.TrimSpace(transport + " " + draft)
}
