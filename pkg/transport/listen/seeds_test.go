package listen_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
)

// TestCloseAgainAndAgain: ten times at once, with Shutdown among them, and
// afterwards (row C4 of docs/seeds.md).
func TestCloseAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, config(t, "moqt-18"))
		client := testkit.Must(dialHouse(t.Context(), h.visitor(t, 1, testkit.Link{}, testkit.Link{})))(t)
		testkit.Must(h.l.Accept(t.Context()))(t)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { testkit.NoErr(t, h.l.Close()) })
			all.Go(func() { testkit.NoErr(t, h.l.Shutdown(t.Context())) })
		}
		all.Wait()
		<-client.Context().Done()
		testkit.NoErr(t, h.l.Close())
		testkit.NoErr(t, h.l.Shutdown(t.Context()))
	})
}
