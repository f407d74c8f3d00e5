package moqtest

import (
	"bytes"
	"errors"
	"fmt"

	"oxymoq/pkg/model"
)

// DefaultDrops is how many datagrams in a hundred may be lost; one always may.
const DefaultDrops = 1

// check is what some objects are compared with.
type check struct {
	params Params
	// exact compares what a publisher chooses too: priorities and the values of
	// properties. Publishers other than a Server choose others.
	exact bool
	// drops is the percentage of datagrams that may be lost.
	drops int
	// late forgives what was cut off because a delivery timeout had passed.
	late bool
	// fetch says that the objects came by FETCH: in order, without END_OF_GROUP,
	// and what was a datagram may be in a subgroup of its own.
	fetch bool
}

// each returns the first thing that is wrong with one of the objects by itself or
// with their order, nil if nothing is.
func (c *check) each(came []arrival) error {
	seen := make(map[model.Location]bool)
	newest := make(map[int]model.Location) // by stream
	for _, a := range came {
		if !c.params.Has(a.Location) {
			return failf("object %v came, which the track has not", a.Location)
		}
		if seen[a.Location] {
			return failf("object %v came twice", a.Location)
		}
		seen[a.Location] = true
		if before, some := newest[a.stream]; a.stream >= 0 && some && !before.Less(a.Location) {
			return failf("object %v came after %v on one stream", a.Location, before)
		}
		newest[a.stream] = a.Location
		if err := c.object(a); err != nil {
			return err
		}
	}
	return nil
}

// object compares one.
func (c *check) object(a arrival) error {
	want, _ := c.params.Object(a.Location)
	differs := func(what string, got, want any) error {
		return failf("object %v has %s %v and not %v", a.Location, what, got, want)
	}
	switch {
	case c.fetch && want.Status != model.StatusNormal:
		return failf("object %v was fetched, which is an END_OF_GROUP", a.Location)
	case a.Status != want.Status:
		return differs("the status", a.Status, want.Status)
	case a.Datagram != want.Datagram && !(c.fetch && want.Datagram && a.Subgroup == a.Location.Object):
		return failf("object %v came in %s and not in %s", a.Location, carrier(a.Datagram), carrier(want.Datagram))
	case !want.Datagram && a.Subgroup != want.Subgroup && !c.relativeParity(a):
		return differs("the Subgroup ID", a.Subgroup, want.Subgroup)
	case a.size != len(want.Payload):
		return differs("a payload of bytes", a.size, len(want.Payload))
	case a.wrongByte >= 0:
		return failf("object %v has another byte than %q at %d", a.Location, filler, a.wrongByte)
	case c.exact && a.Priority != want.Priority:
		return differs("the publisher priority", a.Priority.Value, want.Priority.Value)
	}
	return c.properties(a, want.Properties)
}

// relativeParity forgives a publisher that is not a Server: in answer to FETCH
// moxygen's counts even and odd from the first object.
func (c *check) relativeParity(a arrival) bool {
	return c.fetch && !c.exact && c.params.Forwarding == TwoSubgroups && a.Subgroup == (a.Location.Object-c.params.Start.Object)%2
}

func carrier(datagram bool) string {
	if datagram {
		return "a datagram"
	}
	return "a stream"
}

// timestampProperty is one that moxygen's server adds if it is told to.
const timestampProperty = 0xC000

// properties compares those of an object. That groups or objects do not exist may
// be left out, but what is said must be true.
func (c *check) properties(a arrival, want model.Properties) error {
	missing := func(p model.Property) bool {
		return p.Type != model.PropPriorGroupIDGap && p.Type != model.PropPriorObjectIDGap
	}
	var left model.Properties
	for _, p := range a.Properties {
		if p.Type != timestampProperty {
			left = append(left, p)
		}
	}
	for _, w := range want {
		i := 0
		for i < len(left) && left[i].Type != w.Type {
			i++
		}
		if i == len(left) {
			if c.exact && !c.fetch || missing(w) {
				return failf("object %v came without its property of type %#x", a.Location, w.Type)
			}
			continue
		}
		if (c.exact || !missing(w)) && (left[i].Int != w.Int || !bytes.Equal(left[i].Bytes, w.Bytes)) {
			return failf("object %v has the property %s and not %s", a.Location, property(left[i]), property(w))
		}
		left = append(left[:i:i], left[i+1:]...)
	}
	if len(left) > 0 {
		return failf("object %v has the property %s, which it was not sent with", a.Location, property(left[0]))
	}
	return nil
}

func property(p model.Property) string {
	if p.Type%2 == 1 {
		return fmt.Sprintf("%#x with bytes %x", p.Type, p.Bytes)
	}
	return fmt.Sprintf("%#x with %d", p.Type, p.Int)
}

// all returns why the objects are not those of the range, if they are not.
func (c *check) all(came []arrival, cut map[subgroup]error, r model.Range) error {
	if err := c.each(came); err != nil {
		return err
	}
	have := make(map[model.Location]bool)
	for _, a := range came {
		if !r.Contains(a.Location) {
			return failf("object %v came, which was not asked for", a.Location)
		}
		have[a.Location] = true
	}
	var want, lost uint64
	var first error
	for at, more := c.params.First(), true; more; at, more = c.params.Next(at) {
		if !r.Contains(at) || c.fetch && c.params.marks(at) {
			continue
		}
		want++
		if have[at] || c.forgiven(at, cut) {
			continue
		}
		if lost++; first == nil {
			first = c.missing(at, cut)
		}
	}
	switch {
	case lost == 0:
		return c.whole(cut)
	case c.params.Forwarding == Datagrams && !c.fetch && len(came) > 0 && lost <= max(1, want*uint64(c.drops)/100):
		return nil
	case lost > 1:
		return failf("%d of %d objects did not come, the first of them: %v", lost, want, first)
	}
	return first
}

func (c *check) missing(at model.Location, cut map[subgroup]error) error {
	o, _ := c.params.Object(at)
	if err := cut[subgroup{at.Group, o.Subgroup}]; err != nil && !o.Datagram {
		return failf("object %v did not come: its stream ended with %s", at, received(err))
	}
	return failf("object %v did not come", at)
}

// whole complains of streams that were cut though all their objects had come.
func (c *check) whole(cut map[subgroup]error) error {
	for sg, err := range cut {
		if !c.late || !timedOut(err) {
			return failf("a stream of group %d, subgroup %d ended with %s", sg.group, sg.id, received(err))
		}
	}
	return nil
}

// forgiven reports whether what is missing was too late to be sent.
func (c *check) forgiven(at model.Location, cut map[subgroup]error) bool {
	o, _ := c.params.Object(at)
	return c.late && timedOut(cut[subgroup{at.Group, o.Subgroup}])
}

func timedOut(err error) bool {
	e, ok := errors.AsType[*model.StreamError](err)
	return ok && e.Code == model.ResetDeliveryTimeout
}
