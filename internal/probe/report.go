package probe

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"oxymoq/internal/certs"
)

// Report is what Probe found out. Times are in milliseconds; what is absent was
// not told by the server.
type Report struct {
	URL       string   `json:"url"`
	Addresses []string `json:"addresses"`
	LookupMS  float64  `json:"lookup_ms"`
	// Versions are those of QUIC that the server names, the preferred first.
	Versions []string `json:"quic_versions,omitempty"`
	// UDP and TCP say what the port answers: "answers", "closed", or "silent". TCP
	// is empty if it was not asked.
	UDP         string       `json:"udp,omitempty"`
	TCP         string       `json:"tcp,omitempty"`
	Certificate *Certificate `json:"certificate,omitempty"`
	Carriers    []*Carrier   `json:"carriers"`
}

// Accepted reports whether the server took any session.
func (r *Report) Accepted() bool {
	for _, c := range r.Carriers {
		for _, o := range c.Offers {
			if o.Accepted {
				return true
			}
		}
	}
	return false
}

// Carrier is what a server does over one carrier.
type Carrier struct {
	Transport string   `json:"transport"` // quic, wt or qmux
	Offers    []*Offer `json:"offers"`
	// Choice is there if the server takes more than one of them.
	Choice *Choice `json:"choice,omitempty"`
	// Parameters are those of QUIC, HTTP3 the SETTINGS of HTTP/3.
	Parameters *Parameters `json:"quic_parameters,omitempty"`
	HTTP3      []Setting   `json:"http3_settings,omitempty"`
	// Server is what HTTP calls by that name.
	Server string `json:"http_server,omitempty"`
}

// Choice is what a server chose of several protocols.
type Choice struct {
	Offered  []string `json:"offered"`
	Chosen   string   `json:"chosen"`           // empty: the offer was refused
	Reversed string   `json:"chosen_if_turned"` // of the same, offered in the opposite order
}

// Offer is one protocol, offered alone.
type Offer struct {
	Protocol string `json:"protocol"`
	Draft    int    `json:"draft"`
	Accepted bool   `json:"accepted"`
	// Why says how it was refused.
	Why string `json:"why,omitempty"`
	// ALPN is what TLS agreed on, where that is not Protocol.
	ALPN string `json:"alpn,omitempty"`

	HandshakeMS *float64 `json:"handshake_ms,omitempty"` // to the server's certificate
	ConnectMS   *float64 `json:"connect_ms,omitempty"`   // to where SETUP can be sent, all in all
	SetupMS     *float64 `json:"setup_ms,omitempty"`     // from there to the server's SETUP
	RTTMS       *float64 `json:"rtt_ms,omitempty"`       // as QUIC has measured it

	Implementation string    `json:"implementation,omitempty"`
	MaxRequestID   *uint64   `json:"max_request_id,omitempty"` // of SETUP and what followed
	TokenCache     *uint64   `json:"max_auth_token_cache_size,omitempty"`
	OtherOptions   []string  `json:"other_setup_options,omitempty"` // types and values
	Datagram       int       `json:"max_datagram_size"`             // bytes; 0: none
	Requests       []Request `json:"requests,omitempty"`
	Namespaces     []string  `json:"namespaces,omitempty"` // that SUBSCRIBE_NAMESPACE listed
	More           int       `json:"more_namespaces,omitempty"`
	Goaway         *Goaway   `json:"goaway,omitempty"`
}

// Request is one request and what the server said.
type Request struct {
	Name    string   `json:"name"`
	Outcome Outcome  `json:"outcome"`
	Detail  string   `json:"detail,omitempty"`
	MS      *float64 `json:"ms,omitempty"` // to the answer
}

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	Taken    Outcome = "accepted"
	Refused  Outcome = "refused"
	Silence  Outcome = "no answer"
	NotAsked Outcome = "not asked"
	Ended    Outcome = "session ended"
)

// Goaway is a GOAWAY that came unasked.
type Goaway struct {
	URI       string  `json:"uri,omitempty"`
	TimeoutMS float64 `json:"timeout_ms,omitempty"`
}

// Parameters are those transport parameters of QUIC that matter here (RFC 9000,
// section 18.2; RFC 9221), as qlog writes them.
type Parameters struct {
	IdleTimeoutMS  float64 `json:"max_idle_timeout,omitempty"`
	Payload        uint64  `json:"max_udp_payload_size,omitempty"`
	Data           uint64  `json:"initial_max_data,omitempty"`
	StreamBidi     uint64  `json:"initial_max_stream_data_bidi_remote,omitempty"`
	StreamUni      uint64  `json:"initial_max_stream_data_uni,omitempty"`
	StreamsBidi    uint64  `json:"initial_max_streams_bidi,omitempty"`
	StreamsUni     uint64  `json:"initial_max_streams_uni,omitempty"`
	Datagram       uint64  `json:"max_datagram_frame_size,omitempty"`
	ResetStreamAt  bool    `json:"reset_stream_at,omitempty"`
	MigrationIsOff bool    `json:"disable_active_migration,omitempty"`
}

// Setting is one of HTTP/3.
type Setting struct {
	ID    uint64 `json:"id"`
	Name  string `json:"name,omitempty"`
	Value uint64 `json:"value"`
}

// settingNames are of RFC 9114, 9204, 9220, 9297 and of the drafts of
// WebTransport over HTTP/3, whose generations have a name each.
var settingNames = map[uint64]string{
	0x01:       "QPACK_MAX_TABLE_CAPACITY",
	0x06:       "MAX_FIELD_SECTION_SIZE",
	0x07:       "QPACK_BLOCKED_STREAMS",
	0x08:       "ENABLE_CONNECT_PROTOCOL",
	0x33:       "H3_DATAGRAM",
	0xffd277:   "H3_DATAGRAM (draft 04)",
	0x2b603742: "ENABLE_WEBTRANSPORT (drafts 02 to 06)",
	0xc671706a: "WEBTRANSPORT_MAX_SESSIONS (draft 07)",
	0x14e9cd29: "WT_MAX_SESSIONS (drafts 13, 14)",
	0x2c7cf000: "WT_ENABLED (draft 15 on)",
	0x2b61:     "WT_INITIAL_MAX_DATA",
	0x2b64:     "WT_INITIAL_MAX_STREAMS_UNI",
	0x2b65:     "WT_INITIAL_MAX_STREAMS_BIDI",
}

// settingName returns the name of a setting, "" if it has none here. Reserved ones
// are there for peers to ignore (RFC 9114, section 7.2.4.1).
func settingName(id uint64) string {
	if name := settingNames[id]; name != "" {
		return name
	}
	if id >= 0x21 && (id-0x21)%0x1f == 0 {
		return "reserved"
	}
	return ""
}

// settingIDs are of those settings that qlog names instead.
var settingIDs = map[string]uint64{
	"settings_max_field_section_size":  0x06,
	"settings_enable_connect_protocol": 0x08,
	"settings_h3_datagram":             0x33,
}

// Certificate is that of the server.
type Certificate struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	SelfSigned  bool      `json:"self_signed"`
	Names       []string  `json:"names"` // and addresses
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Days        float64   `json:"valid_days"` // from the first to the last
	Key         string    `json:"key"`
	Chain       int       `json:"chain"` // certificates that were sent
	Fingerprint string    `json:"sha256"`
	// Untrusted says why what the flags trust does not include it; empty: it
	// does. Public says whether the authorities of this machine vouch for it.
	// Unasked says that the flags trust any certificate.
	Untrusted string `json:"untrusted,omitempty"`
	Unasked   bool   `json:"not_verified,omitempty"`
	Public    bool   `json:"public"`
	// PinFault says why browsers will not take it by its hash
	// (serverCertificateHashes); empty: they will.
	PinFault string `json:"browser_hash_fault,omitempty"`
	TLS      string `json:"tls"`
	Cipher   string `json:"cipher"`
}

// certificateOf describes the certificate that a server showed.
func certificateOf(state tls.ConnectionState, host string, untrusted error) *Certificate {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw}, Leaf: leaf}
	sum := certs.Fingerprint(pair)
	c := &Certificate{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), SelfSigned: certs.SelfIssued(pair),
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Days: leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24,
		Key: keyName(leaf), Chain: len(state.PeerCertificates), Fingerprint: hex.EncodeToString(sum[:]),
		PinFault: certs.PinFault(pair), TLS: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite),
	}
	c.Names = append(c.Names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	if untrusted != nil {
		c.Untrusted = reasonOf(untrusted)
	}
	between := x509.NewCertPool()
	for _, other := range state.PeerCertificates[1:] {
		between.AddCert(other)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: between})
	c.Public = err == nil
	return c
}

// keyName says what kind of key a certificate has.
func keyName(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return c.PublicKeyAlgorithm.String()
}

// ms is d in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// msp is ms for what may be absent.
func msp(d time.Duration) *float64 {
	v := ms(max(0, d))
	return &v
}
