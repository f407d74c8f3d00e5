package wire

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// FetchDecoder reads the items of one fetch stream. It belongs to one
// goroutine.
type FetchDecoder struct {
	draft  model.Draft
	order  model.GroupOrder
	state  fetchState
	status FetchStatus // of empty objects; see lenient.go
	ended  bool
}

// NewFetchDecoder returns a decoder for a stream whose FETCH asked for the group
// order; unset means ascending. The bytes alone do not tell it.
func NewFetchDecoder(d model.Draft, order model.GroupOrder) *FetchDecoder {
	return &FetchDecoder{draft: d, order: order}
}

// Of makes the decoder one for a peer with quirks, and returns it.
func (f *FetchDecoder) Of(q Quirks) *FetchDecoder {
	f.status = q.FetchStatus
	return f
}

// End says that the stream has no more bytes than those that Parse is given from
// now on. It reports whether that can make an item of what was too little.
func (f *FetchDecoder) End() bool {
	first := !f.ended
	f.ended = true
	return first && f.status == FetchStatusMaybe
}

// Parse reads an item from the front of r and leaves r at the payload, if any.
// Properties alias the input and were checked. It returns varint.ErrTruncated
// if r ends early; the decoder has then not moved, and the caller calls again
// with more bytes. The item is returned beside an error that only makes the
// track malformed. It allocates only to report an error.
func (f *FetchDecoder) Parse(r *varint.Reader) (FetchItem, error) {
	it, err := f.item(r)
	if pe, ok := err.(*ParseError); err == nil || ok && !pe.Fatal() {
		f.state = f.state.after(&it)
		return it, err
	}
	return FetchItem{}, err
}

func (f *FetchDecoder) item(r *varint.Reader) (FetchItem, error) {
	if f.draft <= 14 {
		return f.object14(r)
	}
	flags := r.Uint()
	switch {
	case r.Err() != nil:
		return FetchItem{}, r.Err()
	case flags >= fetchFlagsEnd:
		return f.end(flags, r)
	}
	return f.object(flags, r)
}

// end reads the end of a range: two absolute IDs and nothing else (moq-wg issue
// 1861).
func (f *FetchDecoder) end(flags uint64, r *varint.Reader) (it FetchItem, err error) {
	switch {
	case flags == fetchEndNonExistent:
		it.Kind = FetchEndNonExistent
	case flags == fetchEndUnknown:
		it.Kind = FetchEndUnknown
	case flags == fetchEndTimedOut && f.draft >= 20:
		it.Kind = FetchEndTimedOut
	default:
		return it, violation(fetchObject, "Serialization Flags", r.Offset(), unknownNumber(flags))
	}
	it.Location.Group = r.Uint()
	it.Location.Object = r.Uint()
	return it, streamError(fetchObject, "End of Range", r)
}

func (f *FetchDecoder) object(flags uint64, r *varint.Reader) (it FetchItem, err error) {
	if field := f.missingPrior(flags); field != "" {
		return it, violation(fetchObject, field, r.Offset(), errNoPrior)
	}
	it.Location.Group = f.group(flags, r)
	it.Datagram = flags&fetchDatagram != 0
	it.Subgroup = f.subgroup(flags, r)
	it.Location.Object = f.objectID(flags, r)
	it.Priority = f.state.priority
	if flags&fetchPriority != 0 {
		it.Priority = r.Byte()
	}
	if err := streamError(fetchObject, "", r); err != nil {
		return it, err
	}
	if flags&fetchProperties != 0 {
		if it.Properties = r.LengthPrefixed(MaxPropertiesLen, errTooLong); r.Err() != nil {
			return it, propertiesLenError(fetchObject, r)
		}
	}
	it.PayloadLen = r.Uint()
	if err := streamError(fetchObject, "Object Payload Length", r); err != nil {
		return it, err
	}
	if it.PayloadLen == 0 {
		if it.Status, err = f.statusOfEmpty(r); err != nil {
			return it, err
		}
		if it.Status != model.StatusNormal {
			it.Kind = FetchEndNonExistent
		}
	}
	return it, f.check(&it, r)
}

// object14 reads an object of draft 14, which refers to no other (its section
// 10.4.4). It has its status, like one on a subgroup stream, but does not say
// whether it was a datagram: then its subgroup is its own ID.
func (f *FetchDecoder) object14(r *varint.Reader) (it FetchItem, err error) {
	it.Location.Group = r.Uint()
	it.Subgroup = r.Uint()
	it.Location.Object = r.Uint()
	it.Priority = r.Byte()
	if err := streamError(fetchObject, "", r); err != nil {
		return it, err
	}
	if it.Properties = r.LengthPrefixed(MaxPropertiesLen, errTooLong); r.Err() != nil {
		return it, propertiesLenError(fetchObject, r)
	}
	if it.PayloadLen = r.Uint(); it.PayloadLen == 0 {
		status := r.Uint()
		if r.Err() == nil && !PropertyFormOf(f.draft).validStatus(status) {
			return it, violation(fetchObject, "Object Status", r.Offset(), errValue)
		}
		it.Status = model.ObjectStatus(status)
	}
	if err := streamError(fetchObject, "Object Payload Length", r); err != nil {
		return it, err
	}
	if it.Status != model.StatusNormal {
		it.Kind = FetchEndNonExistent
	}
	return it, f.check(&it, r)
}

// check checks a whole item against the one before it and its properties.
func (f *FetchDecoder) check(it *FetchItem, r *varint.Reader) error {
	if field := f.disorder(it.Location); field != "" {
		return &ParseError{Message: fetchObject, Field: field, Offset: r.Offset(), Err: errDisorder, Malformed: true}
	}
	if len(it.Properties) == 0 {
		it.Properties = nil
		return nil
	}
	return checkObject(fetchObject, PropertyFormOf(f.draft), it.Properties, it.Status, it.Location)
}

// disorder returns the field that makes an object not follow the item before
// it, which is a malformed track (section 2.4.2). From draft 18 on, deltas leave
// but one way.
func (f *FetchDecoder) disorder(l model.Location) string {
	prev := f.state.location
	switch {
	case !f.state.begun:
	case l.Group == prev.Group && l.Object <= prev.Object:
		return "Object ID"
	case l.Group != prev.Group && (l.Group < prev.Group) != (f.order == model.Descending):
		return "Group ID"
	}
	return ""
}

// missingPrior returns the field for which the flags refer to an object that
// was not there.
func (f *FetchDecoder) missingPrior(flags uint64) string {
	mode := flags & (fetchSubgroupMode | fetchDatagram)
	switch {
	case !f.state.begun && flags&fetchGroupDelta == 0:
		return "Group ID Delta"
	case !f.state.begun && flags&fetchObjectDelta == 0:
		return "Object ID Delta"
	case !f.state.object && flags&fetchPriority == 0:
		return "Publisher Priority"
	case !f.state.object && (mode == fetchSubgroupPrior || mode == fetchSubgroupNext):
		return "Subgroup ID"
	}
	return ""
}

func (f *FetchDecoder) group(flags uint64, r *varint.Reader) uint64 {
	prev := f.state.location.Group
	if flags&fetchGroupDelta == 0 {
		return prev
	}
	delta := r.Uint()
	switch {
	case !f.state.begun || f.draft <= 16: // there the ID is whole
		return delta
	case f.order == model.Descending:
		if delta >= prev {
			r.Fail(errOutOfRange)
			return 0
		}
		return prev - delta - 1
	default:
		return r.Add(r.Add(prev, delta, errOutOfRange), 1, errOutOfRange)
	}
}

func (f *FetchDecoder) subgroup(flags uint64, r *varint.Reader) uint64 {
	if flags&fetchDatagram != 0 {
		return 0
	}
	switch flags & fetchSubgroupMode {
	case fetchSubgroupPrior:
		return f.state.subgroup
	case fetchSubgroupNext:
		return r.Add(f.state.subgroup, 1, errOutOfRange)
	case fetchSubgroupField:
		return r.Uint()
	}
	return 0
}

func (f *FetchDecoder) objectID(flags uint64, r *varint.Reader) uint64 {
	prev := f.state.location.Object
	switch {
	case flags&fetchObjectDelta == 0: // counts on, also into another group
		return r.Add(prev, 1, errOutOfRange)
	case flags&fetchGroupDelta != 0 || f.draft <= 16: // there the ID is whole
		return r.Uint()
	default:
		return r.Add(prev, r.Uint(), errOutOfRange)
	}
}
