package wttr_test

import (
	"math"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/wttr"
)

func TestCodes(t *testing.T) {
	for _, row := range []struct {
		code uint32
		http uint64
	}{
		// draft-ietf-webtrans-http3 section 4.4, figure 2 at its ends and at
		// the first code that HTTP/3 reserves.
		{0, 0x52e4a40fa8db},
		{1, 0x52e4a40fa8dc},
		{0x1d, 0x52e4a40fa8f8},
		{0x1e, 0x52e4a40fa8fa},
		{0xff, 0x52e4a40fa9e2},
		{math.MaxUint32, 0x52e5ac983162},
	} {
		testkit.Equal(t, wttr.ToHTTP(row.code), row.http)
		code, ok := wttr.FromHTTP(row.http)
		testkit.Equal(t, ok, true)
		testkit.Equal(t, code, row.code)
	}
}

func TestCodesOfOthersAreNotOfTheApplication(t *testing.T) {
	for _, h := range []uint64{0, 0x100, 0x10c, 0x52e4a40fa8da, 0x52e4a40fa8f9, 0x52e5ac983163, 1<<62 - 1} {
		if code, ok := wttr.FromHTTP(h); ok {
			t.Errorf("0x%x is taken for the code %d", h, code)
		}
	}
}

func TestLargeCodesAreClamped(t *testing.T) {
	testkit.Equal(t, wttr.ClampCode(math.MaxUint32), uint32(math.MaxUint32))
	testkit.Equal(t, wttr.ClampCode(1<<32), uint32(math.MaxUint32))
	testkit.Equal(t, wttr.ClampCode(7), uint32(7))
}

func FuzzCodes(f *testing.F) {
	for _, n := range []uint64{0, 1, 0x1d, 0x1e, 0x1f, math.MaxUint32, 0x100, 0x52e4a40fa8db} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n uint64) {
		code, ok := wttr.FromHTTP(wttr.ToHTTP(uint32(n)))
		if !ok || code != uint32(n) {
			t.Fatalf("%d came back as %d, %v", uint32(n), code, ok)
		}
		if code, ok := wttr.FromHTTP(n); ok && wttr.ToHTTP(code) != n {
			t.Fatalf("0x%x became %d, which is 0x%x", n, code, wttr.ToHTTP(code))
		}
	})
}
