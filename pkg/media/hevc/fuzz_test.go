package hevc

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/media/nal"
)

// FuzzParse gives the same bytes to every parser. What was read is written, and
// what was written is read as the same.
func FuzzParse(f *testing.F) {
	for _, r := range records {
		record := unhex(f, r.record)
		f.Add(record)
		if c, err := ParseConfig(record); err == nil {
			f.Add(c.Arrays[1].Units[0])
			var stream []byte
			for _, a := range c.Arrays {
				stream = nal.AppendAnnexB(stream, a.Units...)
			}
			f.Add(stream)
			f.Add(nal.AppendLengths(nil, c.Arrays[1].Units...))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseConfig(b); err == nil {
			again, err := c.Append(nil)
			if err != nil {
				t.Fatalf("a record that was read cannot be written: %v", err)
			}
			if d, err := ParseConfig(again); err != nil || !cmp.Equal(c, d) {
				t.Fatalf("a record that was written is read as %v, %v; want %v", d, err, c)
			}
			_, _ = c.ParseSPS()
		}
		if s, err := ParseSPS(b); err == nil && (s.Width < 1 || s.Width > MaxSide || s.Height < 1 || s.Height > MaxSide || s.FrameRate < 0) {
			t.Fatalf("SPS %v", s)
		}
		for _, size := range []int{1, 2, 4} {
			sample, err := nal.Relength([]byte{}, b, size)
			if err != nil {
				continue
			}
			if again, err := nal.Relength([]byte{}, sample, 4); err != nil || !bytes.Equal(sample, again) {
				t.Fatalf("a sample that was written is read as %x, %v; want %x", again, err, sample)
			}
		}
		units, err := nal.SplitAnnexB(b)
		if err != nil {
			return
		}
		if again, err := nal.SplitAnnexB(nal.AppendAnnexB([]byte{0, 0, 1}, units...)); err != nil || !cmp.Equal(units, again) {
			t.Fatalf("a byte stream that was written is read as %x, %v; want %x", again, err, units)
		}
		if c, err := ConfigFromUnits(units); c != nil && (err != nil || c.LengthSize != 4) {
			t.Fatalf("configuration %v, %v", c, err)
		}
	})
}
