package opus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse gives the same bytes to every parser. What was read is written, and
// what was written is read as the same.
func FuzzParse(f *testing.F) {
	for _, r := range heads {
		f.Add(unhex(f, r.head))
	}
	f.Add(of(1, 0, 1, 2))
	f.Add(of(1, 1, 1, 2))
	f.Add(of(1, 2, 1, 2))
	f.Add(of(1, 3, 3|0xc0, 1, 1, 2, 3, 3, 3, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := Duration(b); err == nil && (d <= 0 || d > MaxDuration) {
			t.Fatalf("a packet of %v", d)
		}
		h, err := ParseHead(b)
		if err != nil {
			return
		}
		again, err := h.Append(nil)
		if err != nil {
			t.Fatalf("a header that was read cannot be written: %v", err)
		}
		if g, err := ParseHead(again); err != nil || !cmp.Equal(h, g) {
			t.Fatalf("a header that was written is read as %v, %v; want %v", g, err, h)
		}
	})
}
