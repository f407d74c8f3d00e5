package flv

import (
	"encoding/hex"
	"strings"
	"testing"
)

// annotated returns the bytes of a text with one field a line, in hexadecimal, with
// its name behind "//".
func annotated(tb testing.TB, text string) []byte {
	tb.Helper()
	var b []byte
	for line := range strings.Lines(text) {
		digits, _, _ := strings.Cut(line, "//")
		field, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			tb.Fatalf("%q: %v", line, err)
		}
		b = append(b, field...)
	}
	return b
}
