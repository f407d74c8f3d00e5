package hall

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// stored returns a log that holds the objects of group 1 with the given IDs.
func stored(t *testing.T, ids ...uint64) *track.Track {
	t.Helper()
	log := track.New(track.Config{})
	for _, id := range ids {
		o := track.FetchedObject{Location: model.Location{Group: 1, Object: id}, Form: Native(true), Payload: []byte("log")}
		if err := log.AddFetched(&o); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

// script is a publisher that says "3" for an object and "4-6" for a range of
// which it knows nothing.
func script(words string) egress.ObjectSource {
	list := strings.Fields(words)
	var o track.Object
	return egress.SourceFunc(func(context.Context) (track.Item, error) {
		if len(list) == 0 {
			return track.Item{}, io.EOF
		}
		word := list[0]
		list = list[1:]
		var a, b uint64
		if n, _ := fmt.Sscanf(word, "%d-%d", &a, &b); n == 2 {
			return track.Item{Unknown: model.Range{Start: model.Location{Group: 1, Object: a}, End: model.Location{Group: 1, Object: b}}}, nil
		}
		o = track.Object{Location: model.Location{Group: 1, Object: a}, Payload: [][]byte{[]byte("new")}}
		return track.Item{Object: &o}, nil
	})
}

func TestMerged(t *testing.T) {
	for _, tt := range []struct {
		name      string
		log       []uint64
		publisher string
		want      string
	}{
		{"the publisher has nothing", []uint64{0, 1, 3}, "", "0 log, 1 log, 3 log"},
		{"the log has nothing", nil, "0 2", "0 new, 2 new"},
		{"both have some", []uint64{1, 2, 5}, "0 2 6", "0 new, 1 log, 2 new, 5 log, 6 new"},
		{"the log fills what is unknown", []uint64{4, 5}, "0 3-8 9", "0 new, unknown 3-3, 4 log, 5 log, unknown 6-8, 9 new"},
		{"the log fills all of it", []uint64{3, 4}, "3-4 5", "3 log, 4 log, 5 new"},
		{"unknown before and behind", []uint64{9}, "0-3 12-13", "unknown 0-3, 9 log, unknown 12-13"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := stored(t, tt.log...).Range(model.Range{Start: model.Location{Group: 1}, End: model.Location{Group: 1, Object: 20}}, model.Ascending)
			defer r.Close()
			source := Merged(script(tt.publisher), r, model.Ascending)
			var got []string
			for {
				item, err := source.Next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if o := item.Object; o != nil {
					got = append(got, fmt.Sprintf("%d %s", o.Location.Object, o.Payload[0]))
				} else {
					got = append(got, fmt.Sprintf("unknown %d-%d", item.Unknown.Start.Object, item.Unknown.End.Object))
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}
