package wire

import "oxymoq/pkg/model"

// This file holds every place where the decoder takes more than the text of
// the draft says, with the peer or the contradiction that asks for it. None of
// it changes what is sent, but for Params.KeyValues, which the sender sets.

// toleratesParam reports whether a parameter is read in a message whose
// definition does not list it. EXPIRES in TRACK_STATUS_OK: section 10.2.10
// leaves it out, but section 10.14 says that the message has the parameters of
// SUBSCRIBE_OK. GROUP_ORDER in SUBSCRIBE_OK: it stood there up to draft 15, and
// a peer that is known to still send it may.
func (d *decoder) toleratesParam(row *paramRow, at place) bool {
	if d.ctx.Draft != model.Draft18 {
		return false
	}
	return row.id == paramExpires && at == inTrackStatusOK ||
		row.id == paramGroupOrder && at == inSubscribeOK && d.ctx.OrderInSubscribeOK
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
	if d.err == nil && d.r.Len() == 0 || d.ctx.Draft != model.Draft18 {
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
	if d.r.Len() == 0 {
		return
	}
	peek := d.r
	if peek.Uint() < 0x0A {
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
