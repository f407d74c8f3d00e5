package moqt

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"
)

// script drives a Sequencer and records what comes out, "g/o" for objects and
// "gap g/o-g/o" for gaps.
type script struct {
	q   Sequencer
	now time.Time
	out []string
}

func newScript() *script {
	s := &script{now: time.Unix(0, 0)}
	s.q = Sequencer{
		Patience: time.Second,
		Emit:     func(o model.Object) { s.out = append(s.out, o.Location.String()) },
		Gap:      func(from, to model.Location) { s.out = append(s.out, fmt.Sprintf("gap %v-%v", from, to)) },
	}
	return s
}

func (s *script) add(group, object uint64) {
	s.q.Add(model.Object{Location: model.Location{Group: group, Object: object}}, s.now)
}

func (s *script) end(group, object uint64) {
	s.q.Add(model.Object{Location: model.Location{Group: group, Object: object}, Status: model.StatusEndOfGroup}, s.now)
}

func (s *script) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.q.Expire(s.now)
}

func (s *script) want(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(s.out, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSequencerOrders(t *testing.T) {
	s := newScript()
	s.add(5, 0)
	s.add(5, 2)
	s.add(5, 1)
	s.add(5, 1)
	s.want(t, "5/0 5/1 5/2")
}

// TestSequencerDoesNotWaitForWhatDoesNotExist, and does not give it out.
func TestSequencerDoesNotWaitForWhatDoesNotExist(t *testing.T) {
	s := newScript()
	s.add(5, 0)
	s.add(5, 2)
	s.q.Add(model.Object{Location: model.Location{Group: 5, Object: 1}, Status: model.StatusDoesNotExist}, s.now)
	s.q.Add(model.Object{Location: model.Location{Group: 5, Object: 3}, Status: model.StatusDoesNotExist}, s.now)
	s.add(5, 4)
	s.want(t, "5/0 5/2 5/4")
}

func TestSequencerHoldsLiveObjectsBehindBacklog(t *testing.T) {
	s := newScript()
	s.q.Hold(model.Location{Group: 7, Object: 3})
	s.add(7, 3)
	s.pass(time.Hour)
	s.want(t, "")
	s.add(7, 0)
	s.add(7, 1)
	s.add(7, 2)
	s.q.Release()
	s.want(t, "7/0 7/1 7/2 7/3")
}

func TestSequencerReleasesEmptyBacklog(t *testing.T) {
	s := newScript()
	s.q.Hold(model.Location{Group: 7, Object: 3})
	s.add(7, 4)
	s.q.Release()
	s.want(t, "")
	s.add(7, 3)
	s.want(t, "7/3 7/4")
}

func TestSequencerGivesUpGapAfterPatience(t *testing.T) {
	s := newScript()
	s.add(1, 0)
	s.add(1, 2)
	s.pass(999 * time.Millisecond)
	s.want(t, "1/0")
	s.pass(time.Millisecond)
	s.want(t, "1/0 gap 1/1-1/2 1/2")
	s.add(1, 1)
	s.want(t, "1/0 gap 1/1-1/2 1/2")
}

func TestSequencerGoesOnAtOnceAfterMarkedEnd(t *testing.T) {
	s := newScript()
	s.add(1, 0)
	s.add(2, 0)
	s.add(1, 1)
	s.want(t, "1/0 1/1")
	s.end(1, 2)
	s.want(t, "1/0 1/1 2/0")
}

func TestSequencerGoesOnWhenTheOnlyStreamOfAGroupEnds(t *testing.T) {
	s := newScript()
	s.q.StreamOpened(1)
	s.add(1, 0)
	s.q.StreamOpened(2)
	s.add(2, 0)
	s.want(t, "1/0")
	s.q.StreamClosed(1, true)
	s.want(t, "1/0 2/0")
}

func TestSequencerWaitsForStreamsOfAGroupOfMany(t *testing.T) {
	s := newScript()
	for o := range uint64(2) {
		s.q.StreamOpened(1)
		s.add(1, o)
		s.q.StreamClosed(1, true)
	}
	s.q.StreamOpened(2)
	s.add(2, 0)
	s.want(t, "1/0 1/1")
	s.q.StreamOpened(1)
	s.add(1, 2)
	s.q.StreamClosed(1, true)
	s.pass(time.Second)
	s.want(t, "1/0 1/1 1/2 2/0")
}

func TestSequencerBoundsWhatItHolds(t *testing.T) {
	s := newScript()
	s.add(1, 0)
	for o := range uint64(MaxHeld + 1) {
		s.add(1, o+2)
	}
	if len(s.q.held) > 0 || s.out[1] != "gap 1/1-1/2" {
		t.Errorf("holds %d objects, second output %q", len(s.q.held), s.out[1])
	}
}

func TestSequencerDropsTheFurthestBehindABacklog(t *testing.T) {
	for _, tt := range []struct {
		name    string
		payload int
		objects uint64
		kept    int
	}{
		{"by number", 0, MaxHeld + 10, MaxHeld},
		{"by size", MaxHeldBytes / 4, 6, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript()
			s.q.Hold(model.Location{Group: 2})
			for o := range tt.objects {
				s.q.Add(model.Object{Location: model.Location{Group: 2, Object: o}, Payload: make([]byte, tt.payload)}, s.now)
			}
			s.want(t, "")
			s.add(1, 0)
			s.q.Release()
			if len(s.out) != 1+tt.kept {
				t.Fatalf("gave %d objects, want %d", len(s.out), 1+tt.kept)
			}
			last := model.Location{Group: 2, Object: tt.objects - 1}
			r, _, ok := s.q.Missing()
			if !ok || r.End != last || r.Start.Object != uint64(tt.kept) || s.q.Idle() {
				t.Errorf("missing %v, %v; what was dropped is not known", r, ok)
			}
			s.out = nil
			s.pass(time.Second)
			s.want(t, fmt.Sprintf("gap %v-%v", r.Start, last.Next()))
			if !s.q.Idle() {
				t.Error("waits for what was given up")
			}
		})
	}
}

func TestSequencerBelievesGapProperties(t *testing.T) {
	s := newScript()
	gap := func(group, object, objects, groups uint64) {
		props := model.Properties{{Type: model.PropPriorGroupIDGap, Int: groups}, {Type: model.PropPriorObjectIDGap, Int: objects}}
		s.q.Add(model.Object{Location: model.Location{Group: group, Object: object}, Properties: props}, s.now)
	}
	s.add(1, 0)
	gap(1, 3, 1, 0)
	s.want(t, "1/0") // 1/1 may come
	gap(1, 2, 1, 0)
	s.want(t, "1/0 1/2 1/3")
	s.end(1, 4)
	gap(5, 2, 2, 2)
	s.want(t, "1/0 1/2 1/3") // group 2 may come
	gap(4, 1, 1, 2)
	s.end(4, 2)
	s.want(t, "1/0 1/2 1/3 4/1 5/2")
}

func TestSequencerPassesOverWhatIsVouchedFor(t *testing.T) {
	s := newScript()
	s.add(1, 0)
	s.add(1, 3)
	s.q.Vouch(model.Location{Group: 1, Object: 2})
	s.want(t, "1/0")
	s.q.Vouch(model.Location{Group: 1, Object: 3})
	s.want(t, "1/0 1/3")
}

func TestSequencerLetsGroupsJumpOnceTheyHave(t *testing.T) {
	s := newScript()
	for _, g := range []uint64{100, 250, 390} {
		s.add(g, 0)
		s.end(g, 1)
	}
	s.want(t, "100/0")
	s.pass(time.Second)
	s.want(t, "100/0 gap 100/2-250/0 250/0 390/0")
}

func TestSequencerPassed(t *testing.T) {
	s := newScript()
	s.add(1, 0)
	all := model.Location{Group: 1, Object: model.MaxID}
	if s.q.Passed(all) || !s.q.Passed(model.Location{Group: 1}) {
		t.Error("in mid group")
	}
	s.end(1, 1)
	if !s.q.Passed(all) || s.q.Passed(model.Location{Group: 2}) {
		t.Error("at the end of a group")
	}
	s.q.Add(model.Object{Location: model.Location{Group: 2}, Status: model.StatusEndOfTrack}, s.now)
	if !s.q.Passed(model.Location{Group: 9}) {
		t.Error("at the end of the track")
	}
}

func TestSequencerBoundsStreams(t *testing.T) {
	s := newScript()
	for g := range uint64(2 * MaxHeld) {
		s.q.StreamOpened(g)
		s.q.StreamClosed(g, true)
	}
	if len(s.q.streams) > MaxHeld {
		t.Errorf("counts the streams of %d groups", len(s.q.streams))
	}
}

// TestSequencerAnyOrder feeds complete marked groups in random order, with
// duplicates, and wants every object once and in order.
func TestSequencerAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newScript()
		s.q.Start(model.Location{Group: 8})
		for g := uint64(8); g < 10; g++ {
			s.add(g, 0)
			s.end(g, 1)
		}
		var events []func()
		want := []string{"8/0", "9/0"}
		for g := uint64(10); g < 14; g++ {
			n := rng.Uint64N(5) + 1
			for o := range n {
				events = append(events, func() { s.add(g, o) })
				want = append(want, fmt.Sprintf("%d/%d", g, o))
			}
			events = append(events, func() { s.end(g, n) })
		}
		events = append(events, events[:len(events)/2]...)
		rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		for _, e := range events {
			e()
		}
		s.want(t, strings.Join(want, " "))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
