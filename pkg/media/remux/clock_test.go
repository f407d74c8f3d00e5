package remux

import (
	"math"
	"testing"

	"oxymoq/internal/testkit"
)

// TestClock: what times stand for, each after those before it.
func TestClock(t *testing.T) {
	const wrap, half = 1 << 32, 1 << 31
	for _, row := range []struct {
		name string
		raw  []uint32
		want []int64
	}{
		{"from where it begins", []uint32{500, 540, 530}, []int64{500, 540, 530}},
		{"over the wrap", []uint32{math.MaxUint32 - 9, 10, 50}, []int64{wrap - 10, wrap + 10, wrap + 50}},
		{"to and fro over the wrap", []uint32{math.MaxUint32, 10, math.MaxUint32 - 4, 20}, []int64{wrap - 1, wrap + 10, wrap - 5, wrap + 20}},
		{"over several wraps", []uint32{0, 1 << 30, 2 << 30, 3 << 30, 0, 1 << 30, 2 << 30, 3 << 30, 1},
			[]int64{0, 1 << 30, 2 << 30, 3 << 30, wrap, 5 << 30, 6 << 30, 7 << 30, 2*wrap + 1}},
		{"through the middle", []uint32{half - 10, half + 10, half - 5}, []int64{half - 10, half + 10, half - 5}},
		{"over the wrap of 31 bits", []uint32{half - 10, 10, half - 5, 20}, []int64{half - 10, half + 10, half - 5, half + 20}},
		{"over it again", []uint32{half - 10, 10, 1 << 30, half - 10, 10}, []int64{half - 10, half + 10, half + 1<<30, 2*half - 10, 2*half + 10}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var c clock
			var got []int64
			for _, raw := range row.raw {
				got = append(got, c.set(raw))
			}
			testkit.Equal(t, got, row.want)
		})
	}
}
