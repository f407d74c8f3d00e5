package wire

import (
	"encoding/hex"
	"path/filepath"
	"testing"

	"oxymoq/pkg/model"
)

// TestDataVectorsOfOlderDrafts reads what drafts 16 and 14 send beside control
// messages.
func TestDataVectorsOfOlderDrafts(t *testing.T) {
	readers := map[string]func(model.Draft, *vector, []byte) reading{
		"subgroup-stream": func(d model.Draft, v *vector, b []byte) reading { return readSubgroupStream(d, b, v.Context.Fin) },
		"fetch-stream":    readFetchStream,
		"object-datagram": func(d model.Draft, _ *vector, b []byte) reading { return readDatagram(d, b) },
	}
	want := map[model.Draft]int{model.Draft16: 27, model.Draft14: 36}
	for _, d := range []model.Draft{model.Draft16, model.Draft14} {
		dir, n := vectorsDir(t, "draft"+d.String()), 0
		for name, read := range readers {
			f := loadVectors(t, filepath.Join(dir, name+".json"))
			for i := range f.Vectors {
				v := &f.Vectors[i]
				b, err := hex.DecodeString(v.Hex)
				if err != nil {
					t.Fatalf("%s: %v", v.ID, err)
				}
				if v.Error == "truncated" {
					v.Context.Fin = true // these vectors do not say so, but are final
				}
				if problem := mismatch(v, b, read(d, v, b)); problem != "" {
					t.Errorf("draft %v, %s/%s (%s): %s\n%s", d, name, v.ID, v.Description, problem, v.Hex)
				}
				n++
			}
		}
		if n != want[d] {
			t.Errorf("draft %v: %d vectors, want %d", d, n, want[d])
		}
	}
}
