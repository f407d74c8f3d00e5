package timeline

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"oxymoq/pkg/model"
)

// text is a byte string of the schema: text, or bytes that are none. Some
// programs write it as plain text.
type text string

// UnmarshalJSON is for package json.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
		return nil
	}
	var parts struct {
		Value *string `json:"value"`
		Bytes string  `json:"value_bytes"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if parts.Value != nil {
		*t = text(*parts.Value)
	} else {
		*t = text("0x" + parts.Bytes)
	}
	return nil
}

// namespace is a list of fields.
type namespace []text

func (n namespace) String() string {
	parts := make([]string, len(n))
	for i, f := range n {
		parts[i] = string(f)
	}
	return strings.Join(parts, "/")
}

// location is a place in a track.
type location struct {
	Group  uint64 `json:"group"`
	Object uint64 `json:"object"`
}

func (l location) String() string { return fmt.Sprintf("%d/%d", l.Group, l.Object) }

// parameter is a parameter of a message or an option of SETUP.
type parameter struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// rawMessage is a control message: the members of all that are of interest.
type rawMessage struct {
	Type      string    `json:"type"`
	OtherType string    `json:"message_type"` // as some programs have it
	Request   *uint64   `json:"request_id"`
	Existing  *uint64   `json:"existing_request_id"`
	Blocked   *uint64   `json:"maximum_request_id"`
	Offered   []uint64  `json:"supported_versions"`
	Selected  *uint64   `json:"selected_version"`
	Wanted    string    `json:"subscribe_options"`
	Namespace namespace `json:"track_namespace"`
	Prefix    namespace `json:"track_namespace_prefix"`
	Suffix    namespace `json:"track_namespace_suffix"`
	Name      *text     `json:"track_name"`
	Alias     *uint64   `json:"track_alias"`
	Status    *uint64   `json:"status_code"`
	Error     *uint64   `json:"error_code"`
	Streams   *uint64   `json:"stream_count"`
	Retry     *uint64   `json:"retry_interval"`
	Reason    string    `json:"reason"`
	Timeout   *uint64   `json:"timeout"`
	URI       struct {
		Data string `json:"data"`
	} `json:"new_session_uri"`
	EndOfTrack uint8     `json:"end_of_track"`
	End        *location `json:"end_location"`
	FetchType  string    `json:"fetch_type"`
	Standalone *struct {
		Namespace namespace `json:"track_namespace"`
		Name      text      `json:"track_name"`
		Start     location  `json:"start_location"`
		End       location  `json:"end_location"`
	} `json:"standalone_fetch"`
	Joining *struct {
		Request uint64 `json:"joining_request_id"`
		Start   uint64 `json:"joining_start"`
	} `json:"joining_fetch"`
	Parameters []parameter `json:"parameters"`
	Options    []parameter `json:"setup_options"`
	OldOptions []parameter `json:"setup_parameters"` // up to draft 16
}

// message adds a control message.
func (d *digest) message(ev *rawEvent, sent bool) error {
	var data struct {
		Stream  uint64     `json:"stream_id"`
		Message rawMessage `json:"message"`
		Type    string     `json:"message_type"`
	}
	if err := decode(ev, &data); err != nil {
		return err
	}
	m := &data.Message
	for _, other := range []string{m.OtherType, data.Type, "message"} {
		if m.Type == "" {
			m.Type = other
		}
	}
	it := &item{
		at: ev.at, kind: Control, sent: sent, stream: streamID(data.Stream), what: strings.ToUpper(m.Type),
		key: fmt.Sprintf("c%d %s", data.Stream, m.Type), text: m.text(),
	}
	if m.Request != nil {
		it.key += fmt.Sprintf(" %d", *m.Request)
	}
	if m.Type == "client_setup" || m.Type == "server_setup" {
		d.shared[it.stream] = true
	}
	it.track = d.about(m, sent, it.stream)
	if m.Alias != nil {
		id := oneWay{sent, *m.Alias}
		d.aliases[id] = append(d.aliases[id], aliasUse{ev.at, it.track})
	}
	d.add(it)
	return nil
}

// about returns the track or namespace of a message, and remembers it for those
// that only refer to it: by their stream, or by a Request ID where requests share
// the control stream.
func (d *digest) about(m *rawMessage, sent bool, stream int64) (track string) {
	switch {
	case m.Name != nil:
		track = name(m.Namespace, *m.Name)
		if m.Namespace == nil && m.Suffix != nil {
			track = name(m.Suffix, *m.Name)
		}
	case m.Standalone != nil:
		track = name(m.Standalone.Namespace, m.Standalone.Name)
	case m.Joining != nil:
		track = d.requested(sent, m.Joining.Request) // the subscription may have begun with PUBLISH
	case m.Namespace != nil:
		track = m.Namespace.String()
	case m.Prefix != nil:
		track = m.Prefix.String()
	case m.Suffix != nil:
		return m.Suffix.String() // what the stream is about is the prefix
	case !d.shared[stream]:
		return d.streams[stream]
	case m.Existing != nil:
		return d.requested(sent, *m.Existing)
	case m.Request != nil && m.Type != maxRequestID:
		return d.requested(!sent, *m.Request)
	default:
		return ""
	}
	if _, known := d.streams[stream]; !known {
		d.streams[stream] = track
	}
	if m.Request != nil {
		d.requests[oneWay{sent, *m.Request}] = track
	}
	return track
}

// maxRequestID is the message whose Request ID is a limit.
const maxRequestID = "max_request_id"

// requested returns what a request is about, of the given side as a rule. Both
// sides number theirs differently, so that one number means one request.
func (d *digest) requested(sent bool, id uint64) (track string) {
	if track, ok := d.requests[oneWay{sent, id}]; ok {
		return track
	}
	return d.requests[oneWay{!sent, id}]
}

func name(ns namespace, name text) string {
	if len(ns) == 0 {
		return string(name)
	}
	return ns.String() + "/" + string(name)
}

// text tells what matters of a message beside its type and track.
func (m *rawMessage) text() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case m.Request != nil && m.Type == "goaway":
		add("requests from #%d on", *m.Request)
	case m.Request != nil && m.Type == maxRequestID:
		add("requests below #%d", *m.Request)
	case m.Request != nil:
		add("#%d", *m.Request)
	}
	if m.Existing != nil {
		add("of #%d", *m.Existing)
	}
	if m.Blocked != nil {
		add("none below #%d is left", *m.Blocked)
	}
	if m.Alias != nil {
		add("alias %d", *m.Alias)
	}
	switch {
	case m.Status != nil:
		add("%v", model.DoneCode(*m.Status))
	case m.Error != nil:
		add("%v", model.RequestCode(*m.Error))
	}
	if m.Streams != nil {
		add("%d streams", *m.Streams)
	}
	if m.Retry != nil {
		add("retry after %d ms", *m.Retry)
	}
	switch {
	case m.Standalone != nil:
		add("from %v to %v", m.Standalone.Start, m.Standalone.End)
	case m.Joining != nil:
		add("%s, to #%d, start %d", strings.ReplaceAll(m.FetchType, "_", " "), m.Joining.Request, m.Joining.Start)
	case m.End != nil:
		add("to %v", *m.End)
	}
	if m.EndOfTrack != 0 {
		add("the end of the track")
	}
	if m.Timeout != nil {
		add("within %d ms", *m.Timeout)
	}
	if uri, err := hex.DecodeString(m.URI.Data); err == nil && len(uri) > 0 {
		add("go to %s", uri)
	}
	if len(m.Offered) > 0 {
		add("offers %s", versions(m.Offered))
	}
	if m.Selected != nil {
		add("chooses %s", versions([]uint64{*m.Selected}))
	}
	switch m.Wanted {
	case "namespace":
		add("namespaces only")
	case "both":
		add("namespaces and tracks")
	}
	for _, p := range slices.Concat(m.Options, m.OldOptions) {
		if s := p.option(); s != "" {
			add("%s", s)
		}
	}
	for _, p := range m.Parameters {
		if s := p.parameter(); s != "" {
			add("%s", s)
		}
	}
	if m.Reason != "" {
		add("%q", m.Reason)
	}
	return strings.Join(parts, ", ")
}

// versions names versions of MoQT as in SETUP up to draft 14, whose drafts count
// from 0xff000000 on.
func versions(numbers []uint64) string {
	var names []string
	for _, n := range numbers[:min(len(numbers), maxVersions)] {
		if draft := n - firstDraft; draft < 1<<16 {
			names = append(names, fmt.Sprintf("draft %d", draft))
		} else {
			names = append(names, fmt.Sprintf("%#x", n))
		}
	}
	if more := len(numbers) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

const (
	firstDraft  = 0xff000000
	maxVersions = 8 // that are named
)

// option describes an option of SETUP, empty if it is of no interest.
func (p parameter) option() string {
	switch p.Name {
	case "path", "authority", "implementation":
		var s string
		if json.Unmarshal(p.Value, &s) == nil {
			return p.Name + " " + s
		}
	case "authorization_token":
		return "a token"
	}
	return ""
}

// parameter describes a parameter of a message, empty if it is of no interest.
func (p parameter) parameter() string {
	switch p.Name {
	case "largest_object":
		var l location
		if json.Unmarshal(p.Value, &l) == nil {
			return "largest " + l.String()
		}
	case "forward":
		if string(p.Value) == "0" {
			return "without objects"
		}
	case "expires", "delivery_timeout", "subgroup_delivery_timeout", "rendezvous_timeout":
		return strings.ReplaceAll(p.Name, "_", " ") + " " + string(p.Value) + " ms"
	case "subscription_filter":
		return p.filter()
	case "authorization_token":
		return "a token"
	}
	return ""
}

// filter describes a subscription filter; the numbers of its types are those of
// the drafts.
func (p parameter) filter() string {
	var f struct {
		Type  uint64   `json:"filter_type"`
		Start location `json:"start_location"`
		Delta *uint64  `json:"end_group_delta"`
	}
	if json.Unmarshal(p.Value, &f) != nil {
		return ""
	}
	switch {
	case f.Type == 1:
		return "from the next group"
	case f.Type == 2:
		return "from the next object"
	case f.Delta != nil:
		return fmt.Sprintf("from %v, and %d groups on", f.Start, *f.Delta)
	}
	return fmt.Sprintf("from %v", f.Start)
}
