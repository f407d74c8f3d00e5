package varint

import (
	"bytes"
	"errors"
	"testing"
)

var errLimit = errors.New("over the limit")

func TestReaderReadsFieldAfterField(t *testing.T) {
	r := NewReader(MoQ, unhex(t, "812c"+"07"+"deadbeef"+"03616263"+"80"+"0102"))
	if r.Kind() != MoQ {
		t.Errorf("kind %d", r.Kind())
	}
	if v := r.Uint(); v != 300 {
		t.Errorf("integer %d, want 300", v)
	}
	if c := r.Byte(); c != 7 {
		t.Errorf("byte %d, want 7", c)
	}
	if b := r.Bytes(4); !bytes.Equal(b, unhex(t, "deadbeef")) {
		t.Errorf("bytes %x", b)
	}
	if b := r.LengthPrefixed(3, errLimit); string(b) != "abc" {
		t.Errorf("prefixed bytes %q", b)
	}
	if r.Offset() != 11 || r.Len() != 3 {
		t.Errorf("at %d with %d left, want 11 and 3", r.Offset(), r.Len())
	}
	if b := r.Rest(); len(b) != 3 || r.Len() != 0 || r.Err() != nil {
		t.Errorf("rest %x, %d left, %v", b, r.Len(), r.Err())
	}
}

// A length from outside must never be converted before it is compared: as an
// int 2^64-1 is negative.
func TestAbsurdLengths(t *testing.T) {
	for _, n := range []uint64{4, 1 << 31, 1<<31 - 1, 1 << 32, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 4, 1<<64 - 1} {
		r := NewReader(MoQ, []byte("abc"))
		if b := r.Bytes(n); b != nil || r.Err() != ErrTruncated {
			t.Errorf("%d bytes of three: %x, %v", n, b, r.Err())
		}
		r = NewReader(MoQ, []byte("abc"))
		if sub := r.Sub(n); sub.Err() != ErrTruncated || sub.Len() != 0 {
			t.Errorf("sub-reader of %d bytes: %v", n, sub.Err())
		}
		r = NewReader(MoQ, append(MoQ.Append(nil, n), "abc"...))
		if b := r.LengthPrefixed(1<<64-1, errLimit); b != nil || r.Err() != ErrTruncated {
			t.Errorf("prefixed %d bytes of three: %x, %v", n, b, r.Err())
		}
	}
}

// A length over the limit fails whether or not its bytes are there.
func TestLimitIsCheckedBeforeTheBytes(t *testing.T) {
	for _, test := range []struct {
		hex  string
		want error
	}{
		{"03616263", nil},
		{"0461626364", errLimit},
		{"04", errLimit},
		{"ffffffffffffffffff", errLimit},
		{"0361", ErrTruncated},
		{"80", ErrTruncated},
		{"", ErrTruncated},
	} {
		r := NewReader(MoQ, unhex(t, test.hex))
		if b := r.LengthPrefixed(3, errLimit); r.Err() != test.want || (b == nil) != (test.want != nil) {
			t.Errorf("%q: %x and %v, want %v", test.hex, b, r.Err(), test.want)
		}
	}
}

// The first error stays: a parser asks once, at its end.
func TestFirstErrorStays(t *testing.T) {
	r := NewReader(MoQ, []byte{1, 2, 3})
	r.Fail(errLimit)
	r.Fail(ErrTooLarge)
	sub := r.Sub(1)
	switch {
	case r.Uint() != 0, r.Byte() != 0, r.Bytes(1) != nil, r.LengthPrefixed(9, ErrTooLarge) != nil, r.Len() != 0, r.Offset() != 0:
		t.Error("a reader that has failed goes on reading")
	case sub.Err() != errLimit || r.Err() != errLimit:
		t.Errorf("errors %v and %v, want the first", r.Err(), sub.Err())
	}
	if r.Rest(); r.Err() != errLimit {
		t.Errorf("error %v after Rest", r.Err())
	}
	r.Reset(QUIC, []byte{0x40, 0x40})
	if v := r.Uint(); v != 64 || r.Err() != nil || r.Kind() != QUIC {
		t.Errorf("after Reset: %d, %v", v, r.Err())
	}
}

func TestReaderAtItsEnd(t *testing.T) {
	for name, read := range map[string]func(*Reader){
		"Uint":  func(r *Reader) { r.Uint() },
		"Byte":  func(r *Reader) { r.Byte() },
		"Bytes": func(r *Reader) { r.Bytes(1) },
	} {
		r := NewReader(MoQ, nil)
		if read(r); r.Err() != ErrTruncated {
			t.Errorf("%s of nothing: %v", name, r.Err())
		}
	}
	if r := NewReader(MoQ, nil); len(r.Bytes(0)) != 0 || len(r.Rest()) != 0 || r.Err() != nil {
		t.Errorf("nothing of nothing: %v", r.Err())
	}
}

func TestSubReadsAPartAndMovesPastIt(t *testing.T) {
	r := NewReader(QUIC, []byte{1, 2, 3})
	sub := r.Sub(2)
	if sub.Kind() != QUIC || sub.Uint() != 1 || sub.Uint() != 2 || sub.Len() != 0 {
		t.Errorf("sub-reader ends with %v", sub.Err())
	}
	if sub.Byte(); sub.Err() != ErrTruncated {
		t.Error("the sub-reader went past its part")
	}
	if r.Byte() != 3 || r.Err() != nil {
		t.Errorf("the reader did not move past the part: %v", r.Err())
	}
}

// What is read cannot be appended to in place.
func TestBytesAreCapped(t *testing.T) {
	raw := []byte("abcd")
	r := NewReader(MoQ, raw)
	_ = append(r.Bytes(2), 'X')
	if string(raw) != "abcd" {
		t.Errorf("appending to a field changed the input to %q", raw)
	}
}

func TestAddFailsOnOverflow(t *testing.T) {
	for _, test := range []struct {
		kind      Kind
		a, b, sum uint64
		err       error
	}{
		{MoQ, 1, 2, 3, nil},
		{MoQ, 1<<64 - 1, 0, 1<<64 - 1, nil},
		{MoQ, 1<<64 - 2, 1, 1<<64 - 1, nil},
		{MoQ, 1<<64 - 1, 1, 0, errLimit},
		{MoQ, 1 << 63, 1 << 63, 0, errLimit},
		{MoQ, 1<<64 - 1, 1<<64 - 1, 0, errLimit},
		{QUIC, MaxQUIC - 1, 1, MaxQUIC, nil},
		{QUIC, MaxQUIC, 1, 0, errLimit},
		{QUIC, MaxQUIC, MaxQUIC, 0, errLimit},
		{QUIC, 0, MaxQUIC + 1, 0, errLimit},
		{QUIC, 1, 1<<64 - 1, 0, errLimit},
	} {
		r := NewReader(test.kind, nil)
		if sum := r.Add(test.a, test.b, errLimit); sum != test.sum || r.Err() != test.err {
			t.Errorf("%v: %d+%d: %d, %v", test.kind, test.a, test.b, sum, r.Err())
		}
	}
}

// A reader driven at random stays inside its input.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4}, unhex(f, "812c07deadbeef03616263"))
	f.Add([]byte{3, 4, 0}, unhex(f, "ffffffffffffffffff"))
	f.Fuzz(func(t *testing.T, script, input []byte) {
		r := NewReader(MoQ, input)
		for _, op := range script {
			before := r.Offset()
			switch op % 5 {
			case 0:
				r.Uint()
			case 1:
				r.Byte()
			case 2:
				r.Bytes(uint64(op))
			case 3:
				r.LengthPrefixed(uint64(op), errLimit)
			case 4:
				sub := r.Sub(uint64(op) / 5)
				sub.Rest()
			}
			if r.Offset() < before || r.Offset() > len(input) || r.Err() == nil && r.Len() != len(input)-r.Offset() {
				t.Fatalf("at %d of %d with %d left", r.Offset(), len(input), r.Len())
			}
		}
	})
}
