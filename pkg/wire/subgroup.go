package wire

import (
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// SubgroupIDMode is how a subgroup stream tells its Subgroup ID.
type SubgroupIDMode uint8

// Modes; their values are the wire's.
const (
	SubgroupZero        SubgroupIDMode = 0 // the ID is 0
	SubgroupFirstObject SubgroupIDMode = 1 // the ID is that of the first object
	SubgroupExplicit    SubgroupIDMode = 2 // the ID is a field
)

// Bits of a subgroup stream's type (section 11.4.2).
const (
	subgroupProperties      = 0x01
	subgroupModeShift       = 1
	subgroupMode            = 0x06
	subgroupEndOfGroup      = 0x08
	subgroupAlways          = 0x10
	subgroupDefaultPriority = 0x20
	subgroupFirstObject     = 0x40
)

// SubgroupHeader begins a stream that carries the objects of one subgroup
// (section 11.4.2).
type SubgroupHeader struct {
	TrackAlias, Group uint64
	Mode              SubgroupIDMode
	Subgroup          uint64           // SubgroupExplicit
	Priority          model.Opt[uint8] // absent: that of the track
	Properties        bool             // every object has a list of properties
	EndOfGroup        bool             // a FIN ends the group too
	FirstObject       bool             // the first object here is the first of the subgroup; never so up to draft 16
}

// TellsFirstObject reports whether headers of the draft say if a stream begins
// where its subgroup does.
func TellsFirstObject(d model.Draft) bool { return subgroupBits(d)&subgroupFirstObject != 0 }

// HasDefaultPriority reports whether headers of subgroups and datagrams may leave
// their priority to the track.
func HasDefaultPriority(d model.Draft) bool { return subgroupBits(d)&subgroupDefaultPriority != 0 }

// subgroupBits returns the bits that a draft may set.
func subgroupBits(d model.Draft) uint64 {
	const common = subgroupProperties | subgroupMode | subgroupEndOfGroup | subgroupAlways
	switch {
	case d <= 14:
		return common
	case d <= 16:
		return common | subgroupDefaultPriority
	}
	return common | subgroupDefaultPriority | subgroupFirstObject
}

func validSubgroupType(d model.Draft, typ uint64) bool {
	return typ&^subgroupBits(d) == 0 && typ&subgroupAlways != 0 && typ&subgroupMode != subgroupMode
}

// Type returns the type of the stream in draft d.
func (h *SubgroupHeader) Type(d model.Draft) uint64 {
	typ := subgroupAlways | uint64(h.Mode)<<subgroupModeShift&subgroupMode
	if h.Properties {
		typ |= subgroupProperties
	}
	if h.EndOfGroup {
		typ |= subgroupEndOfGroup
	}
	if !h.Priority.Set {
		typ |= subgroupDefaultPriority
	}
	if h.FirstObject {
		typ |= subgroupFirstObject
	}
	return typ & subgroupBits(d)
}

// Fits reports whether the integers of draft d can hold those of h. Append
// panics otherwise.
func (h *SubgroupHeader) Fits(d model.Draft) bool {
	return max(h.TrackAlias, h.Group, h.Subgroup) <= VarintKind(d).Max()
}

// Append appends the type and the header. Draft 14 has no default priority:
// there an absent one is written as model.DefaultPriority.
func (h *SubgroupHeader) Append(b []byte, d model.Draft) []byte {
	k, typ := VarintKind(d), h.Type(d)
	b = k.Append(b, typ)
	b = k.Append(b, h.TrackAlias)
	b = k.Append(b, h.Group)
	if h.Mode == SubgroupExplicit {
		b = k.Append(b, h.Subgroup)
	}
	if typ&subgroupDefaultPriority == 0 {
		b = append(b, h.Priority.Or(model.DefaultPriority))
	}
	return b
}

// ParseSubgroupHeader reads a header whose type was read already. It returns
// varint.ErrTruncated if r ends early.
func ParseSubgroupHeader(d model.Draft, typ uint64, r *varint.Reader) (SubgroupHeader, error) {
	if !validSubgroupType(d, typ) {
		return SubgroupHeader{}, violation("SUBGROUP_HEADER", "Type", 0, fmt.Errorf("%w 0x%x", errUnknownType, typ))
	}
	h := SubgroupHeader{
		Mode:        SubgroupIDMode(typ & subgroupMode >> subgroupModeShift),
		Properties:  typ&subgroupProperties != 0,
		EndOfGroup:  typ&subgroupEndOfGroup != 0,
		FirstObject: typ&subgroupFirstObject != 0,
	}
	h.TrackAlias = r.Uint()
	h.Group = r.Uint()
	if h.Mode == SubgroupExplicit {
		h.Subgroup = r.Uint()
	}
	if typ&subgroupDefaultPriority == 0 {
		h.Priority = model.Some(r.Byte())
	}
	if err := streamError("SUBGROUP_HEADER", "", r); err != nil {
		return SubgroupHeader{}, err
	}
	return h, nil
}
