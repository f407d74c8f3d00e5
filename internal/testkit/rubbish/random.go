package main

import (
	"fmt"
	"math/rand/v2"

	"oxymoq/pkg/model"
)

// anything are the codes that may end a session of random rubbish: all but
// those that blame the relay.
var anything = []model.SessionCode{
	model.ProtocolViolation, model.InvalidRequestID, model.DuplicateTrackAlias, model.KeyValueFormattingError,
	model.TooManyRequests, model.InvalidPath, model.MalformedPath, model.ControlMessageTimeout, model.DataStreamTimeout,
	model.AuthTokenCacheOverflow, model.DuplicateAuthTokenAlias, model.MalformedAuthToken, model.UnknownAuthTokenAlias,
	model.Unauthorized, model.InvalidAuthority, model.MalformedAuthority, model.GoawayTimeout, model.NoError,
}

// randomAttacks are sound conversations in which some bytes are wrong.
func randomAttacks(seed uint64, n int) (all []attack) {
	for i := range n {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		from := ready + state(rng.IntN(3))
		all = append(all, attack{fmt.Sprintf("random %d", i), from, func(p *peer) { p.random(rng) }, anything, true})
	}
	return all
}

// random sends twenty pieces, each sound but for a few bytes.
func (p *peer) random(rng *rand.Rand) {
	next := 2
	id := func() int { next += 2; return next }
	spoil := func(b []byte) []byte {
		for range rng.IntN(3) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		return b[:len(b)-rng.IntN(2)*rng.IntN(len(b))]
	}
	end := func(st interface {
		Close() error
		CancelWrite(code uint64)
	}) {
		switch rng.IntN(4) {
		case 0:
			_ = st.Close()
		case 1:
			st.CancelWrite(rng.Uint64N(1 << 62))
		}
	}
	for range 20 {
		switch rng.IntN(12) {
		case 0:
			end(p.bidi(spoil(subscribe(id(), date(), 1, 0x21, 3, x("03 05 00")))))
		case 1:
			end(p.bidi(spoil(publish(id(), own(p.track+fmt.Sprint(next)), next, 1, 0x10, 1, x("0e 01")))))
		case 2:
			end(p.bidi(spoil(message(typeFetch, id(), 1, date(), 5, 0, 6, 0, 0))))
		case 3:
			end(p.bidi(spoil(message(typeFetch, id(), 2, 0, 1, 0))))
		case 4:
			end(p.bidi(spoil(message(typeTrackStatus, id(), date(), 0))))
		case 5:
			end(p.bidi(spoil(message(typePublishNamespace, id(), space("rubbish", p.track), 0))))
		case 6:
			end(p.bidi(spoil(message(typeSubscribeNamespace, id(), space("rubbish"), 0))))
		case 7:
			end(p.bidi(spoil(message(typeSubscribeTracks, id(), space("moq-date"), 0))))
		case 8, 9:
			end(p.uni(spoil(subgroup(7, rng.IntN(4), rng.IntN(4), 2, x("02 01"), 3, "abc", 0, 0, 1, "x"))))
		case 10:
			p.datagram(spoil(cat(1, 7, rng.IntN(4), rng.IntN(4), []byte{128}, 2, x("02 01"), "abc")))
		case 11:
			if p.request != nil {
				p.say(spoil(message(typeRequestUpdate, id(), 1, 0x10, 1)))
			}
		}
	}
}
