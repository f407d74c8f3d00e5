package moqt

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// receiver is the Subscriber as one subscription sees it. What comes after the
// Subscriber has turned to another is not heard: it may be of another epoch.
type receiver struct {
	s       *Subscriber
	sess    *session.Session
	in      *session.Inbound // once it is accepted; guarded by Subscriber.mu
	fetches sync.WaitGroup
}

// with calls f under the lock, unless the Subscriber has left.
func (r *receiver) with(f func(now time.Time)) bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.feed != r {
		return false
	}
	f(time.Now())
	if r.s.into == nil || r.s.End.Set {
		r.s.poke()
	}
	return true
}

func (r *receiver) add(o model.Object) bool {
	return r.with(func(now time.Time) { r.s.take(o, now) })
}

// take gives an object to the Sequencer or, in raw order, out.
func (s *Subscriber) take(o model.Object, now time.Time) {
	if !s.RawOrder {
		s.q.Add(o, now)
		return
	}
	if end, ok := s.End.Get(); s.into != nil && (!ok || !end.Less(o.Location)) {
		s.into.take(o, now)
	}
	next := o.Location.Next()
	if o.Status == model.StatusEndOfGroup || o.Status == model.StatusEndOfTrack {
		next = model.Location{Group: o.Group, Object: model.MaxID}.Next()
	}
	if o.Status == model.StatusNormal && s.into == nil {
		s.emit(o, now)
	}
	s.raw = model.Some(later(s.raw, next))
}

// ReceiveSubgroup reads one stream.
func (r *receiver) ReceiveSubgroup(st *session.SubgroupReader) {
	group := st.Header.Group
	wanted := true
	heard := r.with(func(now time.Time) {
		if r.s.into != nil {
			wanted = r.s.into.opened(st, now)
			return
		}
		r.s.q.StreamOpened(group)
	})
	if !heard || !wanted {
		return
	}
	last, some, err := r.read(st)
	whole := err == io.EOF
	if whole && some && st.Header.EndOfGroup {
		r.endOfGroup(last)
	}
	heard = r.with(func(now time.Time) {
		if r.s.into != nil {
			r.s.into.closed(st, err, now)
			return
		}
		r.s.q.StreamClosed(group, whole)
	})
	if _, cut := errors.AsType[*model.StreamError](err); heard && cut {
		r.s.Log.Info("stream was cut", "group", group, "because", err)
	} else if heard && !whole && r.sess.Context().Err() == nil {
		r.s.Log.Warn("stream cannot be read", "group", group, "because", err)
	}
}

// read reads a stream to its end and returns the location of the last object,
// if there was some, and why it ended.
func (r *receiver) read(st *session.SubgroupReader) (last model.Location, some bool, err error) {
	for {
		h, err := st.Next()
		if err != nil {
			return last, some, err
		}
		props, err := r.sess.ObjectProperties(h.Properties)
		if err != nil {
			return last, some, err
		}
		payload, err := r.payload(st, h.PayloadLen)
		if err != nil {
			return last, some, err
		}
		id, _ := st.SubgroupID()
		last, some = model.Location{Group: st.Header.Group, Object: h.ID}, true
		heard := r.add(model.Object{
			Location: last, Subgroup: id, Priority: st.Header.Priority,
			Status: h.Status, Properties: props, Payload: payload,
		})
		if !heard {
			return last, some, errLeft
		}
	}
}

// payload reads the payload of the present object.
func (r *receiver) payload(st *session.SubgroupReader, n uint64) ([]byte, error) {
	if r.s.into != nil {
		return r.s.into.payload(st, n)
	}
	return st.Payload()
}

var errLeft = errors.New("the subscriber has left")

// ReceiveDatagram takes one object.
func (r *receiver) ReceiveDatagram(d *session.Datagram) {
	props, err := r.sess.ObjectProperties(d.Properties)
	if err != nil {
		r.s.Log.Warn("datagram cannot be read", "group", d.Group, "because", err)
		return
	}
	o := model.Object{
		Location: model.Location{Group: d.Group, Object: d.Object}, Datagram: true, Priority: d.Priority,
		Status: d.Status, Properties: props, Payload: slices.Clone(d.Payload),
	}
	if r.add(o) && d.EndOfGroup {
		r.endOfGroup(o.Location)
	}
}

// endOfGroup says that no object comes after last in its group.
func (r *receiver) endOfGroup(last model.Location) {
	if last.Object < model.MaxID {
		r.add(model.Object{Location: last.Next(), Status: model.StatusEndOfGroup})
	}
}
