package nal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitAnnexB(t *testing.T) {
	for _, r := range []struct {
		name, stream string
		want         []string
		err          string
	}{
		{"start codes of three bytes", "000001 65aa 000001 41bb", []string{"65aa", "41bb"}, ""},
		{"start codes of four bytes", "00000001 65aa 00000001 41bb", []string{"65aa", "41bb"}, ""},
		{"zeros around", "000000000001 65aa0000 0000000001 41bb000000", []string{"65aa", "41bb"}, ""},
		{"emulation prevention", "000001 65 000003 01 000003", []string{"6500000301000003"}, ""},
		{"zeros within", "000001 65 0000 02 00", []string{"65000002"}, ""},
		{"empty units", "000001 000001 65aa 000001", []string{"65aa"}, ""},
		{"only a start code", "000001", nil, ""},
		{"nothing", "", nil, "start code"},
		{"zeros only", "00000000", nil, "start code"},
		{"something before", "01 000001 65aa", nil, "start code"},
		{"lengths", "00000002 65aa", nil, "start code"},
	} {
		t.Run(r.name, func(t *testing.T) {
			var want [][]byte
			for _, s := range r.want {
				want = append(want, unhex(t, s))
			}
			got, err := SplitAnnexB(unhex(t, r.stream))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (r.err == "") || err != nil && !strings.Contains(err.Error(), r.err) {
				t.Errorf("the error is %v, want %q", err, r.err)
			}
			if again, err := SplitAnnexB(AppendAnnexB(nil, want...)); want != nil && (err != nil || !cmp.Equal(again, want)) {
				t.Errorf("written and read again: %x, %v", again, err)
			}
		})
	}
}

func TestRelength(t *testing.T) {
	for _, r := range []struct {
		name, sample string
		size         int
		want         string
		bad          bool
	}{
		{"of one byte", "02 65aa 01 41", 1, "00000002 65aa 00000001 41", false},
		{"of two bytes", "0002 65aa 0001 41", 2, "00000002 65aa 00000001 41", false},
		{"of four bytes", "00000002 65aa", 4, "00000002 65aa", false},
		{"with an empty unit", "00 02 65aa", 1, "00000002 65aa", false},
		{"of nothing", "", 4, "", false},
		{"of half a length", "0002 65aa 00", 2, "", true},
		{"of half a unit", "0003 65aa", 2, "", true},
		{"of the largest length", "ffffffff 65aa", 4, "", true},
		{"of three bytes", "000002 65aa", 3, "", true},
		{"of no bytes", "65aa", 0, "", true},
	} {
		got, err := Relength([]byte{}, unhex(t, r.sample), r.size)
		if r.bad {
			if got != nil || !errors.Is(err, ErrTruncated) {
				t.Errorf("a sample %s: %x, %v", r.name, got, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, unhex(t, r.want)) {
			t.Errorf("a sample %s: %x, %v; want %s", r.name, got, err, r.want)
		}
	}
}

func TestUnitsCanBeLeft(t *testing.T) {
	for unit, err := range Units(unhex(t, "00000002 2601 00000002 0201 00"), 4) {
		if !bytes.Equal(unit, []byte{0x26, 0x01}) || err != nil {
			t.Errorf("the first unit is %x, %v", unit, err)
		}
		break
	}
}

func TestIsAnnexB(t *testing.T) {
	for _, r := range []struct {
		name   string
		sample []byte
		want   bool
	}{
		{"a byte stream", unhex(t, "00000001 4001 000001 4201 000001 2601aa"), true},
		{"zeros before the first start code", unhex(t, "0000000000 01 2601"), true},
		{"lengths", AppendLengths(nil, []byte{0x46, 1, 0x50}, []byte{0x26, 1, 0xaa}), false},
		{"a unit of one byte", unhex(t, "00000001 09"), false},
		{"a unit of 256 bytes", AppendLengths(nil, append([]byte{0x26, 1}, make([]byte, 254)...)), false},
		{"lengths, cut off", append(AppendLengths(nil, []byte{0x26, 1}), 0), false},
		{"nothing", nil, false},
	} {
		if got := IsAnnexB(r.sample); got != r.want {
			t.Errorf("%s: %v", r.name, got)
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzUnits: what was taken apart goes together again.
func FuzzUnits(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02\x26\x01\x00\x00\x00\x01\x09"))
	f.Add([]byte("\x00\x00\x01\x26\x01\x00\x00\x00\x01\x09"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if b4, err := Relength(nil, b, 4); err == nil {
			again, err := Relength(nil, b4, 4)
			if err != nil || !bytes.Equal(again, b4) {
				t.Errorf("%x became %x and %x, %v", b, b4, again, err)
			}
		}
		units, err := SplitAnnexB(b)
		if err != nil {
			return
		}
		again, err := SplitAnnexB(AppendAnnexB(nil, units...))
		if len(units) > 0 && (err != nil || !cmp.Equal(units, again)) {
			t.Errorf("%x has %x, then %x, %v", b, units, again, err)
		}
	})
}
