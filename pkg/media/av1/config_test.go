package av1

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// records are av1C boxes of MP4 files that ffmpeg 5.1 made; what they should be
// is what its ffprobe says of them.
var records = []struct {
	name, record string
	codec        string
	seq          Sequence
}{
	{"SVT-AV1", "81010c00 0a0b0000000cc4ff6700be0010", "av01.0.01M.08", Sequence{Level: 1, BitDepth: 8, SubsamplingX: true, SubsamplingY: true, Width: 640, Height: 360}},
	{"10 bits", "81014c00 0a0b0000000cc4ff6700be1010", "av01.0.01M.10", Sequence{Level: 1, BitDepth: 10, SubsamplingX: true, SubsamplingY: true, Width: 640, Height: 360}},
	{"libaom, 4:4:4", "81250000 0a0b2000002d4cffb3cdaf9020", "av01.1.05M.08", Sequence{Profile: 1, Level: 5, BitDepth: 8, Width: 1280, Height: 720}},
	{"4:2:2 of 12 bits", "81456800 0a0b4000002d4cffb3cdaf9622", "av01.2.05M.12", Sequence{Profile: 2, Level: 5, BitDepth: 12, SubsamplingX: true, Width: 1280, Height: 720}},
	{"RGB", "81200000 0a0d200000043d06d4daf92021a004", "av01.1.00M.08", Sequence{Profile: 1, BitDepth: 8, Width: 322, Height: 182}},
	{"monochrome", "81001c00 0a0a000000043d06d4daf92a", "av01.0.00M.08",
		Sequence{BitDepth: 8, Monochrome: true, SubsamplingX: true, SubsamplingY: true, Width: 322, Height: 182}},
	{"rav1e, any level", "811f0c00 0a0e000000fa1e836a210a88101010a0", "av01.0.31M.08",
		Sequence{Level: 31, BitDepth: 8, SubsamplingX: true, SubsamplingY: true, Width: 322, Height: 182}},
}

func TestRecords(t *testing.T) {
	for _, r := range records {
		t.Run(r.name, func(t *testing.T) {
			record := unhex(t, r.record)
			c, err := ParseConfig(record)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Name(); got != r.codec {
				t.Errorf("the codec string is %s, want %s", got, r.codec)
			}
			seq, err := c.ParseSequence()
			if diff := cmp.Diff(&r.seq, seq, cmpopts.IgnoreUnexported(Sequence{})); err != nil || diff != "" {
				t.Errorf("sequence header: %v (-want +got):\n%s", err, diff)
			}
			again, err := c.Append([]byte{7})
			if diff := cmp.Diff(append([]byte{7}, record...), again); err != nil || diff != "" {
				t.Errorf("written again: %v (-want +got):\n%s", err, diff)
			}
			made, err := ConfigFromSample(append([]byte{TypeDelimiter<<3 | 2, 0}, c.OBUs...))
			if diff := cmp.Diff(c, made); err != nil || diff != "" {
				t.Errorf("made of its sequence header: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestTruncatedRecords(t *testing.T) {
	for _, r := range records {
		record := unhex(t, r.record)
		for n := range record {
			if n == recordLen { // a record without OBUs
				continue
			}
			if _, err := ParseConfig(record[:n:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are taken", r.name, n, len(record))
			}
		}
		// An encoder may leave a byte of zeros behind the header.
		header := record[recordLen+2:]
		for n := range len(header) - 2 {
			if s, err := ParseSequence(header[:n:n]); err == nil {
				t.Errorf("%s: %d of %d bytes of the header are %v", r.name, n, len(header), s)
			}
		}
	}
}

func TestParseConfig(t *testing.T) {
	for _, r := range []struct {
		name, record string
		want         *Config // without: an error
		err          string
	}{
		{"no OBUs", "81 28 80 00", &Config{Profile: 1, Level: 8, HighTier: true, BitDepth: 8, OBUs: []byte{}}, ""},
		{"all fields", "81 5f ef 1f", &Config{2, 31, true, 12, false, true, true, 3, 16, []byte{}}, ""},
		{"a delay of one sample", "81 00 50 10", &Config{BitDepth: 10, Monochrome: true, PresentationDelay: 1, OBUs: []byte{}}, ""},
		{"reserved bits", "81 00 40 ef", &Config{BitDepth: 10, OBUs: []byte{}}, ""},
		{"metadata", "81 00 00 00 2a0101", &Config{BitDepth: 8, OBUs: []byte{0x2a, 1, 1}}, ""},
		{"nothing", "", nil, "truncated"},
		{"another marker", "01 00 00 00", nil, "0x1"},
		{"another version", "82 00 00 00", nil, "0x82"},
		{"an unknown profile", "81 60 00 00", nil, "profile 3"},
		{"half an OBU", "81 00 00 00 0a02 00", nil, "OBU at byte 0 of 3: truncated"},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, err := ParseConfig(unhex(t, r.record))
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.want != nil) || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
		})
	}
	c, err := ParseConfig(unhex(t, "81 28 80 00"))
	if err != nil || c.Name() != "av01.1.08H.08" {
		t.Errorf("the codec string is %s, %v", c.Name(), err)
	}
	if s, err := c.ParseSequence(); s != nil || err != nil {
		t.Errorf("the sequence header of nothing is %v, %v", s, err)
	}
}

func TestWhatDoesNotFitIntoARecord(t *testing.T) {
	for _, c := range []Config{
		{}, {BitDepth: 9}, {BitDepth: 8, Profile: 3}, {BitDepth: 8, Level: 32}, {BitDepth: 8, SamplePosition: 4},
		{BitDepth: 8, PresentationDelay: 17}, {BitDepth: 8, PresentationDelay: -1},
	} {
		if b, err := c.Append(nil); err == nil {
			t.Errorf("%v is written as %x", c, b)
		}
	}
}
