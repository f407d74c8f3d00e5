package qmuxtr

import "strings"

// dialect is what a name in the TLS handshake says about QMux. The records and
// frames are the same in all of them.
type dialect struct {
	prefix string // of the ALPN value, before the application protocol

	// misplaced is the error for a QX_TRANSPORT_PARAMETERS frame that is
	// missing or late.
	misplaced ErrorCode
	// resetAt says that RESET_STREAM_AT can be negotiated.
	resetAt bool
	// strict says that the peer was written for rules that came with draft 02,
	// or were written down there: STREAM frames after the first have an
	// offset, a reset tells the true final size, pings count upwards. Older
	// peers break each of them.
	strict bool
}

// dialects are in the order of preference. A name without a prefix is what
// moxygen says: TLS over TCP with "moqt-18" means QMux of draft 01.
var dialects = []dialect{
	{prefix: "qmux-02.", misplaced: ProtocolViolation, resetAt: true, strict: true},
	{prefix: "qmux-01.", misplaced: TransportParameterError},
	{prefix: "", misplaced: TransportParameterError},
}

// ALPN returns the names by which TLS negotiates the protocols, the preferred
// first: ALPN("moqt-18") is qmux-02.moqt-18, qmux-01.moqt-18 and moqt-18.
func ALPN(protocols ...string) []string {
	names := make([]string, 0, len(protocols)*len(dialects))
	for _, p := range protocols {
		for _, d := range dialects {
			names = append(names, d.prefix+p)
		}
	}
	return names
}

// parseALPN takes a name of ALPN apart.
func parseALPN(name string) (dialect, string) {
	for _, d := range dialects {
		if p, ok := strings.CutPrefix(name, d.prefix); ok {
			return d, p
		}
	}
	panic("unreachable: the last dialect has no prefix")
}
