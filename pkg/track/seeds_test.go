package track

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"oxymoq/pkg/model"

	"pgregory.net/rapid"
)

// The tests of this file show rows of docs/seeds.md that no other test shows.

// TestObjectsOfEverySize: whole or in parts, between chunks and across them,
// into both forms; and what the caller does with its buffer afterwards is of no
// consequence.
func TestObjectsOfEverySize(t *testing.T) {
	sizes := []int{
		0, 1, 100, 500, 1200, 1500, 10_000, 0, firstChunk - 1, firstChunk, firstChunk + 1,
		CutThrough - 1, CutThrough, CutThrough + 1, maxChunk - 1, maxChunk, maxChunk + 1, 1 << 20, 0,
	}
	payload := func(id int) []byte {
		return []byte(strings.Repeat(fmt.Sprintf("%d ", id), sizes[id]))[:sizes[id]]
	}
	for _, part := range []int{0, 1000, maxChunk} { // 0: whole
		tr := New(Config{})
		w := open(t, tr, 1, 0)
		buf := make([]byte, 0, 1<<20)
		for id, size := range sizes {
			buf = append(buf[:0], payload(id)...)
			if part == 0 || size == 0 {
				must(t, w.Append(obj(uint64(id)), buf))
			} else {
				must(t, w.Begin(ObjectHeader{ID: uint64(id), PayloadLen: uint64(size)}))
				for p := range slices.Chunk(buf, part) {
					if _, err := w.Write(p); err != nil {
						t.Fatal(err)
					}
				}
			}
			clear(buf)
		}
		must(t, w.Close())
		for _, form := range []Form{formA, formB} {
			data, state := drain(t, newReader(runs(tr)[0], form))
			got, rest := form.(testForm).decode(data)
			if state != ReadFinished || len(got) != len(sizes) || len(rest) > 0 {
				t.Fatalf("parts of %d: %d objects, %d bytes more, %v", part, len(got), len(rest), stateName[state])
			}
			for id, o := range got {
				if o.id != uint64(id) || o.payload != string(payload(id)) {
					t.Errorf("parts of %d: object %d of %d bytes came as %v", part, id, sizes[id], o)
				}
			}
		}
	}
}

// TestGroupsInAnyOrder: groups with gaps between them, in any order of arrival.
// The log holds no more than it should, never gives up the newest, and finds
// each that it holds under its own ID, and none under another.
func TestGroupsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		ids := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 60), 1, 40, rapid.ID[uint64]).Draw(t, "groups")
		tr := New(Config{MaxGroups: limit})
		brought, held := map[uint64]bool{}, map[uint64]bool{}
		for _, id := range ids {
			w, err := tr.OpenSubgroup(SubgroupKey{Group: id}, SubgroupInfo{Form: formA, First: FirstYes, EndOfGroup: true})
			if err != nil {
				continue // lower than what was given up
			}
			if err := w.Append(obj(0), fmt.Appendf(nil, "group %d", id)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			brought[id] = true
			if n := tr.counters.LogGroups.Load(); n > int64(limit)+1 { // the newest, and the one being written
				t.Fatalf("%d groups of %d are held", n, limit)
			}
		}
		for id := range uint64(62) {
			rr := tr.Range(model.Range{Start: model.Location{Group: id}, End: model.Location{Group: id, Object: model.MaxID}}, model.Ascending)
			for it, err := rr.Next(); err == nil; it, err = rr.Next() {
				if it.Object == nil {
					continue
				}
				held[id] = true
				if got := string(slices.Concat(it.Object.Payload...)); got != fmt.Sprintf("group %d", id) || it.Object.Group != id {
					t.Fatalf("at group %d is %q of group %d", id, got, it.Object.Group)
				}
			}
			rr.Close()
		}
		newest := uint64(0)
		for id := range brought {
			newest = max(newest, id)
		}
		if !held[newest] || int64(len(held)) != tr.counters.LogGroups.Load() || len(brought)-len(held) != int(tr.counters.Evicted.Load()) {
			t.Fatalf("of %v are found %v; %d objects were given up", brought, held, tr.counters.Evicted.Load())
		}
	})
}

// BenchmarkFindGroup looks for groups in logs of several sizes; its cost grows
// with the logarithm of their number.
func BenchmarkFindGroup(b *testing.B) {
	for _, n := range []int{8, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tr := New(Config{MaxGroups: n})
			for id := range uint64(n) {
				oneObject(b, tr, 3*id, 1)
			}
			order := rand.New(rand.NewPCG(1, 1)).Perm(n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if g := tr.lookup(3 * uint64(order[i])); g == nil {
					b.Fatal("not found")
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}
