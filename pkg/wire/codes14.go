package wire

import "oxymoq/pkg/model"

// requestCodes14 are the codes of draft 14, in which every request has its own
// error message. Codes 0 to 3 are common and mean what they mean in draft 18.
var requestCodes14 = map[MessageKind]codeTable{
	KindSubscribe: newCodeTable14(
		pair{0x04, model.DoesNotExist}, pair{0x05, model.InvalidRange},
		pair{0x10, model.RequestMalformedAuthToken}, pair{0x12, model.RequestExpiredAuthToken}),
	KindPublish: newCodeTable14(pair{0x04, model.Uninterested}),
	KindFetch: newCodeTable14(
		pair{0x04, model.DoesNotExist}, pair{0x05, model.InvalidRange}, pair{0x06, model.NoObjects},
		pair{0x07, model.InvalidJoiningRequestID}, pair{0x09, model.RequestMalformedTrack},
		pair{0x10, model.RequestMalformedAuthToken}, pair{0x12, model.RequestExpiredAuthToken}),
	KindPublishNamespace: newCodeTable14(
		pair{0x04, model.Uninterested},
		pair{0x10, model.RequestMalformedAuthToken}, pair{0x12, model.RequestExpiredAuthToken}),
	KindSubscribeNamespace: newCodeTable14(
		pair{0x04, model.DoesNotExist}, // NAMESPACE_PREFIX_UNKNOWN
		pair{0x05, model.PrefixOverlap},
		pair{0x10, model.RequestMalformedAuthToken}, pair{0x12, model.RequestExpiredAuthToken}),
}

type pair struct {
	number uint64
	code   model.RequestCode
}

// newCodeTable14 builds a table in which every code above the common ones is
// either a pair or not there.
func newCodeTable14(pairs ...pair) codeTable {
	t := newCodeTable(nil)
	for _, p := range pairs {
		t.wire[p.number], t.semantic[uint64(p.code)] = uint64(p.code), p.number
	}
	for _, c := range []model.RequestCode{
		model.RequestMalformedAuthToken, model.RequestExpiredAuthToken, model.RequestGoingAway,
		model.RequestExcessiveLoad, model.DoesNotExist, model.InvalidRange, model.RequestMalformedTrack,
		model.DuplicateSubscription, model.Uninterested, model.PrefixOverlap, model.NamespaceTooLarge,
		model.InvalidJoiningRequestID, model.UnsupportedExtension, model.Redirected, model.NoObjects,
	} {
		if _, ok := t.semantic[uint64(c)]; !ok {
			t.lacks[uint64(c)] = true
		}
	}
	return t
}
