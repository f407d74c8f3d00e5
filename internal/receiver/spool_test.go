package receiver

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
)

// TestSpool: who tells does not wait for who reads.
func TestSpool(t *testing.T) {
	line := strings.Repeat("x", 1<<10-1) + "\n"
	tell := func(s *spool) {
		for range 3 * maxSpooled / len(line) {
			_, err := s.Write([]byte(line))
			testkit.NoErr(t, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		g := &gate{let: make(chan struct{})}
		s := newSpool(g)
		tell(s)
		synctest.Wait()
		close(g.let)
		lost := s.close()
		if told := g.Len(); lost == 0 || told < maxSpooled || told+int(lost)*len(line) != 3*maxSpooled {
			t.Errorf("%d lines were not told, %d bytes were", lost, g.Len())
		}
	})
	synctest.Test(t, func(t *testing.T) { // nobody reads at all
		g := &gate{let: make(chan struct{})}
		s := newSpool(g)
		tell(s)
		s.close()
		close(g.let)
	})
	synctest.Test(t, func(t *testing.T) { // the reader goes
		g := &gate{let: make(chan struct{}), err: errors.New("gone")}
		close(g.let)
		s := newSpool(g)
		tell(s)
		s.close()
	})
}
