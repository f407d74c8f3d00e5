package track

import (
	"errors"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

// TestMarkAbsent: what is said not to exist must not have come, does not come, and
// leaves its subgroup whole.
// Duties: 61.
func TestMarkAbsent(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0)
	must(t, tr.MarkAbsent(at(1, 1)))
	must(t, tr.MarkAbsent(at(1, 1)))
	bring(t, w, 2)
	must(t, w.Close())
	if got := strings.Join(streams(t, tr), ", "); got != "1.0: 0 2 fin" {
		t.Errorf("streams %s", got)
	}
	if _, ok := errors.AsType[*MalformedError](tr.MarkAbsent(at(1, 2))); !ok {
		t.Error("an object that came is said not to exist")
	}
	must(t, tr.AddFetched(&FetchedObject{Location: at(1, 1), Form: formA}))
	if n := tr.Counters().Fetched.Load(); n != 0 {
		t.Errorf("%d objects that do not exist are held", n)
	}
	late := open(t, tr, 1, 1)
	bring(t, late, 1)
	if n := tr.Counters().Late.Load(); n != 1 {
		t.Errorf("%d objects that do not exist were dropped", n)
	}
	tr.End(model.DoneTrackEnded, "")
	if err := tr.MarkAbsent(at(2, 0)); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

// TestMaybeDatagram: a fetched object of which the publisher could not tell is
// what the track's others are.
func TestMaybeDatagram(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(t *testing.T, tr *Track)
		want bool
	}{
		{"nothing is known", func(*testing.T, *Track) {}, false},
		{"others came on streams", func(t *testing.T, tr *Track) { bring(t, open(t, tr, 1, 0), 0) }, false},
		{"others came in datagrams", func(t *testing.T, tr *Track) {
			must(t, tr.AppendDatagram(&Datagram{Location: at(1, 0), Form: formA}))
		}, true},
		{"it came in a datagram", func(t *testing.T, tr *Track) {
			must(t, tr.AppendDatagram(&Datagram{Location: at(1, 5), Form: formA, Payload: []byte("x")}))
		}, true},
		{"it came on a stream", func(t *testing.T, tr *Track) {
			must(t, open(t, tr, 1, 5).Append(ObjectHeader{ID: 5}, []byte("x")))
		}, false},
	} {
		tr := New(Config{})
		row.do(t, tr)
		o := FetchedObject{Location: at(1, 5), Subgroup: 5, MaybeDatagram: true, Form: formA, Payload: []byte("x")}
		must(t, tr.AddFetched(&o))
		if o.Datagram != row.want || o.MaybeDatagram {
			t.Errorf("%s: datagram %v", row.name, o.Datagram)
		}
	}
}

// TestImmutableProperties: a reader of another form says that it rewrote them, or
// does not. One of the same form has no need to.
func TestImmutableProperties(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	must(t, w.Append(ObjectHeader{ID: 0}, []byte("x")))
	must(t, w.Append(ObjectHeader{ID: 1, Properties: []byte("p"), Immutable: true}, []byte("y")))
	must(t, w.Close())
	for _, row := range []struct {
		form Form
		keep bool
		ids  int
		end  ReadState
		told bool
	}{
		{formA, false, 2, ReadFinished, false},
		{formA, true, 2, ReadFinished, false},
		{formB, false, 2, ReadFinished, true},
		{formB, true, 1, ReadImmutable, false},
	} {
		r := new(Reader)
		r.Init(runs(tr)[0], ReaderOptions{Form: row.form, Waiter: &bell{}, Last: model.MaxID, KeepImmutable: row.keep})
		var data []byte
		told := false
		for {
			s, state := r.Read(nil, noTime)
			if state != ReadSpan {
				if state != row.end {
					t.Errorf("%v, keep %v: ended with %v", row.form, row.keep, stateName[state])
				}
				break
			}
			data, told = append(append(data, s.Head...), s.Body...), told || s.Rewritten
		}
		r.Close()
		if objects, _ := row.form.(testForm).decode(data); len(objects) != row.ids || told != row.told {
			t.Errorf("%v, keep %v: %v, told %v", row.form, row.keep, objects, told)
		}
	}
	must(t, tr.AppendDatagram(&Datagram{Location: at(2, 0), Immutable: true, Form: formA}))
	must(t, tr.AddFetched(&FetchedObject{Location: at(2, 1), Immutable: true, Form: formA}))
	rr := tr.Range(span2(at(1, 0), at(2, 1)), model.Ascending)
	defer rr.Close()
	var got []bool
	for {
		item, err := rr.Next()
		if err != nil {
			break
		}
		if item.Object != nil {
			got = append(got, item.Object.Immutable)
		}
	}
	if len(got) != 4 || got[0] || !got[1] || !got[2] || !got[3] {
		t.Errorf("immutable: %v", got)
	}
}
