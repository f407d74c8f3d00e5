package track

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
)

// TestStreamsMayOvertake: for a while after a newer group began, one before it
// may still come.
func TestStreamsMayOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{Settle: time.Second})
		tr.LiveFrom(at(0, 0))
		covered := func(why string, r model.Range, want bool) {
			t.Helper()
			if got := tr.Covered(r); got != want {
				t.Errorf("%s: covered %v", why, got)
			}
		}
		w := open(t, tr, 1, 0)
		bring(t, w, 0)
		must(t, w.Close())
		time.Sleep(time.Minute)
		bring(t, open(t, tr, 3, 0), 0)
		covered("another stream of group 1 may come", span2(at(1, 1), at(1, 9)), false)
		covered("group 2 may come", span2(at(2, 0), at(2, 9)), false)
		covered("what is before all that", span2(at(0, 0), at(1, 0)), true)
		time.Sleep(time.Second)
		covered("they would have come", span2(at(1, 0), at(3, 0)), true)
	})
}

// TestFillEndsWithItsEpoch: a fetch of the old epoch adds nothing to the new.
func TestFillEndsWithItsEpoch(t *testing.T) {
	tr := New(Config{})
	f := tr.BeginFill()
	defer f.Close()
	o := FetchedObject{Location: at(1, 0), Form: formA, Payload: []byte("f")}
	must(t, f.Add(&o))
	tr.NewEpoch(model.DoneTrackEnded, "")
	o.Object = 1
	if err := f.Add(&o); !errors.Is(err, ErrEnded) {
		t.Errorf("Add: %v", err)
	}
	f.MarkKnown(span2(at(0, 0), at(1, 9)))
	tr.ObserveLargest(at(1, 9))
	if tr.Newest().Set || tr.Covered(span2(at(0, 0), at(1, 9))) {
		t.Error("the new epoch knows what the old one did")
	}
}
