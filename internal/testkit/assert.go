package testkit

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Equal stops the test if got is not want, and shows the difference.
func Equal(tb testing.TB, got, want any, opts ...cmp.Option) {
	tb.Helper()
	if d := cmp.Diff(want, got, opts...); d != "" {
		tb.Fatalf("difference (-want +got):\n%s", d)
	}
}

// NoErr stops the test if err is not nil.
func NoErr(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("unexpected error: %v", err)
	}
}

// ErrIs stops the test unless errors.Is(err, target).
func ErrIs(tb testing.TB, err, target error) {
	tb.Helper()
	if !errors.Is(err, target) {
		tb.Fatalf("got error %v (%T), want %v", err, err, target)
	}
}

// ErrAs stops the test unless err wraps an E, and returns that E.
func ErrAs[E error](tb testing.TB, err error) E {
	tb.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		tb.Fatalf("got error %v (%T), want a %T", err, err, e)
	}
	return e
}

// Must returns v, or stops the test if err is not nil. It needs the form
//
//	v := testkit.Must(f())(t)
//
// because Go passes the results of f only when they are all the arguments.
func Must[V any](v V, err error) func(testing.TB) V {
	return func(tb testing.TB) V {
		tb.Helper()
		NoErr(tb, err)
		return v
	}
}
