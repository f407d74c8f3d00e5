package wire

import "oxymoq/pkg/model"

// This file holds every place where the decoder takes more than the text of
// the draft says, with the peer or the contradiction that asks for it. None of
// it changes what is sent.

// toleratesParam reports whether a parameter is read in a message whose
// definition does not list it. EXPIRES in TRACK_STATUS_OK: section 10.2.10
// leaves it out, but section 10.14 says that the message has the parameters of
// SUBSCRIBE_OK.
func (d *decoder) toleratesParam(row *paramRow, at place) bool {
	return d.ctx.Draft == model.Draft18 && row.id == paramExpires && at == inTrackStatusOK
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
