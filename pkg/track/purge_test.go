package track

import (
	"io"
	"slices"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

func TestPurgeLeavesWhatGoesOn(t *testing.T) {
	for _, row := range []struct {
		name   string
		do     func(t *testing.T, tr *Track)
		purged uint64
		groups []uint64
		want   []string // streams of a new reader of everything
	}{
		{"nothing", func(*testing.T, *Track) {}, 0, nil, nil},
		{"the newest group stays, empty", func(t *testing.T, tr *Track) {
			oneObject(t, tr, 1, 10)
			oneObject(t, tr, 2, 10)
		}, 2, []uint64{2}, nil},
		{"groups that are being written stay", func(t *testing.T, tr *Track) {
			bring(t, open(t, tr, 1, 0), 0, 1, 2)
			oneObject(t, tr, 2, 10)
			oneObject(t, tr, 3, 10)
		}, 4, []uint64{1, 3}, []string{"1.0: 2 wait"}},
		{"an object that is being written stays", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0, 1)
			must(t, w.Begin(ObjectHeader{ID: 2, PayloadLen: 5}))
		}, 2, []uint64{1}, []string{"1.0: +3 bytes wait"}},
		{"finished subgroups of the newest group leave", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0, 1)
			must(t, w.Close())
			bring(t, open(t, tr, 1, 1), 2, 3)
		}, 3, []uint64{1}, []string{"1.1: 3 wait"}},
		{"fetched objects leave", func(t *testing.T, tr *Track) {
			must(t, tr.AddFetched(&FetchedObject{Location: at(1, 7), Form: formA, Payload: []byte("f")}))
		}, 1, []uint64{1}, nil},
		{"datagrams leave", func(t *testing.T, tr *Track) {
			for id := range uint64(40) {
				must(t, tr.AppendDatagram(&Datagram{Location: at(1, id), Form: formA, Payload: []byte("d")}))
			}
		}, 40, []uint64{1}, nil},
	} {
		b := NewBudget(1 << 20)
		tr := New(Config{Budget: b})
		row.do(t, tr)
		largest := tr.Largest()
		if n := tr.Purge(); n != row.purged {
			t.Errorf("%s: %d objects left, want %d", row.name, n, row.purged)
		}
		if got := heldGroups(tr); !slices.Equal(got, row.groups) {
			t.Errorf("%s: groups %d, want %d", row.name, got, row.groups)
		}
		if got := streams(t, tr); !slices.Equal(got, row.want) {
			t.Errorf("%s: streams %q, want %q", row.name, got, row.want)
		}
		if tr.Largest() != largest {
			t.Errorf("%s: the largest location is %v, was %v", row.name, tr.Largest(), largest)
		}
		if l, ok := largest.Get(); ok && tr.Covered(span2(at(0, 0), l)) {
			t.Errorf("%s: a fetch would be answered from the log", row.name)
		}
		rr := tr.Range(span2(at(0, 0), at(9, 0)), model.Ascending)
		for it, err := rr.Next(); err != io.EOF; it, err = rr.Next() {
			if it.Object != nil {
				t.Errorf("%s: %v is there for fetches", row.name, it.Object.Location)
			}
		}
		rr.Close()
		tr.Discard()
		if b.Used() != 0 {
			t.Errorf("%s: %d bytes are left", row.name, b.Used())
		}
	}
}

// TestReadersGoOnAfterPurge: who had everything notices nothing, who was behind
// gets the rest from another reader.
func TestReadersGoOnAfterPurge(t *testing.T) {
	for _, form := range []Form{formA, formB} {
		tr := New(Config{})
		w := open(t, tr, 1, 0)
		bring(t, w, 0, 1, 2, 3)
		run := runs(tr)[0]
		upToDate, behind := newReader(run, form), newReader(run, form)
		first, _ := drain(t, upToDate)
		woken := upToDate.place.waiter.(*bell)
		if n := tr.Purge(); n != 3 {
			t.Errorf("%d objects left", n)
		}
		if n := behind.Purged(); n != 3 {
			t.Errorf("who has read nothing lost %d objects", n)
		}
		if n := upToDate.Purged(); n != 0 {
			t.Errorf("who has read all lost %d objects", n)
		}
		if b, state := drain(t, upToDate); state != ReadWait || len(b) > 0 {
			t.Errorf("who had everything is told %q", stateName[state])
		}
		if ids, state := readIDs(t, behind); state != ReadPurged || ids != nil {
			t.Errorf("who was behind gets %d, %q", ids, stateName[state])
		}
		if objects, bytes := behind.Behind(); objects != 4 || bytes <= 0 {
			t.Errorf("who was behind is so by %d objects, %d bytes", objects, bytes)
		}
		again := newReader(run, form)
		woken.rung = 0
		bring(t, w, 4, 6)
		must(t, w.Close())
		if woken.rung == 0 {
			t.Error("nobody is woken")
		}
		rest, state := drain(t, upToDate)
		objects, part := form.(testForm).decode(append(first, rest...))
		if len(objects) != 6 || objects[5].id != 6 || len(part) > 0 || state != ReadFinished {
			t.Errorf("who had everything has %v, %q", objects, stateName[state])
		}
		if ids, state := readIDs(t, again); !slices.Equal(ids, []uint64{3, 4, 6}) || state != ReadFinished || again.StartsSubgroup() {
			t.Errorf("who begins anew gets %d, %q", ids, stateName[state])
		}
		for _, r := range []*Reader{upToDate, behind, again} {
			r.Close()
		}
	}
}

func TestPurgeBetweenTheLastObjectAndTheEnd(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0, 1)
	run := runs(tr)[0]
	had, lacks := newReader(run, formA), newReader(run, formA)
	readIDs(t, had)
	must(t, w.Close())
	tr.Purge()
	if _, state := readIDs(t, had); state != ReadFinished {
		t.Errorf("who had everything is told %q", stateName[state])
	}
	if state := lacks.Poll(noTime); state != ReadPurged || lacks.Purged() != 2 || !run.Gone() {
		t.Errorf("who lacks something is told %q", stateName[state])
	}
	if state := newReader(run, formA).Poll(noTime); state != ReadPurged {
		t.Errorf("who comes later is told %q", stateName[state])
	}
}

// TestPurgeUnderAWrite: bytes that somebody is sending stay what they are, and
// count until they are sent.
func TestPurgeUnderAWrite(t *testing.T) {
	b := NewBudget(1 << 20)
	tr := New(Config{Budget: b})
	w := open(t, tr, 1, 0)
	payload := strings.Repeat("x", 10_000)
	must(t, w.Append(obj(0), []byte(payload)))
	must(t, w.Close())
	r := newReader(runs(tr)[0], formA)
	s, _ := r.Read(nil, noTime)
	want := string(s.Body)
	tr.Purge()
	oneObject(t, tr, 2, 10_000)
	held := b.Used()
	if string(s.Body) != want {
		t.Error("the bytes have changed")
	}
	r.Close()
	if now := b.Used(); held-now < int64(len(payload)) {
		t.Errorf("%d bytes were held, %d when the Write was over", held, now)
	}
	tr.Discard()
	if b.Used() != 0 {
		t.Errorf("%d bytes are left", b.Used())
	}
}

func TestPurgedObjectsAreNotTakenAgainAsNew(t *testing.T) {
	tr := New(Config{})
	a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
	bring(t, a, 0, 1, 2)
	tr.Purge()
	bring(t, b, 0, 1, 2, 3)
	if n := tr.counters.ObjectsIn.Load(); n != 4 {
		t.Errorf("%d new objects came", n)
	}
	must(t, tr.AddFetched(&FetchedObject{Location: at(1, 1), Form: formA, Payload: []byte("payload")}))
	if !tr.Covered(span2(at(1, 1), at(1, 1))) {
		t.Error("what is fetched again is not held")
	}
	if n := tr.Purge(); n != 2 { // the fetched one, and 2
		t.Errorf("%d objects left the second time", n)
	}
}
