package aac

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse gives the same bytes to every parser. What was read is written, if it
// can be, and what was written is read as the same.
func FuzzParse(f *testing.F) {
	for _, r := range configs {
		f.Add(unhex(f, r.config))
	}
	f.Add(unhex(f, "fff14c40013ffc0102"))
	f.Add(unhex(f, "fff04c40017ffcabcd0102"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseConfig(b); err == nil {
			said := c.ChannelConfig != 0 || general(c.Type) // others have their own way
			if said && c.Channels < 1 || c.Hertz < 1 || c.OutputHertz() < 1 {
				t.Fatalf("configuration %v", c)
			}
			if again, err := c.Append(nil); err == nil {
				if d, err := ParseConfig(again); err != nil || !cmp.Equal(c, d) {
					t.Fatalf("a configuration that was written is read as %v, %v; want %v", d, err, c)
				}
			}
			_, _ = c.AppendADTS(nil, len(b))
		}
		h, err := ParseADTS(b)
		if err != nil {
			return
		}
		if h.HeaderLen > h.Len || h.Len > len(b) {
			t.Fatalf("ADTS %v of %d bytes", h, len(b))
		}
		header, err := h.Config().AppendADTS(nil, h.Len-h.HeaderLen)
		if err != nil {
			t.Fatalf("an ADTS header that was read cannot be written: %v", err)
		}
		again, err := ParseADTS(append(header, b[h.HeaderLen:h.Len]...))
		if err != nil || !cmp.Equal(h.Config(), again.Config()) {
			t.Fatalf("an ADTS header that was written is read as %v, %v; want %v", again, err, h)
		}
	})
}
