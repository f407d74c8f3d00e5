package timeline

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"oxymoq/pkg/model"
)

// lost folds packets that are lost together into one line.
func (d *digest) lost(ev *rawEvent) error {
	var p struct {
		Header struct {
			Type   string `json:"packet_type"`
			Number uint64 `json:"packet_number"`
		} `json:"header"`
		Trigger string `json:"trigger"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	why := ""
	switch p.Trigger {
	case "":
	case "reordering_threshold":
		why = ", later ones arrived"
	case "time_threshold":
		why = ", too long ago"
	default:
		why = ", " + strings.ReplaceAll(p.Trigger, "_", " ")
	}
	number := strconv.FormatUint(p.Header.Number, 10)
	if it := d.last; it != nil && it.what == "LOST" && ev.at-it.at < lossGap {
		it.count++
		it.text = fmt.Sprintf("%d packets, to %s%s", it.count, number, why)
		return nil
	}
	d.add(&item{at: ev.at, kind: Loss, sent: true, stream: NoStream, what: "LOST", count: 1, text: "packet " + number + why})
	return nil
}

// dropped folds datagrams that were dropped together.
func (d *digest) dropped(ev *rawEvent) error {
	if it := d.last; it != nil && it.what == "DROPPED" && ev.at-it.at < lossGap {
		it.count++
		it.text = fmt.Sprintf("%d datagrams, before they were sent or read", it.count)
		return nil
	}
	d.add(&item{at: ev.at, kind: Loss, local: true, stream: NoStream, what: "DROPPED", count: 1, text: "a datagram, before it was sent or read"})
	return nil
}

// congestion tells of losses that made the sender slower.
func (d *digest) congestion(ev *rawEvent) error {
	var p struct {
		New string `json:"new"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	if p.New == "recovery" {
		d.add(&item{at: ev.at, kind: Loss, local: true, stream: NoStream, text: "sends less: the congestion window shrinks"})
	}
	return nil
}

func (d *digest) started(ev *rawEvent) error {
	var p struct {
		Remote struct {
			V4   string `json:"ip_v4"`
			P4   uint16 `json:"port_v4"`
			V6   string `json:"ip_v6"`
			P6   uint16 `json:"port_v6"`
			IP   string `json:"ip"`
			Port uint16 `json:"port"`
		} `json:"remote"`
		IP   string `json:"dst_ip"` // as older schemas have it
		Port uint16 `json:"dst_port"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	for _, a := range []struct {
		ip   string
		port uint16
	}{{p.Remote.V4, p.Remote.P4}, {p.Remote.V6, p.Remote.P6}, {p.Remote.IP, p.Remote.Port}, {p.IP, p.Port}} {
		if a.ip != "" {
			d.add(&item{at: ev.at, kind: Connection, local: true, stream: NoStream, text: fmt.Sprintf("connection with %s, port %d", a.ip, a.port)})
			return nil
		}
	}
	d.add(&item{at: ev.at, kind: Connection, local: true, stream: NoStream, text: "connection"})
	return nil
}

func (d *digest) protocol(ev *rawEvent) error {
	var p struct {
		Chosen json.RawMessage `json:"chosen_alpn"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	var obj struct {
		Value string `json:"string_value"`
	}
	if json.Unmarshal(p.Chosen, &d.t.Protocol) != nil && json.Unmarshal(p.Chosen, &obj) == nil {
		d.t.Protocol = obj.Value
	}
	if d.t.Protocol != "" {
		d.add(&item{at: ev.at, kind: Connection, local: true, stream: NoStream, text: "speaks " + d.t.Protocol})
	}
	return nil
}

func (d *digest) closed(ev *rawEvent) error {
	var p struct {
		Initiator   string          `json:"initiator"`
		Owner       string          `json:"owner"` // as older schemas have it
		Connection  json.RawMessage `json:"connection_error"`
		Application json.RawMessage `json:"application_error"`
		Code        *uint64         `json:"error_code"`
		Reason      string          `json:"reason"`
		Trigger     string          `json:"trigger"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	it := &item{at: ev.at, kind: Connection, stream: NoStream, what: "CLOSE", key: "close"}
	by := p.Initiator
	if by == "" {
		by = p.Owner
	}
	it.sent, it.local = by == "local", by != "local" && by != "remote" || p.Trigger != ""
	switch {
	case p.Application != nil && p.Code != nil:
		it.text = d.sessionCode(*p.Code)
	case p.Connection != nil:
		var name string
		_ = json.Unmarshal(p.Connection, &name) // or it is another form
		it.text = "by QUIC: " + name
	case p.Trigger != "":
		it.text = strings.ReplaceAll(p.Trigger, "_", " ")
	}
	if it.local {
		it.key = ""
	}
	if p.Reason != "" {
		it.text = strings.TrimSpace(fmt.Sprintf("%s %q", it.text, p.Reason))
	}
	d.add(it)
	return nil
}

// word is what a trace says of itself, or the program beside it.
func (d *digest) word(ev *rawEvent) error {
	var p struct {
		Message string  `json:"message"`
		Limit   *uint64 `json:"limit"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	if p.Limit != nil {
		d.t.cut = true
	}
	d.note(ev.at, p.Message)
	return nil
}

// Codes of WebTransport over HTTP/3 (draft-ietf-webtrans-http3, sections 4.4 and
// 9.5). Between the first and the last are those that stand for codes of the
// application; every 31st is left out.
const (
	firstWebCode = 0x52e4a40fa8db
	lastWebCode  = 0x52e5ac983162
	webStride    = 0x1f
	noErrorHTTP  = 0x100
	sessionGone  = 0x170d7b68 // WT_SESSION_GONE
	rejected     = 0x3994bd84 // WT_BUFFERED_STREAM_REJECTED
)

// webCode returns the application's code of one of HTTP/3.
func webCode(h uint64) (code uint64, ok bool) {
	if h < firstWebCode || h > lastWebCode || (h-0x21)%webStride == 0 {
		return 0, false
	}
	n := h - firstWebCode
	return n - n/webStride, true
}

// code names why a stream was given up.
func (d *digest) code(raw json.RawMessage, number *uint64) string {
	var v uint64
	switch {
	case number != nil:
		v = *number
	case json.Unmarshal(raw, &v) != nil:
		var s string
		_ = json.Unmarshal(raw, &s) // or it is missing
		return s
	}
	if c, ok := webCode(v); ok {
		return model.ResetCode(c).String()
	}
	switch {
	case v == sessionGone:
		return "the session has ended"
	case v == rejected:
		return "of no session"
	case d.t.Protocol == protocolHTTP:
		return fmt.Sprintf("HTTP/3 0x%x", v)
	}
	return model.ResetCode(v).String()
}

// sessionCode names why a connection was closed.
func (d *digest) sessionCode(v uint64) string {
	if c, ok := webCode(v); ok {
		return model.SessionCode(c).String()
	}
	if d.t.Protocol == protocolHTTP {
		if v == noErrorHTTP {
			return "HTTP/3 NO_ERROR"
		}
		return fmt.Sprintf("HTTP/3 0x%x", v)
	}
	return model.SessionCode(v).String()
}

// protocolHTTP is the protocol of connections that carry WebTransport.
const protocolHTTP = "h3"
