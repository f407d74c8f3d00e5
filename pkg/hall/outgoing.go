package hall

import (
	"context"
	"errors"
	"fmt"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// Over shows a session to a Scheduler.
func Over(s *session.Session) egress.Session { return outgoing{s} }

type outgoing struct{ s *session.Session }

func (o outgoing) TryOpenUniStream() (transport.SendStream, error) {
	return o.s.Conn().TryOpenUniStream()
}

func (o outgoing) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	return o.s.Conn().OpenUniStream(ctx)
}

func (o outgoing) ObjectForm(properties bool) track.Form { return FormOf(o.s.Draft(), properties) }

func (o outgoing) ResetCode(c model.ResetCode) uint64 { return wire.ResetCodeToWire(o.s.Draft(), c) }

// priority returns what to write for the priority of an object: nothing for that
// of its track, unless the draft has no way to leave it out.
func (o outgoing) priority(p model.Opt[uint8], track uint8) model.Opt[uint8] {
	if !p.Set && !wire.HasDefaultPriority(o.s.Draft()) {
		return model.Some(track)
	}
	return p
}

// AppendSubgroupHeader leaves out a subgroup ID of 0, which most are, where the
// stream begins with the subgroup. Elsewhere it is written: some peers take the
// first object's ID for a subgroup ID that is left out.
func (o outgoing) AppendSubgroupHeader(b []byte, h egress.SubgroupHeader) ([]byte, error) {
	w := wire.SubgroupHeader{
		TrackAlias: h.TrackAlias, Group: h.Group, Subgroup: h.Subgroup, Priority: o.priority(h.Priority, h.Default),
		Properties: h.Properties, EndOfGroup: h.EndOfGroup, FirstObject: h.FirstObject,
	}
	if h.Subgroup != 0 || !h.FirstObject {
		w.Mode = wire.SubgroupExplicit
	}
	if !w.Fits(o.s.Draft()) {
		return b, varint.ErrTooLarge
	}
	return w.Append(b, o.s.Draft()), nil
}

// SendDatagram sends an object under an alias.
func (o outgoing) SendDatagram(alias uint64, obj *track.Object, priority uint8) error {
	d := wire.Datagram{
		TrackAlias: alias, Group: obj.Group, Object: obj.Object, EndOfGroup: obj.EndOfGroup,
		Priority: o.priority(obj.Priority, priority), Status: obj.Status,
	}
	if !d.Fits(o.s.Draft()) {
		return varint.ErrTooLarge
	}
	var buf [256]byte // most lists fit
	var err error
	if d.Properties, err = (form{wire.FormOf(o.s.Draft(), true)}).properties(buf[:0], obj.Form, obj.Properties, obj.Status); err != nil {
		return err
	}
	for _, p := range obj.Payload {
		d.Payload = append(d.Payload, p...)
	}
	return o.s.Conn().SendDatagram(d.Append(nil, o.s.Draft()))
}

// NewFetchEncoder returns the encoder of a fetch stream.
func (o outgoing) NewFetchEncoder(requestID uint64, order model.GroupOrder) egress.FetchEncoder {
	return &fetchEncoder{draft: o.s.Draft(), id: requestID, enc: wire.NewFetchEncoder(o.s.Draft(), order).Of(o.s.Quirks().Quirks)}
}

type fetchEncoder struct {
	draft model.Draft
	id    uint64
	enc   *wire.FetchEncoder
}

func (f *fetchEncoder) AppendHeader(b []byte) []byte { return wire.AppendFetchHeader(b, f.draft, f.id) }

func (f *fetchEncoder) AppendObject(b []byte, o *track.Object, priority uint8) ([]byte, error) {
	var buf [256]byte // as there
	props, err := (form{wire.FormOf(f.draft, true)}).properties(buf[:0], o.Form, o.Properties, o.Status)
	if err != nil {
		return b, err
	}
	return f.enc.Append(b, wire.FetchItem{
		Kind: wire.FetchObject, Location: o.Location, Datagram: o.Datagram, Subgroup: o.Subgroup,
		Priority: o.Priority.Or(priority), Properties: props, PayloadLen: uint64(o.PayloadLen()),
	})
}

func (f *fetchEncoder) AppendUnknown(b []byte, l model.Location) ([]byte, error) {
	b, err := f.enc.Append(b, wire.FetchItem{Kind: wire.FetchEndUnknown, Location: l})
	if errors.Is(err, wire.ErrUnknownRange) { // then the stream ends here
		err = fmt.Errorf("%w: %w", err, &model.StreamError{Code: model.ResetUnknownObjectStatus})
	}
	return b, err
}
