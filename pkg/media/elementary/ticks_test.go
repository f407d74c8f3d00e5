package elementary

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, tt := range []struct {
		ticks, timescale uint64
		want             time.Duration
		ok               bool
	}{
		{0, 1, 0, true},
		{1, 1000, time.Millisecond, true},
		{1001, 30000, 33366667, true}, // rounded to the nearest
		{1, 90000, 11111, true},
		{1, 3, 333333333, true},
		{2, 3, 666666667, true},
		{1764115200000000, 1_000_000, 1764115200 * time.Second, true}, // wall clock of today
		{math.MaxUint64, math.MaxUint64, time.Second, true},
		{uint64(MaxTime), uint64(time.Second), MaxTime, true},
		{uint64(MaxTime) + 1, uint64(time.Second), 0, false},
		{math.MaxUint64, 1, 0, false},
		{math.MaxUint64, 1000, 0, false},
		{1, 0, 0, false},
	} {
		got, err := Duration(tt.ticks, tt.timescale)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("Duration(%d, %d) = %v, %v; want %v", tt.ticks, tt.timescale, got, err, tt.want)
		}
	}
	if _, err := Duration(1, 0); !errors.Is(err, ErrTimescale) {
		t.Errorf("timescale 0: %v", err)
	}
	var e *TimeError
	if _, err := Duration(math.MaxUint64, 1); !errors.As(err, &e) || e.Error() != "time 18446744073709551615/1 s is too large" {
		t.Errorf("got %v", err)
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		d              time.Duration
		timescale, max uint64
		want           uint64
		ok             bool
	}{
		{0, 1000, 10, 0, true},
		{33366667, 30000, 1 << 62, 1001, true},
		{time.Second, 1000, 1000, 1000, true},
		{time.Second, 1000, 999, 0, false},
		{499 * time.Microsecond, 1000, 10, 0, true},
		{500 * time.Microsecond, 1000, 10, 1, true},
		{math.MaxInt64, math.MaxUint64, math.MaxUint64, 0, false},
		{-1, 1000, 10, 0, false},
		{1, 0, 10, 0, false},
	} {
		got, err := Ticks(tt.d, tt.timescale, tt.max)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("Ticks(%v, %d) = %d, %v; want %d", tt.d, tt.timescale, got, err, tt.want)
		}
	}
	var e *TimeError
	if _, err := Ticks(-1, 1000, 1); !errors.As(err, &e) || e.Error() != "time -1ns is not an unsigned count of 1/1000 s" {
		t.Errorf("got %v", err)
	}
}

// A time in ticks stays the same over a duration, if a tick is a nanosecond at
// least.
func TestTicksRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		timescale := 1 + r.Uint64N(uint64(time.Second))
		ticks := r.Uint64N(timescale * 1000)
		d, err := Duration(ticks, timescale)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Ticks(d, timescale, math.MaxUint64); got != ticks || err != nil {
			t.Fatalf("%d/%d s became %v and %d, %v", ticks, timescale, d, got, err)
		}
	}
}
