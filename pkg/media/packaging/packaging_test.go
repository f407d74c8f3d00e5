package packaging

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/media/moqmi"
	"oxymoq/pkg/model"
)

// Configurations that ffmpeg made, and one picture.
const (
	avcC = "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8"
	asc  = "1190"
	idr  = "000000046588840a"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func format(t testing.TB, c media.Codec, config string) *media.Format {
	t.Helper()
	f, err := media.ParseFormat(c, unhex(t, config))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParse(t *testing.T) {
	for _, n := range Names() {
		for _, s := range []string{string(n), strings.ToUpper(string(n))} {
			if got, err := Parse(s); got != n || err != nil {
				t.Errorf("Parse(%q) = %q, %v", s, got, err)
			}
		}
	}
	if _, err := Parse("cmaf"); err == nil || err.Error() != `packaging "cmaf" is not known; there are moqmi, loc, hang` {
		t.Errorf("cmaf: %v", err)
	}
}

func TestUnknownNames(t *testing.T) {
	if _, err := NewPacker("cmaf", media.Video, Options{}); err == nil {
		t.Error("a packer of cmaf")
	}
	if _, err := NewUnpacker("cmaf", media.Video, nil); err == nil {
		t.Error("an unpacker of cmaf")
	}
}

func TestPackerOfOneKind(t *testing.T) {
	var kind *elementary.KindError
	for _, n := range Names() {
		p, err := NewPacker(n, media.Video, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.Pack(&media.Sample{Format: format(t, media.AAC, asc), Data: []byte{1}}); !errors.As(err, &kind) {
			t.Errorf("%s: audio in a track of video: %v", n, err)
		}
		if _, _, err := p.Pack(&media.Sample{}); err == nil {
			t.Errorf("%s: packed a sample without a format", n)
		}
	}
}

// What is packed is found to be of the packaging, and known ones read it too.
func TestDetection(t *testing.T) {
	video := &media.Sample{Format: format(t, media.H264, avcC), Key: true, Data: unhex(t, idr)}
	audio := &media.Sample{Format: format(t, media.AAC, asc), Key: true, Data: []byte{0x21}}
	for _, n := range Names() {
		for _, o := range []Options{{}, {OldVideoProperty: true}, {TransportVarints: true, MoxygenOpus: true}} {
			for _, s := range []*media.Sample{video, audio} {
				kind := s.Format.Codec.Kind()
				p, err := NewPacker(n, kind, o)
				if err != nil {
					t.Fatal(err)
				}
				props, payload, err := p.Pack(s)
				if err != nil {
					t.Fatal(err)
				}
				var hint *media.Format
				if n == Hang {
					hint = s.Format
				}
				d := NewDetector(kind, hint)
				if d.Name() != "" {
					t.Errorf("%s found before any object", d.Name())
				}
				u, err := NewUnpacker(n, kind, hint)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if back, err := d.Unpack(props, payload); err != nil || d.Name() != n || !back.Key || len(back.Data) != len(s.Data) {
						t.Errorf("%s, %v: %q found, %+v, %v", n, kind, d.Name(), back, err)
					}
					if back, err := u.Unpack(props, payload); err != nil || len(back.Data) != len(s.Data) {
						t.Errorf("%s, %v: %+v, %v", n, kind, back, err)
					}
				}
			}
		}
	}
}

func TestDetectorWaits(t *testing.T) {
	hint := &media.Format{Codec: media.H264}
	moqMi := model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: []byte{1, 0, 0, 0x43, 0xE8, 0, 0}}}
	loc := model.Properties{{Type: 0x10, Int: 5}}
	for _, tt := range []struct {
		name    string
		hint    *media.Format
		props   model.Properties
		payload string
		found   Name
		err     error
	}{
		{"MoQMi between key pictures", nil, moqMi, idr, MoQMi, ErrNoConfig},
		{"LOC of no known codec", nil, loc, idr, LOC, ErrNoConfig},
		{"an empty object of LOC", nil, loc, "", LOC, ErrNoSample},
		{"a mark of hang", hint, nil, "05", Hang, ErrNoSample},
		{"hang before the parameter sets", hint, nil, "05000000016588840a", Hang, ErrNoConfig},
		{"hang without a hint", nil, nil, "05000000016588840a", "", errNoHint},
		{"MoQMi that is broken", hint, model.Properties{{Type: 0x0A}, {Type: 0x15, Bytes: []byte{1}}}, "05" + idr, "", nil},
		{"MoQMi of text", hint, model.Properties{{Type: 0x0A, Int: 2}}, "05" + idr, "", nil},
		{"a property of the transport is none of ours", hint, model.Properties{{Type: 0x3C, Int: 2}}, "05", Hang, ErrNoSample},
	} {
		d := NewDetector(media.Video, tt.hint)
		s, err := d.Unpack(tt.props, unhex(t, tt.payload))
		if err == nil || d.Name() != tt.found || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: %q found, %+v, %v; want %q, %v", tt.name, d.Name(), s, err, tt.found, tt.err)
		}
		var unknown *UnknownError
		if errors.As(err, &unknown) != (tt.found == "") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestUnknownErrorSaysWhatItSaw(t *testing.T) {
	props := model.Properties{{Type: 0x3C, Int: 1}, {Type: 0x41}}
	_, err := NewDetector(media.Video, nil).Unpack(props, []byte{1, 2, 3})
	want := "object of an unknown packaging (properties 0x3c 0x41, 3 bytes): not MoQMi: no media type (property 0x0a); " +
		"not LOC: no timestamp (property 0x10); not hang: no catalog says the codec"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if !errors.Is(err, moqmi.ErrNotMoQMi) {
		t.Error("the reasons cannot be asked for")
	}
	if _, err := NewDetector(media.Video, nil).Unpack(nil, nil); err == nil || !strings.Contains(err.Error(), "(properties none, 0 bytes)") {
		t.Errorf("got %v", err)
	}
	many := make(model.Properties, 100)
	for i := range many {
		many[i].Type = 0x40
	}
	_, err = NewDetector(media.Video, nil).Unpack(many, nil)
	var unknown *UnknownError
	if !errors.As(err, &unknown) || len(unknown.Types) != maxTypes {
		t.Errorf("got %v", err)
	}
}

// Any objects whatever: an error, or a sample that is in order.
func FuzzDetector(f *testing.F) {
	f.Add(uint8(1), uint64(0), uint64(0x15), []byte{1, 0, 0, 0x43, 0xE8, 0, 0}, unhex(f, avcC), unhex(f, idr))
	f.Add(uint8(2), uint64(7), uint64(0x11), []byte("avc1.42c00d"), unhex(f, avcC), unhex(f, idr))
	f.Add(uint8(3), uint64(7), uint64(0x21), []byte(nil), []byte(nil), unhex(f, "05000000016588840a"))
	f.Fuzz(func(t *testing.T, which uint8, n, typ uint64, b, config, payload []byte) {
		props := model.Properties{{Type: []uint64{0x08, 0x0A, 0x10, 0x3C}[which%4], Int: n}, {Type: typ, Bytes: b, Int: n}, {Type: 0x0D, Bytes: config}}
		var hint *media.Format
		if which&0x80 != 0 {
			hint = &media.Format{Codec: media.Codec(1 + which>>2%5)}
		}
		kind := media.Kind(1 + which>>6&1)
		d := NewDetector(kind, hint)
		for range 2 {
			s, err := d.Unpack(props, payload)
			if err != nil {
				continue
			}
			if d.Name() == "" || s.Format == nil || s.Format.Codec.Kind() != kind || s.DTS > s.PTS && d.Name() != MoQMi || len(s.Data) == 0 {
				t.Fatalf("%s: got %+v", d.Name(), s)
			}
		}
	})
}
