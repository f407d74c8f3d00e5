package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

// did is a track that has sent so many bytes.
func did(name string, bytes uint64) observe.TrackState {
	t := track("id of "+name, name, "live")
	t.Counters.BytesOut, t.Subscribers, t.Counters.LogBytes = bytes, 1, 10
	return t
}

func at(tracks ...observe.TrackState) *observe.State {
	return &observe.State{Relay: observe.Identity{Began: began}, Tracks: tracks}
}

// shown is what a look gives, as "a=1 other=2".
func shown(t *tally, s *observe.State) string {
	var all []string
	for _, x := range t.look(s) {
		all = append(all, fmt.Sprintf("%s=%d", x.name, x.counts[bytesOut]))
	}
	return strings.Join(all, " ")
}

func TestTally(t *testing.T) {
	y := newTally(2)
	for _, step := range []struct {
		why   string
		state *observe.State
		want  string
	}{
		{"nothing", at(), "other=0"},
		{"a place for each", at(did("b", 5), did("a", 1)), "a=1 b=5 other=0"},
		{"the first ones keep their places", at(did("b", 6), did("a", 2), did("c", 100)), "a=2 b=6 other=100"},
		{"the same state again", at(did("b", 6), did("a", 2), did("c", 100)), "a=2 b=6 other=100"},
		{"an older state", at(did("b", 5), did("a", 1), did("c", 90)), "a=2 b=6 other=100"},
		{"others add up", at(did("b", 7), did("a", 3), did("c", 101), did("d", 1)), "a=3 b=7 other=102"},
		{"one that does nothing makes room", at(did("b", 8), did("a", 3), did("c", 102), did("d", 1)), "b=8 c=102 other=102"},
		{"what others did stays when they end", at(did("b", 9), did("c", 103)), "b=9 c=103 other=102"},
		{"who had a place counts on", at(did("b", 10), did("c", 104), did("a", 5)), "b=10 c=104 other=107"},
	} {
		if got := shown(y, step.state); got != step.want {
			t.Fatalf("%s: %s, want %s", step.why, got, step.want)
		}
	}
	again := at(did("a", 1))
	again.Relay.Began = began.Add(1)
	testkit.Equal(t, shown(y, again), "a=1 other=0")
	testkit.Equal(t, len(y.known), 1)
}

// TestOthersNeverGoBack: whatever tracks come, go and do.
func TestOthersNeverGoBack(t *testing.T) {
	y := newTally(3)
	before, total := uint64(0), map[int]uint64{}
	for round := range 200 {
		var tracks []observe.TrackState
		for i := range 12 {
			if (round*7+i*5)%11 < 4 {
				delete(total, i*1000+round/20) // it is another track the next time
				continue
			}
			id := i*1000 + round/20
			total[id] += uint64(round * i % 13)
			tracks = append(tracks, did(fmt.Sprintf("%d", id), total[id]))
		}
		all := y.look(at(tracks...))
		other := all[len(all)-1]
		testkit.Equal(t, other.name, otherTracks)
		testkit.Equal(t, len(all) <= 4, true)
		if other.counts[bytesOut] < before {
			t.Fatalf("round %d: %d after %d", round, other.counts[bytesOut], before)
		}
		before = other.counts[bytesOut]
		if len(y.known) != len(tracks) {
			t.Fatalf("%d tracks are remembered of %d", len(y.known), len(tracks))
		}
	}
}

func TestGaugesOfOthers(t *testing.T) {
	all := newTally(1).look(at(did("a", 5), did("b", 1), did("c", 1)))
	other := all[len(all)-1]
	testkit.Equal(t, other.subscribers, 2)
	testkit.Equal(t, other.bytes, int64(20))
	testkit.Equal(t, other.measured, false)
}

func TestLabels(t *testing.T) {
	long := strings.Repeat("x", maxLabel)
	for name, want := range map[string]string{
		"live--cam1":                 "live--cam1",
		long:                         long,
		long + "y":                   long + "…id",
		long[1:] + "é":               long[1:] + "…id",
		"\xff":                       "�",
		strings.Repeat("\xffa", 100): strings.Repeat("�a", 40) + "…id",
	} {
		got := label(&observe.TrackState{ID: "id", FullName: name})
		testkit.Equal(t, got, want)
	}
	// No track can be taken for all others.
	testkit.Equal(t, slices.Contains([]string{"--", "other--", "--other"}, otherTracks), false)
}
