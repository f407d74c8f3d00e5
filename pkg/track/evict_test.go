package track

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

// oneObject appends a finished group of one object.
func oneObject(t testing.TB, tr *Track, id uint64, bytes int) {
	t.Helper()
	w := open(t, tr, id, 0, func(i *SubgroupInfo) { i.EndOfGroup = true })
	must(t, w.Append(obj(0), make([]byte, bytes)))
	must(t, w.Close())
}

func heldGroups(tr *Track) (ids []uint64) {
	for _, g := range tr.groups {
		ids = append(ids, g.id)
	}
	return ids
}

func TestBudgetEvictsOldestGroupsFirst(t *testing.T) {
	b := NewBudget(100 << 10)
	tr := New(Config{Budget: b})
	for id := range uint64(100) {
		oneObject(t, tr, id, 10_000)
		if b.Used() > b.hard() {
			t.Fatalf("%d bytes are held", b.Used())
		}
	}
	ids := heldGroups(tr)
	if len(ids) < 5 || !slices.IsSorted(ids) || ids[len(ids)-1] != 99 || ids[0] != 100-uint64(len(ids)) {
		t.Errorf("held: %d", ids)
	}
	if got := b.Used(); got != tr.counters.LogBytes.Load() {
		t.Errorf("budget says %d, track %d", got, tr.counters.LogBytes.Load())
	}
	tr.Discard()
	if b.Used() != 0 {
		t.Errorf("%d bytes are left", b.Used())
	}
}

func TestOnlyWhoAppendsPays(t *testing.T) {
	b := NewBudget(100 << 10)
	idle, busy := New(Config{Budget: b}), New(Config{Budget: b})
	for id := range uint64(5) {
		oneObject(t, idle, id, 10_000)
	}
	for id := range uint64(100) {
		oneObject(t, busy, id, 10_000)
	}
	if n := len(idle.groups); n != 5 {
		t.Errorf("the idle track holds %d groups", n)
	}
	if n := len(busy.groups); n < 2 {
		t.Errorf("the busy track holds %d groups", n)
	}
}

func TestGroupsWithWritersStay(t *testing.T) {
	b := NewBudget(60 << 10)
	tr := New(Config{Budget: b})
	old := open(t, tr, 0, 0)
	must(t, old.Append(obj(0), make([]byte, 10_000)))
	for id := range uint64(20) {
		oneObject(t, tr, id+1, 10_000)
	}
	if ids := heldGroups(tr); ids[0] != 0 || ids[1] < 15 {
		t.Errorf("held: %d", ids)
	}
	must(t, old.Append(obj(1), nil))
}

func TestNumberOfGroupsIsBounded(t *testing.T) {
	tr := New(Config{MaxGroups: 10})
	for id := range uint64(100) {
		oneObject(t, tr, id, 1)
	}
	if n := len(tr.groups); n != 10 {
		t.Errorf("%d groups", n)
	}
	stuck := open(t, tr, 100, 0)
	for id := range uint64(100) {
		open(t, tr, 101+id, 0) // never closed
	}
	if n := len(tr.groups); n > 20 {
		t.Errorf("%d groups with writers", n)
	}
	if err := stuck.Append(obj(0), nil); !errors.Is(err, ErrEvicted) {
		t.Errorf("Append to an evicted group = %v", err)
	}
	if _, err := tr.OpenSubgroup(SubgroupKey{50, 0}, SubgroupInfo{Form: formA}); !errors.Is(err, ErrEvicted) {
		t.Errorf("OpenSubgroup of an evicted group = %v", err)
	}
	must(t, tr.AppendDatagram(&Datagram{Location: model.Location{Group: 50}, Form: formA})) // dropped
	if tr.lookup(50) != nil {
		t.Error("a datagram brought an evicted group back")
	}
}

// TestAGroupWithoutEndIsCutAtItsFront publishes one subgroup for ever.
func TestAGroupWithoutEndIsCutAtItsFront(t *testing.T) {
	b := NewBudget(256 << 10)
	tr := New(Config{Budget: b})
	w := open(t, tr, 1, 0)
	must(t, w.Append(obj(0), make([]byte, 1000)))
	slow := newReader(runs(tr)[0], formA)
	if s, _ := slow.Read(nil, noTime); s.Objects != 1 {
		t.Fatal("nothing to read")
	}
	for id := range uint64(5000) {
		must(t, w.Append(obj(id+1), make([]byte, 1000)))
		if b.Used() > b.hard()+2*maxChunk {
			t.Fatalf("%d bytes are held", b.Used())
		}
	}
	if _, state := slow.Read(nil, noTime); state != ReadEvicted {
		t.Errorf("a reader that fell behind: %v", stateName[state])
	}
	ids, state := readIDs(t, newReader(runs(tr)[0], formA))
	_ = ids
	if state != ReadEvicted {
		t.Errorf("a new reader from object 0: %v", stateName[state])
	}
	r := new(Reader)
	r.Init(runs(tr)[0], ReaderOptions{Form: formA, Waiter: &bell{}, First: 4990, Last: model.MaxID})
	if ids, state := readIDs(t, r); state != ReadWait || len(ids) != 11 {
		t.Errorf("a new reader at the end: %d, %v", ids, stateName[state])
	}
	if tr.Covered(model.Range{Start: model.Location{Group: 1}, End: model.Forever}) {
		t.Error("what was cut is said to be covered")
	}
	if !tr.Covered(model.Range{Start: model.Location{Group: 1, Object: 4990}, End: model.Forever}) {
		t.Error("what is held is not covered")
	}
	if err := open(t, tr, 1, 0).Append(obj(0), make([]byte, 1000)); err != nil {
		t.Errorf("a duplicate of what was cut: %v", err)
	}
}

func TestDatagramsWithoutEndAreCut(t *testing.T) {
	b := NewBudget(64 << 10)
	tr := New(Config{Budget: b})
	for id := range uint64(5000) {
		must(t, tr.AppendDatagram(&Datagram{Location: model.Location{Group: 1, Object: id}, Form: formA, Payload: make([]byte, 100)}))
	}
	if b.Used() > 4*64<<10 {
		t.Errorf("%d bytes are held", b.Used())
	}
	if n := len(tr.announcements); n > 2000 {
		t.Errorf("%d announcements are held", n)
	}
}

func TestPinnedChunksCountUntilReleased(t *testing.T) {
	b := NewBudget(0)
	tr := New(Config{Budget: b})
	w := open(t, tr, 1, 0)
	must(t, w.Append(obj(0), make([]byte, 10_000)))
	r := newReader(runs(tr)[0], formA)
	s, _ := r.Read(nil, noTime)
	rr := tr.Range(model.Range{Start: model.Location{Group: 1}, End: model.Location{Group: 1}}, model.Ascending)
	if it, err := rr.Next(); err != nil || it.Object == nil {
		t.Fatal("nothing to fetch")
	}
	tr.Discard()
	if b.Used() < int64(s.Len()) {
		t.Errorf("%d bytes count while %d are pinned", b.Used(), s.Len())
	}
	r.Close()
	if b.Used() == 0 {
		t.Error("the chunk is still pinned by the fetch")
	}
	rr.Close()
	if b.Used() != 0 {
		t.Errorf("%d bytes count after all were released", b.Used())
	}
}

func TestCursorReportsWhatItMissed(t *testing.T) {
	tr := New(Config{MaxGroups: 10})
	c, _ := tr.NewCursor(&bell{})
	for id := range uint64(100) {
		oneObject(t, tr, id, 1)
	}
	e := c.Next()
	if e.Kind != EventRun || e.Run.key.Group != 90 || e.Missed != 90 {
		t.Errorf("event = %v of %+v, missed %d", e.Kind, e.Run.key, e.Missed)
	}
	if n := len(tr.announcements); n > 40 {
		t.Errorf("%d announcements for 10 groups", n)
	}
}

func TestWakingManyTakesSeveralBatches(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0)
	bells := make([]bell, 3*wakeBatch+1)
	for i := range bells {
		r := new(Reader)
		r.Init(runs(tr)[0], ReaderOptions{Form: formA, Waiter: &bells[i], Last: model.MaxID})
		drain(t, r)
	}
	bring(t, w, 1, 2)
	if i := slices.IndexFunc(bells, func(b bell) bool { return b.rung != 1 }); i >= 0 {
		t.Errorf("reader %d was woken %d times", i, bells[i].rung)
	}
	if got := streams(t, tr); !strings.HasPrefix(got[0], "1.0: 0 1 2") {
		t.Errorf("streams = %q", got)
	}
}
