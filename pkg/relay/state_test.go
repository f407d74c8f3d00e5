package relay

import (
	"testing/synctest"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

// state returns what a window sees.
func (s *stage) state() *observe.State {
	s.t.Helper()
	synctest.Wait()
	return testkit.Must(s.r.State(s.t.Context()))(s.t)
}
