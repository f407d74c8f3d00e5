package moqtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// arrival is an object as it came.
type arrival struct {
	model.Object     // its payload is left out
	size         int // of the payload in bytes
	wrongByte    int // place of the first that is not the filler, -1 if all are
	stream       int // number of its stream, from 0; -1 if it came in a datagram
}

// newArrival notes an object with its payload.
func newArrival(o model.Object, payload []byte, stream int) arrival {
	a := arrival{Object: o, size: len(payload), wrongByte: -1, stream: stream}
	for i, b := range payload {
		if b != filler {
			a.wrongByte = i
			break
		}
	}
	return a
}

// collector receives the objects of a subscription.
type collector struct {
	session *session.Session // set before the first object

	mu      sync.Mutex
	came    []arrival
	streams int
	// cut are subgroups whose stream was reset, and why.
	cut   map[subgroup]error
	wrong error // the first thing that cannot be told by objects
}

// subgroup names one.
type subgroup struct{ group, id uint64 }

func newCollector(s *session.Session) *collector {
	return &collector{session: s, cut: map[subgroup]error{}}
}

// ReceiveSubgroup implements session.Receiver.
func (c *collector) ReceiveSubgroup(r *session.SubgroupReader) {
	c.mu.Lock()
	stream := c.streams
	c.streams++
	c.mu.Unlock()
	priority := r.Header.Priority.Or(defaultPriority(r.Inbound().Offer.Properties))
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
			props, err = c.session.ObjectProperties(h.Properties)
		}
		id, _ := r.SubgroupID()
		c.mu.Lock()
		if err != nil {
			c.cut[subgroup{r.Header.Group, id}] = err
			c.mu.Unlock()
			return
		}
		o := model.Object{
			Location: model.Location{Group: r.Header.Group, Object: h.ID}, Subgroup: id,
			Priority: model.Some(priority), Status: h.Status, Properties: props,
		}
		c.came = append(c.came, newArrival(o, payload, stream))
		c.mu.Unlock()
	}
}

// ReceiveDatagram implements session.Receiver.
func (c *collector) ReceiveDatagram(d *session.Datagram) {
	props, err := c.session.ObjectProperties(d.Properties)
	at := model.Location{Group: d.Group, Object: d.Object}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.wrong == nil {
		c.wrong = failf("the properties of object %v cannot be read: %v", at, err)
	}
	o := model.Object{
		Location: at, Datagram: true, Priority: model.Some(d.Priority.Or(model.DefaultPriority)), Status: d.Status, Properties: props,
	}
	c.came = append(c.came, newArrival(o, d.Payload, -1))
}

// defaultPriority is that of objects whose stream states none.
func defaultPriority(track model.Properties) uint8 {
	if v, ok := track.Int(model.PropDefaultPriority); ok && v <= 255 {
		return uint8(v)
	}
	return model.DefaultPriority
}

// fetched reads the objects of a FETCH to its end.
func fetched(ctx context.Context, f *session.Fetch, s *session.Session) (came []arrival, err error) {
	for {
		item, err := f.Next(ctx)
		if errors.Is(err, io.EOF) {
			return came, nil
		}
		if err != nil {
			return came, err
		}
		if item.Kind != session.FetchObject {
			continue // what is missing is seen in the objects
		}
		payload, err := f.Payload()
		if err != nil {
			return came, fmt.Errorf("object %v: %w", item.Location, err)
		}
		props, err := s.ObjectProperties(item.Properties)
		if err != nil {
			return came, fmt.Errorf("object %v: %w", item.Location, err)
		}
		came = append(came, newArrival(model.Object{
			Location: item.Location, Subgroup: item.Subgroup, Datagram: item.Datagram,
			Priority: model.Some(item.Priority), Properties: props,
		}, payload, 0))
	}
}
