package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// allDrafts are those that a relay forwards between.
var allDrafts = []model.Draft{model.Draft18, model.Draft16, model.Draft14}

// joinDraft connects an actor that speaks a draft.
func (s *stage) joinDraft(d model.Draft, kind transport.Kind, opts ...memtr.Option) *actor {
	s.t.Helper()
	tokens := session.Protocols()
	i := slices.IndexFunc(tokens, func(p string) bool { spoken, _ := session.DraftOf(p); return spoken == d })
	if i < 0 {
		s.t.Fatalf("draft %v is not spoken", d)
	}
	a, err := s.enter(session.Config{Draft: d}, append(opts, memtr.WithProtocol(tokens[i]), memtr.WithKind(kind))...)
	if err != nil {
		s.t.Fatalf("draft %v: %v", d, err)
	}
	return a
}

// crossed is an object as one end of the relay sees it, in words that every draft
// has.
type crossed struct {
	Location   model.Location
	Subgroup   uint64
	Datagram   bool
	Priority   uint8 // the track's default is filled in
	Status     model.ObjectStatus
	EndOfGroup bool // of a datagram
	Properties model.Properties
	Payload    string
}

// crosser is an actor that keeps what it receives as crossed.
type crosser struct {
	*actor
	normal uint8 // the track's default priority

	mu   sync.Mutex
	got  []crossed
	ends []string // of subgroup streams: location of the subgroup, what the header said, how it ended
}

func (c *crosser) properties(raw []byte) model.Properties {
	list, err := c.sess.ObjectProperties(raw)
	if err != nil {
		c.t.Errorf("properties %x: %v", raw, err)
	}
	return list
}

func (c *crosser) ReceiveSubgroup(r *session.SubgroupReader) {
	for {
		h, err := r.Next()
		if err != nil {
			id, _ := r.SubgroupID()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ends = append(c.ends, fmt.Sprintf("%d.%d first %v, end of group %v: %v", r.Header.Group, id, r.Header.FirstObject, r.Header.EndOfGroup, err))
			return
		}
		o := crossed{
			Location: model.Location{Group: r.Header.Group, Object: h.ID}, Priority: r.Header.Priority.Or(c.normal),
			Status: h.Status, Properties: c.properties(h.Properties),
		}
		o.Subgroup, _ = r.SubgroupID()
		payload, err := r.Payload()
		if err != nil {
			c.t.Errorf("%v: %v", o.Location, err)
		}
		o.Payload = string(payload)
		c.mu.Lock()
		c.got = append(c.got, o)
		c.mu.Unlock()
	}
}

func (c *crosser) ReceiveDatagram(d *session.Datagram) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, crossed{
		Location: model.Location{Group: d.Group, Object: d.Object}, Datagram: true, Priority: d.Priority.Or(c.normal), Status: d.Status,
		EndOfGroup: d.EndOfGroup, Properties: c.properties(d.Properties), Payload: string(d.Payload),
	})
}

// take returns what came, in order, and forgets it.
func (c *crosser) take() (objects []crossed, ends []string) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	objects, ends, c.got, c.ends = c.got, c.ends, nil, nil
	slices.SortFunc(objects, func(a, b crossed) int { return a.Location.Compare(b.Location) })
	slices.Sort(ends)
	return objects, ends
}

// past fetches a range and returns its objects.
func (c *crosser) past(track model.FullTrackName, r model.Range) (objects []crossed, err error) {
	f, err := c.sess.Fetch(c.t.Context(), session.FetchOptions{Track: track, Range: r})
	if err != nil {
		return nil, err
	}
	for {
		item, err := f.Next(c.t.Context())
		if err == io.EOF {
			_, err := f.OK(c.t.Context())
			return objects, err
		}
		if err != nil {
			return objects, err
		}
		if item.Kind != wire.FetchObject {
			return objects, fmt.Errorf("an end of a range at %v", item.Location)
		}
		o := crossed{
			Location: item.Location, Subgroup: item.Subgroup, Datagram: item.Datagram, Priority: item.Priority,
			Properties: c.properties(item.Properties),
		}
		payload, err := f.Payload()
		if err != nil {
			return objects, err
		}
		o.Payload = string(payload)
		objects = append(objects, o)
	}
}

// encoded writes properties in the form of the actor's draft.
func (a *actor) encoded(p model.Properties) []byte {
	a.t.Helper()
	return testkit.Must(wire.AppendProperties(nil, wire.PropertyFormOf(a.sess.Draft()), p))(a.t)
}

// all is a list of every kind of property: known to nobody, of either type, with
// small and large integers and long bytes, and immutable ones.
var all = model.Properties{
	{Type: 0x06, Int: 63},
	{Type: model.PropImmutable, Bytes: []byte{0x04, 0x80, 0xc8, 0x05, 0x02, 0xaa, 0xbb}}, // types 4 and 9
	{Type: 0x0d, Bytes: []byte("odd")},
	{Type: 0x10, Int: 1<<62 - 1},
	{Type: 0x3800, Int: 0},
	{Type: 0x3801, Bytes: []byte(strings.Repeat("b", 300))},
}

const normalPriority = 77 // the default of the tracks here, where their draft has one

// script is what the publisher of a crossing sends on streams.
func (c *crossing) script() {
	t, pub, out := c.t, c.pub, c.pub.outbound("streams")
	say := func(h wire.SubgroupHeader, objects ...crossed) {
		t.Helper()
		priority := h.Priority.Or(c.normal())
		if h.Mode == wire.SubgroupFirstObject {
			h.Subgroup = objects[0].Location.Object
		}
		g := pub.open(out, h)
		for _, o := range objects {
			o.Location.Group, o.Subgroup, o.Priority = h.Group, h.Subgroup, priority
			g.put(wire.ObjectHeader{ID: o.Location.Object, Status: o.Status, Properties: pub.encoded(o.Properties)}, o.Payload)
			if o.Status != model.StatusDoesNotExist {
				c.want = append(c.want, o)
			}
		}
		testkit.NoErr(t, g.Close())
		synctest.Wait()
		knows := wire.TellsFirstObject(c.to) && (objects[0].Location.Object == 0 || h.FirstObject && wire.TellsFirstObject(c.from) || h.Mode == wire.SubgroupFirstObject && !wire.TellsFirstObject(c.from))
		c.ends = append(c.ends, fmt.Sprintf("%d.%d first %v, end of group %v: EOF", h.Group, h.Subgroup, knows, h.EndOfGroup))
	}
	id := func(n uint64, payload string) crossed { return crossed{Location: loc(0, n), Payload: payload} }
	with := func(o crossed, p ...model.Property) crossed { o.Properties = p; return o }
	marked := func(n uint64, s model.ObjectStatus) crossed { return crossed{Location: loc(0, n), Status: s} }

	say(wire.SubgroupHeader{Group: 1, FirstObject: true, EndOfGroup: true}, id(0, "default priority"), id(1, ""), id(200, "a gap"))
	say(wire.SubgroupHeader{Group: 2, Priority: model.Some(uint8(200)), Mode: wire.SubgroupExplicit, Subgroup: 100, FirstObject: true, Properties: true},
		with(id(0, "all"), all...), id(1, "none"), with(id(2, ""), model.Property{Type: 2, Int: 5}))
	say(wire.SubgroupHeader{Group: 2, Priority: model.Some(uint8(201)), Mode: wire.SubgroupFirstObject, FirstObject: true}, id(70, "another subgroup"), id(71, strings.Repeat("x", 40_000)))
	say(wire.SubgroupHeader{Group: 6, Properties: true, FirstObject: true},
		with(id(9, "gaps"), model.Property{Type: model.PropPriorGroupIDGap, Int: 3}, model.Property{Type: model.PropPriorObjectIDGap, Int: 9}))
	say(wire.SubgroupHeader{Group: 7, Mode: wire.SubgroupExplicit, Subgroup: 3}, id(4, "not the first"))
	if c.from == model.Draft14 { // what does not exist is left out
		say(wire.SubgroupHeader{Group: 8}, id(0, "before"), marked(1, model.StatusDoesNotExist), id(2, "behind"))
	}
	say(wire.SubgroupHeader{Group: 9, FirstObject: true}, id(0, "x"), marked(1, model.StatusEndOfGroup))
	say(wire.SubgroupHeader{Group: 10, FirstObject: true}, id(0, "last"), marked(1, model.StatusEndOfTrack))
	synctest.Wait()
}

// datagrams is what it sends in datagrams.
func (c *crossing) datagrams() {
	pub, out := c.pub, c.pub.outbound("datagrams")
	for _, d := range []wire.Datagram{
		{Group: 1, Payload: []byte("default priority")},
		{Group: 1, Object: 1, Priority: model.Some(uint8(9)), Payload: []byte("priority")},
		{Group: 1, Object: 100, EndOfGroup: true, Properties: pub.encoded(all), Payload: []byte("all")},
		{Group: 2, Object: 5, Properties: pub.encoded(model.Properties{{Type: model.PropPriorObjectIDGap, Int: 5}}), Payload: []byte("a gap")},
		{Group: 2, Object: 6},
		{Group: 2, Object: 7, Status: model.StatusDoesNotExist},
		{Group: 2, Object: 8, Status: model.StatusEndOfGroup},
		{Group: 1 << 40, Object: 1 << 40, Payload: []byte("large IDs")},
	} {
		if d.Status == model.StatusDoesNotExist && c.from != model.Draft14 {
			continue
		}
		d.TrackAlias = out.Alias()
		if !d.Priority.Set && !wire.HasDefaultPriority(c.from) {
			d.Priority = model.Some(c.normal())
		}
		testkit.NoErr(c.t, pub.sess.Conn().SendDatagram(d.Append(nil, c.from)))
		synctest.Wait()
		if d.Status != model.StatusDoesNotExist {
			c.want = append(c.want, crossed{
				Location: loc(d.Group, d.Object), Datagram: true, Priority: d.Priority.Or(c.normal()), Status: d.Status, EndOfGroup: d.EndOfGroup,
				Properties: testkit.Must(pub.sess.ObjectProperties(d.Properties))(c.t), Payload: string(d.Payload),
			})
		}
	}
}

// crossing is a track on its way from one draft to another.
type crossing struct {
	t        *testing.T
	s        *stage
	from, to model.Draft
	pub      *actor
	sub      *crosser

	want []crossed // what the publisher sent
	ends []string
}

// normal is the default priority of what the publisher sends.
func (c *crossing) normal() uint8 {
	if wire.HasDefaultPriority(c.from) {
		return normalPriority
	}
	return model.DefaultPriority
}

// begin connects the two ends and subscribes to a track.
func (c *crossing) begin(track string, kind transport.Kind) *session.Inbound {
	c.t.Helper()
	c.pub, c.sub = c.s.joinDraft(c.from, kind), &crosser{actor: c.s.joinDraft(c.to, kind), normal: model.DefaultPriority}
	c.pub.publish("drafts", track, session.Offer{Properties: properties(c.from)})
	in := testkit.Must(c.sub.sess.Subscribe(c.t.Context(), session.SubscribeOptions{Track: name("drafts", track)}, c.sub))(c.t)
	if p, ok := in.Offer.Properties.Int(model.PropDefaultPriority); ok {
		c.sub.normal = uint8(p)
	}
	return in
}

// properties are the track properties of a publisher: all that its draft has words
// for.
func properties(d model.Draft) model.Properties {
	timeouts := model.Properties{{Type: model.PropObjectDeliveryTimeout, Int: 60_000}, {Type: model.PropMaxCacheDuration, Int: 1 << 40}}
	order := model.Property{Type: model.PropDefaultGroupOrder, Int: uint64(model.Descending)}
	if d == model.Draft14 {
		return append(timeouts, order)
	}
	return append(timeouts,
		model.Property{Type: model.PropImmutable, Bytes: []byte{0x04, 0x80, 0xc8}},
		model.Property{Type: model.PropDefaultPriority, Int: normalPriority}, order,
		model.Property{Type: model.PropDynamicGroups, Int: 1}, model.Property{Type: 0x3801, Bytes: []byte("odd")})
}

// compare compares what came with what was sent, and returns how much that is.
func (c *crossing) compare(what string, want, got []crossed) int {
	c.t.Helper()
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b crossed) int { return a.Location.Compare(b.Location) })
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		c.t.Errorf("%s, draft %v to %v (-want +got):\n%s", what, c.from, c.to, diff)
	}
	return len(got)
}

// fetched is what a fetch stream says of objects: no markers, and in draft 14 not
// which were datagrams.
func (c *crossing) fetched(objects []crossed) (out []crossed) {
	for _, o := range objects {
		if o.Status != model.StatusNormal {
			continue
		}
		o.EndOfGroup = false
		if o.Datagram && !wire.FetchSaysDatagram(c.to) {
			o.Datagram, o.Subgroup = false, o.Location.Object
		}
		out = append(out, o)
	}
	return out
}

var everyObject = model.Range{End: loc(1<<41, 0)}

// TestEveryObjectFromDraftToDraft is the matrix: whatever a publisher of one draft
// says arrives at a subscriber of another, as far as both have words for it.
// Duties in drafts 18, 16, 14: 45, 49.
func TestEveryObjectFromDraftToDraft(t *testing.T) {
	table := []string{"from to kind          streams datagrams past passing"}
	for _, from := range allDrafts {
		for _, to := range allDrafts {
			for _, kind := range []transport.Kind{transport.QUIC, transport.WebTransport} {
				var streams, datagrams, past, passing int
				t.Run(fmt.Sprintf("%v to %v, %v", from, to, kind), func(t *testing.T) {
					crossed := func(f func(c *crossing)) {
						play(t, Config{}, func(t *testing.T, s *stage) { f(&crossing{t: t, s: s, from: from, to: to}) })
					}
					crossed(func(c *crossing) {
						in := c.begin("streams", kind)
						c.wantProperties(in.Offer.Properties)
						c.script()
						got, ends := c.sub.take()
						streams = c.compare("streams", c.want, got)
						slices.Sort(c.ends)
						if diff := cmp.Diff(c.ends, ends); diff != "" {
							c.t.Errorf("ends of streams (-want +got):\n%s", diff)
						}
						c.pub.fetching = c.serve // of what is missing nobody said that it does not exist
						old, err := c.sub.past(name("drafts", "streams"), everyObject)
						testkit.NoErr(c.t, err)
						past = c.compare("past of streams", c.fetched(c.want), old)
						_, before := c.pub.counts()
						old, err = c.sub.past(name("drafts", "streams"), everyObject)
						testkit.NoErr(c.t, err)
						c.compare("past of streams, from the log", c.fetched(c.want), old)
						if _, fetches := c.pub.counts(); fetches != before {
							c.t.Error("the publisher was asked for what the relay holds")
						}
					})
					crossed(func(c *crossing) {
						c.begin("datagrams", kind)
						c.datagrams()
						got, _ := c.sub.take()
						datagrams = c.compare("datagrams", c.want, got)
						c.pub.fetching = c.serve
						old, err := c.sub.past(name("drafts", "datagrams"), everyObject)
						testkit.NoErr(c.t, err)
						past += c.compare("past of datagrams", c.fetched(c.want), old)
					})
					crossed(func(c *crossing) { passing = c.passing(kind) })
				})
				table = append(table, fmt.Sprintf("%4v %2v %-13v %7d %9d %4d %7d", from, to, kind, streams, datagrams, past, passing))
			}
		}
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// wantProperties compares what the subscriber is told of the track.
func (c *crossing) wantProperties(got model.Properties) {
	c.t.Helper()
	want := properties(c.from)
	if c.to == model.Draft14 {
		want = properties(model.Draft14)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("track properties (-want +got):\n%s", diff)
	}
}

// passing fetches what only the publisher has.
func (c *crossing) passing(kind transport.Kind) int {
	c.pub, c.sub = c.s.joinDraft(c.from, kind), &crosser{actor: c.s.joinDraft(c.to, kind)}
	c.pub.publish("drafts", "past", session.Offer{})
	c.pub.fetching = c.serve
	c.want = []crossed{
		{Location: loc(1, 0), Priority: 1, Payload: "first"},
		{Location: loc(1, 1), Subgroup: 70, Priority: 1, Properties: all, Payload: "all"},
		{Location: loc(1, 100), Subgroup: 70, Priority: 200},
		{Location: loc(9, 3), Subgroup: 1, Priority: 200, Payload: strings.Repeat("x", 40_000)},
	}
	if c.from != model.Draft14 && c.to != model.Draft14 { // which cannot tell
		c.want = append(c.want, crossed{Location: loc(9, 4), Datagram: true, Priority: 3, Payload: "a datagram"})
	}
	got, err := c.sub.past(name("drafts", "past"), everyObject)
	testkit.NoErr(c.t, err)
	n := c.compare("passing", c.want, got)

	c.want = nil // a range without objects
	got, err = c.sub.past(name("drafts", "nothing"), everyObject)
	refused := errors.Is(err, &model.RequestError{Code: model.NoObjects, Remote: true})
	if len(got) > 0 || refused == wire.FetchMayBeEmpty(c.to) || err != nil && !refused {
		c.t.Errorf("a range without objects: %v, %v", got, err)
	}
	return n
}

// serve answers a FETCH with what the publisher sent.
func (c *crossing) serve(ctx context.Context, r *session.FetchRequest) {
	if len(c.want) == 0 && !wire.FetchMayBeEmpty(c.from) {
		_ = r.Reject(&model.RequestError{Code: model.NoObjects, Reason: "nothing there"})
		return
	}
	if err := r.Accept(session.FetchInfo{End: r.Range.End}); err != nil {
		c.t.Error(err)
		return
	}
	st, enc, b, err := r.Open(ctx)
	for _, o := range c.want {
		if err == nil && o.Status == model.StatusNormal {
			b, err = enc.Append(b, wire.FetchItem{
				Location: o.Location, Subgroup: o.Subgroup, Datagram: o.Datagram, Priority: o.Priority,
				Properties: c.pub.encoded(o.Properties), PayloadLen: uint64(len(o.Payload)),
			})
			b = append(b, o.Payload...)
		}
	}
	if err == nil {
		_, err = st.Write(b)
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	_ = st.Close()
	r.Finish()
}
