package qmuxtr

import (
	"bytes"
	"testing"

	"oxymoq/internal/testkit"
)

// A buffer does what a slice of bytes does.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{10, 200, 255, 3, 90, 255, 255, 255, 7, 60, 2})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var q buffer
		var want []byte
		next := byte(0)
		for i, step := range steps[:min(len(steps), 300)] {
			size := int(step) * 37
			switch i % 4 {
			case 0, 1:
				p := make([]byte, size)
				for i := range p {
					p[i] = next
					next++
				}
				q.put(p)
				want = append(want, p...)
			case 2:
				p := make([]byte, size)
				n := q.take(p)
				testkit.Equal(t, n, min(size, len(want)))
				if !bytes.Equal(p[:n], want[:n]) {
					t.Fatal("other bytes came out")
				}
				want = want[n:]
			default:
				if step%5 == 0 {
					q.truncate(size)
					want = want[:min(size, len(want))]
				}
			}
			testkit.Equal(t, q.len(), len(want))
			if q.len() == 0 && q.first != nil {
				t.Fatal("an empty buffer has memory")
			}
		}
	})
}
