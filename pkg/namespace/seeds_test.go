package namespace_test

import (
	"fmt"
	"testing"

	"oxymoq/pkg/namespace"
)

// TestLookUpAllocatesNothing among ten thousand names: what a relay does for
// every request (row A12 of docs/seeds.md).
func TestLookUpAllocatesNothing(t *testing.T) {
	var tree namespace.Tree[int]
	for i := range 10_000 {
		tree.Insert(ns("live", fmt.Sprint(i%100), fmt.Sprint(i)), i)
	}
	track, found := ns("live", "42", "4242", "video", "hd"), 0
	n := testing.AllocsPerRun(100, func() {
		for _, v := range tree.Covering(track) {
			if v == 4242 {
				found++
			}
		}
	})
	if n != 0 || found != 101 { // AllocsPerRun runs it once more, before it counts
		t.Errorf("%v allocations, found %d times", n, found)
	}
}
