package track

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
)

// readIDs drains a reader and returns the IDs of whole objects and the state.
func readIDs(t testing.TB, r *Reader) ([]uint64, ReadState) {
	t.Helper()
	b, state := drain(t, r)
	objects, rest := r.form.(testForm).decode(b)
	if len(rest) > 0 {
		t.Errorf("%d bytes of a part of an object", len(rest))
	}
	var ids []uint64
	for _, o := range objects {
		ids = append(ids, o.id)
	}
	return ids, state
}

func TestReaderBeginsAndEndsWhereItIsTold(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 2, 3, 5, 8)
	must(t, w.Close())
	run := runs(tr)[0]
	for _, row := range []struct {
		name        string
		first, last uint64
		want        []uint64
		state       ReadState
		starts      bool
	}{
		{"everything", 0, model.MaxID, []uint64{2, 3, 5, 8}, ReadFinished, true},
		{"from an object that is there", 3, model.MaxID, []uint64{3, 5, 8}, ReadFinished, false},
		{"from one that is not", 4, model.MaxID, []uint64{5, 8}, ReadFinished, false},
		{"up to one that is there", 0, 5, []uint64{2, 3, 5}, ReadRangeEnd, true},
		{"up to one that is not", 0, 7, []uint64{2, 3, 5}, ReadRangeEnd, true},
		{"up to the last", 0, 8, []uint64{2, 3, 5, 8}, ReadFinished, true},
		{"nothing before the first", 0, 1, nil, ReadRangeEnd, false},
		{"nothing after the last", 9, model.MaxID, nil, ReadFinished, false},
	} {
		for _, form := range []Form{formA, formB} {
			r := new(Reader)
			r.Init(run, ReaderOptions{Form: form, Waiter: &bell{}, First: row.first, Last: row.last})
			ids, state := readIDs(t, r)
			if !slices.Equal(ids, row.want) || state != row.state {
				t.Errorf("%s: %d, %v", row.name, ids, stateName[state])
			}
			if r.StartsSubgroup() != row.starts || r.Started() != (row.want != nil) {
				t.Errorf("%s: starts subgroup: %v", row.name, r.StartsSubgroup())
			}
			r.Close()
		}
	}
}

func TestStartOfSubgroupIsSaidOnlyIfKnown(t *testing.T) {
	first := func(f FirstObject) func(*SubgroupInfo) { return func(i *SubgroupInfo) { i.First = f } }
	for _, row := range []struct {
		name string
		info FirstObject
		id   uint64
		want bool
	}{
		{"publisher says so", FirstYes, 4, true},
		{"publisher says no", FirstNo, 4, false},
		{"publisher cannot say", FirstUnknown, 4, false},
		{"object 0 is always the first", FirstUnknown, 0, true},
	} {
		tr := New(Config{})
		bring(t, open(t, tr, 1, 0, first(row.info)), row.id)
		r := newReader(runs(tr)[0], formA)
		readIDs(t, r)
		if r.StartsSubgroup() != row.want {
			t.Errorf("%s: %v", row.name, r.StartsSubgroup())
		}
	}
}

func TestReaderSeesAnObjectAsItComes(t *testing.T) {
	for _, form := range []Form{formA, formB} {
		tr := New(Config{})
		w := open(t, tr, 1, 0)
		payload := strings.Repeat("0123456789", 20_000) // over several chunks
		must(t, w.Begin(ObjectHeader{ID: 4, PayloadLen: uint64(len(payload)), Properties: []byte("pq")}))
		r := newReader(runs(tr)[0], form)
		bell := r.place.waiter.(*bell)
		var got []byte
		for rest := payload; rest != ""; {
			n := min(len(rest), 30_000)
			write(t, w, rest[:n])
			rest = rest[n:]
			b, state := drain(t, r)
			got = append(got, b...)
			if state != ReadWait {
				t.Fatalf("state = %v", stateName[state])
			}
			if objects, part := form.(testForm).decode(got); rest != "" && (len(objects) != 0 || len(part) < len(payload)-len(rest)) {
				t.Fatalf("%d bytes are to be had, %d came", len(payload)-len(rest), len(part))
			}
		}
		objects, _ := form.(testForm).decode(got)
		if len(objects) != 1 || objects[0] != (gotObject{id: 4, props: "pq", payload: payload}) {
			t.Errorf("got %v", objects)
		}
		if bell.rung == 0 {
			t.Error("the reader was not woken")
		}
		r.Close()
	}
}

func TestTornObjectResetsThoseWhoHaveItsHead(t *testing.T) {
	for _, form := range []Form{formA, formB} {
		tr := New(Config{})
		w := open(t, tr, 1, 0)
		bring(t, w, 0)
		must(t, w.Begin(ObjectHeader{ID: 1, PayloadLen: 100_000}))
		write(t, w, strings.Repeat("x", 70_000))
		ahead, behind := newReader(runs(tr)[0], form), newReader(runs(tr)[0], form)
		drain(t, ahead)
		w.Abort(model.ResetGoingAway)
		if b, state := drain(t, ahead); state != ReadReset || len(b) > 0 || ahead.Code() != model.ResetGoingAway {
			t.Errorf("who has the head: %d bytes, %v", len(b), stateName[state])
		}
		if ids, state := readIDs(t, behind); state != ReadReset || !slices.Equal(ids, []uint64{0}) {
			t.Errorf("who has not: %d, %v", ids, stateName[state])
		}
		if tr.counters.Torn.Load() != 1 {
			t.Error("not counted")
		}
	}
}

func TestReaderBehindGetsManyObjectsInOneSlice(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	for id := range uint64(50) {
		must(t, w.Append(obj(id), []byte("0123456789")))
	}
	r := newReader(runs(tr)[0], formA)
	s, _ := r.Read(nil, noTime)
	if s.Objects < 40 || len(s.Head) != 0 {
		t.Errorf("%d objects in the first span, head of %d bytes", s.Objects, len(s.Head))
	}
	objects, bytes := r.Behind()
	if objects != 50-s.Objects || bytes <= 0 && objects > 0 {
		t.Errorf("behind = %d, %d", objects, bytes)
	}
}

func TestBytesHandedOutNeverChange(t *testing.T) {
	tr := New(Config{Budget: NewBudget(1)})
	w := open(t, tr, 1, 0)
	must(t, w.Append(obj(0), bytes.Repeat([]byte{7}, 900)))
	r := newReader(runs(tr)[0], formA)
	s, _ := r.Read(nil, noTime)
	was := bytes.Clone(s.Body)
	for g := range uint64(200) {
		must(t, open(t, tr, 2+g, 0).Append(obj(0), bytes.Repeat([]byte{9}, 900)))
	}
	w.Abort(0)
	if !bytes.Equal(s.Body, was) {
		t.Error("a slice changed")
	}
}

func TestExpiredObjectsAreNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		w := open(t, tr, 1, 0)
		bring(t, w, 0)
		r := newReader(runs(tr)[0], formA)
		time.Sleep(time.Second)
		bring(t, w, 1)
		if _, state := r.Read(nil, time.Now().Add(-time.Second/2)); state != ReadExpired {
			t.Errorf("state = %v", stateName[state])
		}
		if s, state := r.Read(nil, time.Now().Add(-time.Second)); state != ReadSpan || s.Objects != 2 {
			t.Errorf("state = %v, %d objects", stateName[state], s.Objects)
		}
	})
}

func TestUnencodableObjectStopsAReaderOfThatForm(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0)
	must(t, w.Append(ObjectHeader{ID: 1, Properties: []byte(unencodable)}, []byte("x")))
	if ids, state := readIDs(t, newReader(runs(tr)[0], formB)); state != ReadUnencodable || !slices.Equal(ids, []uint64{0}) {
		t.Errorf("%d, %v", ids, stateName[state])
	}
	if ids, state := readIDs(t, newReader(runs(tr)[0], formA)); state != ReadWait || len(ids) != 2 {
		t.Errorf("%d, %v", ids, stateName[state])
	}
}

func TestCursorSeesWhatIsPublishedFromItsBirth(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0, 1)
	done := open(t, tr, 1, 1)
	bring(t, done, 2)
	must(t, done.Close())
	part := open(t, tr, 1, 2)
	must(t, part.Begin(ObjectHeader{ID: 3, PayloadLen: 2}))
	c, largest := tr.NewCursor(&bell{})
	if largest != model.Some(model.Location{Group: 1, Object: 2}) {
		t.Errorf("largest = %v", largest)
	}
	write(t, part, "xx")
	bring(t, w, 4)
	bring(t, open(t, tr, 2, 0), 0)
	var got []model.Location
	for e := c.Next(); e.Kind == EventRun; e = c.Next() {
		r := new(Reader)
		r.Init(e.Run, ReaderOptions{Form: formA, Waiter: &bell{}, Last: model.MaxID, Since: c.Since()})
		ids, _ := readIDs(t, r)
		for _, id := range ids {
			got = append(got, model.Location{Group: e.Run.key.Group, Object: id})
		}
	}
	want := []model.Location{{Group: 1, Object: 4}, {Group: 1, Object: 3}, {Group: 2}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	c.SkipToNow()
	for e := c.Next(); e.Kind != EventNone; e = c.Next() {
		r := new(Reader)
		r.Init(e.Run, ReaderOptions{Form: formA, Waiter: &bell{}, Last: model.MaxID, Since: c.Since()})
		if ids, _ := readIDs(t, r); len(ids) > 0 {
			t.Errorf("after SkipToNow: %v of %v", ids, e.Run.key)
		}
	}
}

func TestCursorDeliversDatagrams(t *testing.T) {
	tr := New(Config{})
	b := &bell{}
	c, _ := tr.NewCursor(b)
	c.Next()
	for _, id := range []uint64{5, 2, 9} { // in order of arrival
		must(t, tr.AppendDatagram(&Datagram{
			Location: model.Location{Group: 1, Object: id}, Form: formA, Properties: []byte("p"),
			Payload: []byte{byte(id)}, Priority: model.Some(uint8(3)), EndOfGroup: id == 9,
		}))
	}
	must(t, tr.AppendDatagram(&Datagram{Location: model.Location{Group: 1, Object: 2}, Form: formA, Payload: []byte{0}, Priority: model.Some(uint8(3))}))
	for _, id := range []uint64{5, 2, 9} {
		e := c.Next()
		d := e.Datagram
		if e.Kind != EventDatagram || d.Object != id || !bytes.Equal(d.Payload[0], []byte{byte(id)}) ||
			string(d.Properties) != "p" || d.Priority != model.Some(uint8(3)) || d.EndOfGroup != (id == 9) || !d.Datagram {
			t.Errorf("event = %+v, want object %d", e, id)
		}
	}
	if e := c.Next(); e.Kind != EventNone || b.rung != 1 {
		t.Errorf("event = %v, woken %d times", e.Kind, b.rung)
	}
	c.Close()
}

func TestClosedWaitersAreNotWoken(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0)
	cb, rb := &bell{}, &bell{}
	c, _ := tr.NewCursor(cb)
	for c.Next().Kind != EventNone {
	}
	r := new(Reader)
	r.Init(runs(tr)[0], ReaderOptions{Form: formA, Waiter: rb, Last: model.MaxID})
	drain(t, r)
	c.Close()
	r.Close()
	bring(t, w, 1)
	open(t, tr, 2, 0)
	if cb.rung+rb.rung != 0 {
		t.Errorf("woken %d and %d times", cb.rung, rb.rung)
	}
}
