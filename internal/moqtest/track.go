package moqtest

import (
	"bytes"
	"hash/fnv"
	"math/bits"
	"time"

	"oxymoq/pkg/model"
)

// filler is what all payloads consist of.
const filler = 't'

// The publisher priorities of groups, which moxygen's server sends.
const (
	evenPriority uint8 = 200
	oddPriority  uint8 = 201
)

// on reports whether v is one of first, first+step, … last.
func on(v, first, last, step uint64) bool {
	return v >= first && v <= last && (v-first)%step == 0
}

// Has reports whether the track has an object or END_OF_GROUP at l.
func (p Params) Has(l model.Location) bool {
	return on(l.Group, p.Start.Group, p.Last.Group, p.GroupStep) && on(l.Object, p.Start.Object, p.Last.Object, p.ObjectStep)
}

// marks reports whether what is at l is the END_OF_GROUP.
func (p Params) marks(l model.Location) bool { return p.EndOfGroup && l.Object == p.Last.Object }

// Object returns what is at l; ok is false if nothing ever is. Properties are the
// same each time, so that all copies of an object are equal.
func (p Params) Object(l model.Location) (o model.Object, ok bool) {
	if !p.Has(l) {
		return model.Object{}, false
	}
	o = model.Object{Location: l, Priority: model.Some(evenPriority), Datagram: p.Forwarding == Datagrams}
	if l.Group%2 == 1 {
		o.Priority.Value = oddPriority
	}
	switch p.Forwarding {
	case SubgroupPerObject:
		o.Subgroup = l.Object
	case TwoSubgroups:
		o.Subgroup = l.Object % 2
	}
	if p.marks(l) {
		o.Status = model.StatusEndOfGroup
		return o, true
	}
	o.Payload = bytes.Repeat([]byte{filler}, int(p.size(l)))
	o.Properties = p.properties(l)
	return o, true
}

// size is the length of the payload at l in bytes.
func (p Params) size(l model.Location) uint64 {
	if l.Object == p.Start.Object {
		return p.FirstSize
	}
	return p.Size
}

// hasProperties reports whether any object has properties.
func (p Params) hasProperties() bool { return p.IntProperty.Set || p.BytesProperty.Set }

// maxPropertyLen is the largest length of a property of bytes; the smallest is 1.
const maxPropertyLen = 20

// properties are those of an object, types ascending. Tracks that have any also
// say which groups and objects do not exist, as moxygen's newer server does.
func (p Params) properties(l model.Location) (list model.Properties) {
	if !p.hasProperties() {
		return nil
	}
	seed := chance(l)
	if n, ok := p.IntProperty.Get(); ok {
		list = append(list, model.Property{Type: 2 * n, Int: seed>>32 + 1})
	}
	if n, ok := p.BytesProperty.Get(); ok {
		b := make([]byte, 1+seed%maxPropertyLen)
		for i := range b {
			b[i] = byte(bits.RotateLeft64(seed, 8*i))
		}
		list = append(list, model.Property{Type: 2*n + 1, Bytes: b})
	}
	groups, objects := p.gaps(l)
	if groups > 0 {
		list = append(list, model.Property{Type: model.PropPriorGroupIDGap, Int: groups})
	}
	if objects > 0 {
		list = append(list, model.Property{Type: model.PropPriorObjectIDGap, Int: objects})
	}
	return sorted(list)
}

// gaps returns how many groups and how many objects before l do not exist, if the
// objects of the track say so.
func (p Params) gaps(l model.Location) (groups, objects uint64) {
	if !p.hasProperties() || p.marks(l) {
		return 0, 0
	}
	groups, objects = p.GroupStep-1, p.ObjectStep-1
	if l.Group == p.Start.Group {
		groups = p.Start.Group
	}
	if l.Object == p.Start.Object {
		objects = p.Start.Object
	}
	return groups, objects
}

// chance is a number for each location, always the same.
func chance(l model.Location) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.String())) // it never fails
	return h.Sum64()
}

// sorted puts a handful of properties in order.
func sorted(list model.Properties) model.Properties {
	for i := range list {
		for j := i; j > 0 && list[j].Type < list[j-1].Type; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

// First is the location of the first object.
func (p Params) First() model.Location { return p.Start }

// lastOf returns the largest ID of a row.
func lastOf(first, last, step uint64) uint64 { return last - (last-first)%step }

// End is the location of the last object or END_OF_GROUP.
func (p Params) End() model.Location {
	return model.Location{
		Group:  lastOf(p.Start.Group, p.Last.Group, p.GroupStep),
		Object: lastOf(p.Start.Object, p.Last.Object, p.ObjectStep),
	}
}

// Next returns the location after one of the track; ok is false at its end.
func (p Params) Next(l model.Location) (next model.Location, ok bool) {
	end := p.End()
	switch {
	case l.Object < end.Object:
		return model.Location{Group: l.Group, Object: l.Object + p.ObjectStep}, true
	case l.Group < end.Group:
		return model.Location{Group: l.Group + p.GroupStep, Object: p.Start.Object}, true
	}
	return model.Location{}, false
}

// Count returns how many objects there are, with the END_OF_GROUPs.
func (p Params) Count() uint64 {
	groups := (p.Last.Group-p.Start.Group)/p.GroupStep + 1
	objects := (p.Last.Object-p.Start.Object)/p.ObjectStep + 1
	over, n := bits.Mul64(groups, objects)
	if over > 0 {
		return maxNumber
	}
	return n
}

// Duration is how long it takes to publish the track; an hour stands for more.
func (p Params) Duration() time.Duration {
	if p.Interval > 0 && p.Count() > uint64(time.Hour/p.Interval) {
		return time.Hour
	}
	return time.Duration(p.Count()) * p.Interval
}
