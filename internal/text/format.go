package text

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"oxymoq/pkg/model"
)

// Arrival is an object as it is shown.
type Arrival struct {
	Track model.FullTrackName
	At    time.Time                // when it came
	Since model.Opt[time.Duration] // from when the object shown before it came; negative if that came later
	Past  bool                     // published before the track was asked for
	model.Object
	times
}

// Format appends what is to be printed of an object, with the line's end.
type Format func(b []byte, a *Arrival) []byte

// ParseFormat returns the format of a flag's value. Only text can show ids,
// because json and hex always do, and raw is for other programs.
func ParseFormat(name string, ids bool) (Format, error) {
	f, ok := map[string]Format{"text": Plain, "json": JSON, "raw": Raw, "hex": Hex}[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("-format %q is not known; use text, json, raw or hex", name)
	case ids && name != "text":
		return nil, fmt.Errorf("-ids is for -format text; json and hex have them anyway, raw never")
	case ids:
		return IDs, nil
	}
	return f, nil
}

// Plain prints as moxygen does: each property that may change on its own line,
// then the payload on another.
func Plain(b []byte, a *Arrival) []byte {
	for _, p := range a.Properties {
		switch {
		case p.Type == model.PropImmutable:
			continue
		case p.Type%2 == 0:
			b = append(b, "int extension="...)
			b = strconv.AppendUint(b, p.Int, 10)
		default:
			b = append(b, "data extension="...)
			b = base64.StdEncoding.AppendEncode(b, p.Bytes)
		}
		b = append(b, '\n')
	}
	b = append(b, a.Payload...)
	return append(b, '\n')
}

// IDs prints group, subgroup ("-" if the object came as a datagram), object, the
// time and the payload in one line.
func IDs(b []byte, a *Arrival) []byte {
	b = strconv.AppendUint(b, a.Group, 10)
	b = append(b, ' ')
	if a.Datagram {
		b = append(b, '-')
	} else {
		b = strconv.AppendUint(b, a.Subgroup, 10)
	}
	b = append(b, ' ')
	b = strconv.AppendUint(b, a.Location.Object, 10)
	b = append(b, ' ')
	b = a.At.AppendFormat(b, time.RFC3339Nano)
	b = append(b, ' ')
	b = append(b, a.Payload...)
	return append(b, '\n')
}

// Raw prints the payload and nothing else, not even the line's end.
func Raw(b []byte, a *Arrival) []byte { return append(b, a.Payload...) }

// Hex prints a line with everything but the payload, and that as hexdump -C.
func Hex(b []byte, a *Arrival) []byte {
	b = fmt.Appendf(b, "%s group %d ", a.Track, a.Group)
	if a.Datagram {
		b = append(b, "datagram "...)
	} else {
		b = fmt.Appendf(b, "subgroup %d ", a.Subgroup)
	}
	b = fmt.Appendf(b, "object %d %s, %d bytes, %s\n", a.Location.Object, a.Status, len(a.Payload), a.At.Format(time.RFC3339Nano))
	for _, p := range a.Properties {
		if p.Type%2 == 0 {
			b = fmt.Appendf(b, "property 0x%x: %d\n", p.Type, p.Int)
		} else {
			b = fmt.Appendf(b, "property 0x%x: %x\n", p.Type, p.Bytes)
		}
	}
	return append(b, hex.Dump(a.Payload)...)
}

// line is an object in JSON.
type line struct {
	trackLine
	Group      uint64     `json:"group"`
	Subgroup   *uint64    `json:"subgroup,omitempty"` // none for a datagram
	Object     uint64     `json:"object"`
	Datagram   bool       `json:"datagram,omitempty"`
	Status     string     `json:"status"`
	Priority   *uint8     `json:"priority,omitempty"`
	Arrival    string     `json:"arrival"`
	Since      *float64   `json:"since_ms,omitempty"` // from the arrival of the line before
	Past       bool       `json:"past,omitempty"`     // published before the track was asked for
	Captured   string     `json:"captured,omitempty"` // by the publisher's clock, if the object says
	Latency    *float64   `json:"latency_ms,omitempty"`
	Media      *float64   `json:"media_ms,omitempty"` // when it is decoded, on the media's clock
	Key        bool       `json:"key,omitempty"`      // decoding can begin with it
	Size       int        `json:"size"`               // of the payload, in bytes
	Payload    *string    `json:"payload,omitempty"`
	Base64     []byte     `json:"payload_base64,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

// trackLine is the name of a track in JSON.
type trackLine struct {
	Namespace []string `json:"namespace"`
	Track     string   `json:"track"`
	FullName  string   `json:"full_track_name,omitempty"` // as the draft prints it, if it is no UTF-8
}

func nameLine(t model.FullTrackName) trackLine {
	l := trackLine{Namespace: t.Namespace, Track: t.Name}
	if !utf8.ValidString(strings.Join(t.Namespace, "") + t.Name) {
		l.FullName = t.String()
	}
	return l
}

type property struct {
	Type  uint64  `json:"type"`
	Value *uint64 `json:"value,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
}

// JSON prints one JSON object a line. A payload that is no UTF-8 is in base64,
// and so are the bytes of properties.
func JSON(b []byte, a *Arrival) []byte {
	l := line{
		trackLine: nameLine(a.Track), Group: a.Group, Object: a.Location.Object, Datagram: a.Datagram,
		Status: a.Status.String(), Arrival: a.At.Format(time.RFC3339Nano), Past: a.Past, Size: len(a.Payload),
	}
	if since, ok := a.Since.Get(); ok {
		l.Since = new(millis(since))
	}
	if !a.captured.IsZero() {
		l.Captured, l.Latency = a.captured.In(a.At.Location()).Format(time.RFC3339Nano), new(millis(a.At.Sub(a.captured)))
	}
	if media, ok := a.media.Get(); ok {
		l.Media, l.Key = new(millis(media)), a.key
	}
	if !a.Datagram {
		l.Subgroup = &a.Subgroup
	}
	if a.Priority.Set {
		l.Priority = &a.Priority.Value
	}
	if utf8.Valid(a.Payload) {
		text := string(a.Payload)
		l.Payload = &text
	} else {
		l.Base64 = a.Payload
	}
	for _, p := range a.Properties {
		if p.Type%2 == 0 {
			l.Properties = append(l.Properties, property{Type: p.Type, Value: &p.Int})
		} else {
			l.Properties = append(l.Properties, property{Type: p.Type, Bytes: p.Bytes})
		}
	}
	return appendLine(b, &l)
}
