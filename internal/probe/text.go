package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"oxymoq/pkg/transport"
)

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// notTold stands for what the server does not say.
const notTold = "not told"

// carrierNames are how carriers are called.
var carrierNames = map[string]string{
	string(transport.QUIC): "raw QUIC", string(transport.WebTransport): "WebTransport", string(transport.QMUX): "QMux over TCP",
}

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer) error {
	t := &text{}
	t.line("%s", r.URL)
	t.row(1, "addresses", "%s (%s)", strings.Join(r.Addresses, ", "), took(&r.LookupMS))
	if r.UDP != "" {
		t.row(1, "UDP", "%s; QUIC versions: %s", r.UDP, told(strings.Join(r.Versions, ", ")))
	}
	if r.TCP != "" {
		t.row(1, "TCP", "%s", r.TCP)
	}
	r.Certificate.text(t)
	for _, c := range r.Carriers {
		c.text(t)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

func (c *Certificate) text(t *text) {
	if c == nil {
		t.row(1, "certificate", notTold)
		return
	}
	issuer := "issued by " + c.Issuer
	if c.SelfSigned {
		issuer = "self-signed"
	}
	t.row(1, "certificate", "%s, %s, %s; %d in the chain", c.Subject, issuer, c.Key, c.Chain)
	t.row(2, "names", "%s", told(strings.Join(c.Names, ", ")))
	t.row(2, "valid", "%s to %s, %.3g days", c.NotBefore.UTC().Format(time.DateTime), c.NotAfter.UTC().Format(time.DateTime), c.Days)
	switch {
	case c.Unasked:
		t.row(2, "trusted", "not verified (-insecure)")
	case c.Untrusted != "":
		t.row(2, "trusted", "no: %s", c.Untrusted)
	default:
		t.row(2, "trusted", "yes")
	}
	t.row(2, "authority", "%s", pick(c.Public, "one that this machine knows vouches for it", "none that this machine knows vouches for it"))
	if c.PinFault != "" {
		t.row(2, "by hash", "browsers do not take it: %s", c.PinFault)
	} else {
		t.row(2, "by hash", "browsers take it (serverCertificateHashes)")
	}
	t.row(2, "SHA-256", "%s", c.Fingerprint)
	t.row(2, "TLS", "%s with %s", c.TLS, c.Cipher)
}

func (c *Carrier) text(t *text) {
	t.line("")
	t.line("%s", carrierNames[c.Transport])
	if p := c.Parameters; p != nil {
		t.row(1, "QUIC", "idle timeout %s, streams %d and %d unidirectional, window %d bytes (%d and %d a stream), datagrams %s, RESET_STREAM_AT %s",
			orNone(p.IdleTimeoutMS > 0, fmt.Sprintf("%v", time.Duration(p.IdleTimeoutMS*float64(time.Millisecond)))), p.StreamsBidi, p.StreamsUni, p.Data, p.StreamBidi, p.StreamUni,
			orNone(p.Datagram > 0, fmt.Sprintf("up to %d bytes", p.Datagram)), pick(p.ResetStreamAt, "yes", "no"))
	}
	if c.HTTP3 != nil {
		t.row(1, "HTTP/3", "%s", settingsText(c.HTTP3))
	}
	if c.Server != "" {
		t.row(1, "server", "%s", c.Server)
	}
	if ch := c.Choice; ch != nil {
		t.row(1, "choice", "%s", ch.text())
	}
	for _, o := range c.Offers {
		o.text(t)
	}
}

// text says what is chosen, and whose order decides.
func (c *Choice) text() string {
	all := strings.Join(c.Offered, ", ")
	switch {
	case c.Chosen == "" || c.Reversed == "":
		return fmt.Sprintf("of %s, offered together, nothing", all)
	case c.Chosen == c.Reversed:
		return fmt.Sprintf("of %s, offered together, %s in either order: the server's order decides", all, c.Chosen)
	case c.Chosen == c.Offered[0] && c.Reversed == c.Offered[len(c.Offered)-1]:
		return fmt.Sprintf("of %s, offered together, the first: the client's order decides", all)
	}
	return fmt.Sprintf("of %s, offered together, %s, and in the opposite order %s", all, c.Chosen, c.Reversed)
}

func (o *Offer) text(t *text) {
	if !o.Accepted {
		t.row(1, o.Protocol, "no: %s", o.Why)
		return
	}
	t.row(1, o.Protocol, "yes: %s to the certificate, %s to the connection, %s from there to SETUP, round trip %s",
		took(o.HandshakeMS), took(o.ConnectMS), took(o.SetupMS), took(o.RTTMS))
	if o.ALPN != "" {
		t.row(2, "ALPN", "%s", o.ALPN)
	}
	t.row(2, "implementation", "%s", told(o.Implementation))
	t.row(2, "limits", "MAX_REQUEST_ID %s, MAX_AUTH_TOKEN_CACHE_SIZE %s, datagrams %s",
		number(o.MaxRequestID), number(o.TokenCache), orNone(o.Datagram > 0, fmt.Sprintf("up to %d bytes", o.Datagram)))
	if len(o.OtherOptions) > 0 {
		t.row(2, "other options", "%s", strings.Join(o.OtherOptions, ", "))
	}
	for _, r := range o.Requests {
		line := string(r.Outcome)
		if r.Detail != "" {
			line += ": " + r.Detail
		}
		if r.MS != nil {
			line += " (" + took(r.MS) + ")"
		}
		t.row(2, r.Name, "%s", line)
	}
	for _, n := range o.Namespaces {
		t.row(3, "namespace", "%s", n)
	}
	if o.More > 0 {
		t.row(3, "and", "%d more", o.More)
	}
	if g := o.Goaway; g != nil {
		t.row(2, "GOAWAY", "to %s, within %s", told(g.URI), took(&g.TimeoutMS))
	}
}

// text is what is being written.
type text struct{ b strings.Builder }

// keyCells is how wide the names of rows are, with their indentation.
const keyCells = 30

func (t *text) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(plain(fmt.Sprintf(format, args...)), " "))
	t.b.WriteByte('\n')
}

// row writes a name, indented by its level, and what belongs to it.
func (t *text) row(level int, key, format string, args ...any) {
	t.line("%-*s %s", keyCells, strings.Repeat("  ", level)+key, fmt.Sprintf(format, args...))
}

func told(s string) string {
	if s == "" {
		return notTold
	}
	return s
}

func number(n *uint64) string {
	if n == nil {
		return notTold
	}
	return fmt.Sprint(*n)
}

// took is a time in milliseconds.
func took(v *float64) string {
	if v == nil {
		return notTold
	}
	return milliseconds(*v)
}

// milliseconds has three digits where that is of use.
func milliseconds(v float64) string {
	digits := 2
	switch {
	case v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	}
	return fmt.Sprintf("%.*f ms", digits, v)
}

func orNone(has bool, s string) string { return pick(has, s, "none") }

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// MarshalJSON writes stage, ok, text and, if it was measured, ms.
func (c Check) MarshalJSON() ([]byte, error) {
	var out = struct {
		Stage Stage    `json:"stage"`
		OK    bool     `json:"ok"`
		Text  string   `json:"text"`
		MS    *float64 `json:"ms,omitempty"`
	}{Stage: c.Stage, OK: c.OK, Text: c.Text}
	if c.Took > 0 {
		out.MS = msp(c.Took)
	}
	return json.Marshal(out)
}

// String is the check as one line for a terminal; failures are a sentence.
func (c Check) String() string {
	mark, end := "ok", ""
	if !c.OK {
		mark, end = "FAIL", "."
	}
	line := fmt.Sprintf("%-5s%-13s %s%s", mark, c.Stage, plain(c.Text), end)
	if c.Took > 0 {
		line += " (" + milliseconds(ms(c.Took)) + ")"
	}
	return line
}
