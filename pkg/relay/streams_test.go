package relay

import (
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// stream opens a subgroup stream of a group with objects from first on, each
// with its location as payload, and leaves it open.
func (a *actor) stream(out *session.Outbound, group, first, n uint64) *subgroup {
	a.t.Helper()
	g := a.open(out, session.SubgroupHeader{Group: group, Priority: model.Some(uint8(128)), FirstObject: first == 0})
	g.next = first
	g.write(n)
	return g
}

// single sends an object on a stream and in a subgroup of its own.
func (a *actor) single(out *session.Outbound, l model.Location) {
	a.t.Helper()
	g := a.open(out, session.SubgroupHeader{
		Group: l.Group, Mode: wire.SubgroupExplicit, Subgroup: l.Object, Priority: model.Some(uint8(128)), FirstObject: true,
	})
	g.next = l.Object
	g.write(1)
	g.Close()
}

// open opens a subgroup stream with a header.
func (a *actor) open(out *session.Outbound, h session.SubgroupHeader) *subgroup {
	a.t.Helper()
	st, err := a.sess.Conn().OpenUniStream(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	h.TrackAlias = out.Alias()
	if _, err := st.Write(h.Append(nil, a.sess.Draft())); err != nil {
		a.t.Fatal(err)
	}
	return &subgroup{t: a.t, SendStream: st, group: h.Group, form: wire.FormOf(a.sess.Draft(), h.Properties)}
}

// subgroup is the stream of a subgroup.
type subgroup struct {
	session.SendStream
	t     *testing.T
	group uint64
	form  wire.ObjectForm
	next  uint64
	prev  model.Opt[uint64]
}

// put sends an object.
func (g *subgroup) put(h wire.ObjectHeader, payload string) {
	g.t.Helper()
	h.PayloadLen = uint64(len(payload))
	g.promise(h, payload)
}

// promise sends the beginning of an object of h.PayloadLen bytes.
func (g *subgroup) promise(h wire.ObjectHeader, payload string) {
	g.t.Helper()
	b := g.form.AppendObject(nil, g.prev, h)
	if _, err := g.Write(append(b, payload...)); err != nil {
		g.t.Error(err)
	}
	g.prev = model.Some(h.ID)
	g.next = h.ID + 1
}

func (g *subgroup) write(n uint64) {
	for range n {
		payload := model.Location{Group: g.group, Object: g.next}.String()
		g.put(wire.ObjectHeader{ID: g.next, PayloadLen: uint64(len(payload))}, payload)
	}
}

// end marks the end of the group and closes the stream.
func (g *subgroup) end() {
	g.put(wire.ObjectHeader{ID: g.next, Status: model.StatusEndOfGroup}, "")
	g.Close()
}
