package track

import (
	"slices"
	"testing"

	"oxymoq/pkg/model"
)

// fetched puts objects in as a fetch does.
func fetched(t *testing.T, tr *Track, locations ...model.Location) {
	t.Helper()
	for _, l := range locations {
		must(t, tr.AddFetched(&FetchedObject{Location: l, Form: formA, Payload: []byte("x")}))
	}
}

func TestMissing(t *testing.T) {
	tr := New(Config{})
	fetched(t, tr, at(1, 0), at(1, 1), at(3, 5))
	tr.MarkKnown(span2(at(2, 0), at(3, 9)))
	for _, tt := range []struct{ in, want model.Range }{
		{span2(at(1, 0), at(1, 1)), model.Range{}},
		{span2(at(2, 0), at(3, 9)), model.Range{}},
		{span2(at(1, 0), at(3, 9)), span2(at(1, 2), at(1, model.MaxID))},
		{span2(at(0, 3), at(3, 9)), span2(at(0, 3), at(1, model.MaxID))},
		{span2(at(0, 3), at(4, 2)), span2(at(0, 3), at(4, 2))},
		{span2(at(1, 1), model.Forever), span2(at(1, 2), model.Forever)},
		{span2(at(3, 10), at(3, 10)), span2(at(3, 10), at(3, 10))},
	} {
		got, some := tr.Missing(tt.in)
		if got != tt.want || some == (tt.want == model.Range{}) {
			t.Errorf("of %v, %v is missing (%v), want %v", tt.in, got, some, tt.want)
		}
	}
}

// TestDescendingWhileGroupsCome: what comes while a reader is at work does not
// upset its order.
func TestDescendingWhileGroupsCome(t *testing.T) {
	tr := New(Config{})
	rr := tr.Range(span2(at(1, 0), at(4, 0)), model.Descending)
	defer rr.Close()
	fetched(t, tr, at(1, 0), at(2, 0), at(4, 0), at(2, 1))
	var got []model.Location
	for {
		it, err := rr.Next()
		if err != nil {
			break
		}
		if it.Object != nil {
			got = append(got, it.Object.Location)
		}
	}
	if want := []model.Location{at(4, 0), at(2, 0), at(2, 1), at(1, 0)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEndsWith(t *testing.T) {
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0)
	if tr.EndsWith(at(1, 0)) {
		t.Error("it ends before it does")
	}
	must(t, w.Append(ObjectHeader{ID: 1, Status: model.StatusEndOfTrack}, nil))
	must(t, w.Close())
	for l, want := range map[model.Location]bool{at(0, 9): false, at(1, 0): true, at(1, 1): true, at(1, 2): false, model.Forever: false} {
		if got := tr.EndsWith(l); got != want {
			t.Errorf("EndsWith(%v) = %v", l, got)
		}
	}
}

// TestHasSilent: what fetches have brought, until it comes live too.
func TestHasSilent(t *testing.T) {
	tr := New(Config{})
	fetched(t, tr, at(1, 0), at(1, 1))
	for r, want := range map[model.Range]bool{
		span2(at(1, 0), at(1, 0)): true, span2(at(0, 0), at(9, 0)): true, span2(at(1, 2), at(9, 0)): false, span2(at(0, 0), at(0, 9)): false,
	} {
		if got := tr.HasSilent(r); got != want {
			t.Errorf("HasSilent(%v) = %v", r, got)
		}
	}
	w := open(t, tr, 1, 0)
	bring(t, w, 0, 1)
	must(t, w.Close())
	if tr.HasSilent(span2(at(1, 0), at(1, 1))) {
		t.Error("what came live is silent")
	}
}
