package date

import (
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"
)

var noon = time.Date(2024, 5, 20, 13, 8, 7, 900e6, time.UTC)

func TestClockObjects(t *testing.T) {
	c := Clock{Mode: StreamPerGroup, Zone: time.UTC, TestProperties: true}
	minute := uint64(noon.Unix() / 60)
	for _, tt := range []struct {
		name    string
		object  uint64
		payload string
		status  model.ObjectStatus
		props   int
		ok      bool
	}{
		{"minute line", 0, "2024-05-20 13:08:", model.StatusNormal, 2, true},
		{"first second", 1, "0", model.StatusNormal, 0, true},
		{"tenth second has no padding", 10, "9", model.StatusNormal, 0, true},
		{"last second", 60, "59", model.StatusNormal, 0, true},
		{"end marker", 61, "", model.StatusEndOfGroup, 0, true},
		{"nothing behind it", 62, "", 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, ok := c.Object(model.Location{Group: minute, Object: tt.object})
			if ok != tt.ok || string(o.Payload) != tt.payload || o.Status != tt.status || len(o.Properties) != tt.props {
				t.Errorf("got %q %v %v, ok %v", o.Payload, o.Status, o.Properties, ok)
			}
		})
	}
}

func TestClockModes(t *testing.T) {
	l := model.Location{Group: 1, Object: 5}
	for _, tt := range []struct {
		mode     Mode
		subgroup uint64
		datagram bool
	}{{StreamPerGroup, 0, false}, {StreamPerObject, 5, false}, {Datagrams, 0, true}} {
		o, _ := Clock{Mode: tt.mode}.Object(l)
		if o.Subgroup != tt.subgroup || o.Datagram != tt.datagram {
			t.Errorf("%s: subgroup %d, datagram %v", tt.mode, o.Subgroup, o.Datagram)
		}
	}
	if _, err := ParseMode("spx"); err == nil || !strings.Contains(err.Error(), "datagram") {
		t.Errorf("ParseMode does not name the modes: %v", err)
	}
}

func TestClockMakesUpForSleep(t *testing.T) {
	c := Clock{Mode: StreamPerGroup, Zone: time.UTC}
	last := c.Largest(noon.Add(-10 * time.Second)) // second 57 of the minute before
	var got []string
	c.Since(last, noon, func(o model.Object) {
		if o.Status != model.StatusNormal {
			got = append(got, "end")
			return
		}
		got = append(got, string(o.Payload))
	})
	want := "58 59 end 2024-05-20 13:08: 0 1 2 3 4 5 6 7"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestNextTickIsOnTheSecond(t *testing.T) {
	if got, want := nextTick(noon), noon.Add(100*time.Millisecond); !got.Equal(want) {
		t.Errorf("nextTick = %v, want %v", got, want)
	}
}
