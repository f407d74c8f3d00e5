package session

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "rewrite testdata")

// TestStateTable compares every kind × state × party × event with the table
// that people read and review: what is not listed there must be refused.
func TestStateTable(t *testing.T) {
	var legal []string
	for _, kind := range requestKinds {
		for from := Idle; from <= Terminated; from++ {
			for _, by := range []Party{Requester, Responder} {
				for ev := range eventCount {
					to, err := transition(kind, from, by, ev)
					if from == Terminated {
						if err != nil || to != Terminated {
							t.Errorf("%s: %v by %v after the end: %v, %v", requestName(kind), ev, by, to, err)
						}
						continue
					}
					if err == nil {
						legal = append(legal, fmt.Sprintf("%-20s %-12s %-10s %-16s -> %v", requestName(kind), from, by, ev, to))
					} else if to != from {
						t.Errorf("%s: refused %v changes the state to %v", requestName(kind), ev, to)
					}
				}
			}
		}
	}
	got := strings.Join(legal, "\n") + "\n"
	const file = "testdata/states.txt"
	if *updateGolden {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the table has changed; review it and run with -update. It is now:\n%s", got)
	}
}

// TestStateTableProperties holds what must be true of every kind.
func TestStateTableProperties(t *testing.T) {
	for _, kind := range requestKinds {
		rows := table[kind]
		for i, r := range rows {
			same := slices.IndexFunc(rows, func(o row) bool { return o.from == r.from && o.by == r.by && o.event == r.event })
			if same != i {
				t.Errorf("%s: two rows for %v by %v in %v", requestName(kind), r.event, r.by, r.from)
			}
			if r.to < r.from {
				t.Errorf("%s: %v leads back from %v to %v", requestName(kind), r.event, r.from, r.to)
			}
		}
		for from := Pending; from <= Established; from++ {
			if from == Established && !slices.ContainsFunc(rows, func(r row) bool { return r.to == Established }) {
				continue // ends with its answer
			}
			for _, by := range []Party{Requester, Responder} {
				if to, err := transition(kind, from, by, EventCancel); err != nil || to != Terminated {
					t.Errorf("%s: the %v cannot cancel in %v", requestName(kind), by, from)
				}
			}
		}
	}
}
