package relay

import (
	"testing"

	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// TestKnowing: what the log may believe while a fetch comes, and at its end.
func TestKnowing(t *testing.T) {
	object := func(g, o uint64) track.Item { return track.Item{Object: &track.Object{Location: loc(g, o)}} }
	unknown := func(r model.Range) track.Item { return track.Item{Unknown: r} }
	for _, tt := range []struct {
		why        string
		descending bool
		largest    model.Location
		items      []track.Item
		ended      bool
		missing    model.Range // of 1/0..4/9
	}{
		{"nothing has come", false, loc(9, 9), nil, false, span(1, 0, 4, 9)},
		{"up to an object", false, loc(9, 9), []track.Item{object(1, 5), object(3, 2)}, false, span(3, 3, 4, 9)},
		{"the end", false, loc(9, 9), []track.Item{object(1, 5)}, true, model.Range{}},
		{"no objects", false, loc(9, 9), nil, true, model.Range{}},
		{"no further than was seen", false, loc(3, 2), []track.Item{object(3, 2)}, true, span(3, 3, 4, 9)},
		{"a part is unknown", false, loc(9, 9), []track.Item{object(1, 5), unknown(span(1, 6, 2, 3)), object(3, 2)}, true, span(1, 6, 2, 3)},
		{"descending", true, loc(9, 9), []track.Item{object(4, 5), object(4, 7), object(2, 1)}, false, span(1, 0, 2, model.MaxID)},
		{"descending to the end", true, loc(9, 9), []track.Item{object(2, 1)}, true, model.Range{}},
		{"descending into the unknown", true, loc(9, 9), []track.Item{object(4, 1), object(3, 0), unknown(span(2, 0, 2, 9))}, true, span(1, 0, 3, model.MaxID)},
	} {
		log := track.New(track.Config{})
		log.ObserveLargest(tt.largest)
		fill := log.BeginFill()
		k := knowing{log: fill, largest: log.Largest, rng: span(1, 0, 4, 9), end: loc(4, 9), descending: tt.descending}
		for _, i := range tt.items {
			if i.Object != nil {
				if err := fill.Add(&track.FetchedObject{Location: i.Object.Location, Form: hall.FormOf(model.Draft18, true)}); err != nil {
					t.Fatal(err)
				}
			}
			k.item(i)
		}
		if tt.ended {
			k.all()
		}
		fill.Close()
		if got, some := log.Missing(k.rng); got != tt.missing || some == (tt.missing == model.Range{}) {
			t.Errorf("%s: %v is missing, want %v", tt.why, got, tt.missing)
		}
	}
}
