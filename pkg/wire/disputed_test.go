package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// left are disputes whose recommended reading is not for a codec.
var left = map[string]string{
	"object-after-end-of-group": "the session ends a stream that goes on behind its end",
	"object-after-end-of-track": "the session ends a stream that goes on behind its end",
	"datagram-empty-payload":    "the recommended form is sent and both are read: TestEmptyDatagramWithoutStatusIsRead",
}

// Where implementations read the text differently, we follow the reading that
// the collection of vectors recommends.
func TestDisputedVectorsOfDraft18(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(vectorsDir(t, ""), "disputed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Disputes []struct {
			ID, Message, Recommended string
			Draft                    int
			Readings                 []struct {
				Name    string
				Vectors []vector
			}
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, d := range file.Disputes {
		if d.Draft != 18 {
			continue
		}
		for _, r := range d.Readings {
			if r.Name != d.Recommended || left[d.ID] != "" {
				continue
			}
			for i := range r.Vectors {
				v := &r.Vectors[i]
				v.Canonical = false // what is accepted need not be what is sent
				checkVector(t, d.Message, v)
				checked++
			}
		}
	}
	t.Logf("%d disputed vectors in the recommended reading; %d disputes left to others", checked, len(left))
	if checked == 0 {
		t.Error("no disputed vectors")
	}
}
