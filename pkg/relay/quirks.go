package relay

import "strings"

// Quirks of peers, known by what they call themselves, one function each. They
// make no difference to other peers.

// rejectsPublishUpdate reports whether a publisher closes the session when the
// subscriber of its PUBLISH sends REQUEST_UPDATE, which section 10.9 allows.
// Such a track is never paused. (imquic 0.0.2)
func rejectsPublishUpdate(implementation string) bool {
	return strings.HasPrefix(implementation, "imquic ")
}
