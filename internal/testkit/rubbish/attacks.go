package main

import (
	"slices"

	"oxymoq/pkg/model"
)

// attacks are all that are written by hand.
func attacks() []attack {
	return slices.Concat(setupAttacks(), requestAttacks(), updateAttacks(), dataAttacks(), datagramAttacks())
}

// Ends of attacks.
var (
	violation = []model.SessionCode{model.ProtocolViolation}
	badKey    = []model.SessionCode{model.KeyValueFormattingError, model.ProtocolViolation}
	badID     = []model.SessionCode{model.InvalidRequestID}
	timeout   = []model.SessionCode{model.ControlMessageTimeout}
)

// setupAttacks play with the control stream and with what comes before it.
func setupAttacks() []attack {
	return []attack{
		{"silence", fresh, func(*peer) {}, timeout, false},
		{"half a SETUP", fresh, func(p *peer) { p.uni(x("af00 ffff 01")) }, timeout, false},
		{"half a stream type", fresh, func(p *peer) { p.uni(x("af")) }, timeout, false},
		{"stream type cut by FIN", fresh, func(p *peer) { p.uni(x("af")).Close() }, violation, false},
		{"control stream without a message", fresh, func(p *peer) { p.uni(x("af00")).Close() }, violation, false},
		{"control stream that is reset", fresh, func(p *peer) { p.uni(x("af00 00")).CancelWrite(7) }, slices.Concat(violation, timeout), false},
		{"unknown type before SETUP", fresh, func(p *peer) { p.uni(x("2a00")) }, violation, false},
		{"largest type before SETUP", fresh, func(p *peer) { p.uni(x(most)) }, violation, false},
		{"datagram of unknown type before SETUP", fresh, func(p *peer) { p.datagram(x("10")) }, slices.Concat(violation, timeout), false},
		{"data but never SETUP", fresh, func(p *peer) { p.uni(subgroup(1, 2, 0)); p.datagram(x("00 01 02 03 80 ff")) }, timeout, false},
		{"requests but never SETUP", fresh, func(p *peer) { p.bidi(subscribe(0, date())) }, timeout, false},
		{"option longer than SETUP", fresh, func(p *peer) { p.uni(setup(x("01 05 61"))) }, badKey, false},
		{"option of 2^64-1 bytes", fresh, func(p *peer) { p.uni(setup(x("01" + most))) }, badKey, false},
		{"option types beyond 64 bits", fresh, func(p *peer) { p.uni(setup(x(most + "00 01 00"))) }, badKey, false},
		{"path that is none", fresh, func(p *peer) { p.uni(setup(x("01 04 ff00 2520"))) },
			[]model.SessionCode{model.MalformedPath, model.InvalidPath}, false},
		{"path that is not served", fresh, func(p *peer) { p.uni(setup(cat(1, text("/elsewhere")))) }, []model.SessionCode{model.InvalidPath}, false},
		{"token that uses an alias", fresh, func(p *peer) { p.uni(setup(x("03 02 02 01"))) }, violation, false},
		{"token of unknown kind", fresh, func(p *peer) { p.uni(setup(x("03 02 09 01"))) }, badKey, false},
		{"empty token", fresh, func(p *peer) { p.uni(setup(x("03 00"))) }, badKey, false},

		{"second control stream", ready, func(p *peer) { p.uni(setup()) }, violation, false},
		{"second SETUP", ready, func(p *peer) { _, _ = p.control.Write(setup()) }, violation, false},
		{"control stream that ends", ready, func(p *peer) { p.control.Close() }, violation, false},
		{"control stream that breaks", ready, func(p *peer) { p.control.CancelWrite(1) }, slices.Concat(violation, timeout), false},
		{"unknown message", ready, func(p *peer) { _, _ = p.control.Write(x("3f 0000")) }, violation, false},
		{"message of type 2^64-1", ready, func(p *peer) { _, _ = p.control.Write(x(most + "0000")) }, violation, false},
		{"request on the control stream", ready, func(p *peer) { _, _ = p.control.Write(subscribe(0, date())) }, violation, false},
		{"message cut by FIN", ready, func(p *peer) { _, _ = p.control.Write(x("10 0005 00")); p.control.Close() }, violation, false},
		{"message that never ends", ready, func(p *peer) { _, _ = p.control.Write(x("10 ffff 00")) }, timeout, false},
		{"GOAWAY with a URI from a client", ready, func(p *peer) { _, _ = p.control.Write(message(typeGoaway, text("moqt://b/"), 0, 0)) }, violation, false},
		{"GOAWAY with a URI of 2^62 bytes", ready, func(p *peer) { _, _ = p.control.Write(message(typeGoaway, huge, "moqt", 0, 0)) }, violation, false},
		{"GOAWAY with more than it has", ready, func(p *peer) { _, _ = p.control.Write(message(typeGoaway, 0, 0, 1, 0)) }, violation, false},
		{"GOAWAY with less than it has", ready, func(p *peer) { _, _ = p.control.Write(message(typeGoaway, 0)) }, violation, false},
		{"GOAWAY of the wrong parity", ready, func(p *peer) { _, _ = p.control.Write(message(typeGoaway, 0, 0, 2)) }, badID, false},
		{"two GOAWAYs", ready, func(p *peer) {
			_, _ = p.control.Write(message(typeGoaway, 0, 0, 1))
			_, _ = p.control.Write(message(typeGoaway, 0, 0, 1))
		}, violation, false},
		{"unknown options", fresh, func(p *peer) {
			p.uni(setup(x("7e 01 1f 03 616263"))) // types 0x7e and 0x9d
			_, _ = p.conn.AcceptUniStream(p.ctx)
		}, nil, false},
	}
}
