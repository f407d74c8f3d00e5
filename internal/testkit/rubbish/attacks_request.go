package main

import (
	"slices"
	"strings"

	"oxymoq/pkg/model"
)

// request is an attack that consists of one request.
func request(name string, closes []model.SessionCode, b []byte) attack {
	return attack{name, ready, func(p *peer) { p.bidi(b) }, closes, false}
}

// requestAttacks open request streams with what is no request.
func requestAttacks() []attack {
	many := slices.Repeat([]string{"a"}, 33)
	long := space(slices.Repeat([]string{strings.Repeat("n", 200)}, 21)...)
	all := []attack{
		request("answer without a question", violation, message(typeRequestOK, 0)),
		request("unknown request", violation, x("3f 0000")),
		request("request of type 2^64-1", violation, x(most+"0000")),
		request("SETUP as a request", violation, setup()),
		request("GOAWAY as a request", violation, message(typeGoaway, 0, 0)),
		request("update of nothing", violation, message(typeRequestUpdate, 0, 0)),
		request("end of nothing", violation, message(typePublishDone, 0, 0, 0)),
		request("namespace of nothing", violation, message(typeNamespace, space("a"))),
		request("request that is too long", violation, lying(typeSubscribe, 200, 0, date(), 0, make([]byte, 300))),
		request("request that is too short", violation, lying(typeSubscribe, 3, 0, date(), 0)),
		request("request of 65535 zeros", violation, lying(typeSubscribe, 65535, make([]byte, 65535))),
		request("request ID of the other side", badID, subscribe(1, date())),
		{"request ID used twice", ready, func(p *peer) { p.bidi(subscribe(0, date())); p.bidi(subscribe(0, own("x"))) }, badID, false},
		request("33 fields", violation, message(typeSubscribe, 0, space(many...), 0, 0)),
		request("2^64-1 fields", violation, message(typeSubscribe, 0, x(most), 0, 0)),
		request("empty field", violation, message(typeSubscribe, 0, space(""), text("x"), 0)),
		request("field of 2^62 bytes", violation, message(typeSubscribe, 0, 1, huge, "moq", 0)),
		request("name of 2^64-1 bytes", violation, message(typeSubscribe, 0, space("a"), x(most), "x", 0)),
		request("namespace of more than 4096 bytes", violation, message(typeSubscribe, 0, long, text("x"), 0)),
		request("2^64-1 parameters", violation, message(typeSubscribe, 0, date(), x(most))),
		request("unknown parameter", violation, subscribe(0, date(), 1, 0x3b, 0)),
		request("parameter of another message", violation, subscribe(0, date(), 1, 0x0a, 0)),
		request("parameter twice", violation, subscribe(0, date(), 2, 0x10, 1, 0, 1)),
		request("parameter types beyond 64 bits", violation, subscribe(0, date(), 2, 0x10, 1, x(most), 1)),
		request("FORWARD of 2", violation, subscribe(0, date(), 1, 0x10, 2)),
		request("GROUP_ORDER of 3", violation, subscribe(0, date(), 1, 0x22, 3)),
		request("filter of unknown type", violation, subscribe(0, date(), 1, 0x21, 1, 9)),
		request("filter longer than its length", violation, subscribe(0, date(), 1, 0x21, 1, 3, 0, 0)),
		request("filter that ends beyond 64 bits", violation, subscribe(0, date(), 1, 0x21, x("0c 04 05 00"), x(most))),
		request("token of unknown kind in a request", badKey, subscribe(0, date(), 1, 0x03, 2, 9, 1)),
		request("token of 2^62 bytes", badKey, subscribe(0, date(), 1, 0x03, huge, 3, 1)),
		{"token alias twice", ready, func(p *peer) {
			p.bidi(subscribe(0, own("x"), 1, 0x03, x("04 01 05 00 61")))
			p.bidi(subscribe(2, own("y"), 1, 0x03, x("04 01 05 00 61")))
		}, []model.SessionCode{model.DuplicateAuthTokenAlias}, false},
		request("token larger than the cache", []model.SessionCode{model.AuthTokenCacheOverflow},
			subscribe(0, own("x"), 1, 0x03, 5003, x("01 05 00"), make([]byte, 5000))),
		request("fetch of unknown kind", violation, message(typeFetch, 0, 9, date(), 0, 0, 0, 0, 0)),
		request("fetch that ends before it begins", nil, message(typeFetch, 0, 1, date(), 9, 0, 8, 1, 0)),
		request("fetch up to 2^64-1", nil, message(typeFetch, 0, 1, date(), 0, 0, x(most), x(most), 0)),
		request("fetch joined to nothing", nil, message(typeFetch, 0, 2, 40, 0, 0)),
		request("unknown track", nil, subscribe(0, own("nobody has it"))),
		request("track of a reserved namespace", nil, subscribe(0, cat(space("."), text("x")))),
		request("publication with rubbish for properties", badKey, publish(0, own("p"), 1, 0, x("0b 05 61"))),
		request("publication with types beyond 64 bits", badKey, publish(0, own("p"), 1, 0, x(most+"00 01 00"))),
		request("publication with a priority of 2^62", badKey, publish(0, own("p"), 1, 0, 0x0e, huge)),
		request("publication with an unknown mandatory property", nil, publish(0, own("p"), 1, 0, 0x4000, 1)),
		request("publication with the largest alias", nil, publish(0, own("p"), 1, 0)),
		{"two tracks of one alias", ready, func(p *peer) {
			p.bidi(publish(0, own("p"), 9))
			p.bidi(publish(2, own("q"), 9))
		}, []model.SessionCode{model.DuplicateTrackAlias}, false},
		request("all namespaces", nil, message(typeSubscribeNamespace, 0, space(), 0)),
		request("all tracks", nil, message(typeSubscribeTracks, 0, space(), 0)),
		{"request cut by FIN", ready, func(p *peer) { p.bidi(x("03 0040 00")).Close() }, violation, false},
		{"request cut by a reset", ready, func(p *peer) { p.bidi(x("03 0040 00")).CancelWrite(1) }, violation, true},
		{"stream without a request", ready, func(p *peer) { p.bidi().Close() }, violation, true},
		{"stream that is reset at once", ready, func(p *peer) { p.bidi().CancelWrite(1 << 61) }, nil, false},
		{"request that never ends", ready, func(p *peer) { p.bidi(x("03 ffff 00")) }, nil, false},
	}
	// Every prefix of a sound request, ended by FIN, and by a reset.
	sound := subscribe(0, date(), 2, 0x10, 1, 0x11, 3, x("03 05 00"))
	for n := 1; n < len(sound); n += 3 {
		all = append(all,
			attack{"SUBSCRIBE cut by FIN", ready, func(p *peer) { p.bidi(sound[:n]).Close() }, violation, false},
			attack{"SUBSCRIBE cut by a reset", ready, func(p *peer) { p.bidi(sound[:n]).CancelWrite(uint64(n)) }, violation, true})
	}
	return all
}

// updateAttacks go on with a request that was accepted.
func updateAttacks() []attack {
	after := func(name string, closes []model.SessionCode, b []byte) attack {
		return attack{name, subscribed, func(p *peer) { p.say(b) }, closes, false}
	}
	return []attack{
		after("second SUBSCRIBE on its stream", violation, subscribe(2, date())),
		after("SUBSCRIBE_OK from a subscriber", violation, message(typeSubscribeOK, 1, 0)),
		after("PUBLISH_DONE from a subscriber", violation, message(typePublishDone, 0, 0, 0)),
		after("FETCH_OK on a subscription", violation, message(typeFetchOK, 0, 0, 0, 0)),
		after("answer to nothing", violation, message(typeRequestOK, 0)),
		after("refusal of nothing", violation, message(typeRequestError, 0, 0, 0)),
		after("unknown message on a subscription", violation, x("3f 0000")),
		after("update with an ID used before", badID, message(typeRequestUpdate, 0, 0)),
		after("update with an ID of the other side", badID, message(typeRequestUpdate, 3, 0)),
		after("update with an unknown parameter", violation, message(typeRequestUpdate, 2, 1, 0x3b, 0)),
		after("update with too many parameters", violation, message(typeRequestUpdate, 2, huge)),
		after("update cut short", timeout, x("02 0040 02")),
		{"subscription that is reset", subscribed, func(p *peer) { p.request.CancelWrite(1 << 60); p.request.CancelRead(1 << 60) }, nil, false},
		{"subscription whose answers are refused", subscribed, func(p *peer) { p.request.CancelRead(9) }, nil, false},
		{"subscription without updates", subscribed, func(p *peer) { p.request.Close() }, nil, false},
		{"second subscription to the track", subscribed, func(p *peer) { p.bidi(subscribe(2, date())) }, nil, false},
		{"data from a subscriber", subscribed, func(p *peer) { p.uni(subgroup(0, 2, 0, 0, 1, "x")) }, nil, false},
		{"PUBLISH_DONE with a reason of 2^62 bytes", published, func(p *peer) { p.say(message(typePublishDone, 2, 0, huge, "x")) }, violation, false},
		{"PUBLISH_DONE that promises 2^64-1 streams", published, func(p *peer) { p.say(message(typePublishDone, 2, x(most), 0)) }, nil, false},
		{"two PUBLISH_DONEs", published, func(p *peer) {
			p.say(message(typePublishDone, 2, 0, 0), message(typePublishDone, 2, 0, 0))
		}, violation, true},
		{"second PUBLISH on its stream", published, func(p *peer) { p.say(publish(2, own("other"), 8)) }, violation, false},
		{"publication that breaks", published, func(p *peer) { p.request.CancelWrite(3) }, nil, false},
	}
}
