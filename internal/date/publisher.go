package date

import (
	"context"
	"io"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/track"
)

// keptMinutes is how many groups the log holds; fetches are served from the
// Clock and do not need it.
const keptMinutes = 2

// Publisher is the track: it writes the live objects and answers for the past.
type Publisher struct {
	clock Clock
	track *moqt.LocalTrack

	writer *track.Writer // of the present group, in StreamPerGroup
	form   track.Form
}

// NewPublisher returns the track ns/date. It is served as "/date" too, the name
// that it had in moxygen once.
func NewPublisher(ns model.Namespace, clock Clock) *Publisher {
	p := &Publisher{clock: clock, form: hall.Native(clock.TestProperties)}
	p.track = &moqt.LocalTrack{
		Name: model.FullTrackName{Namespace: ns, Name: Name},
		Log:  track.New(track.Config{MaxGroups: keptMinutes}),
		Past: p.past,
	}
	return p
}

// Names of the track.
const (
	Name    = "date"
	OldName = "/date"
)

// Expire makes objects count as too late to be sent after a time, by the
// property OBJECT_DELIVERY_TIMEOUT of the track (section 12), which relays
// follow too. It is for before the track is served; 0 is never.
func (p *Publisher) Expire(after time.Duration) {
	var props model.Properties
	if after > 0 {
		props = model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: uint64(max(1, after.Milliseconds()))}}
	}
	p.track.Log.SetProperties(props)
}

// Track returns the track for a mux or a PUBLISH.
func (p *Publisher) Track() *moqt.LocalTrack { return p.track }

// Serve makes the track known to a mux, under both names.
func (p *Publisher) Serve(m *moqt.TrackMux) {
	m.Handle(p.track, model.FullTrackName{Namespace: p.track.Name.Namespace, Name: OldName})
}

// Run publishes until ctx ends; then the track ends. Seconds that the process
// slept through are made up for.
func (p *Publisher) Run(ctx context.Context) error {
	largest := p.clock.Largest(time.Now())
	p.track.Log.ObserveLargest(largest)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		var err error
		p.clock.Since(largest, now, func(o model.Object) {
			if err == nil {
				err = p.publish(o)
			}
		})
		if err != nil {
			return err
		}
		largest = p.clock.Largest(now)
		timer.Reset(time.Until(nextTick(now)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			if p.writer != nil {
				_ = p.writer.Close() // the track ends either way
			}
			p.track.Log.End(model.DoneTrackEnded, "the date server stops")
			return context.Cause(ctx)
		}
	}
}

// publish writes one object as the mode has it.
func (p *Publisher) publish(o model.Object) error {
	props, err := hall.EncodeProperties(p.form, o.Properties)
	if err != nil {
		return err
	}
	log := p.track.Log
	if o.Datagram {
		return log.AppendDatagram(&track.Datagram{
			Location: o.Location, Priority: o.Priority, Status: o.Status, Properties: props, Form: p.form, Payload: o.Payload,
		})
	}
	w := p.writer
	if w == nil || w.Key().Group != o.Group || w.Key().Subgroup != o.Subgroup {
		if w != nil {
			_ = w.Close() // a subgroup that was not marked as ended, after a sleep
		}
		first := track.FirstNo
		if p.clock.Mode == StreamPerObject || o.Location.Object == headerObject {
			first = track.FirstYes
		}
		w, err = log.OpenSubgroup(track.SubgroupKey{Group: o.Group, Subgroup: o.Subgroup}, track.SubgroupInfo{
			Priority: o.Priority, First: first, Properties: p.clock.TestProperties, Form: p.form,
		})
		if err != nil {
			return err
		}
		p.writer = w
	}
	if err := w.Append(track.ObjectHeader{ID: o.Location.Object, Properties: props, PayloadLen: uint64(len(o.Payload)), Status: o.Status}, o.Payload); err != nil {
		return err
	}
	if p.clock.Mode == StreamPerObject || o.Status != model.StatusNormal {
		p.writer = nil
		return w.Close()
	}
	return nil
}

// past yields the objects of a range from the Clock.
func (p *Publisher) past(r model.Range, order model.GroupOrder) egress.ObjectSource {
	group, object := r.Start.Group, r.Start.Object
	descending := order == model.Descending
	if descending && r.End.Group != r.Start.Group {
		group, object = r.End.Group, 0
	}
	done := r.Empty()
	form := hall.Native(true)
	var item track.Object
	return egress.SourceFunc(func(context.Context) (track.Item, error) {
		for !done {
			l := model.Location{Group: group, Object: object}
			if object >= endObject || r.End.Less(l) { // markers are not fetched
				switch {
				case descending && group > r.Start.Group:
					group, object = group-1, 0
					if group == r.Start.Group {
						object = r.Start.Object
					}
				case !descending && group < r.End.Group:
					group, object = group+1, 0
				default:
					done = true
				}
				continue
			}
			object++
			o, ok := p.clock.Object(l)
			if !ok {
				continue
			}
			props, err := hall.EncodeProperties(form, o.Properties)
			if err != nil {
				return track.Item{}, err
			}
			item = track.Object{
				Location: l, Subgroup: o.Subgroup, Datagram: o.Datagram, Priority: o.Priority,
				Properties: props, Form: form, Payload: [][]byte{o.Payload},
			}
			return track.Item{Object: &item}, nil
		}
		return track.Item{}, io.EOF
	})
}
