package av1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse gives the same bytes to every parser. What was read is written, and
// what was written is read as the same.
func FuzzParse(f *testing.F) {
	for _, r := range records {
		record := unhex(f, r.record)
		f.Add(record)
		f.Add(record[recordLen:])
		f.Add(append(record[recordLen:], TypeFrame<<3, 0x10))
		f.Add(record[recordLen+2:])
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
			_, _ = c.ParseSequence()
		}
		if s, err := ParseSequence(b); err == nil && (s.Width < 1 || s.Width > 1<<16 || s.Height < 1 || s.Height > 1<<16 || s.FrameRate < 0) {
			t.Fatalf("sequence header %v", s)
		}
		read := 0
		for u, err := range Units(b) {
			if err == nil {
				read += 1 + len(u.Payload)
			}
		}
		if read > len(b) {
			t.Fatalf("%d bytes of OBUs are in %d", read, len(b))
		}
		c, err := ConfigFromSample(b)
		if c == nil || err != nil {
			return
		}
		record, err := c.Append(nil)
		if err != nil {
			t.Fatalf("a configuration that was made cannot be written: %v", err)
		}
		if d, err := ParseConfig(record); err != nil || !cmp.Equal(c, d) {
			t.Fatalf("a configuration that was made is read as %v, %v; want %v", d, err, c)
		}
	})
}
