package track

import (
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
)

// Defaults of Config.
const (
	DefaultMaxGroups = 4096
	DefaultMaxObject = 64 << 20
)

// Config is how a track is kept.
type Config struct {
	// Budget is shared by all tracks; nil is unbounded.
	Budget *Budget
	// MaxGroups is how many groups are held at most; 0 is DefaultMaxGroups.
	MaxGroups int
	// MaxAge is how long after its first byte an object may be sent; 0: as long as
	// the publisher lets it (MAX_CACHE_DURATION), which also holds if it is shorter.
	MaxAge time.Duration
	// MaxObject is the largest payload in bytes; 0 is DefaultMaxObject.
	MaxObject uint64
	// Settle is how long streams may overtake each other: only after it does
	// the beginning of a newer group say that one before it is complete, or
	// does not exist. 0: they arrive in order.
	Settle time.Duration
	// Counters are added to; nil counts for nobody.
	Counters *observe.Track
}

// Track is the log of one track. Its methods may be called from any goroutine.
type Track struct {
	maxGroups int
	maxObject uint64
	maxAge    time.Duration
	settle    time.Duration
	counters  *observe.Track
	birth     time.Time

	mu      sync.Mutex
	account account
	scratch []byte // headers are encoded here under mu
	waking  lot    // who must be woken once mu is free

	groups      []*group // by ID
	evictedUpTo model.Opt[uint64]
	age         ageLimit
	debt        int64 // bytes appended while the budget was overdrawn and not yet evicted
	evictions   uint64

	// seq numbers completed objects; announcements number themselves.
	seq           uint64
	arrival       int64 // of the last live object, as entry.arrival
	announcements []announcement
	nextNumber    uint64
	dead          int // announcements of what is gone
	cursors       lot

	largest    model.Opt[model.Location]
	end        model.Opt[model.Location] // END_OF_TRACK
	properties model.Properties
	priority   uint8
	order      model.GroupOrder

	absent    placeSet // what the publisher said does not exist
	known     placeSet // ranges of which everything that exists is held
	live      placeSet // ranges that a live subscription covers, or covered
	liveFrom  model.Opt[model.Location]
	liveNext  bool // the next object is where a live subscription begins
	fills     []*Fill
	epoch     uint64
	ended     bool
	endCode   model.DoneCode
	endReason string
}

// New returns an empty track.
func New(c Config) *Track {
	if c.Budget == nil {
		c.Budget = NewBudget(0)
	}
	if c.MaxGroups == 0 {
		c.MaxGroups = DefaultMaxGroups
	}
	if c.MaxObject == 0 {
		c.MaxObject = DefaultMaxObject
	}
	if c.Counters == nil {
		c.Counters = new(observe.Track)
	}
	t := &Track{
		maxGroups: c.MaxGroups, maxAge: c.MaxAge, maxObject: c.MaxObject, settle: c.Settle, counters: c.Counters, birth: time.Now(),
		account:  account{budget: c.Budget, held: &c.Counters.LogBytes},
		priority: model.DefaultPriority, order: model.Ascending,
	}
	t.limitAge()
	return t
}

// unlock frees mu and then wakes who is to be woken.
func (t *Track) unlock() {
	for !t.waking.empty() {
		var batch [wakeBatch]Waiter
		n := t.waking.take(&batch)
		t.mu.Unlock()
		for _, w := range batch[:n] {
			w.Wake()
		}
		t.mu.Lock()
	}
	t.mu.Unlock()
}

// Age returns how long the track has been there. Arrivals of objects are on the
// same clock.
func (t *Track) Age() time.Duration { return time.Since(t.birth) }

// Counters returns what is counted for the track.
func (t *Track) Counters() *observe.Track { return t.counters }

// Largest returns the largest location that is known to have been published,
// absent if none is.
func (t *Track) Largest() model.Opt[model.Location] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.largest
}

// ObserveLargest takes in what a publisher said is its largest location.
func (t *Track) ObserveLargest(l model.Location) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grow(l)
}

func (t *Track) grow(l model.Location) {
	if had, ok := t.largest.Get(); !ok || had.Less(l) {
		t.largest = model.Some(l)
	}
}

// SetProperties replaces the track's properties and takes default priority, group
// order and MAX_CACHE_DURATION from them.
func (t *Track) SetProperties(p model.Properties) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.properties = p
	t.limitAge()
	t.priority, t.order = model.DefaultPriority, model.Ascending
	if v, ok := p.Int(model.PropDefaultPriority); ok && v <= 255 {
		t.priority = uint8(v)
	}
	if v, ok := p.Int(model.PropDefaultGroupOrder); ok && v == uint64(model.Descending) {
		t.order = model.Descending
	}
}

// Properties returns the track's properties; they must not be changed.
func (t *Track) Properties() model.Properties {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.properties
}

// Defaults returns the publisher priority of subgroups that state none, and
// the publisher's group order.
func (t *Track) Defaults() (uint8, model.GroupOrder) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.priority, t.order
}

func (t *Track) effective(p model.Opt[uint8]) uint8 { return p.Or(t.priority) }

// End says that nothing more will be published. Cursors report it once they are
// past everything there is; the log stays for fetches.
func (t *Track) End(code model.DoneCode, reason string) {
	t.mu.Lock()
	defer t.unlock()
	if t.ended {
		return
	}
	t.ended, t.endCode, t.endReason = true, code, reason
	t.cursors.moveTo(&t.waking)
}

// Reopen takes back End: a publisher came back and goes on where it was.
// Cursors that have reported the end stay ended.
func (t *Track) Reopen() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = false
}

// NewEpoch begins anew: the log is purged with all that was known of the track
// except its properties. Cursors of before report the end with the code, open
// readers and writers find their runs gone.
func (t *Track) NewEpoch(code model.DoneCode, reason string) {
	t.mu.Lock()
	defer t.unlock()
	for len(t.groups) > 0 {
		t.evictGroup(0, evictEpoch)
	}
	t.epoch++
	t.announcements, t.dead = nil, 0
	t.evictedUpTo, t.largest, t.end = model.Opt[uint64]{}, model.Opt[model.Location]{}, model.Opt[model.Location]{}
	t.absent, t.known, t.live = placeSet{}, placeSet{}, placeSet{}
	t.liveFrom, t.liveNext = model.Opt[model.Location]{}, false
	t.ended, t.endCode, t.endReason = false, code, reason
	t.debt = 0
	t.cursors.moveTo(&t.waking)
}

// Discard purges the log for good, when nobody will use the track again.
func (t *Track) Discard() { t.NewEpoch(model.DoneTrackEnded, "track discarded") }

// GroupsAfter returns how many held groups are newer than the group.
func (t *Track) GroupsAfter(id uint64) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, ok := t.groupAt(id)
	if ok {
		i++
	}
	return len(t.groups) - i
}

// Newest returns the largest ID of the groups that are held.
func (t *Track) Newest() model.Opt[uint64] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.groups); n > 0 {
		return model.Some(t.groups[n-1].id)
	}
	return model.Opt[uint64]{}
}
