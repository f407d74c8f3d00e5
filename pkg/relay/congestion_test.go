package relay

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// narrow is a link that carries half of what television sends.
var narrow = testkit.Link{Rate: 2e6, Queue: 32 << 10, Delay: 10 * time.Millisecond}

// joinOver is join over one of the carriers.
func (w *world) joinOver(k transport.Kind, h session.Handler, link testkit.Link) *session.Session {
	w.t.Helper()
	if k != transport.WebTransport {
		return w.join(h, link)
	}
	w.next++
	l := w.listen(fmt.Sprintf("10.0.1.%d:1234", w.next), link)
	conf := &tls.Config{InsecureSkipVerify: true}
	conn := testkit.Must(wttr.Dial(w.ctx, "https://"+relayAddr+"/", conf, session.Protocols(), quictr.Options{Via: l.Transport()}))(w.t)
	return testkit.Must(session.Start(w.ctx, conn, session.Config{Handler: h}))(w.t)
}

// onNarrow runs f with a relay and a publisher of tracks of the namespace "tv",
// once for each carrier.
func onNarrow(t *testing.T, f func(t *testing.T, w *world, k transport.Kind, tv *actor), tracks ...string) {
	for _, k := range []transport.Kind{transport.QUIC, transport.WebTransport} {
		t.Run(string(k), func(t *testing.T) {
			onNetwork(t, Config{}, func(t *testing.T, w *world) {
				tv := &actor{t: t, offers: map[string]session.Offer{}, out: map[string]*session.Outbound{}}
				for _, track := range tracks {
					tv.offers[track] = session.Offer{}
				}
				tv.sess = w.join(tv, testkit.Link{})
				testkit.Must(tv.sess.PublishNamespace(t.Context(), model.Namespace{"tv"}))(t)
				f(t, w, k, tv)
			})
		})
	}
}

// program is what a track sends: objects of a size at a pace, in groups.
type program struct {
	track    string
	size     int // of an object, in bytes
	pace     time.Duration
	perGroup uint64
	priority uint8
	next     uint64 // object, counted from the first
}

// Television: 4 Mbit/s of video and a little audio.
func video(track string, priority uint8) *program {
	return &program{track: track, size: 20_000, pace: 40 * time.Millisecond, perGroup: 25, priority: priority}
}

func audio(track string) *program {
	return &program{track: track, size: 200, pace: 20 * time.Millisecond, perGroup: 50, priority: model.DefaultPriority}
}

// broadcast publishes programs side by side, each a moment after the one before.
// The payload of an object begins with when it was published.
func (a *actor) broadcast(length time.Duration, programs ...*program) {
	a.t.Helper()
	var all sync.WaitGroup
	for i, p := range programs {
		out := a.outbound(p.track)
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond) // virtual, like all below
			var st *subgroup
			for range length / p.pace {
				group, object := p.next/p.perGroup, p.next%p.perGroup
				if object == 0 {
					st = a.open(out, session.SubgroupHeader{Group: group, Priority: model.Some(p.priority), FirstObject: true})
				}
				payload := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
				st.put(session.ObjectHeader{ID: object}, string(append(payload, make([]byte, p.size-len(payload))...)))
				if p.next++; object == p.perGroup-1 {
					_ = st.Close()
				}
				time.Sleep(p.pace)
			}
		})
	}
	all.Wait()
	synctest.Wait() // what can be noted is
}

// arrival is an object that came.
type arrival struct {
	at      model.Location
	sent    time.Time
	latency time.Duration
}

// timed notes when objects come.
type timed struct {
	mu  sync.Mutex
	got []arrival
}

func (v *timed) ReceiveSubgroup(r *session.SubgroupReader) {
	for {
		h, err := r.Next()
		if err != nil {
			return
		}
		payload, err := r.Payload()
		if err != nil {
			return
		}
		sent := time.Unix(0, int64(binary.BigEndian.Uint64(payload)))
		v.mu.Lock()
		v.got = append(v.got, arrival{loc(r.Header.Group, h.ID), sent, time.Since(sent)})
		v.mu.Unlock()
	}
}

func (v *timed) ReceiveDatagram(*session.Datagram) {}

// all returns what came so far, in order.
func (v *timed) all() []arrival {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.got)
}

// latency is what nine of ten objects of those that match did not exceed. A
// match of nothing is as late as can be.
func (v *timed) latency(match func(arrival) bool) time.Duration {
	var all []time.Duration
	for _, a := range v.all() {
		if match(a) {
			all = append(all, a.latency)
		}
	}
	if len(all) == 0 {
		return time.Hour
	}
	slices.Sort(all)
	return all[len(all)*9/10]
}

// tuneIn subscribes to a track of the television.
func tuneIn(t *testing.T, s *session.Session, track string, c session.Change) (*timed, *session.Inbound) {
	t.Helper()
	v := &timed{}
	in, err := s.Subscribe(t.Context(), session.SubscribeOptions{Track: name("tv", track), Change: c}, v)
	if err != nil {
		t.Fatal(err)
	}
	return v, in
}

func priority(p uint8) session.Change { return session.Change{Priority: model.Some(p)} }

// wantSooner says that one latency is a small part of another.
func wantSooner(t *testing.T, what string, fast, slow time.Duration) {
	t.Helper()
	t.Logf("%s: %v, not %v", what, fast, slow)
	if 3*fast > slow {
		t.Errorf("%s: %v is not far below %v", what, fast, slow)
	}
}

// TestAudioBeforeVideo: two subscribers behind links too narrow for what they
// ask for. One wants audio before video, and gets it on time. The other has no
// wish until it says so, by an update that does not wait for the data before it.
// Duties: 56, 59.
func TestAudioBeforeVideo(t *testing.T) {
	onNarrow(t, func(t *testing.T, w *world, k transport.Kind, tv *actor) {
		wise, plain := w.joinOver(k, nil, narrow), w.joinOver(k, nil, narrow)
		sound, _ := tuneIn(t, wise, "audio", priority(10))
		picture, _ := tuneIn(t, wise, "video", priority(200))
		late, in := tuneIn(t, plain, "audio", session.Change{})
		tuneIn(t, plain, "video", session.Change{})
		a, v := audio("audio"), video("video", model.DefaultPriority)
		tv.broadcast(4*time.Second, v, a)
		second := func(a arrival) bool { return a.at.Group >= 1 } // when the link is full
		before := late.latency(second)
		wantSooner(t, "audio with a priority", sound.latency(second), before)
		wantSooner(t, "audio beside video that starves", sound.latency(second), picture.latency(second))
		if n := len(picture.all()); n < 25 {
			t.Errorf("of the video came %d objects", n)
		}

		asked := time.Now()
		testkit.Must(in.Update(t.Context(), priority(10)))(t)
		wantSooner(t, "an update among the data", time.Since(asked), before)
		tv.broadcast(4*time.Second, v, a)
		after := late.latency(func(a arrival) bool { return a.sent.Sub(asked) > time.Second })
		wantSooner(t, "audio after the update", after, before)
	}, "audio", "video")
}

// TestPublisherPriorityBreaksTies: of two tracks that are the same to the
// subscriber the one goes first that is so to the publisher; a subscriber with
// an opinion of its own is heard before the publisher.
// Duties: 56.
func TestPublisherPriorityBreaksTies(t *testing.T) {
	onNarrow(t, func(t *testing.T, w *world, k transport.Kind, tv *actor) {
		link := narrow
		link.Rate = 5e6 // for one of the two
		even, own := w.joinOver(k, nil, link), w.joinOver(k, nil, link)
		// What is to starve is subscribed to first, and has the lower streams.
		evenB, _ := tuneIn(t, even, "b", session.Change{})
		evenA, _ := tuneIn(t, even, "a", session.Change{})
		ownA, _ := tuneIn(t, own, "a", priority(200))
		ownB, _ := tuneIn(t, own, "b", priority(10))
		tv.broadcast(4*time.Second, video("b", 200), video("a", 20))
		second := func(a arrival) bool { return a.at.Group >= 1 }
		wantSooner(t, "the publisher's choice", evenA.latency(second), evenB.latency(second))
		wantSooner(t, "the subscriber's choice", ownB.latency(second), ownA.latency(second))
	}, "a", "b")
}

// TestGroupOrderOnNarrowLink: where not everything gets through at once,
// descending order shows the newest group, and ascending order the oldest that is
// not through. In the end both have everything.
// Duties: 56.
func TestGroupOrderOnNarrowLink(t *testing.T) {
	onNarrow(t, func(t *testing.T, w *world, k transport.Kind, tv *actor) {
		order := func(o model.GroupOrder) *timed {
			v, _ := tuneIn(t, w.joinOver(k, nil, narrow), "video", session.Change{Order: model.Some(o)})
			return v
		}
		up, down := order(model.Ascending), order(model.Descending)
		const groups = 6
		p := video("video", model.DefaultPriority)
		tv.broadcast(groups*time.Second, p)
		newest := func(v *timed) model.Location { return v.all()[len(v.all())-1].at }
		if l := newest(down); l.Group != groups-1 {
			t.Errorf("in descending order %v came last", l)
		}
		if l := newest(up); l.Group >= groups-1 {
			t.Errorf("in ascending order %v came already", l)
		}
		var latest uint64 // group
		for _, a := range up.all() {
			if latest = max(latest, a.at.Group); latest > a.at.Group+1 { // what was lost may come after its successor
				t.Errorf("in ascending order %v came after group %d", a.at, latest)
			}
		}
		first := func(a arrival) bool { return a.at.Group > 1 && a.at.Object < p.perGroup/5 }
		fresh := down.latency(first)
		pass(groups * time.Second) // the rest comes
		wantSooner(t, "the beginnings of groups", fresh, up.latency(first))
		for what, v := range map[string]*timed{"ascending": up, "descending": down} {
			if n := len(v.all()); n != groups*int(p.perGroup) {
				t.Errorf("%s: %d objects came", what, n)
			}
		}
	}, "video")
}
