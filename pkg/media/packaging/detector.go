package packaging

import (
	"errors"
	"fmt"
	"strings"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/hang"
	"oxymoq/pkg/media/loc"
	"oxymoq/pkg/media/moqmi"
	"oxymoq/pkg/model"
)

// An UnknownError is an object of no packaging that is known.
type UnknownError struct {
	Types []uint64 // of its properties
	Size  int      // of its payload
	MoQMi error    // why it is not MoQMi
	LOC   error
	Hang  error
}

func (e *UnknownError) Error() string {
	types := make([]string, 0, len(e.Types))
	for _, t := range e.Types {
		types = append(types, fmt.Sprintf("0x%02x", t))
	}
	if len(types) == 0 {
		types = []string{"none"}
	}
	return fmt.Sprintf("object of an unknown packaging (properties %s, %d bytes): %v; %v; %v",
		strings.Join(types, " "), e.Size, e.MoQMi, e.LOC, e.Hang)
}

// Unwrap returns the reasons.
func (e *UnknownError) Unwrap() []error { return []error{e.MoQMi, e.LOC, e.Hang} }

// maxTypes is the number of property types that an error keeps.
const maxTypes = 16

var errNoHint = errors.New("not hang: no catalog says the codec")

// Detector is an Unpacker that finds out the packaging by the first object it
// understands.
type Detector struct {
	kind  media.Kind
	hint  *media.Format
	name  Name
	found Unpacker
}

// NewDetector returns a detector for one track of the kind. hint is what a
// catalog says of the format, or nil: without one hang is not tried, whose
// objects say nothing of themselves.
func NewDetector(kind media.Kind, hint *media.Format) *Detector {
	return &Detector{kind: kind, hint: hint}
}

// Name returns the packaging that was found, or "".
func (d *Detector) Name() Name { return d.name }

// Unpack returns the sample of an object. It fails with *UnknownError for an
// object of no known packaging, as long as none was found, and after that as the
// packaging does. An object that says no more than what packaging it is finds
// it too: ErrNoConfig and ErrNoSample.
func (d *Detector) Unpack(props model.Properties, payload []byte) (*media.Sample, error) {
	if d.found != nil {
		return d.found.Unpack(props, payload)
	}
	unknown := &UnknownError{Size: len(payload), Hang: errNoHint}
	var s *media.Sample
	if s, unknown.MoQMi = d.try(MoQMi, moqmi.NewUnpacker(d.kind, d.hint), props, payload); d.found != nil {
		return s, unknown.MoQMi
	}
	if s, unknown.LOC = d.try(LOC, loc.NewUnpacker(d.kind, d.hint), props, payload); d.found != nil {
		return s, unknown.LOC
	}
	if d.hint != nil && errors.Is(unknown.MoQMi, moqmi.ErrNotMoQMi) && errors.Is(unknown.LOC, loc.ErrNotLOC) {
		if s, unknown.Hang = d.try(Hang, hang.NewUnpacker(d.kind, d.hint), props, payload); d.found != nil {
			return s, unknown.Hang
		}
	}
	for _, p := range props[:min(len(props), maxTypes)] {
		unknown.Types = append(unknown.Types, p.Type)
	}
	return nil, unknown
}

// try unpacks an object and keeps the unpacker if it is the right one.
func (d *Detector) try(n Name, u Unpacker, props model.Properties, payload []byte) (*media.Sample, error) {
	s, err := u.Unpack(props, payload)
	if err == nil || errors.Is(err, ErrNoConfig) || errors.Is(err, ErrNoSample) {
		d.name, d.found = n, u
	}
	return s, err
}
