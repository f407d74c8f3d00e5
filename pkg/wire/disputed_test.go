package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"oxymoq/pkg/model"
)

// left are disputes whose recommended reading is not for a codec.
var left = map[string]string{
	"object-after-end-of-group": "the session ends a stream that goes on behind its end",
	"object-after-end-of-track": "the session ends a stream that goes on behind its end",
	"datagram-empty-payload":    "the recommended form is sent and both are read: TestEmptyDatagramWithoutStatusIsRead",
}

// Where implementations read the text differently, we follow the reading that
// the collection of vectors recommends.
func TestDisputedVectorsOfDraft18(t *testing.T) { testDisputed(t, model.Draft18, 19, len(left)) }
func TestDisputedVectorsOfDraft16(t *testing.T) { testDisputed(t, model.Draft16, 11, 0) }
func TestDisputedVectorsOfDraft14(t *testing.T) { testDisputed(t, model.Draft14, 8, 0) }

func testDisputed(t *testing.T, of model.Draft, disputes, leftToOthers int) {
	raw, err := os.ReadFile(filepath.Join(vectorsDir(t, ""), "disputed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Disputes []struct {
			ID, Message, Recommended string
			Draft                    model.Draft
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
		if d.Draft != of {
			continue
		}
		disputes--
		if left[d.ID] != "" {
			leftToOthers--
			continue
		}
		for _, r := range d.Readings {
			if r.Name != d.Recommended {
				continue
			}
			for i := range r.Vectors {
				v := &r.Vectors[i]
				v.Canonical = false // what is accepted need not be what is sent
				checkVector(t, of, d.Message, v)
				checked++
			}
		}
	}
	t.Logf("%d disputed vectors in the recommended reading", checked)
	if checked == 0 || disputes != 0 || leftToOthers != 0 {
		t.Errorf("%d disputes and %d for others more than there are", disputes, leftToOthers)
	}
}
