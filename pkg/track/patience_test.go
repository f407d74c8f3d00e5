package track

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSuccessorDoesNotWaitForTheDead: a publisher that died holds its subgroup
// open; the one that took its place is let past.
func TestSuccessorDoesNotWaitForTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		dead, successor := open(t, tr, 1, 0), open(t, tr, 1, 0)
		bring(t, dead, 0, 1, 2)
		bring(t, successor, 6)
		if l, _ := tr.Largest().Get(); l.Object != 2 {
			t.Errorf("object 6 did not wait: largest %v", l)
		}
		time.Sleep(AsidePatience + time.Millisecond) // virtual
		bring(t, successor, 7)
		if l, _ := tr.Largest().Get(); l.Object != 7 {
			t.Errorf("objects 6 and 7 wait for ever: largest %v", l)
		}
		bring(t, dead, 3) // it was only slow: good for fetches
		must(t, successor.Close())
		dead.Abort(0)
	})
}
