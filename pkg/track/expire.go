package track

import (
	"math"
	"slices"
	"sort"
	"time"

	"oxymoq/pkg/model"
)

// forwardTime is how long after an object has begun to come it may at least go to
// subscribers, however short MAX_CACHE_DURATION is: that is forwarding and no
// cache. Not so for fetches.
const forwardTime = 100 * time.Millisecond

// expireSlack is which part of their age objects may stay longer in memory than
// they are served.
const expireSlack = 16

// ageLimit is how long after its first byte an object may still be sent.
type ageLimit struct {
	model.Opt[time.Duration]
	oldest int64 // nothing that is held came before, as entry.arrival
}

// limitAge takes the shorter one of Config.MaxAge and what the publisher says
// (MAX_CACHE_DURATION, section 12.3).
func (t *Track) limitAge() {
	t.age.Opt = model.Opt[time.Duration]{}
	if t.maxAge > 0 {
		t.age.Opt = model.Some(t.maxAge)
	}
	v, ok := t.properties.Int(model.PropMaxCacheDuration)
	if most := uint64(math.MaxInt64 / time.Millisecond); ok && v < most {
		d := time.Duration(v) * time.Millisecond
		t.age.Opt = model.Some(min(d, t.age.Or(d)))
	}
}

// KeptFor returns how long objects may be sent, absent if that is not limited.
func (t *Track) KeptFor() model.Opt[time.Duration] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.age.Opt
}

// tooOld returns the arrival of the youngest object that may not be sent any more,
// or a negative number.
func (t *Track) tooOld(atLeast time.Duration) int64 {
	d, ok := t.age.Get()
	if !ok {
		return -1
	}
	return int64(time.Since(t.birth) - max(d, atLeast) - 1)
}

// expire takes from the log what may not be sent any more. Its state is unknown
// then. slack is by how much it may be late.
func (t *Track) expire(slack time.Duration) {
	edge := t.tooOld(0)
	if edge < t.age.oldest+int64(slack) {
		return
	}
	t.age.oldest = math.MaxInt64
	gone := false
	for i := 0; i < len(t.groups); i++ {
		g := t.groups[i]
		some := t.expireRuns(g, edge)
		gone = gone || some
		if some && i < len(t.groups)-1 && g.writers == 0 && g.empty() {
			t.evictGroup(i, evictExpired)
			i--
		}
	}
	if gone {
		t.evictions++
		t.compact()
	}
	if t.age.oldest == math.MaxInt64 { // nothing is held: what comes is younger
		t.age.oldest = int64(time.Since(t.birth))
	}
}

// expireRuns expires the objects of a group that came at the edge or before.
func (t *Track) expireRuns(g *group, edge int64) (some bool) {
	for i, runs := range [...][]*Run{g.runs, g.fetched} {
		for _, r := range runs {
			if r.state == runEvicted {
				continue
			}
			some = r.expire(edge, i == 0) || some
			for _, e := range r.index[:min(len(r.index), r.probe())] {
				if e.arrival > edge {
					t.age.oldest = min(t.age.oldest, e.arrival)
				}
			}
		}
	}
	g.fetched = slices.DeleteFunc(g.fetched, func(r *Run) bool { return r.state == runEvicted })
	return some
}

// probe is how many entries from the first on must be looked at to find the one
// that came first and is not expired; behind one that had to stay there is another.
func (r *Run) probe() int {
	if r.datagram {
		return len(r.index)
	}
	return 2
}

// empty reports whether nothing of the group can be sent any more.
func (g *group) empty() bool {
	for _, runs := range [...][]*Run{g.runs, g.fetched} {
		for _, r := range runs {
			if r.state != runEvicted {
				return false
			}
		}
	}
	return true
}

// expire drops the objects that came at the edge or before. Of a run that is being
// written the newest stays in memory, because the header of the next one builds on
// it.
func (r *Run) expire(edge int64, announced bool) bool {
	var n int
	old := func(e entry) bool { return e.arrival <= edge }
	if r.datagram {
		for _, e := range r.index {
			if old(e) {
				n++
			}
		}
	} else {
		n = sort.Search(len(r.index), func(i int) bool { return !old(r.index[i]) })
	}
	if n == 0 {
		return false
	}
	t, g := r.track, r.group
	for _, e := range r.index {
		if old(e) {
			g.lose(e.id)
			l := model.Location{Group: g.id, Object: e.id}
			t.forget(l, l)
		}
	}
	switch {
	case n == len(r.index) && (r.state != runOpen || !announced):
		if announced && r.datagram {
			t.dead += n
		} else if announced {
			t.dead++
		}
		r.evict(evictExpired)
		return true
	case r.datagram:
		r.index = slices.DeleteFunc(r.index, old)
		if announced {
			t.dead += n
		}
	default:
		if n == len(r.index) {
			n--
		}
		if n == 0 {
			return true
		}
		r.cutID, r.cutSeq = r.index[n-1].id, r.index[n-1].seq
		r.index = r.index[n:]
	}
	r.trimmed += n
	r.expired = r.trimmed
	t.account.add(-entryCost * int64(n))
	t.evicted(n, evictExpired)
	if first := r.front(); first > 0 {
		r.log.dropBefore(first)
	}
	r.waiting.moveTo(&t.waking)
	return true
}

// front returns the offset of the first byte that is needed.
func (r *Run) front() int64 {
	first := r.log.end
	for _, e := range r.index {
		first = min(first, e.start)
		if !r.datagram {
			break
		}
	}
	return first
}
