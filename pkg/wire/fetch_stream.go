package wire

import (
	"errors"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// AppendFetchHeader appends the type and the header of a fetch stream (section
// 11.4.4).
func AppendFetchHeader(b []byte, d model.Draft, requestID uint64) []byte {
	k := VarintKind(d)
	return k.Append(k.Append(b, StreamTypeFetch), requestID)
}

// ParseFetchHeader reads the header of a fetch stream whose type was read
// already. It returns varint.ErrTruncated if r ends early.
func ParseFetchHeader(_ model.Draft, r *varint.Reader) (requestID uint64, err error) {
	requestID = r.Uint()
	return requestID, streamError("FETCH_HEADER", "Request ID", r)
}

// FetchItemKind tells an object on a fetch stream from the end of a range.
type FetchItemKind uint8

// Kinds of items. An end says of all locations after the last item up to its
// own, inclusive, that they hold nothing (section 11.4.4.2).
const (
	FetchObject         FetchItemKind = iota
	FetchEndNonExistent               // no object exists there
	FetchEndUnknown                   // whether objects exist is not known
	FetchEndTimedOut                  // as unknown, because time ran out; drafts from 20 on
)

// FetchItem is an object on a fetch stream, without its payload, or the end of
// a range, which has nothing but Kind and Location. Draft 14 has no ends but
// objects with a status other than normal, which are read as the end of what does
// not exist, and from which a peer's item has the other fields too. So it is with
// peers that write a status in later drafts (Quirks.FetchStatus).
type FetchItem struct {
	Kind       FetchItemKind
	Location   model.Location
	Datagram   bool   // the object was sent as a datagram; then it has no subgroup. Draft 14 cannot say
	Subgroup   uint64 // unless Datagram
	Priority   uint8
	Properties []byte             // the list without its length
	PayloadLen uint64             // bytes
	Status     model.ObjectStatus // of an end that was written as an object: what it said
}

// FetchSaysDatagram reports whether fetch streams of the draft tell which objects
// were sent as datagrams.
func FetchSaysDatagram(d model.Draft) bool { return d > 14 }

// FetchMayBeEmpty reports whether a FETCH may be answered with a stream without
// objects. In draft 14 it is refused instead (its section 9.16.3).
func FetchMayBeEmpty(d model.Draft) bool { return d > 14 }

// Serialization Flags (section 11.4.4.1).
const (
	fetchSubgroupMode  = 0x03
	fetchSubgroupZero  = 0x00
	fetchSubgroupPrior = 0x01
	fetchSubgroupNext  = 0x02
	fetchSubgroupField = 0x03
	fetchObjectDelta   = 0x04
	fetchGroupDelta    = 0x08
	fetchPriority      = 0x10
	fetchProperties    = 0x20
	fetchDatagram      = 0x40
	fetchFlagsEnd      = 0x80

	fetchEndNonExistent = 0x8C
	fetchEndUnknown     = 0x10C
	fetchEndTimedOut    = 0x20C // drafts from 20 on
)

const fetchObject = "fetch object"

var (
	errNoPrior    = errors.New("refers to an object before the first")
	errOutOfRange = errors.New("ID out of range")
	errDisorder   = errors.New("object repeated or out of order")
	// ErrUnknownRange says that a draft cannot mark the end of an unknown range.
	ErrUnknownRange = errors.New("the draft has no end of unknown range")
)

// fetchState is what an item may refer to: the item before it.
type fetchState struct {
	begun    bool // an item was read or written
	location model.Location
	object   bool   // an object was, so that subgroup and priority are known
	subgroup uint64 // 0 after a datagram
	priority uint8
}

// after returns the state behind an item.
func (s fetchState) after(it *FetchItem) fetchState {
	s.begun, s.location = true, it.Location
	if it.Kind == FetchObject || it.Status != model.StatusNormal {
		s.object, s.subgroup, s.priority = true, it.Subgroup, it.Priority
		if it.Datagram {
			s.subgroup = 0
		}
	}
	return s
}

// FetchEncoder writes the items of one fetch stream. It belongs to one
// goroutine.
type FetchEncoder struct {
	draft model.Draft
	order model.GroupOrder
	state fetchState
	// lastDatagram: what "prior subgroup" means after a datagram is not
	// agreed, so it is not used there.
	lastDatagram bool
	status       FetchStatus // of empty objects; see lenient.go
}

// NewFetchEncoder returns an encoder for a stream whose FETCH asked for the
// group order; unset means ascending.
func NewFetchEncoder(d model.Draft, order model.GroupOrder) *FetchEncoder {
	return &FetchEncoder{draft: d, order: order}
}

// Of makes the encoder one for a peer with quirks, and returns it.
func (f *FetchEncoder) Of(q Quirks) *FetchEncoder {
	f.status = q.FetchStatus
	return f
}

// Append appends an item, for an object its header only. Items must come in the
// order of the stream: objects ascend in a group and groups follow the group
// order. It always uses the shortest flags that every known peer reads alike.
func (f *FetchEncoder) Append(b []byte, it FetchItem) ([]byte, error) {
	if k := VarintKind(f.draft); max(it.Location.Group, it.Location.Object, it.Subgroup, it.PayloadLen) > k.Max() {
		return b, fmt.Errorf("object %v: %w", it.Location, varint.ErrTooLarge)
	}
	flags, err := f.flags(&it)
	if err != nil {
		return b, err
	}
	b = appendFetchItem(b, f.draft, f.order, f.state, flags, &it)
	if f.draft > 14 && it.Kind == FetchObject && it.PayloadLen == 0 && f.status == FetchStatusAlways {
		b = VarintKind(f.draft).Append(b, uint64(model.StatusNormal))
	}
	f.state = f.state.after(&it)
	f.lastDatagram = it.Kind == FetchObject && it.Datagram || it.Kind != FetchObject && f.lastDatagram
	return b, nil
}

// flags chooses the Serialization Flags of an item.
func (f *FetchEncoder) flags(it *FetchItem) (uint64, error) {
	switch it.Kind {
	case FetchObject:
	case FetchEndNonExistent:
		if f.draft <= 14 { // an object like any other
			_, err := f.locationFlags(it.Location)
			return 0, err
		}
		return fetchEndNonExistent, nil
	default:
		switch {
		case f.draft <= 14:
			return 0, ErrUnknownRange
		case it.Kind == FetchEndTimedOut && f.draft >= 20:
			return fetchEndTimedOut, nil
		}
		return fetchEndUnknown, nil
	}
	flags, err := f.locationFlags(it.Location)
	if err != nil {
		return 0, err
	}
	if !f.state.object || f.state.priority != it.Priority {
		flags |= fetchPriority
	}
	if len(it.Properties) > 0 {
		flags |= fetchProperties
	}
	prior := f.state.object && !f.lastDatagram
	switch {
	case it.Datagram:
		flags |= fetchDatagram
	case it.Subgroup == 0:
		flags |= fetchSubgroupZero
	case prior && it.Subgroup == f.state.subgroup:
		flags |= fetchSubgroupPrior
	case prior && it.Subgroup-1 == f.state.subgroup:
		flags |= fetchSubgroupNext
	default:
		flags |= fetchSubgroupField
	}
	return flags, nil
}

// locationFlags chooses the flags for a location and checks that it follows
// the one before.
func (f *FetchEncoder) locationFlags(l model.Location) (uint64, error) {
	prev := f.state.location
	switch {
	case !f.state.begun || l.Group != prev.Group:
		if f.state.begun && (l.Group < prev.Group) != (f.order == model.Descending) {
			return 0, fmt.Errorf("object %v after %v is against the group order", l, prev)
		}
		return fetchGroupDelta | fetchObjectDelta, nil
	case l.Object <= prev.Object:
		return 0, fmt.Errorf("object %v after %v: objects must ascend", l, prev)
	case l.Object-1 == prev.Object:
		return 0, nil
	default:
		return fetchObjectDelta, nil
	}
}

// appendFetchItem appends an item with the given flags, which must be able to
// say what it is.
func appendFetchItem(b []byte, d model.Draft, order model.GroupOrder, s fetchState, flags uint64, it *FetchItem) []byte {
	if d <= 14 {
		return appendFetchObject14(b, it)
	}
	k := VarintKind(d)
	b = k.Append(b, flags)
	if flags >= fetchFlagsEnd {
		return k.Append(k.Append(b, it.Location.Group), it.Location.Object)
	}
	if flags&fetchGroupDelta != 0 {
		delta := it.Location.Group
		switch {
		case d <= 16: // the ID is whole
		case s.begun && order == model.Descending:
			delta = s.location.Group - delta - 1
		case s.begun:
			delta -= s.location.Group + 1
		}
		b = k.Append(b, delta)
	}
	if flags&(fetchSubgroupMode|fetchDatagram) == fetchSubgroupField {
		b = k.Append(b, it.Subgroup)
	}
	if flags&fetchObjectDelta != 0 {
		delta := it.Location.Object
		if flags&fetchGroupDelta == 0 && d > 16 {
			delta -= s.location.Object
		}
		b = k.Append(b, delta)
	}
	if flags&fetchPriority != 0 {
		b = append(b, it.Priority)
	}
	if flags&fetchProperties != 0 {
		b = k.Append(b, uint64(len(it.Properties)))
		b = append(b, it.Properties...)
	}
	return k.Append(b, it.PayloadLen)
}

// appendFetchObject14 appends an object of draft 14, or what does not exist, as an
// object that says so (its section 10.4.4).
func appendFetchObject14(b []byte, it *FetchItem) []byte {
	const k = varint.QUIC
	subgroup, status := it.Subgroup, model.StatusNormal
	switch {
	case it.Kind == FetchEndNonExistent && it.Status == model.StatusNormal:
		status = model.StatusDoesNotExist
	case it.Kind == FetchEndNonExistent:
		status = it.Status
	case it.Datagram:
		subgroup = it.Location.Object
	}
	b = k.Append(b, it.Location.Group)
	b = k.Append(b, subgroup)
	b = k.Append(b, it.Location.Object)
	b = append(b, it.Priority)
	b = k.Append(b, uint64(len(it.Properties)))
	b = append(b, it.Properties...)
	b = k.Append(b, it.PayloadLen)
	if it.PayloadLen == 0 {
		b = k.Append(b, uint64(status))
	}
	return b
}
