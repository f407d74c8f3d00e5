package wire

import "oxymoq/pkg/model"

// codeTable translates one space of codes between the numbers of a draft and
// the semantic codes, which have the numbers of draft 18.
type codeTable struct {
	wire     map[uint64]uint64 // number in the draft → semantic code, where they differ
	semantic map[uint64]uint64 // the inverse
	lacks    map[uint64]bool   // semantic codes that the draft has no number for
}

// newCodeTable builds a table from pairs {number in the draft, semantic code}
// and from the semantic codes that the draft lacks.
func newCodeTable(moved [][2]uint64, lacks ...uint64) codeTable {
	t := codeTable{map[uint64]uint64{}, map[uint64]uint64{}, map[uint64]bool{}}
	for _, m := range moved {
		t.wire[m[0]], t.semantic[m[1]] = m[1], m[0]
	}
	for _, c := range lacks {
		t.lacks[c] = true
	}
	return t
}

// withoutNoObjects is newCodeTable for the request codes of a draft that has no such
// code and writes that of a range that does not exist.
func withoutNoObjects(lacks ...uint64) codeTable {
	t := newCodeTable(nil, lacks...)
	t.semantic[uint64(model.NoObjects)] = uint64(model.InvalidRange)
	return t
}

// fromWire returns the semantic code of a number. A number that the draft does
// not define stays what it is, so that logs show it, unless that would give it
// the meaning of another draft: then it becomes 0, an internal error.
func (t codeTable) fromWire(v uint64) uint64 {
	if c, ok := t.wire[v]; ok {
		return c
	}
	if _, moved := t.semantic[v]; moved || t.lacks[v] {
		return 0
	}
	return v
}

// toWire returns the number of a semantic code; that of an internal error, 0,
// if the draft has none.
func (t codeTable) toWire(c uint64) uint64 {
	if v, ok := t.semantic[c]; ok {
		return v
	}
	if _, taken := t.wire[c]; taken || t.lacks[c] {
		return 0
	}
	return c
}

// codes are the four spaces of a draft.
type codes struct {
	session, request, done, reset codeTable
}

// swapped are PUBLISH_DONE 5 and 6, which draft 18 exchanged.
var swapped = [][2]uint64{
	{5, uint64(model.DoneExpired)},
	{6, uint64(model.DoneTooFarBehind)},
}

var codesOf = map[model.Draft]codes{
	model.Draft14: {
		session: newCodeTable(nil),
		done: newCodeTable(append(swapped[:2:2], [2]uint64{7, uint64(model.DoneMalformedTrack)}),
			uint64(model.DoneUpdateFailed), uint64(model.DoneExcessiveLoad)),
		reset: newCodeTable(nil, uint64(model.ResetGoingAway), uint64(model.ResetTooFarBehind),
			uint64(model.ResetUnknownObjectStatus), uint64(model.ResetExpiredAuthToken),
			uint64(model.ResetExcessiveLoad), uint64(model.ResetMalformedTrack)),
	},
	model.Draft16: {
		session: newCodeTable(nil),
		request: withoutNoObjects(uint64(model.RequestGoingAway), uint64(model.RequestExcessiveLoad),
			uint64(model.NamespaceTooLarge), uint64(model.UnsupportedExtension), uint64(model.Redirected)),
		done: newCodeTable(swapped, uint64(model.DoneExcessiveLoad)),
		reset: newCodeTable([][2]uint64{{4, uint64(model.ResetUnknownObjectStatus)}},
			uint64(model.ResetGoingAway), uint64(model.ResetTooFarBehind),
			uint64(model.ResetExpiredAuthToken), uint64(model.ResetExcessiveLoad)),
	},
	model.Draft18: {
		session: newCodeTable(nil, uint64(model.TooManyRequests)),
		request: withoutNoObjects(),
		done:    newCodeTable(nil),
		reset:   newCodeTable(nil),
	},
	model.Draft22: {
		session: newCodeTable(nil, uint64(model.TooManyRequests), uint64(model.VersionNegotiationFailed)),
		request: withoutNoObjects(uint64(model.DuplicateSubscription), uint64(model.InvalidJoiningRequestID)),
		done:    newCodeTable(nil, uint64(model.DoneSubscriptionEnded)),
		reset:   newCodeTable(nil),
	},
}

// SessionCodeFromWire returns the meaning of a close code of draft d. A code
// that the draft does not define keeps its number (section 14: it counts as
// INTERNAL_ERROR).
func SessionCodeFromWire(d model.Draft, v uint64) model.SessionCode {
	return model.SessionCode(internalSession(codesOf[d].session.fromWire(v), v))
}

// SessionCodeToWire returns the number of a close code in draft d, or that of
// INTERNAL_ERROR if the draft has none.
func SessionCodeToWire(d model.Draft, c model.SessionCode) uint64 {
	return internalSession(codesOf[d].session.toWire(uint64(c)), uint64(c))
}

// internalSession replaces the tables' 0 for "no such code" by the number that
// INTERNAL_ERROR has among session codes, where 0 means that nothing went wrong.
func internalSession(translated, original uint64) uint64 {
	if translated == 0 && original != 0 {
		return uint64(model.InternalError)
	}
	return translated
}

// DoneCodeFromWire is SessionCodeFromWire for the codes of PUBLISH_DONE.
func DoneCodeFromWire(d model.Draft, v uint64) model.DoneCode {
	return model.DoneCode(codesOf[d].done.fromWire(v))
}

// DoneCodeToWire is SessionCodeToWire for the codes of PUBLISH_DONE.
func DoneCodeToWire(d model.Draft, c model.DoneCode) uint64 {
	return codesOf[d].done.toWire(uint64(c))
}

// ResetCodeFromWire is SessionCodeFromWire for the codes of RESET_STREAM and
// STOP_SENDING.
func ResetCodeFromWire(d model.Draft, v uint64) model.ResetCode {
	return model.ResetCode(codesOf[d].reset.fromWire(v))
}

// ResetCodeToWire is SessionCodeToWire for the codes of RESET_STREAM and
// STOP_SENDING.
func ResetCodeToWire(d model.Draft, c model.ResetCode) uint64 {
	return codesOf[d].reset.toWire(uint64(c))
}

// RequestCodeFromWire is SessionCodeFromWire for the codes of REQUEST_ERROR.
// The kind of the request counts in draft 14 only, where each has its own space.
func RequestCodeFromWire(d model.Draft, k MessageKind, v uint64) model.RequestCode {
	return model.RequestCode(requestCodes(d, k).fromWire(v))
}

// RequestCodeToWire is the inverse of RequestCodeFromWire; INTERNAL_ERROR if the
// draft has no number for c.
func RequestCodeToWire(d model.Draft, k MessageKind, c model.RequestCode) uint64 {
	return requestCodes(d, k).toWire(uint64(c))
}

func requestCodes(d model.Draft, k MessageKind) codeTable {
	if d != model.Draft14 {
		return codesOf[d].request
	}
	if k == KindTrackStatus {
		k = KindSubscribe
	}
	return requestCodes14[k]
}
