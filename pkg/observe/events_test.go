package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// texts returns what was kept after a number, as "number text".
func texts(t *testing.T, r *Ring, after uint64) (all []string, skipped uint64) {
	t.Helper()
	events, skipped, err := r.Events(t.Context(), after)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		all = append(all, fmt.Sprintf("%d %s", e.Number, e.Text))
	}
	return all, skipped
}

func TestRingKeepsTheNewest(t *testing.T) {
	r := NewRing(3)
	if r.Last() != 0 {
		t.Errorf("the last of none is %d", r.Last())
	}
	for _, text := range []string{"a", "b"} {
		r.Add(Event{Text: text})
	}
	check := func(after uint64, skipped uint64, want ...string) {
		t.Helper()
		got, lost := texts(t, r, after)
		if d := cmp.Diff(want, got); d != "" || lost != skipped {
			t.Errorf("after %d: skipped %d, want %d; (-want +got):\n%s", after, lost, skipped, d)
		}
	}
	check(0, 0, "1 a", "2 b")
	check(1, 0, "2 b")
	check(9, 0, "1 a", "2 b") // a number of a relay before this one
	for _, text := range []string{"c", "d", "e"} {
		r.Add(Event{Text: text})
	}
	check(0, 2, "3 c", "4 d", "5 e")
	check(1, 1, "3 c", "4 d", "5 e")
	check(2, 0, "3 c", "4 d", "5 e")
	check(4, 0, "5 e")
	check(1<<63, 2, "3 c", "4 d", "5 e")
	if r.Last() != 5 {
		t.Errorf("the last is %d", r.Last())
	}
}

func TestRingGivesBatches(t *testing.T) {
	r := NewRing(0)
	for range DefaultEvents + 10 {
		r.Add(Event{})
	}
	var seen, skipped uint64
	for after := uint64(0); after < r.Last(); {
		events, lost, err := r.Events(t.Context(), after)
		if err != nil || len(events) > EventBatch {
			t.Fatal(len(events), err)
		}
		if events[0].Number != after+lost+1 {
			t.Fatalf("event %d follows %d, %d were skipped", events[0].Number, after, lost)
		}
		after = events[len(events)-1].Number
		seen, skipped = seen+uint64(len(events)), skipped+lost
	}
	if seen != DefaultEvents || skipped != 10 {
		t.Errorf("%d seen, %d skipped", seen, skipped)
	}
}

func TestRingWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRing(0)
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if got, skipped := texts(t, r, 0); len(got) != 1 || got[0] != "1 x" || skipped != 0 {
					t.Errorf("got %q, %d", got, skipped)
				}
			})
		}
		synctest.Wait()
		time.Sleep(time.Second)
		r.Add(Event{Text: "x"})
		waiting.Wait()
		events, _, err := r.Events(t.Context(), 0)
		if err != nil || !events[0].Time.Equal(time.Now()) {
			t.Errorf("%v, %v", events, err)
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		over := errors.New("over")
		waiting.Go(func() {
			if events, _, err := r.Events(ctx, 1); !errors.Is(err, over) || events != nil {
				t.Errorf("%v, %v", events, err)
			}
		})
		synctest.Wait()
		cancel(over)
		waiting.Wait()
	})
}

func TestRingBoundsTexts(t *testing.T) {
	r := NewRing(1)
	long := strings.Repeat("x", MaxEventText+1)
	r.Add(Event{Text: long, Detail: map[string]string{"a": long, "b": "short"}})
	events, _, err := r.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if e := events[0]; len(e.Text) != MaxEventText || len(e.Detail["a"]) != MaxEventText || e.Detail["b"] != "short" {
		t.Errorf("%d bytes of text, %d of detail", len(e.Text), len(e.Detail["a"]))
	}
}

// TestRingUnderRace: writers never wait, readers see ascending numbers.
func TestRingUnderRace(t *testing.T) {
	r := NewRing(16)
	const writers, each = 4, 500
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			seen, missed := uint64(0), uint64(0)
			for last := uint64(0); last < writers*each; {
				events, skipped, err := r.Events(t.Context(), last)
				if err != nil {
					t.Error(err)
					return
				}
				for i, e := range events {
					if i == 0 && e.Number != last+skipped+1 || i > 0 && e.Number != last+1 {
						t.Errorf("event %d follows %d", e.Number, last)
					}
					last = e.Number
				}
				seen, missed = seen+uint64(len(events)), missed+skipped
			}
			if seen+missed != writers*each {
				t.Errorf("%d events seen, %d skipped", seen, missed)
			}
		})
	}
	for range writers {
		all.Go(func() {
			for range each {
				r.Add(Event{})
			}
		})
	}
	all.Wait()
}

func BenchmarkRing(b *testing.B) {
	r := NewRing(0)
	e := Event{Time: time.Now(), Text: "x"}
	b.ReportAllocs()
	for b.Loop() {
		r.Add(e)
	}
}
