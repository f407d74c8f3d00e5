package track

import (
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// Snapshot is what a window shows of a track.
type Snapshot struct {
	Largest  model.Opt[model.Location]
	Ended    bool
	Counters observe.TrackSnapshot
	Groups   []GroupSnapshot // the newest ones, newest first
}

// GroupSnapshot is what a window shows of a group.
type GroupSnapshot struct {
	ID        uint64
	Objects   int   // held, live and fetched
	Bytes     int64 // payloads and headers of them
	Subgroups int
	Writers   int  // publishers' streams that are open
	Torn      int  // runs that were reset
	Ended     bool // the publisher said where it ends
	Newest    time.Time
}

// Snapshot returns a copy of the state with at most max groups.
func (t *Track) Snapshot(max int) Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Snapshot{Largest: t.largest, Ended: t.ended, Counters: t.counters.Snapshot()}
	for i := len(t.groups) - 1; i >= 0 && len(s.Groups) < max; i-- {
		s.Groups = append(s.Groups, t.groups[i].snapshot(t.birth))
	}
	return s
}

func (g *group) snapshot(birth time.Time) GroupSnapshot {
	s := GroupSnapshot{ID: g.id, Subgroups: len(g.subgroups), Writers: g.writers, Ended: g.end.Set}
	newest := int64(-1)
	for _, runs := range [...][]*Run{g.runs, g.fetched} {
		for _, r := range runs {
			s.Objects += len(r.index)
			if r.state == runReset {
				s.Torn++
			}
			if e := r.last(); e != nil {
				s.Bytes += r.size - r.log.chunks[0].base
				newest = max(newest, e.arrival)
			}
		}
	}
	if newest >= 0 {
		s.Newest = birth.Add(time.Duration(newest))
	}
	return s
}
