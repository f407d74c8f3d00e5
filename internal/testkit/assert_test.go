package testkit_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// recorder is a testing.TB that records how a test failed.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	panic(r) // a test would end here
}

// failure returns what f says when it fails.
func failure(t *testing.T, f func(testing.TB)) (says string) {
	r := &recorder{TB: t}
	defer func() {
		if v := recover(); v != nil && v != any(r) {
			panic(v)
		}
		says = r.failure
	}()
	f(r)
	return ""
}

func TestAssertionsFailWithTheReason(t *testing.T) {
	wrapped := fmt.Errorf("read: %w", &fs.PathError{Op: "open", Err: io.ErrUnexpectedEOF})
	for _, row := range []struct {
		name string
		f    func(testing.TB)
		says string // "": passes
	}{
		{"equal", func(tb testing.TB) { testkit.Equal(tb, []int{1}, []int{1}) }, ""},
		{"not equal", func(tb testing.TB) { testkit.Equal(tb, []int{1}, []int{2}) }, "-want +got"},
		{"no error", func(tb testing.TB) { testkit.NoErr(tb, nil) }, ""},
		{"an error", func(tb testing.TB) { testkit.NoErr(tb, errors.New("broken")) }, "broken"},
		{"is", func(tb testing.TB) { testkit.ErrIs(tb, wrapped, io.ErrUnexpectedEOF) }, ""},
		{"is not", func(tb testing.TB) { testkit.ErrIs(tb, wrapped, io.EOF) }, "want EOF"},
		{"as", func(tb testing.TB) { testkit.Equal(tb, testkit.ErrAs[*fs.PathError](tb, wrapped).Op, "open") }, ""},
		{"not as", func(tb testing.TB) { testkit.ErrAs[*fs.PathError](tb, io.EOF) }, "want a *fs.PathError"},
		{"must", func(tb testing.TB) { testkit.Equal(tb, testkit.Must(5, nil)(tb), 5) }, ""},
		{"must not", func(tb testing.TB) { testkit.Must(5, io.EOF)(tb) }, "EOF"},
	} {
		t.Run(row.name, func(t *testing.T) {
			says := failure(t, row.f)
			if (row.says == "") != (says == "") || !strings.Contains(says, row.says) {
				t.Fatalf("the assertion says %q, want %q", says, row.says)
			}
		})
	}
}
