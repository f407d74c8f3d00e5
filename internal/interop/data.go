package interop

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// object is one object of a case, as it is sent and as it must come.
type object struct {
	at         model.Location
	subgroup   uint64
	priority   uint8
	payload    string
	properties model.Properties
}

// filler is what payloads consist of.
const filler = 't'

// Paces of the publisher: the specification of data-subgroup-basic has 2 ms
// between two objects, that of the vectors 10 ms.
const (
	pace           = 2 * time.Millisecond
	fixtureCadence = 10 * time.Millisecond
)

// dataSubgroupBasic: a track of three groups of five objects arrives whole.
func dataSubgroupBasic(s *scene) error {
	track := model.FullTrackName{Namespace: model.Namespace{"moq-interop", "data-subgroup-basic", runID()}, Name: "track"}
	var objects []object
	for group := range uint64(3) {
		for id := range uint64(5) {
			size := 32
			if id == 0 {
				size = 64
			}
			objects = append(objects, object{at: model.Location{Group: group, Object: id}, priority: 128, payload: filled(size)})
		}
	}
	source := newOrigin(track)
	p, err := s.connect(publisher, source)
	if err != nil {
		return err
	}
	if _, err := s.announce(p, track.Namespace); err != nil {
		return err
	}
	sub, err := s.connect(subscriber, nil)
	if err != nil {
		return err
	}
	got := new(collector)
	in, err := sub.session.Subscribe(s.ctx, session.SubscribeOptions{
		Track: track, Change: session.Change{Order: model.Some(model.Ascending)},
	}, got)
	if err != nil {
		return instead(subscribeOK, err)
	}
	flow, err := source.subscription(s)
	if err != nil {
		return err
	}
	if err := s.wanted(flow); err != nil {
		return err
	}
	streams, err := s.send(flow.out, objects, pace)
	if err != nil {
		return err
	}
	if err := s.end(flow.out, streams); err != nil {
		return err
	}
	return s.delivered(sub, in, got, objects, model.Opt[uint64]{})
}

func filled(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = filler
	}
	return string(b)
}

// send writes objects in their order, each subgroup to a stream of its own that
// is closed behind the last of it, and returns the number of streams.
func (s *scene) send(out *session.Outbound, objects []object, pace time.Duration) (uint64, error) {
	w := &writer{s: s, out: out, open: map[subgroupKey]*subgroup{}, left: map[subgroupKey]int{}, properties: map[subgroupKey]bool{}}
	for _, o := range objects {
		w.left[o.key()]++
		w.properties[o.key()] = w.properties[o.key()] || len(o.properties) > 0
	}
	for i, o := range objects {
		if i > 0 && pace > 0 {
			if err := s.pause(pace); err != nil {
				return w.streams, err
			}
		}
		if err := w.write(o); err != nil {
			if s.ctx.Err() != nil {
				err = context.Cause(s.ctx)
			}
			return w.streams, instead(fmt.Sprintf("object %v to be taken from the publisher", o.at), err)
		}
	}
	return w.streams, nil
}

func (o object) key() subgroupKey {
	return subgroupKey{Group: o.at.Group, Subgroup: o.subgroup}
}

// subgroupKey says which subgroup an object belongs to.
type subgroupKey = track.SubgroupKey

// writer writes the streams of one subscription.
type writer struct {
	s          *scene
	out        *session.Outbound
	open       map[subgroupKey]*subgroup
	left       map[subgroupKey]int // objects yet to come
	properties map[subgroupKey]bool
	streams    uint64
}

// subgroup is a stream that has begun.
type subgroup struct {
	stream session.SendStream
	form   track.Form
	prev   model.Opt[uint64]
}

// write sends one object, whose subgroup begins with it or has begun.
func (w *writer) write(o object) error {
	over, key := hall.Over(w.out.Session()), o.key()
	var b []byte
	g := w.open[key]
	if g == nil {
		stream, err := over.OpenUniStream(w.s.ctx)
		if err != nil {
			return err
		}
		w.streams++
		g = &subgroup{stream: stream, form: over.ObjectForm(w.properties[key])}
		w.open[key] = g
		b, err = over.AppendSubgroupHeader(b, egress.SubgroupHeader{
			TrackAlias: w.out.Alias(), Group: key.Group, Subgroup: key.Subgroup, Priority: model.Some(o.priority),
			Properties: w.properties[key], FirstObject: true,
		})
		if err != nil {
			return err
		}
	}
	props, err := hall.EncodeProperties(g.form, o.properties)
	if err != nil {
		return err
	}
	b, err = g.form.AppendObject(b, g.prev, track.ObjectHeader{ID: o.at.Object, Properties: props, PayloadLen: uint64(len(o.payload))})
	if err != nil {
		return err
	}
	g.prev = model.Some(o.at.Object)
	stop := context.AfterFunc(w.s.ctx, func() { _ = g.stream.SetWriteDeadline(time.Now()) }) // a relay that reads nothing
	defer stop()
	if _, err := g.stream.Write(append(b, o.payload...)); err != nil {
		return err
	}
	if w.left[key]--; w.left[key] == 0 {
		return g.stream.Close()
	}
	return nil
}

// collector receives the objects of a subscription.
type collector struct {
	mu      sync.Mutex
	objects []object // in the order in which they came
	streams uint64
	wrong   string // the first thing that no object list can show
}

// ReceiveSubgroup implements session.Receiver.
func (c *collector) ReceiveSubgroup(r *session.SubgroupReader) {
	c.mu.Lock()
	c.streams++
	c.mu.Unlock()
	in := r.Inbound()
	priority := r.Header.Priority.Or(defaultPriority(in.Offer.Properties))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		var payload []byte
		if err == nil {
			payload, err = r.Payload()
		}
		var props model.Properties
		if err == nil {
			props, err = in.Session().ObjectProperties(h.Properties)
		}
		if err != nil {
			c.note(fmt.Sprintf("a subgroup stream of group %d ends without FIN: %s", r.Header.Group, received(err)))
			return
		}
		if h.Status != model.StatusNormal {
			continue // marks of ends are not asked for, and not forbidden
		}
		id, _ := r.SubgroupID()
		c.mu.Lock()
		c.objects = append(c.objects, object{
			at: model.Location{Group: r.Header.Group, Object: h.ID}, subgroup: id, priority: priority,
			payload: string(payload), properties: props,
		})
		c.mu.Unlock()
	}
}

// ReceiveDatagram implements session.Receiver.
func (c *collector) ReceiveDatagram(d *session.Datagram) {
	c.note(fmt.Sprintf("object %d/%d comes in a datagram", d.Group, d.Object))
}

func (c *collector) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong == "" {
		c.wrong = text
	}
}

func (c *collector) streamCount() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams
}

// defaultPriority is that of objects whose stream states none.
func defaultPriority(track model.Properties) uint8 {
	if v, ok := track.Int(model.PropDefaultPriority); ok && v <= 255 {
		return uint8(v)
	}
	return model.DefaultPriority
}

// progress says how much has come.
func (c *collector) progress(want []object) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := fmt.Sprintf("%d of %s came on %s", len(c.objects), plural(uint64(len(want)), "object"), plural(c.streams, "stream"))
	if c.wrong != "" {
		text += ", and " + c.wrong
	}
	return text
}

func plural(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
