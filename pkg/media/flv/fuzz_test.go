package flv

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oxymoq/internal/testkit"
)

// The oracle of all: what was read is written, and what was written is read as the
// same.

// same compares tags whose data may be empty or nil.
var same = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b)
})}

func FuzzReader(f *testing.F) {
	f.Add(annotated(f, small), false)
	f.Add(annotated(f, small+small), true)
	f.Add(append(annotated(f, small), make([]byte, 40)...), true)
	f.Add(annotated(f, "464c56 01 05 0000000a 00 00000000 deadbeef 28 000001 000000 00 000001 af 0000"), true)
	f.Fuzz(func(t *testing.T, b []byte, tolerant bool) {
		var opts []Option
		if tolerant {
			opts = append(opts, Tolerant())
		}
		r := NewReader(bytes.NewReader(b), opts...)
		var tags []Tag
		for {
			tag, err := r.Next()
			if _, ok := errors.AsType[*UnsupportedError](err); ok {
				continue
			}
			if err != nil {
				break
			}
			tags = append(tags, tag)
		}
		if r.Offset() > int64(len(b)) {
			t.Fatalf("%d of %d bytes were read", r.Offset(), len(b))
		}
		var out bytes.Buffer
		w := NewWriter(&out)
		testkit.NoErr(t, w.WriteHeader(Header{}))
		for _, tag := range tags {
			testkit.NoErr(t, w.WriteTag(tag))
		}
		got, err := readAll(NewReader(&out))
		if err != io.EOF {
			t.Fatal(err)
		}
		testkit.Equal(t, got, tags, same)
	})
}

func FuzzParseVideo(f *testing.F) {
	for _, row := range videoRows {
		f.Add(annotated(f, row.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseVideo(b)
		if err != nil || v.Packet == Command {
			return
		}
		v.Track = 0 // only one is written
		again := testkit.Must(AppendVideo(nil, v))(t)
		testkit.Equal(t, testkit.Must(ParseVideo(again))(t), v, same)
	})
}

func FuzzParseAudio(f *testing.F) {
	for _, row := range audioRows {
		f.Add(annotated(f, row.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAudio(b)
		if err != nil {
			return
		}
		a.Track, a.Hertz, a.Channels = 0, 0, 0
		got := testkit.Must(ParseAudio(testkit.Must(AppendAudio(nil, a))(t)))(t)
		got.Hertz, got.Channels = 0, 0
		testkit.Equal(t, got, a, same)
	})
}

func FuzzParseScript(f *testing.F) {
	for _, row := range scriptRows {
		f.Add(append(annotated(f, "02 0001 78"), annotated(f, row.wire)...))
	}
	f.Add(append(annotated(f, "02 000d 40736574446174614672616d65 02 0001 78"), 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, value, err := ParseScript(b)
		if err != nil {
			return
		}
		again, more, err := ParseScript(testkit.Must(AppendScript(nil, name, value))(t))
		testkit.NoErr(t, err)
		testkit.Equal(t, again, name)
		testkit.Equal(t, more, value, same)
	})
}
