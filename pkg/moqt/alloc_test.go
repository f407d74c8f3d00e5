package moqt_test

import (
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/moqt"
)

// TestReadFrameAllocatesNothing with a frame that is used again and again.
func TestReadFrameAllocatesNothing(t *testing.T) {
	const objects, runs = 2000, 1500
	for _, size := range []int{0, 100, 1200, 10_000} {
		onStage(t, func(t *testing.T, st *stage) {
			w := st.publish()
			r := st.subscribe(st.dial(moqt.Dialer{}), moqt.WithBuffer(2*objects*(size+moqt.ObjectCost)))
			g := testkit.Must(w.OpenGroup(1))(t)
			frame := moqt.NewFrame(size)
			testkit.Must(frame.Write(make([]byte, size)))(t)
			for range objects {
				testkit.NoErr(t, g.WriteFrame(frame))
			}
			in := accept(t, r, 1)
			synctest.Wait() // all have come
			n := testing.AllocsPerRun(runs, func() {
				if err := in.ReadFrame(frame); err != nil || frame.Len() != size {
					t.Errorf("%d bytes, %v", frame.Len(), err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations for an object of %d bytes", n, size)
			}
		})
	}
}
