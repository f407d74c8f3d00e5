package main

import (
	"encoding/hex"
	"strings"

	"oxymoq/pkg/varint"
)

// protocol is the ALPN of the draft that is spoken here.
const protocol = "moqt-18"

// Types of messages (section 10).
const (
	typeSetup              = 0x2f00
	typeGoaway             = 0x10
	typeRequestUpdate      = 0x2
	typeSubscribe          = 0x3
	typeSubscribeOK        = 0x4
	typeRequestError       = 0x5
	typePublishNamespace   = 0x6
	typeRequestOK          = 0x7
	typeNamespace          = 0x8
	typePublishDone        = 0xb
	typeTrackStatus        = 0xd
	typeFetch              = 0x16
	typeFetchOK            = 0x18
	typePublish            = 0x1d
	typeSubscribeNamespace = 0x50
	typeSubscribeTracks    = 0x51
)

// Integers that are too large for something.
const (
	huge uint64 = 1 << 62
	most        = "ffffffffffffffffff" // 2^64-1, as it is written
)

// x reads hexadecimal digits; spaces are for the reader.
func x(digits string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic("rubbish: " + digits + ": " + err.Error()) // a constant of this program is wrong
	}
	return b
}

// cat joins pieces: integers in the encoding of section 1.4.1, strings and bytes.
func cat(pieces ...any) (b []byte) {
	for _, p := range pieces {
		switch p := p.(type) {
		case int:
			b = varint.MoQ.Append(b, uint64(p))
		case uint64:
			b = varint.MoQ.Append(b, p)
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

// message frames a payload, whatever it is.
func message(typ int, payload ...any) []byte {
	body := cat(payload...)
	return cat(typ, []byte{byte(len(body) >> 8), byte(len(body))}, body)
}

// lying frames a payload with a length that is not its own.
func lying(typ, length int, payload ...any) []byte {
	return cat(typ, []byte{byte(length >> 8), byte(length)}, cat(payload...))
}

// text is a string behind its length.
func text(s string) []byte { return cat(len(s), s) }

// space is a namespace.
func space(fields ...string) []byte {
	b := cat(len(fields))
	for _, f := range fields {
		b = append(b, text(f)...)
	}
	return b
}

// date is the track that the relay must have.
func date() []byte { return cat(space("moq-date"), text("date")) }

// own is a track of the attacker.
func own(name string) []byte { return cat(space("rubbish"), text(name)) }

func setup(options ...any) []byte { return message(typeSetup, options...) }

func subscribe(id int, track []byte, params ...any) []byte {
	if len(params) == 0 {
		params = []any{0}
	}
	return message(typeSubscribe, id, track, cat(params...))
}

func publish(id int, track []byte, alias int, rest ...any) []byte {
	if len(rest) == 0 {
		rest = []any{0}
	}
	return message(typePublish, id, track, alias, cat(rest...))
}

// subgroup is the head of a data stream whose objects have properties.
func subgroup(alias, group int, rest ...any) []byte {
	return cat(0x15, alias, group, 0, []byte{128}, cat(rest...))
}
