package flv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"oxymoq/internal/testkit"
)

// small is a whole file with one tag of each type.
const small = `
	464c56 01 05 00000009 // FLV, version 1, audio and video, length of the header
	00000000              // PreviousTagSize0
	12 000004 000000 00 000000 02000178 0000000f // script: a name
	09 000003 fffffe ff 000000 170200   0000000e // video, ffffffff-1
	08 000002 000001 00 000000 af01     0000000d // audio, 1 ms`

var smallTags = []Tag{
	{Type: Script, Data: []byte{2, 0, 1, 'x'}},
	{Type: Video, Time: 0xfffffffe, Data: []byte{0x17, 2, 0}},
	{Type: Audio, Time: 1, Data: []byte{0xaf, 1}},
}

// readAll reads to the end, which is err.
func readAll(r *Reader) (tags []Tag, err error) {
	for {
		tag, err := r.Next()
		if err != nil {
			return tags, err
		}
		tags = append(tags, tag)
	}
}

func TestReaderAndWriter(t *testing.T) {
	b := annotated(t, small)
	for name, opts := range map[string][]Option{"strict": nil, "tolerant": {Tolerant()}} {
		r := NewReader(iotest.OneByteReader(bytes.NewReader(b)), opts...)
		testkit.Equal(t, testkit.Must(r.Header())(t), Header{Audio: true, Video: true})
		tags, err := readAll(r)
		if err != io.EOF {
			t.Fatalf("%s: the end is %v", name, err)
		}
		testkit.Equal(t, tags, smallTags)
		testkit.Equal(t, r.Offset(), int64(len(b)))
		testkit.Equal(t, r.Repairs(), Repairs{})
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%s: after the end comes %v", name, err)
		}
	}

	var out bytes.Buffer
	w := NewWriter(&out)
	testkit.NoErr(t, w.WriteHeader(Header{Audio: true, Video: true}))
	for _, tag := range smallTags {
		testkit.NoErr(t, w.WriteTag(tag))
	}
	testkit.Equal(t, out.Bytes(), b)
	testkit.Equal(t, w.Written(), int64(len(b)))
}

// TestEveryTruncation: a file that is cut gives its whole tags and then the place,
// unless it is cut behind a tag's size. A tolerant reader misses no last size.
func TestEveryTruncation(t *testing.T) {
	b := annotated(t, small)
	ends := []int{13, 32, 50, 67} // behind the header and each tag
	for n := range len(b) + 1 {
		for name, opts := range map[string][]Option{"strict": nil, "tolerant": {Tolerant()}} {
			whole, clean := 0, false
			for i, end := range ends {
				if n >= end-backPointer {
					whole = i
				}
				clean = clean || n == end || name == "tolerant" && n >= end-backPointer && n < end
			}
			tags, err := readAll(NewReader(bytes.NewReader(b[:n]), opts...))
			if len(tags) != whole {
				t.Errorf("%s, %d bytes: %d tags, want %d", name, n, len(tags), whole)
			}
			if clean {
				testkit.Equal(t, err == io.EOF, true)
				continue
			}
			testkit.ErrIs(t, err, io.ErrUnexpectedEOF)
			testkit.Equal(t, testkit.ErrAs[*TruncatedError](t, err).Offset, int64(n))
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	head := "464c56 01 05 00000009 00000000 "
	for _, row := range []struct{ name, wire, want string }{
		{"nothing", "", "FLV: it ends at byte 0, in the middle of the header"},
		{"rubbish", "ffd8ffe0", "FLV: byte 0: this is no FLV: it does not begin with the letters FLV"},
		{"rubbish that begins like it", "464c58", "FLV: byte 0: this is no FLV: it does not begin with the letters FLV"},
		{"version 2", "464c56 02 05 00000009", "FLV: byte 3: the version is 2, must be 1"},
		{"reserved flags", "464c56 01 07 00000009", "FLV: byte 4: reserved bits of the header's flags 0x07 are set"},
		{"long header", "464c56 01 05 0000000a", "FLV: byte 5: the header says it has 10 bytes, must be 9"},
		{"first size", "464c56 01 05 00000009 00000001", "FLV: byte 9: the size of the tag before is 1, must be 0"},
		{"type 1", head + "01 000000 000000 00 000000", "FLV: byte 13: a tag cannot begin with 0x01"},
		{"reserved bits of a tag", head + "48 000000 000000 00 000000", "FLV: byte 13: a tag cannot begin with 0x48"},
		{"stream ID", head + "08 000000 000000 00 000001", "FLV: byte 13: the stream ID of a tag is 1, must be 0"},
		{"size of a tag", head + "08 000000 000000 00 000000 0000000c", "FLV: byte 24: the size of the tag before is 12, must be 11"},
		{"claims more than there is", head + "09 ffffff 000000 00 000000 17", "FLV: it ends at byte 25, in the middle of a tag of video"},
		{"zeros", head + "00000000", "FLV: it ends at byte 17, in the middle of the header of a tag"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(annotated(t, row.wire)))
			_, err := readAll(r)
			testkit.Equal(t, err.Error(), row.want)
			_, again := r.Next()
			if again != err {
				t.Errorf("then comes %v", again)
			}
		})
	}
}

// TestTolerantReader: what a strict reader refuses, each with what it counts.
func TestTolerantReader(t *testing.T) {
	head := "464c56 01 05 00000009 00000000 "
	a, b := "08 000001 000000 00 000000 af ", "08 000001 000001 00 000000 af "
	size := "0000000c "
	both := []Tag{{Type: Audio, Data: []byte{0xaf}}, {Type: Audio, Time: 1, Data: []byte{0xaf}}}
	for _, row := range []struct {
		name, wire string
		want       []Tag
		repairs    Repairs
	}{
		{"longer header", "464c56 01 05 0000000c aabbcc 00000000" + a + size + b + size, both, Repairs{Headers: 1}},
		{"header without length", "464c56 01 05 00000000 00000000" + a + size + b + size, both, Repairs{Headers: 1}},
		{"reserved flags", "464c56 01 ff 00000009 00000000" + a + size + b + size, both, Repairs{Headers: 1}},
		{"first size", "464c56 01 05 00000009 00000009" + a + size + b + size, both, Repairs{Pointers: 1}},
		{"no first size", "464c56 01 05 00000009" + a + size + b + size, both, Repairs{Pointers: 1}},
		{"wrong size", head + a + "0000000d" + b + size, both, Repairs{Pointers: 1}},
		{"no size", head + a + b + size, both, Repairs{Pointers: 1}},
		{"no last size", head + a + size + b, both, Repairs{Pointers: 1}},
		{"wrong last size", head + a + size + b + "00000000", both, Repairs{Pointers: 1}},
		{"stream ID", head + "08 000001 000000 00 000001 af" + size + b + size, both, Repairs{StreamIDs: 1}},
		{"rubbish between", head + a + size + "deadbeef 0908" + b + size, both, Repairs{Gaps: 1, Skipped: 6}},
		{"rubbish for a size", head + a + "deadbeef 0908" + b + size, both, Repairs{Gaps: 1, Skipped: 6}},
		{"tag that is too short", head + "08 000003 000000 00 000000 af 01 21 0001 0000 00" + b + size, []Tag{
			{Type: Audio, Data: []byte{0xaf, 1, 0x21}}, both[1],
		}, Repairs{Gaps: 1, Skipped: 5}},
		{"unknown type", head + a + size + "1f 000001 000000 00 000000 05" + size + b + size, both, Repairs{Gaps: 1, Skipped: 16}},
		{"zeros at the end", head + a + size + b + size + strings.Repeat("00", 30), both, Repairs{Padding: 30}},
		{"few zeros at the end", head + a + size + b + size + "0000", both, Repairs{Padding: 2}},
		{"wrong size and zeros", head + a + size + b + "00000001" + strings.Repeat("00", 30), both, Repairs{Pointers: 1, Padding: 30}},
		{"zeros between", head + a + size + "000000000000" + b + size, both, Repairs{Gaps: 1, Skipped: 6}},
		{"encrypted", head + a + size + "29 000002 000000 00 000000 aabb 0000000d" + b + size, both, Repairs{Encrypted: 1}},
		{"another file after a cut", head + a + "00" + head + b + size, both, Repairs{Gaps: 1, Skipped: 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := annotated(t, row.wire)
			r := NewReader(bytes.NewReader(in), Tolerant())
			tags, err := readAll(r)
			if err != io.EOF {
				t.Errorf("the end is %v", err)
			}
			testkit.Equal(t, tags, row.want)
			testkit.Equal(t, r.Repairs(), row.repairs)
			testkit.Equal(t, r.Offset(), int64(len(in)))
			if _, err := readAll(NewReader(bytes.NewReader(in))); err == io.EOF {
				t.Error("a strict reader reads it as well")
			}
		})
	}
}

func TestTolerantReaderRefuses(t *testing.T) {
	head := "464c56 01 05 00000009 00000000 "
	for _, row := range []struct{ name, wire, want string }{
		{"rubbish", "ffd8ffe0", "FLV: byte 0: this is no FLV: it does not begin with the letters FLV"},
		{"version 2", "464c56 02 05 00000009", "FLV: byte 3: the version is 2, must be 1"},
		{"rubbish behind the header", head + "deadbeef", "FLV: byte 13: no tag begins here nor in the 4 bytes behind it"},
		{"tag cut", head + "08 000002 000000 00 000000 af", "FLV: it ends at byte 25, in the middle of a tag of audio"},
		{"header cut", "464c56 01 05 0000000f 00", "FLV: it ends at byte 10, in the middle of the header"},
		{"header too long", "464c56 01 05 00010001", "FLV: byte 5: the header says it has 65537 bytes, more than 65536"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := readAll(NewReader(bytes.NewReader(annotated(t, row.wire)), Tolerant()))
			testkit.Equal(t, err.Error(), row.want)
		})
	}
}

// TestJoinedFiles: files joined as they are read as one by any reader.
func TestJoinedFiles(t *testing.T) {
	b := annotated(t, small)
	for name, opts := range map[string][]Option{"strict": nil, "tolerant": {Tolerant()}} {
		second := bytes.Clone(b)
		second[4] = 4 // audio only
		r := NewReader(io.MultiReader(bytes.NewReader(b), bytes.NewReader(second)), opts...)
		for range smallTags {
			testkit.Must(r.Next())(t)
		}
		testkit.Equal(t, r.Files(), 1)
		testkit.Equal(t, testkit.Must(r.Next())(t), smallTags[0])
		testkit.Equal(t, r.Files(), 2)
		testkit.Equal(t, testkit.Must(r.Header())(t), Header{Audio: true})
		if rest, err := readAll(r); len(rest) != 2 || err != io.EOF {
			t.Errorf("%s: %d tags, then %v", name, len(rest), err)
		}
	}
}

func TestEncryptedTag(t *testing.T) {
	r := NewReader(bytes.NewReader(annotated(t, `464c56 01 05 00000009 00000000
		29 000002 000000 00 000000 aabb 0000000d
		08 000001 000001 00 000000 af   0000000c`)))
	_, err := r.Next()
	testkit.Equal(t, testkit.ErrAs[*UnsupportedError](t, err), &UnsupportedError{Video, "encryption"})
	testkit.Equal(t, testkit.Must(r.Next())(t), Tag{Type: Audio, Time: 1, Data: []byte{0xaf}})
}

// zeros is an input of nothing but zeros.
type zeros struct{ read int64 }

func (z *zeros) Read(b []byte) (int, error) {
	clear(b)
	z.read += int64(len(b))
	return len(b), nil
}

// TestSearchEnds: the search for the next tag ends though the input does not.
func TestSearchEnds(t *testing.T) {
	var z zeros
	r := NewReader(io.MultiReader(bytes.NewReader(annotated(t, "464c56 01 05 00000009 00000000")), &z), Tolerant())
	_, err := r.Next()
	testkit.Equal(t, testkit.ErrAs[*FormatError](t, err).Offset, int64(13))
	if z.read > MaxSkip+readStep {
		t.Errorf("%d bytes were read", z.read)
	}
}

// TestSizeIsNotBelieved: a tag that claims the most there can be takes no more
// memory than twice what comes.
func TestSizeIsNotBelieved(t *testing.T) {
	in := append(annotated(t, "464c56 01 05 00000009 00000000 09 ffffff 000000 00 000000"), make([]byte, 100_000)...)
	allocated := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc
	}
	before := allocated()
	_, err := NewReader(bytes.NewReader(in)).Next()
	got := allocated() - before
	testkit.ErrIs(t, err, io.ErrUnexpectedEOF)
	if most := uint64(readStep + 4*len(in)); got > most {
		t.Errorf("%d bytes for a tag of %d bytes, at most %d", got, len(in), most)
	}
}

func TestLargestTag(t *testing.T) {
	tag := Tag{Type: Video, Time: 7, Data: bytes.Repeat([]byte{0x17}, MaxTagData)}
	var out bytes.Buffer
	w := NewWriter(&out)
	testkit.NoErr(t, w.WriteHeader(Header{Video: true}))
	testkit.NoErr(t, w.WriteTag(tag))
	got := testkit.Must(NewReader(&out).Next())(t)
	if got.Time != 7 || !bytes.Equal(got.Data, tag.Data) {
		t.Errorf("a tag with %d bytes was read as one with %d", len(tag.Data), len(got.Data))
	}
	before := w.Written()
	testkit.ErrIs(t, w.WriteTag(Tag{Type: Video, Data: make([]byte, MaxTagData+1)}), ErrTagTooLarge)
	testkit.Equal(t, w.Written(), before)
}

var errBroken = errors.New("broken")

type brokenWriter struct{ after int }

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.after--; w.after < 0 {
		return 1, errBroken
	}
	return len(b), nil
}

func TestWriterRefuses(t *testing.T) {
	w := NewWriter(&brokenWriter{after: 1})
	testkit.ErrIs(t, w.WriteTag(smallTags[0]), ErrNoHeader)
	testkit.NoErr(t, w.WriteHeader(Header{}))
	testkit.ErrIs(t, w.WriteHeader(Header{}), ErrHeaderTwice)
	if err := w.WriteTag(Tag{Type: 7}); err == nil || err.Error() != "FLV: a tag cannot be of type 7" {
		t.Errorf("type 7: %v", err)
	}
	testkit.ErrIs(t, w.WriteTag(smallTags[0]), errBroken)
	testkit.ErrIs(t, w.WriteTag(smallTags[0]), errBroken)
	testkit.Equal(t, w.Written(), int64(14))
}

func TestInputFails(t *testing.T) {
	b := annotated(t, small)
	for n := range b {
		r := NewReader(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(errBroken)))
		_, err := readAll(r)
		testkit.ErrIs(t, err, errBroken)
		if want := fmt.Sprintf("reading at byte %d", r.Offset()); !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

// TestNothingIsAwaited: a tag is there before the size behind it.
func TestNothingIsAwaited(t *testing.T) {
	for name, opts := range map[string][]Option{"strict": nil, "tolerant": {Tolerant()}} {
		begin := annotated(t, "464c56 01 05 00000009 00000000 08 000001 000000 00 000000 af")
		in, out := io.Pipe()
		wrote := make(chan error)
		go func() {
			_, err := out.Write(begin)
			wrote <- err
		}()
		tag, err := NewReader(in, opts...).Next()
		if err != nil || tag.Type != Audio {
			t.Errorf("%s: %+v, %v", name, tag, err)
		}
		testkit.NoErr(t, <-wrote)
		testkit.NoErr(t, in.Close())
	}
}
