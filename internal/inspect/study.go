package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"oxymoq/internal/latency"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// What is read of objects at most.
const (
	// MaxStudied is how many objects are read when State or Track is asked for.
	MaxStudied = 4096
	// MaxPayload is the largest payload that is read, in bytes.
	MaxPayload = 8 << 20
)

// study is what the objects of a track say of it.
type study struct {
	mu       sync.Mutex
	since    time.Time
	next     model.Location            // everything before was read
	live     model.Opt[model.Location] // what is not after it was published before we asked
	recorder *latency.Recorder         // nil: nothing was received yet
	medium   medium
	reader   *catalog.Reader // nil: it is no catalog
	catalog  *catalog.Catalog
	bad      string // why the newest catalog cannot be read
}

func newStudy(name model.FullTrackName) *study {
	d := &study{medium: newMedium(name.Name)}
	if r, err := catalog.NewReader(name.Name); err == nil {
		d.reader = r
	}
	return d
}

// hint is told what a catalog says of the track.
func (d *study) hint(t *catalog.Track) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.medium.hint(t)
}

// begin is told of a subscription; anew says that the track has begun anew.
func (d *study) begin(o session.Offer, anew bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if anew {
		d.next = model.Location{}
	}
	if d.reader != nil { // what it names is to be heard again
		d.reader.TrackProperties(o.Properties)
		d.next = model.Location{Group: o.Largest.Value.Group}
	}
}

// resume is told that objects come from now on, after the largest location.
func (d *study) resume(largest model.Opt[model.Location]) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since, d.live = time.Now(), largest
	d.recorder = latency.New(latency.Options{Subscribed: d.since})
	d.medium.rejoin()
}

// take reads what came since it was called last. It returns a catalog if there is
// a new one, and why there is none if it cannot be read, once.
func (d *study) take(log *track.Track) (news *catalog.Catalog, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	largest, some := log.Largest().Get()
	if !some || d.recorder == nil || largest.Less(d.next) {
		return nil, nil
	}
	r := log.Range(model.Range{Start: d.next, End: largest}, model.Ascending)
	defer r.Close()
	for range MaxStudied {
		item, rerr := r.Next()
		if rerr != nil {
			if rerr != io.EOF {
				d.next = model.Location{} // another epoch
			}
			break
		}
		if item.Object == nil {
			continue // it may come yet
		}
		o := item.Object
		d.next = o.Location.Next()
		if o.Status != model.StatusNormal {
			continue
		}
		if c, cerr := d.object(o); c != nil || cerr != nil {
			news, err = c, cerr
		}
	}
	return news, err
}

// object reads one object.
func (d *study) object(o *track.Object) (*catalog.Catalog, error) {
	live, some := d.live.Get()
	a := latency.Arrival{
		At: o.Arrival, Group: o.Group, Object: o.Object, Size: o.PayloadLen(), Past: some && !live.Less(o.Location),
	}
	props, err := hall.DecodeProperties(o.Form, o.Properties)
	if err == nil && a.Size <= MaxPayload {
		payload := bytes.Join(o.Payload, nil)
		if d.reader != nil {
			d.recorder.Observe(a)
			return d.list(o.Object, props, payload)
		}
		if s := d.medium.take(props, payload); s != nil {
			a.Media, a.HasMedia, a.Captured, a.Key = s.DTS, true, s.Captured, s.Key
		}
	}
	d.recorder.Observe(a)
	return nil, nil
}

// list reads an object of a catalog.
func (d *study) list(id uint64, props model.Properties, payload []byte) (*catalog.Catalog, error) {
	c, err := d.reader.Object(id, props, payload)
	switch {
	case err == nil:
		d.catalog, d.bad = c, ""
		return c, nil
	case errors.Is(err, catalog.ErrNoBase), d.bad == err.Error():
		return nil, nil
	}
	d.bad = err.Error()
	return nil, err
}

// text says for people what the track carries.
func (d *study) text(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reader == nil {
		return d.medium.text()
	}
	kind := "hang catalog"
	if name == catalog.NameMSF {
		kind = "MSF catalog"
	}
	switch {
	case d.bad != "":
		return kind + ", unreadable"
	case d.catalog == nil:
		return ""
	case len(d.catalog.Tracks) == 1:
		return kind + ", 1 track"
	}
	return fmt.Sprintf("%s, %d tracks", kind, len(d.catalog.Tracks))
}

// timing says how objects came; nil if none were asked for.
func (d *study) timing(now time.Time, flows bool) *observe.Timing {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.recorder == nil {
		return nil
	}
	if flows {
		d.recorder.Until(now)
	}
	r := d.recorder.Report()
	t := &observe.Timing{
		Since: d.since, Objects: r.Objects, Interval: percentiles(r.Interval), JitterFrom: r.JitterFrom, Delay: percentiles(r.Latency),
		ClockSkewed: r.ClockSkewed, FrameRate: d.medium.rate(), KeyInterval: d.medium.keyInterval, Freezes: r.Freezes.Count,
	}
	if r.Jitter != nil {
		t.Jitter = millis(*r.Jitter)
	}
	return t
}

func percentiles(p *latency.Percentiles) observe.Lag {
	if p == nil {
		return observe.Lag{}
	}
	return observe.Lag{Objects: p.Count, P50: millis(p.P50), P95: millis(p.P95), P99: millis(p.P99), Max: millis(p.Max)}
}

func millis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
