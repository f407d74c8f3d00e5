package moqtest

import (
	"context"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// source is a track that is being published: all its subscribers share it, so
// that who comes later joins in the middle.
type source struct {
	params Params
	log    *track.Track
	form   track.Form
	cancel context.CancelFunc
	users  int           // guarded by Server.mu
	wanted chan struct{} // closed once somebody wants objects; likewise
	begun  bool          // likewise
	over   chan struct{} // closed when run has returned
}

// reasons of PUBLISH_DONE.
const (
	reasonEnded  = "the test is over"
	reasonFailed = "the publisher has failed"
)

// newSource returns a track of which nothing is published yet.
func newSource(p Params, budget *track.Budget) *source {
	s := &source{
		params: p, form: hall.Native(p.hasProperties()),
		log:    track.New(track.Config{Budget: budget, MaxObject: MaxSize}),
		wanted: make(chan struct{}), over: make(chan struct{}),
	}
	if p.Timeout > 0 {
		s.log.SetProperties(model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: uint64(p.Timeout.Milliseconds())}})
	}
	return s
}

// run publishes the track from when somebody wants it, until ctx ends. over is
// called before anybody is told that the track has ended.
func (s *source) run(ctx context.Context, over func()) {
	defer close(s.over)
	code, reason := s.publish(ctx)
	over()
	s.log.End(code, reason)
}

func (s *source) publish(ctx context.Context) (model.DoneCode, string) {
	select {
	case <-s.wanted:
	case <-ctx.Done():
		return model.DoneTrackEnded, reasonEnded
	}
	w := trackWriter{source: s}
	for at, more := s.params.First(), true; more; at, more = s.params.Next(at) {
		if err := w.write(at); err != nil {
			return model.DoneInternalError, reasonFailed
		}
		// The object is followed by its pause, the last one too.
		pause(ctx, s.params.Interval)
		if ctx.Err() != nil {
			w.closeAll()
			return model.DoneTrackEnded, reasonEnded
		}
	}
	return model.DoneTrackEnded, reasonEnded
}

// pause returns after d, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// trackWriter writes the objects of a source in their order.
type trackWriter struct {
	*source
	open [2]*track.Writer // of the present group, by Subgroup ID
}

// write writes what is at a location.
func (w *trackWriter) write(at model.Location) error {
	o, _ := w.params.Object(at)
	props, err := hall.EncodeProperties(w.form, o.Properties)
	if err != nil {
		return err
	}
	groups, objects := w.params.gaps(at)
	last := at.Object == w.params.End().Object
	if o.Datagram {
		return w.log.AppendDatagram(&track.Datagram{
			Location: at, Priority: o.Priority, Status: o.Status, EndOfGroup: last && o.Status == model.StatusNormal,
			Properties: props, Form: w.form, Payload: o.Payload, PriorGroupGap: groups, PriorObjectGap: objects,
		})
	}
	to, err := w.writer(o)
	if err != nil {
		return err
	}
	h := track.ObjectHeader{
		ID: at.Object, Properties: props, PayloadLen: uint64(len(o.Payload)), Status: o.Status,
		PriorGroupGap: groups, PriorObjectGap: objects,
	}
	if err := to.Append(h, o.Payload); err != nil {
		return err
	}
	if last {
		w.closeAll()
	}
	if w.params.Forwarding == SubgroupPerObject {
		return to.Close()
	}
	return nil
}

// writer returns that of the object's subgroup.
func (w *trackWriter) writer(o model.Object) (*track.Writer, error) {
	key := track.SubgroupKey{Group: o.Group, Subgroup: o.Subgroup}
	info := track.SubgroupInfo{Priority: o.Priority, First: track.FirstYes, Properties: w.params.hasProperties(), Form: w.form}
	if w.params.Forwarding == SubgroupPerObject {
		return w.log.OpenSubgroup(key, info)
	}
	if w.open[o.Subgroup] == nil {
		to, err := w.log.OpenSubgroup(key, info)
		if err != nil {
			return nil, err
		}
		w.open[o.Subgroup] = to
	}
	return w.open[o.Subgroup], nil
}

// closeAll ends the subgroups of the present group.
func (w *trackWriter) closeAll() {
	for i, to := range w.open {
		if to != nil {
			_ = to.Close() // fails only if the group has left the log already
			w.open[i] = nil
		}
	}
}

// past yields the objects of a range from the function; END_OF_GROUPs are not
// fetched (section 11.4.4).
func (p Params) past(r model.Range, order model.GroupOrder) egress.ObjectSource {
	form := hall.Native(true)
	walk := newWalk(p, r, order)
	var item track.Object
	return egress.SourceFunc(func(context.Context) (track.Item, error) {
		at, err := walk.next()
		if err != nil {
			return track.Item{}, err
		}
		o, _ := p.Object(at)
		props, err := hall.EncodeProperties(form, o.Properties)
		if err != nil {
			return track.Item{}, err
		}
		item = track.Object{
			Location: at, Subgroup: o.Subgroup, Datagram: o.Datagram, Priority: o.Priority,
			Properties: props, Form: form, Payload: [][]byte{o.Payload},
		}
		return track.Item{Object: &item}, nil
	})
}
