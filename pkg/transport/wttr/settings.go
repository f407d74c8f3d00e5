package wttr

import "github.com/quic-go/quic-go/http3"

// Settings by which the generations of WebTransport know each other, besides
// HTTP/3 datagrams (0x33) and, from a server, extended CONNECT (0x8).
const (
	settingEnabled02   = 0x2b603742 // ENABLE_WEBTRANSPORT, drafts 02 to 06; Chromium
	settingSessions07  = 0xc671706a // WEBTRANSPORT_MAX_SESSIONS, draft 07; quinn's family, imquic
	settingSessions14  = 0x14e9cd29 // WT_MAX_SESSIONS, drafts 13 and 14; Safari, moxygen
	settingEnabled15   = 0x2c7cf000 // WT_ENABLED, from draft 15 on
	clientMaxSessions  = 1          // we never ask for more
	draft02RequestName = "Sec-Webtransport-Http3-Draft02"
	draft02AnswerName  = "Sec-Webtransport-Http3-Draft"
)

// Names of WebTransport as the :protocol of CONNECT.
const (
	protocol02 = "webtransport"    // up to draft 14
	protocol15 = "webtransport-h3" // from draft 15 on
)

// clientSettings is what our client says, so that servers of every generation
// see what they look for. webtransport-go says the like for our server.
func clientSettings() map[uint64]uint64 {
	return map[uint64]uint64{
		settingEnabled02:  1,
		settingSessions07: clientMaxSessions,
		settingSessions14: clientMaxSessions,
		settingEnabled15:  1,
	}
}

// namesFor returns the names to try with a server of these settings, the
// likelier first; none if it does not speak WebTransport.
func namesFor(s *http3.Settings) []string {
	older := s.Other[settingEnabled02] != 0 || s.Other[settingSessions07] != 0 || s.Other[settingSessions14] != 0
	switch newer := s.Other[settingEnabled15] != 0; {
	case newer && older:
		return []string{protocol15, protocol02}
	case newer:
		return []string{protocol15}
	case older:
		return []string{protocol02}
	}
	return nil
}
