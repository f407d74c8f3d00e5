package relay

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// tape is a Receiver that keeps everything that it is given.
type tape struct {
	mu        sync.Mutex
	streams   []taped
	datagrams []wire.Datagram
}

// taped is one subgroup stream.
type taped struct {
	Header  wire.SubgroupHeader
	Objects []wire.ObjectHeader
	Payload []string
	End     string
}

func (p *tape) ReceiveSubgroup(r *session.SubgroupReader) {
	one := taped{Header: r.Header}
	for {
		h, err := r.Next()
		if err != nil {
			one.End = err.Error()
			break
		}
		h.Properties = append([]byte(nil), h.Properties...)
		payload, err := r.Payload()
		if err != nil {
			one.End = err.Error()
			break
		}
		one.Objects, one.Payload = append(one.Objects, h), append(one.Payload, string(payload))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	one.Header.TrackAlias = 0 // each session has its own
	if one.Header.Mode != wire.SubgroupExplicit {
		one.Header.Mode = wire.SubgroupExplicit // the same, written another way
	}
	p.streams = append(p.streams, one)
}

func (p *tape) ReceiveDatagram(d *session.Datagram) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := *d
	kept.TrackAlias = 0
	kept.Properties, kept.Payload = append([]byte(nil), d.Properties...), append([]byte(nil), d.Payload...)
	p.datagrams = append(p.datagrams, kept)
}

func (p *tape) take() (streams []taped, datagrams []wire.Datagram) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	streams, datagrams, p.streams, p.datagrams = p.streams, p.datagrams, nil, nil
	return streams, datagrams
}

// emptyIsNil makes no difference between no bytes and none.
var emptyIsNil = cmpopts.EquateEmpty()

// TestSubgroupsPassUnchanged: whatever a header or an object says.
// Duties: 45, 46, 47, 49.
func TestSubgroupsPassUnchanged(t *testing.T) {
	props := testkit.Must(wire.AppendProperties(nil, wire.PropertyFormOf(model.Draft18), model.Properties{
		{Type: 0x06, Int: 1 << 40}, // LOC's timestamp
		{Type: model.PropImmutable, Bytes: []byte{0x80, 0x04, 0x07, 0x05, 0x02, 0xaa, 0xbb}}, // types 4 and 9, not in the shortest form
		{Type: 0x0d, Bytes: []byte("config")},
		{Type: 0x9d + 0x7f, Int: 3}, // grease
		{Type: 0x3801, Bytes: []byte{}},
	}))(t)
	big := strings.Repeat("y", 40_000)
	for _, tt := range []struct {
		name string
		h    wire.SubgroupHeader
	}{
		{"plain", wire.SubgroupHeader{Group: 1, Priority: model.Some(uint8(128)), FirstObject: true}},
		{"subgroup ID", wire.SubgroupHeader{Group: 1, Subgroup: 1 << 50, FirstObject: true}},
		{"subgroup ID without the first object", wire.SubgroupHeader{Group: 1, Subgroup: 9}},
		{"priority", wire.SubgroupHeader{Group: 1, Priority: model.Some(uint8(0)), FirstObject: true}},
		{"lowest priority", wire.SubgroupHeader{Group: 1, Priority: model.Some(uint8(255)), FirstObject: true}},
		{"default priority", wire.SubgroupHeader{Group: 1, FirstObject: true}},
		{"end of group", wire.SubgroupHeader{Group: 1, EndOfGroup: true, FirstObject: true}},
		{"properties", wire.SubgroupHeader{Group: 1, Properties: true, FirstObject: true}},
		{"large IDs", wire.SubgroupHeader{Group: 1<<63 + 5, Subgroup: 1<<64 - 1, EndOfGroup: true, Properties: true, FirstObject: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, sub := s.join(), s.join()
				pub.publish("moq-date", "date", session.Offer{})
				var tp tape
				if _, err := sub.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, &tp); err != nil {
					t.Fatal(err)
				}
				h := tt.h
				h.Mode = wire.SubgroupExplicit
				g := pub.open(pub.outbound("date"), h)
				want := taped{Header: h, End: "EOF"}
				for i, payload := range []string{"", "x", big, "z"} {
					o := wire.ObjectHeader{ID: uint64(i * i * 1000), PayloadLen: uint64(len(payload))}
					if !h.FirstObject {
						o.ID++ // nothing comes before object 0
					}
					if h.Properties && i != 1 {
						o.Properties = props
					}
					g.put(o, payload)
					want.Objects, want.Payload = append(want.Objects, o), append(want.Payload, payload)
				}
				g.Close()
				got, _ := tp.take()
				if len(got) != 1 {
					t.Fatalf("%d streams", len(got))
				}
				testkit.Equal(t, got[0], want, emptyIsNil)
			})
		})
	}
}

// Duties: 45, 49.
func TestDatagramsPassUnchanged(t *testing.T) {
	props := testkit.Must(wire.AppendProperties(nil, wire.PropertyFormOf(model.Draft18), model.Properties{
		{Type: 0x06, Int: 7}, {Type: model.PropImmutable, Bytes: []byte{0x04, 0x07}}, {Type: 0x3801, Bytes: []byte{1}},
	}))(t)
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		var tp tape
		if _, err := sub.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, &tp); err != nil {
			t.Fatal(err)
		}
		want := []wire.Datagram{
			{Group: 1, Priority: model.Some(uint8(3)), Payload: []byte("first")},
			{Group: 1, Object: 1, Payload: []byte("default priority")},
			{Group: 1, Object: 5, Properties: props, Payload: []byte("properties")},
			{Group: 1, Object: 6, EndOfGroup: true, Payload: []byte("last")},
			{Group: 2, Object: 0},
			{Group: 2, Object: 3, Status: model.StatusEndOfGroup},
			{Group: 1<<63 + 1, Object: 1 << 62, Payload: []byte("large IDs")},
		}
		alias := pub.outbound("date").Alias()
		for _, d := range want {
			d.TrackAlias = alias
			if err := pub.sess.Conn().SendDatagram(d.Append(nil, model.Draft18)); err != nil {
				t.Fatal(err)
			}
			s.settle()
		}
		streams, got := tp.take()
		if len(streams) > 0 {
			t.Errorf("%d streams", len(streams))
		}
		testkit.Equal(t, got, want, emptyIsNil)
	})
}

// TestTrackPropertiesPassUnchanged: in SUBSCRIBE_OK, PUBLISH, FETCH_OK and
// TRACK_STATUS.
// Duties: 19, 45.
func TestTrackPropertiesPassUnchanged(t *testing.T) {
	props := model.Properties{
		{Type: model.PropMaxCacheDuration, Int: 5000},
		{Type: model.PropImmutable, Bytes: []byte{0x04, 0x07, 0x05, 0x01, 0xff}},
		{Type: model.PropDefaultPriority, Int: 7},
		{Type: model.PropDefaultGroupOrder, Int: 2},
		{Type: 0x1234, Int: 99},
		{Type: 0x3801, Bytes: []byte("unknown")},
	}
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, viewer := s.join(), s.join(), s.join()
		out := pub.push(date, session.Offer{Properties: props})
		viewer.collect("moq-date", true)
		in := sub.mustSubscribe(date)
		pub.stream(out, 1, 0, 1)
		s.settle()
		testkit.Equal(t, in.Offer.Properties, props, emptyIsNil)
		testkit.Equal(t, viewer.in[0].Offer.Properties, props)
		offer := testkit.Must(sub.TrackStatusOf(date))(t)
		testkit.Equal(t, offer.Properties, props)
		f := testkit.Must(sub.sess.Fetch(t.Context(), session.FetchOptions{Track: date, Range: span(1, 0, 1, 0)}))(t)
		info := testkit.Must(f.OK(t.Context()))(t)
		testkit.Equal(t, info.Properties, props)
		f.Cancel()
	})
}

// TestFetchedObjectsPassUnchanged: from the publisher and from the log.
// Duties: 45, 60.
func TestFetchedObjectsPassUnchanged(t *testing.T) {
	props := testkit.Must(wire.AppendProperties(nil, wire.PropertyFormOf(model.Draft18), model.Properties{
		{Type: 0x06, Int: 7}, {Type: model.PropImmutable, Bytes: []byte{0x04, 0x07}}, {Type: 0x3801, Bytes: []byte{1}},
	}))(t)
	want := []wire.FetchItem{
		{Kind: wire.FetchObject, Location: loc(5, 0), Subgroup: 4, Priority: 9, Properties: props, PayloadLen: 1},
		{Kind: wire.FetchObject, Location: loc(5, 1), Subgroup: 4, Priority: 9, PayloadLen: 1},
		{Kind: wire.FetchObject, Location: loc(5, 2), Datagram: true, Priority: 200, Properties: props, PayloadLen: 1},
		{Kind: wire.FetchObject, Location: loc(5, 3), Subgroup: 1 << 60, Priority: 0, PayloadLen: 1},
	}
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, p, f := s.asked(session.FetchOptions{})
		for _, item := range want {
			p.item(item, "!")
		}
		p.finish()
		read := func(why string, f *session.Fetch) {
			t.Helper()
			for i, w := range want {
				got := testkit.Must(f.Next(t.Context()))(t)
				got.Properties = append([]byte(nil), got.Properties...)
				if payload := testkit.Must(f.Payload())(t); string(payload) != "!" {
					t.Errorf("%s: payload %q", why, payload)
				}
				if got.Datagram {
					got.Subgroup = 0 // means nothing
				}
				if d := cmp.Diff(w, got, emptyIsNil); d != "" {
					t.Errorf("%s: item %d (-want +got):\n%s", why, i, d)
				}
			}
			f.Cancel()
		}
		read("passing", f)
		pass(time.Second)
		again := testkit.Must(s.join().sess.Fetch(t.Context(), session.FetchOptions{Track: date, Range: span(5, 0, 5, 3)}))(t)
		read("from the log", again)
		pub.wantCounts("one fetch", 1, 1)
	})
}

// TestFirstObjectBit: it is set only where it is true.
// Duties: 49.
func TestFirstObjectBit(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, early := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		var all, some tape
		if _, err := early.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, &all); err != nil {
			t.Fatal(err)
		}
		out := pub.outbound("date")
		g := pub.stream(out, 1, 0, 2)
		s.settle()
		if _, err := s.join().sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, &some); err != nil {
			t.Fatal(err)
		}
		g.write(1)
		g.Close()
		pub.stream(out, 2, 3, 1).Close() // which the publisher says is not the first
		pub.stream(out, 3, 0, 1).Close()
		bits := func(p *tape) string {
			var b strings.Builder
			streams, _ := p.take()
			for group := uint64(1); group <= 3; group++ {
				for _, st := range streams {
					if st.Header.Group == group && st.Header.FirstObject {
						b.WriteString("first ")
					} else if st.Header.Group == group {
						b.WriteString("later ")
					}
				}
			}
			return b.String()
		}
		if got := bits(&all); got != "first later first " {
			t.Errorf("who was there: %s", got)
		}
		if got := bits(&some); got != "later later first " {
			t.Errorf("who came in between: %s", got)
		}
	})
}
