package admin

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
)

// TestProfilesTakeTheirTime: the time for a request does not cut them short.
func TestProfilesTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveWorld(t, newWorld())
		start := time.Now()
		_, resp, r := s.open(t, "/debug/pprof/allocs?seconds=40")
		if _, err := r.ReadByte(); err != nil {
			t.Fatal(err)
		}
		testkit.Equal(t, resp.StatusCode, http.StatusOK)
		testkit.Equal(t, time.Since(start), 40*time.Second)
	})
}
