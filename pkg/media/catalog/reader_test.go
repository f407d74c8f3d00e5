package catalog

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

func names(c *Catalog) string {
	var s []string
	for _, t := range c.Tracks {
		s = append(s, t.Name)
	}
	return strings.Join(s, " ")
}

func reader(t testing.TB, name string) *Reader {
	t.Helper()
	r, err := NewReader(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const two = `{"version":"draft-01","tracks":[{"name":"hd","packaging":"loc","codec":"av01.0.08M.08","width":1920},{"name":"audio","packaging":"loc"}]}`

// The operations of section 5.1.6 follow each other, and one that fails changes
// nothing.
func TestDeltaUpdates(t *testing.T) {
	steps := []struct {
		delta, want string // want empty: an error
	}{
		{`{"generatedAt":5,"deltaUpdate":[{"op":"add","tracks":[{"name":"slides","packaging":"x"}]}]}`, "hd audio slides"},
		{`{"deltaUpdate":[{"op":"add","tracks":[{"name":"hd"}]}]}`, ""},
		{`{"deltaUpdate":[{"op":"clone","tracks":[{"parentName":"hd","name":"sd","width":192}]}]}`, "hd audio slides sd"},
		{`{"deltaUpdate":[{"op":"clone","tracks":[{"parentName":"gone","name":"x"}]}]}`, ""},
		{`{"deltaUpdate":[{"op":"clone","tracks":[{"parentName":"hd","width":192}]}]}`, ""},
		{`{"deltaUpdate":[{"op":"remove","tracks":[{"name":"hd"}]},{"op":"remove","tracks":[{"name":"hd"}]}]}`, ""},
		{`{"deltaUpdate":[{"op":"remove","tracks":[{"name":"hd"}]},{"op":"update","tracks":[{"parentName":"sd","label":"small","name":"ld"}]}]}`, "audio slides ld"},
		{`{"deltaUpdate":[{"op":"update","tracks":[{"parentName":"ld","name":"audio"}]}]}`, ""},
		{`{"deltaUpdate":[{"op":"turn","tracks":[{"name":"hd"}]}]}`, ""},
		{`{"deltaUpdate":7}`, ""},
		{`{"deltaUpdate":true,"addTracks":[{"name":"b"}],"cloneTracks":[{"parentName":"b","name":"c"}],"removeTracks":[{"name":"b"}]}`, "audio slides ld c"},
		{`x`, ""},
		{two, "hd audio"},
	}
	r := reader(t, NameMSF)
	if _, err := r.Object(1, nil, []byte(steps[0].delta)); !errors.Is(err, ErrNoBase) {
		t.Fatalf("a change of nothing: %v", err)
	}
	c, err := r.Object(0, nil, []byte(two))
	if err != nil || names(c) != "hd audio" {
		t.Fatalf("got %v, %v", c, err)
	}
	last := "hd audio"
	for i, s := range steps {
		c, err := r.Object(uint64(i+1), nil, []byte(s.delta))
		switch {
		case s.want == "" && err == nil:
			t.Fatalf("%s: no error, %s", s.delta, names(c))
		case s.want != "" && err != nil:
			t.Fatalf("%s: %v", s.delta, err)
		case s.want != "" && names(c) != s.want:
			t.Fatalf("%s: got %s, want %s", s.delta, names(c), s.want)
		}
		if s.want != "" {
			last = s.want
		}
		if state, err := r.msf.catalog(); err != nil || names(state) != last {
			t.Fatalf("%s: left %v, %v", s.delta, state, err)
		}
	}
}

func TestCloneInherits(t *testing.T) {
	r := reader(t, NameMSF)
	if _, err := r.Object(0, nil, []byte(two)); err != nil {
		t.Fatal(err)
	}
	c, err := r.Object(1, nil, []byte(`{"generatedAt":9,"isComplete":true,"deltaUpdate":[{"op":"clone","tracks":[{"parentName":"hd","name":"sd","height":144}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if f := c.Named("sd").Format; f.Width != 1920 || f.Height != 144 || f.Name != "av01.0.08M.08" {
		t.Errorf("got %+v", f)
	}
	if c.Generated.UnixMilli() != 9 || !c.Complete {
		t.Errorf("got %+v", c)
	}
}

func TestDeltaLimits(t *testing.T) {
	r := reader(t, NameMSF)
	if _, err := r.Object(0, nil, []byte(two)); err != nil {
		t.Fatal(err)
	}
	adds := func(n int) []byte {
		s := new(strings.Builder)
		for i := range n {
			fmt.Fprintf(s, `,{"name":"t%d"}`, i)
		}
		return []byte(`{"deltaUpdate":[{"op":"add","tracks":[` + s.String()[1:] + `]}]}`)
	}
	if _, err := r.Object(1, nil, adds(MaxTracks-1)); err == nil {
		t.Error("more than MaxTracks tracks were added")
	}
	if _, err := r.Object(1, nil, adds(MaxTracks+1)); err == nil {
		t.Error("more than MaxTracks operations were done")
	}
	if _, err := r.Object(1, nil, adds(MaxTracks-2)); err != nil {
		t.Error(err)
	}
	// Updates cannot grow a catalog without end.
	grow := func(field string) error {
		_, err := r.Object(1, nil, []byte(`{"deltaUpdate":[{"op":"update","tracks":[{"parentName":"hd","`+field+`":"`+strings.Repeat("x", MaxSize/2)+`"}]}]}`))
		return err
	}
	if err := grow("a"); err != nil {
		t.Error(err)
	}
	if err := grow("b"); err == nil {
		t.Error("a catalog of more than MaxSize bytes was made by updates")
	}
}

func zip(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// MSF_COMPRESSION stands at the track or at the object.
func TestCompression(t *testing.T) {
	props := func(v uint64) model.Properties { return model.Properties{{Type: 0x78, Int: v}} }
	packed := zip(t, []byte(two))
	for _, tt := range []struct {
		name          string
		track, object model.Properties
		payload       []byte
		ok            bool
	}{
		{"not compressed", nil, nil, []byte(two), true},
		{"said to be not", nil, props(0), []byte(two), true},
		{"by object", nil, props(1), packed, true},
		{"by track", props(1), nil, packed, true},
		{"not said", nil, nil, packed, false},
		{"said, but not so", nil, props(1), []byte(two), false},
		{"cut", nil, props(1), packed[:len(packed)-9], false},
		{"another way", nil, props(2), packed, false},
		{"too large", nil, props(1), zip(t, make([]byte, MaxSize+1)), false},
	} {
		r := reader(t, NameMSF)
		r.TrackProperties(tt.track)
		if c, err := r.Object(0, tt.object, tt.payload); (err == nil) != tt.ok || err == nil && names(c) != "hd audio" {
			t.Errorf("%s: %v, %v", tt.name, c, err)
		}
	}
}

// A group of catalog.json is a catalog and merge patches.
func TestHangPatches(t *testing.T) {
	r := reader(t, NameHang)
	if _, err := r.Object(1, nil, []byte(`{}`)); !errors.Is(err, ErrNoBase) {
		t.Fatalf("a change of nothing: %v", err)
	}
	for i, s := range []struct{ object, want string }{
		{published, "video/hd audio/data"},
		{`{"audio":null}`, "video/hd"},
		{`{"video":{"renditions":{"video/sd":{"codec":"avc1.42c00d"}}},"audio":{"renditions":{"a":{"codec":"opus"}}}}`, "video/hd video/sd a"},
		{`{"video":1}`, ""},
		{`{"video":{"renditions":{"video/hd":null}}}`, "video/sd a"},
		{`{}`, "video/sd a"},
	} {
		c, err := r.Object(uint64(i), nil, []byte(s.object))
		if (err == nil) != (s.want != "") || err == nil && names(c) != s.want {
			t.Fatalf("%s: %v, %v", s.object, c, err)
		}
	}
	if c, err := r.Object(0, nil, []byte(`{}`)); err != nil || names(c) != "" {
		t.Errorf("the next group: %v, %v", c, err)
	}
}

// deflate makes the objects of a group as @moq/publish does: one raw stream,
// flushed after each, without the flush's last four bytes.
func deflate(t testing.TB, objects ...string) [][]byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := flate.NewWriter(&buf, 6)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, o := range objects {
		buf.Reset()
		if _, err := z.Write([]byte(o)); err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
		out = append(out, bytes.Clone(bytes.TrimSuffix(buf.Bytes(), []byte{0, 0, 0xFF, 0xFF})))
	}
	return out
}

func TestHangCompressed(t *testing.T) {
	r := reader(t, NameHangCompressed)
	for group := range 2 {
		objects := deflate(t, published, `{"audio":null}`, `{"video":{"renditions":{"video/hd":null}},"audio":{"renditions":{"audio/data":{"codec":"opus"}}}}`)
		for i, want := range []string{"video/hd audio/data", "video/hd", "audio/data"} {
			if c, err := r.Object(uint64(i), nil, objects[i]); err != nil || names(c) != want {
				t.Fatalf("group %d object %d: %v, %v", group, i, c, err)
			}
		}
	}
	objects := deflate(t, published, `{"audio":null}`, `{"video":null}`)
	if _, err := r.Object(0, nil, objects[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Object(2, nil, objects[2]); !errors.Is(err, ErrNoBase) {
		t.Errorf("after a lost object: %v", err)
	}
	if _, err := r.Object(0, nil, []byte("rubbish")); err == nil {
		t.Error("rubbish was read")
	}
	if _, err := r.Object(0, nil, deflate(t, strings.Repeat(" ", MaxSize+1))[0]); err == nil {
		t.Error("more than MaxSize bytes were decompressed")
	}
}

func TestNewReaderKnowsNames(t *testing.T) {
	if _, err := NewReader("catalog.xml"); err == nil {
		t.Error("a reader for catalog.xml")
	}
}

// No object of any track makes a reader fail otherwise than by an error, and
// what stands can be read.
func FuzzReader(f *testing.F) {
	f.Add(uint8(0), []byte(two), []byte(`{"deltaUpdate":[{"op":"clone","tracks":[{"parentName":"hd","name":"sd"}]}]}`), uint64(0))
	f.Add(uint8(0), zip(f, []byte(two)), []byte(`{"deltaUpdate":true,"addTracks":[{"name":"b"}]}`), uint64(1))
	f.Add(uint8(1), []byte(published), []byte(`{"audio":null}`), uint64(0))
	z := deflate(f, published, `{"audio":null}`)
	f.Add(uint8(2), z[0], z[1], uint64(0))
	f.Fuzz(func(t *testing.T, which uint8, first, second []byte, compression uint64) {
		r := reader(t, []string{NameMSF, NameHang, NameHangCompressed}[which%3])
		props := model.Properties{{Type: propCompression, Int: compression}}
		for i, b := range [][]byte{first, second, second} {
			c, err := r.Object(uint64(i), props, b)
			if err == nil && len(c.Tracks) > MaxTracks {
				t.Fatalf("%d tracks", len(c.Tracks))
			}
			props = nil
		}
	})
}
