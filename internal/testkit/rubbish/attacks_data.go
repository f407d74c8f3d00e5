package main

import "oxymoq/pkg/model"

// dataAttacks send data streams of a track that somebody watches.
func dataAttacks() []attack {
	// object is an attack with one stream: what follows the subgroup's head.
	object := func(name string, closes []model.SessionCode, b ...any) attack {
		return attack{name, published, func(p *peer) { p.uni(subgroup(7, 1, b...)).Close() }, closes, false}
	}
	// big is one whose object is larger than the relay takes: it may refuse the
	// stream before it sees how that ends.
	big := func(name string, b ...any) attack {
		a := object(name, violation, b...)
		a.either = true
		return a
	}
	return []attack{
		{"unknown type of stream", ready, func(p *peer) { p.uni(x("2a00")) }, violation, false},
		{"stream of type 2^64-1", ready, func(p *peer) { p.uni(x(most)) }, violation, false},
		{"subgroup of the reserved mode", ready, func(p *peer) { p.uni(x("16 01 02 80")) }, violation, false},
		{"subgroup of an unknown track", ready, func(p *peer) { p.uni(subgroup(77, 1, 0, 0, 1, "x")).Close() }, nil, false},
		{"subgroup of an unknown track that never ends", ready, func(p *peer) { p.uni(subgroup(77, 1, 0, 0, huge), make([]byte, 100_000)) }, nil, false},
		{"head cut by FIN", ready, func(p *peer) { p.uni(x("15 07")).Close() }, violation, false},
		{"head cut by a reset", ready, func(p *peer) { p.uni(x("15 07")).CancelWrite(1) }, nil, false},
		{"head that never ends", ready, func(p *peer) { p.uni(x("15 07")) }, nil, false},
		{"stream without a byte", ready, func(p *peer) { p.uni().Close() }, violation, true},
		{"fetch stream of no request", ready, func(p *peer) { p.uni(x("05 00")) }, violation, true},
		{"fetch stream of the other side's request", subscribed, func(p *peer) { p.uni(x("05 00 1c 00 00 80 00")) }, violation, true},
		{"padding", ready, func(p *peer) { p.uni(x("f0132b3e28"), make([]byte, 100_000)).Close() }, nil, false},
		{"padding that breaks", ready, func(p *peer) { p.uni(x("f0132b3e28"), make([]byte, 5000)).CancelWrite(5) }, nil, false},
		{"padding that is not zero", ready, func(p *peer) { p.uni(x("f0132b3e28 ff")).Close() }, violation, true},

		object("object cut in its ID", violation, x("c0")),
		object("object cut in its payload", violation, 0, 0, 9, "x"),
		big("object of 2^62 bytes, cut", 0, 0, huge, make([]byte, 1<<20)),
		big("object of 2^64-1 bytes, cut", 0, 0, x(most), "x"),
		object("object IDs beyond 64 bits", violation, x(most), 0, 1, "x", 0, 0, 1, "y"),
		object("object IDs far beyond 64 bits", violation, 5, 0, 1, "x", x(most), 0, 1, "y"),
		object("unknown status", violation, 0, 0, 0, 9),
		object("status with properties", violation, 0, 2, x("02 01"), 0, 3),
		object("properties of 2^62 bytes", badKey, 0, huge, "x"),
		object("properties longer than allowed", badKey, 0, 70_000, make([]byte, 70_003), 1, "x"),
		object("property of 2^64-1 bytes", badKey, 0, 10, x("0b"+most), 1, "x"),
		object("properties whose types leave 64 bits", badKey, 0, 12, x(most+"00 01 00"), 1, "x"),
		object("mandatory property on an object", nil, 0, 4, x("c04000 01"), 1, "x"),
		object("immutable properties within themselves", nil, 0, 4, x("0b 02 0b 00"), 1, "x"),
		object("gap before the beginning", nil, 0, 2, x("3e 05"), 1, "x"),
		object("sound objects", nil, 0, 0, 1, "x", 0, 0, 1, "y", 3, 0, 0, 3),
		object("objects after the end of the group", nil, 0, 0, 0, 3, 0, 0, 1, "y"),
		{"object that breaks in its payload", published, func(p *peer) { p.uni(subgroup(7, 1, 0, 0, 100, "x")).CancelWrite(0) }, nil, false},
		{"object of 2^62 bytes that goes on", published, func(p *peer) { p.uni(subgroup(7, 1, 0, 0, huge), make([]byte, 1<<20)) }, nil, false},
		{"one subgroup on many streams, each with something else", published, func(p *peer) {
			for i := range 50 {
				p.uni(subgroup(7, 1, 0, 0, 1, string(rune('a'+i%26)))).Close()
			}
		}, nil, false},
		{"largest locations", published, func(p *peer) {
			p.uni(0x15, 7, x(most), 0, []byte{128}, x(most), 0, 1, "x").Close()
			p.uni(0x15, 7, 1, x(most), []byte{128}, 0, 0, 1, "x").Close()
		}, nil, true},
		{"track that ends and goes on", published, func(p *peer) {
			p.uni(subgroup(7, 5, 0, 0, 0, 4)).Close()
			p.uni(subgroup(7, 6, 0, 0, 1, "x")).Close()
		}, nil, false},
	}
}

// datagramAttacks send datagrams of a track that somebody watches.
func datagramAttacks() []attack {
	one := func(name string, from state, closes []model.SessionCode, b ...any) attack {
		return attack{name, from, func(p *peer) { p.datagram(b...) }, closes, false}
	}
	return []attack{
		one("datagram of unknown type", ready, violation, x("10 07 01 02 80")),
		one("datagram of type 2^64-1", ready, violation, x(most)),
		one("datagram with a status that ends the group", ready, violation, x("22 07 01 02 80 03")),
		one("datagram without a byte", ready, violation),
		one("datagram cut in its type", ready, violation, x("c0")),
		one("datagram cut in its head", ready, violation, x("00 07 01")),
		one("datagram with empty properties", ready, violation, x("01 07 01 02 80 00 61")),
		one("datagram with properties of 2^62 bytes", ready, violation, x("01 07 01 02 80"), huge),
		one("datagram with bytes behind its status", ready, violation, x("20 07 01 02 80 03 00")),
		one("datagram with an unknown status", ready, violation, x("20 07 01 02 80 09")),
		one("datagram of an unknown track", ready, nil, x("00 4d 01 02 80 61")),
		one("padding datagram", ready, nil, x("f0132b3e29 0000")),
		one("datagram with a mandatory property", published, nil, x("01 07 01 02 80 04 c04000 01 61")),
		one("datagram of the largest location", published, nil, 0, 7, x(most), x(most), []byte{128}, "x"),
		one("sound datagram", published, nil, x("00 07 01 02 80 61")),
	}
}
