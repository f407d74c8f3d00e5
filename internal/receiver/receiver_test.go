package receiver

import (
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media/packaging"
)

// TestJoin: the file begins with the key picture of the present group, and ends
// with the tracks.
func TestJoin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.publish(packaging.MoQMi, both...)
		w.direct(p)
		p.run(1400 * time.Millisecond)
		r := w.launch(nil)
		p.run(2 * time.Second)
		p.end()
		r.result("")
		got := r.file()
		testkit.Equal(t, got.video, "V25@0s+60")
		testkit.Equal(t, got.audio, "34@380ms+101")
	})
}
