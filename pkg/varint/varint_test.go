package varint

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// encodings are values and their shortest forms.
var encodings = []struct {
	kind  Kind
	value uint64
	hex   string
}{
	// The examples of draft-ietf-moq-transport-18, section 1.4.1, and the types
	// that every session begins with.
	{MoQ, 37, "25"},
	{MoQ, 15293, "bbbd"},
	{MoQ, 226442877, "ed7f3e7d"},
	{MoQ, 2893212287960, "faa1a0e403d8"},
	{MoQ, 151288809941952, "fc8998abc66bc0"},
	{MoQ, 70423237261249041, "fefa318fa8e3ca11"},
	{MoQ, 1<<64 - 1, "ffffffffffffffffff"},
	{MoQ, 0x2F00, "af00"},
	{MoQ, 0x132B3E28, "f0132b3e28"},

	// The last value of each length and the first of the next.
	{MoQ, 0, "00"},
	{MoQ, 127, "7f"}, {MoQ, 128, "8080"},
	{MoQ, 1<<14 - 1, "bfff"}, {MoQ, 1 << 14, "c04000"},
	{MoQ, 1<<21 - 1, "dfffff"}, {MoQ, 1 << 21, "e0200000"},
	{MoQ, 1<<28 - 1, "efffffff"}, {MoQ, 1 << 28, "f010000000"},
	{MoQ, 1<<35 - 1, "f7ffffffff"}, {MoQ, 1 << 35, "f80800000000"},
	{MoQ, 1<<42 - 1, "fbffffffffff"}, {MoQ, 1 << 42, "fc040000000000"},
	{MoQ, 1<<49 - 1, "fdffffffffffff"}, {MoQ, 1 << 49, "fe02000000000000"},
	{MoQ, 1<<56 - 1, "feffffffffffffff"}, {MoQ, 1 << 56, "ff0100000000000000"},
	{MoQ, 1<<62 - 1, "ff3fffffffffffffff"}, {MoQ, 1 << 62, "ff4000000000000000"},

	// RFC 9000, appendix A.1.
	{QUIC, 37, "25"},
	{QUIC, 15293, "7bbd"},
	{QUIC, 494878333, "9d7f3e7d"},
	{QUIC, 151288809941952652, "c2197c5eff14e88c"},

	{QUIC, 0, "00"},
	{QUIC, 1<<6 - 1, "3f"}, {QUIC, 1 << 6, "4040"},
	{QUIC, 1<<14 - 1, "7fff"}, {QUIC, 1 << 14, "80004000"},
	{QUIC, 1<<30 - 1, "bfffffff"}, {QUIC, 1 << 30, "c000000040000000"},
	{QUIC, MaxQUIC, "ffffffffffffffff"},
}

func TestShortestForms(t *testing.T) {
	for _, e := range encodings {
		want := unhex(t, e.hex)
		if got := e.kind.Append([]byte{0xaa}, e.value); !bytes.Equal(got, append([]byte{0xaa}, want...)) {
			t.Errorf("kind %d: %d is written %x, want aa%s", e.kind, e.value, got, e.hex)
		}
		if got := e.kind.Len(e.value); got != len(want) {
			t.Errorf("kind %d: length of %d is %d, want %d", e.kind, e.value, got, len(want))
		}
		v, n, err := e.kind.Parse(append(want, 0xaa))
		if v != e.value || n != len(want) || err != nil {
			t.Errorf("kind %d: %s is read as %d in %d bytes, %v", e.kind, e.hex, v, n, err)
		}
	}
}

// Longer forms than necessary are legal on receipt.
func TestLongerForms(t *testing.T) {
	for _, test := range []struct {
		kind  Kind
		value uint64
		hex   string
	}{
		{MoQ, 37, "8025"}, {MoQ, 37, "c00025"}, {MoQ, 0, "e0000000"}, {MoQ, 37, "f000000025"}, {MoQ, 128, "f80000000080"},
		{MoQ, 127, "fc00000000007f"}, {MoQ, 0, "fe00000000000000"}, {MoQ, 37, "ff0000000000000025"}, {MoQ, 1<<56 - 1, "ff00ffffffffffffff"},
		{QUIC, 37, "4025"}, {QUIC, 37, "80000025"}, {QUIC, 37, "c000000000000025"},
	} {
		b := unhex(t, test.hex)
		if v, n, err := test.kind.Parse(b); v != test.value || n != len(b) || err != nil {
			t.Errorf("kind %d: %s is read as %d in %d bytes, %v; want %d", test.kind, test.hex, v, n, err, test.value)
		}
	}
}

func TestEveryTruncation(t *testing.T) {
	for _, e := range encodings {
		b := unhex(t, e.hex)
		for n := range b {
			if v, used, err := e.kind.Parse(b[:n]); err != ErrTruncated || v != 0 || used != 0 {
				t.Errorf("kind %d: %x of %s: %d in %d bytes, %v", e.kind, b[:n], e.hex, v, used, err)
			}
		}
	}
}

// The first byte alone tells the length.
func TestFirstByteTellsTheLength(t *testing.T) {
	lengths := map[Kind]map[int]int{MoQ: {}, QUIC: {}}
	full := make([]byte, MaxLen)
	for kind, count := range lengths {
		for first := range 256 {
			full[0] = byte(first)
			_, n, err := kind.Parse(full)
			if err != nil {
				t.Fatal(err)
			}
			count[n]++
		}
	}
	want := "map[0:map[1:128 2:64 3:32 4:16 5:8 6:4 7:2 8:1 9:1] 1:map[1:64 2:64 4:64 8:64]]"
	if got := fmt.Sprint(lengths); got != want {
		t.Errorf("first bytes by length: %s, want %s", got, want)
	}
}

func TestLargestValue(t *testing.T) {
	if MoQ.Max() != 1<<64-1 || QUIC.Max() != MaxQUIC {
		t.Errorf("largest values %d and %d", MoQ.Max(), QUIC.Max())
	}
	if n := QUIC.Len(MaxQUIC + 1); n != 0 {
		t.Errorf("2^62 has %d bytes in QUIC's encoding, want none", n)
	}
	defer func() {
		if recover() == nil {
			t.Error("2^62 was written in QUIC's encoding")
		}
	}()
	QUIC.Append(nil, MaxQUIC+1)
}

func FuzzParse(f *testing.F) {
	for _, e := range encodings {
		f.Add(e.kind == QUIC, unhex(f, e.hex))
	}
	f.Fuzz(func(t *testing.T, quic bool, b []byte) {
		kind := MoQ
		if quic {
			kind = QUIC
		}
		v, n, err := kind.Parse(b)
		if err != nil {
			if err != ErrTruncated || n != 0 || len(b) >= MaxLen {
				t.Fatalf("%x: %d bytes and %v", b, n, err)
			}
			return
		}
		shortest := kind.Append(nil, v)
		if len(shortest) > n || len(shortest) != kind.Len(v) {
			t.Fatalf("%x: %d takes %d bytes, read from %d", b, v, len(shortest), n)
		}
		again, m, err := kind.Parse(shortest)
		if again != v || m != len(shortest) || err != nil {
			t.Fatalf("%d is written %x and read as %d, %v", v, shortest, again, err)
		}
		if len(shortest) == n && !bytes.Equal(shortest, b[:n]) {
			t.Fatalf("%x and %x are both the shortest form of %d", b[:n], shortest, v)
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	buf := make([]byte, 0, 64)
	var r Reader
	if n := testing.AllocsPerRun(100, func() {
		buf = MoQ.Append(buf[:0], 1<<60)
		buf = append(MoQ.Append(buf, 3), "abc"...)
		r.Reset(MoQ, buf)
		if r.Uint() != 1<<60 || len(r.LengthPrefixed(3, ErrTooLarge)) != 3 || r.Err() != nil {
			t.Fatal("read something else")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, MaxLen)
	for b.Loop() {
		buf = MoQ.Append(buf[:0], 1<<20)
	}
}

func BenchmarkParse(b *testing.B) {
	raw := MoQ.Append(nil, 1<<20)
	for b.Loop() {
		if _, _, err := MoQ.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
