package text

import (
	"encoding/base64"
	"strconv"
	"time"

	"oxymoq/pkg/model"
)

// Arrival is an object as it is shown.
type Arrival struct {
	Track model.FullTrackName
	At    time.Time // when it was given out
	model.Object
}

// Format appends what is to be printed of an object, with the line's end.
type Format func(b []byte, a *Arrival) []byte

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
