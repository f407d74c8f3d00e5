package egress

import (
	"context"

	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
)

// Session is what egress needs of a session.
type Session interface {
	// TryOpenUniStream fails with transport.ErrNoCredit if the peer allows no
	// further stream for now; OpenUniStream waits until it does.
	TryOpenUniStream() (transport.SendStream, error)
	OpenUniStream(ctx context.Context) (transport.SendStream, error)

	// ObjectForm is the form of objects on subgroup streams to this peer, with
	// or without lists of properties. Forms of equal bytes must be equal.
	ObjectForm(properties bool) track.Form
	// AppendSubgroupHeader appends what begins a subgroup stream. It fails if
	// the draft cannot express h.
	AppendSubgroupHeader(b []byte, h SubgroupHeader) ([]byte, error)
	// SendDatagram sends an object; priority is the track's default. It never
	// blocks; it fails with transport.ErrDatagramDropped or
	// transport.ErrDatagramTooLarge, or if the draft cannot express the object.
	SendDatagram(alias uint64, o *track.Object, priority uint8) error
	// NewFetchEncoder returns the encoder of a fetch stream.
	NewFetchEncoder(requestID uint64, order model.GroupOrder) FetchEncoder
	// ResetCode is the number of the code in the session's draft.
	ResetCode(c model.ResetCode) uint64
}

// SubgroupHeader begins a stream with the objects of one subgroup.
type SubgroupHeader struct {
	TrackAlias, Group, Subgroup uint64
	Priority                    model.Opt[uint8] // absent: the track's default
	Default                     uint8            // the track's default
	Properties                  bool             // every object has a list of properties
	EndOfGroup                  bool             // a FIN ends the group too
	FirstObject                 bool             // the first object is the first ever in the subgroup
}

// FetchEncoder writes the bytes of one fetch stream, except payloads.
type FetchEncoder interface {
	AppendHeader(b []byte) []byte
	// AppendObject appends everything of o before its payload. An absent
	// priority is the given default.
	AppendObject(b []byte, o *track.Object, priority uint8) ([]byte, error)
	// AppendUnknown says that of all locations after the item before up to l,
	// l included, it is not known whether objects exist.
	AppendUnknown(b []byte, l model.Location) ([]byte, error)
}
