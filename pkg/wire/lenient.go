package wire

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// This file holds every place where the decoder takes more than the text of
// the draft says, with the peer or the contradiction that asks for it. None of
// it changes what is sent, but for Params.KeyValues and Quirks.FetchStatus,
// which the sender sets. What Context.Strict does not turn off is where the text
// contradicts itself. docs/quirks.md lists it all.

// Quirks are faults of one peer in how it writes and reads, in drafts that are
// still spoken. The zero value is a peer without.
type Quirks struct {
	// OrderInSubscribeOK: it puts GROUP_ORDER into SUBSCRIBE_OK of draft 18, where
	// drafts up to 15 had it (section 10.2.8).
	OrderInSubscribeOK bool
	// OrderInStatus: it puts GROUP_ORDER into the answer to TRACK_STATUS of draft
	// 18, of whatever value (section 10.2.8). The value means nothing.
	OrderInStatus bool
	// DeliveryInStatus: it puts parameters about delivery into TRACK_STATUS of draft
	// 18, which brings no objects (section 10.14). Their values mean nothing.
	DeliveryInStatus bool
	// OrderLeftOpen: its Group Order is 0 where draft 14 has it settled, in
	// PUBLISH, FETCH_OK and the like (draft 14, sections 9.8, 9.13, 9.14 and 9.17).
	// Nothing is said by that.
	OrderLeftOpen bool
	// LaterErrorCodes: its error codes in draft 14 are those of draft 16 (draft 14,
	// section 13.1; draft 16, section 13.4.2).
	LaterErrorCodes bool
	// ForwardForNamespaces: it puts FORWARD into SUBSCRIBE_NAMESPACE of draft 18,
	// which is not about tracks (section 10.2.12). The value means nothing.
	ForwardForNamespaces bool
	// LargestGroupFilter: it has a filter type of its own, 250, for what begins
	// with the largest group (section 5.1.2 knows no such type).
	LargestGroupFilter bool
	// ExistingInUpdate: it puts the Existing Request ID of draft 16 into
	// REQUEST_UPDATE of draft 18 (section 10.9).
	ExistingInUpdate bool
	// EmptyPrefix: it asks for all namespaces of draft 14 by a prefix without
	// fields, as later drafts have it (section 9.28 of draft 14 wants one field).
	EmptyPrefix bool
	// FetchStatus: it has an Object Status behind the length of empty objects on
	// fetch streams, where drafts from 15 on have none (section 11.4.4).
	FetchStatus FetchStatus
}

// Sent returns the quirks by which what we write to the peer is read: those that
// are not certain make no difference to it.
func (q Quirks) Sent() Quirks {
	if q.FetchStatus == FetchStatusMaybe {
		q.FetchStatus = FetchStatusNever
	}
	return q
}

// FetchStatus says whether empty objects on fetch streams have a status.
type FetchStatus uint8

// What is known of the empty objects of a peer.
const (
	FetchStatusNever  FetchStatus = iota // as the drafts have it
	FetchStatusMaybe                     // its builds differ; written without
	FetchStatusAlways                    // it writes one and expects one
)

// filterLargestGroup is the filter type of Quirks.LargestGroupFilter.
const filterLargestGroup = 250

// toleratesParam reports whether a parameter is read in a message whose
// definition does not list it. EXPIRES in TRACK_STATUS_OK: section 10.2.10
// leaves it out, but section 10.14 says that the message has the parameters of
// SUBSCRIBE_OK.
func (d *decoder) toleratesParam(row *paramRow, at place) bool {
	if d.ctx.Draft != model.Draft18 {
		return false
	}
	q := &d.ctx.Quirks
	return row.id == paramExpires && at == inTrackStatusOK ||
		row.in&inSubscribe != 0 && at == inTrackStatus && q.DeliveryInStatus ||
		row.id == paramGroupOrder && at == inSubscribeOK && q.OrderInSubscribeOK ||
		row.id == paramForward && at == inSubscribeNamespace && q.ForwardForNamespaces
}

// skipsParam reports whether the value of a parameter that toleratesParam would
// have to know is passed over.
func (d *decoder) skipsParam(row *paramRow, at place) bool {
	return d.ctx.Draft == model.Draft18 && row.id == paramGroupOrder && at == inTrackStatusOK && d.ctx.Quirks.OrderInStatus
}

// settledOrder reads a Group Order of draft 14 that is ascending or descending,
// and not left open.
func (d *decoder) settledOrder() model.GroupOrder {
	if d.ctx.Quirks.OrderLeftOpen {
		return d.order14(orderUnset14)
	}
	return d.order14(orderSettled14)
}

// requestCode returns the meaning of the code of an error of the peer.
func (d *decoder) requestCode(code uint64) model.RequestCode {
	draft := d.ctx.Draft
	if draft == model.Draft14 && d.ctx.Quirks.LaterErrorCodes {
		draft = model.Draft16
	}
	return RequestCodeFromWire(draft, d.ctx.Answers, code)
}

// privateFilter reads the rest of a filter whose type the draft does not define.
func (d *decoder) privateFilter(field string, typ uint64) model.Filter {
	switch {
	case d.err != nil:
	case typ == filterLargestGroup && d.ctx.Quirks.LargestGroupFilter:
		return model.Filter{Kind: model.FilterRelative, Back: 1}
	default:
		d.fail(field, unknownNumber(typ))
	}
	return model.Filter{}
}

// updateWithOrWithoutExisting reads the parameters of a REQUEST_UPDATE, which
// Quirks.ExistingInUpdate has behind another Request ID. What can be read as the
// draft has it, is.
func (d *decoder) updateWithOrWithoutExisting(at place) Params {
	start := *d
	p := d.params(at)
	if d.err == nil && d.r.Len() == 0 || !d.ctx.Quirks.ExistingInUpdate || d.table.requestIDs {
		return p
	}
	asWritten := *d
	*d = start
	d.uint("Existing Request ID") // the stream says it
	q := d.params(at)
	if d.err == nil && d.r.Len() == 0 {
		return q
	}
	*d = asWritten // the form of the draft gives the better error
	return p
}

// paramsWithOrWithoutKeyValues reads parameters at the end of a message, whose
// values some peers write as those of Key-Value-Pairs (section 1.4.3), as drafts
// up to 16 had them: numbers as integers of any length, where the text has a
// uint8, and a length before everything of an odd type. They are @moq/net 0.1 and
// 0.2, which is in @moq/watch 0.4. Up to 128 a priority reads the same in both; a
// larger one takes two bytes, of which the second cannot begin a parameter. Such
// a peer reads so too: to SUBSCRIBE_OK, which has a Location, KeyValues applies.
func (d *decoder) paramsWithOrWithoutKeyValues(at place) Params {
	start := *d
	p := d.countedParams(at, false)
	if d.err == nil && d.r.Len() == 0 || d.ctx.Strict || d.ctx.Draft != model.Draft18 {
		return p
	}
	asWritten := *d
	*d = start
	q := d.countedParams(at, true)
	if d.err == nil && d.r.Len() == 0 && q.SubscriberPriority.Value > 128 {
		return q
	}
	*d = asWritten // the form of the draft gives the better error
	return p
}

// prefixWithOrWithoutLength reads TRACK_NAMESPACE_PREFIX. The text has a bare
// namespace, most peers put a length before it (moq-wg issue 1942). Both
// readings of the same bytes cannot succeed when the value ends the message,
// which it does: no parameter has a larger type.
func (d *decoder) prefixWithOrWithoutLength(field string) model.Namespace {
	bare := *d
	var ns model.Namespace
	d.within(field, d.uint(field), func() { ns = d.namespace(field) })
	if d.err == nil && d.r.Len() == 0 {
		return ns
	}
	prefixed := *d
	*d = bare
	ns = d.namespace(field)
	if d.err != nil && prefixed.err != nil {
		*d = prefixed // the form that most peers mean gives the better error
	}
	return ns
}

// fillWithOrWithoutCount reads the inside of FILL_PARAMETERS. Some peers leave
// out the number of parameters. Every type that may stand inside is at least
// 0x0A, so a smaller first integer is a count. Nothing at all means no
// parameters.
func (d *decoder) fillWithOrWithoutCount(p *Params) {
	if d.r.Len() == 0 && !d.ctx.Strict {
		return
	}
	peek := d.r
	if d.ctx.Strict || peek.Uint() < 0x0A {
		*p = d.params(inFill)
		return
	}
	d.paramList(inFill, p, func() bool { return d.r.Len() > 0 })
}

// isImplementation reports whether a Setup Option of draft 14 is
// MOQT_IMPLEMENTATION. That draft gives it the number of AUTHORITY, 0x05 (section
// 9.3.2.6), later ones and their implementations 0x07, which we send. So it is
// read with both numbers, also together, unless the first 0x05 is an authority:
// one that may be there and reads like one.
func (d *decoder) isImplementation(m *Setup, p kvp) bool {
	if d.ctx.Draft != model.Draft14 {
		return false
	}
	if p.Type == optionImplementation {
		return true
	}
	mayHaveAuthority := d.ctx.Receiver == Server && !d.ctx.WebTransport && !m.Authority.Set
	return p.Type == optionAuthority && !(mayHaveAuthority && validAuthority(string(p.Bytes)))
}

// statusOfEmpty reads the status of an empty object on a fetch stream, if there
// is one.
func (f *FetchDecoder) statusOfEmpty(r *varint.Reader) (model.ObjectStatus, error) {
	if has, err := f.emptyHasStatus(r); !has || err != nil {
		return model.StatusNormal, err
	}
	status := r.Uint()
	if r.Err() == nil && !PropertyFormOf(f.draft).validStatus(status) {
		return model.StatusNormal, violation(fetchObject, "Object Status", r.Offset(), errValue)
	}
	return model.ObjectStatus(status), streamError(fetchObject, "Object Status", r)
}

// emptyHasStatus reports whether an empty object of a peer has a status, which
// r is at. Where that is not known, a byte alone before the end of the stream is
// one, as is the end of a group behind which another group begins: read as
// Serialization Flags that would be a subgroup that had to be stated in the group
// of the empty object. Other bytes are flags, as the draft has it.
func (f *FetchDecoder) emptyHasStatus(r *varint.Reader) (bool, error) {
	if f.status != FetchStatusMaybe {
		return f.status == FetchStatusAlways, nil
	}
	peek := *r
	first := uint64(peek.Byte())
	valid := peek.Err() == nil && PropertyFormOf(f.draft).validStatus(first)
	if peek.Len() > 0 {
		next := uint64(peek.Byte())
		return first == uint64(model.StatusEndOfGroup) && next < fetchFlagsEnd && next&fetchGroupDelta != 0, nil
	}
	if !f.ended {
		return false, varint.ErrTruncated
	}
	return valid, nil
}
