package relay

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"

	"pgregory.net/rapid"
)

// scene is one step of a random play.
type scene struct {
	Do     string
	Who, N int
	Filter int
}

// What may happen. Publishers send the same objects; "push" publishes by PUBLISH,
// "announce" by PUBLISH_NAMESPACE, "die" ends in the middle of an object.
var doings = []string{
	"announce", "announce", "push", "push", "leave", "die", "withdraw",
	"join", "join", "join", "join", "join", "part", "vanish", "pause", "resume", "resume",
	"publish", "publish", "publish", "publish", "publish", "publish", "publish", "publish", "group", "wait",
}

func drawScenes(t *rapid.T) []scene {
	one := rapid.Custom(func(t *rapid.T) scene {
		return scene{
			Do: rapid.SampledFrom(doings).Draw(t, "do"), Who: rapid.IntRange(0, 2).Draw(t, "who"),
			N: rapid.IntRange(1, 5).Draw(t, "n"), Filter: rapid.IntRange(0, 4).Draw(t, "filter"),
		}
	})
	return append([]scene{{Do: "announce"}, {Do: "join"}}, rapid.SliceOfN(one, 20, 120).Draw(t, "scenes")...)
}

// TestRandomPlay lets publishers and subscribers come, go and die at random.
// No subscription may receive an object twice, or one outside its range, and it
// receives everything as long as nobody dies.
func TestRandomPlay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scenes := drawScenes(rt)
		datagrams := rapid.Bool().Draw(rt, "datagrams")
		subgroups := rapid.Uint64Range(1, 3).Draw(rt, "subgroups")
		silent := rapid.Bool().Draw(rt, "silent")
		var problems []string
		play(t, Config{Grace: 5 * time.Second}, func(t *testing.T, s *stage) {
			p := &random{s: s, datagrams: datagrams, subgroups: subgroups, silent: silent, next: loc(100, 0)}
			for _, sc := range scenes {
				p.step(sc)
				synctest.Wait()
				s.check(false)
			}
			p.judge()
			problems = p.problems
		})
		if len(problems) > 0 {
			rt.Fatalf("%s\nin %+v", strings.Join(problems, "\n"), scenes)
		}
	})
}

// random is a play that makes itself.
type random struct {
	s         *stage
	datagrams bool
	subgroups uint64
	silent    bool           // publishers do not say how far they are when they resume
	next      model.Location // of the next object
	newest    model.Opt[model.Location]
	history   []past
	deaths    int // of publishers, so far
	pubs      [3]*randomPublisher
	subs      [3]*randomSubscriber
	over      []*randomSubscriber
	problems  []string
}

type randomPublisher struct {
	*actor
	ns     *session.PublishedNamespace
	pushed *session.Outbound
	open   map[uint64]*subgroup // of the present group, by subgroup ID
	to     *session.Outbound    // to whom they go
}

// randomSubscriber records one subscription.
type randomSubscriber struct {
	*actor
	in      *session.Inbound
	deaths  int  // while it lasted, once it is over; before that, minus those before
	manned  bool // there was a publisher when it began
	paused  bool
	mu      sync.Mutex
	got     map[model.Location]int
	odd     []string
	expects []model.Location
}

func (r *randomSubscriber) take(l model.Location, payload []byte, status model.ObjectStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if status != model.StatusNormal {
		return
	}
	if want := randomContent(l, len(payload) > 100); string(payload) != want {
		r.odd = append(r.odd, fmt.Sprintf("object %v has another content", l))
	}
	r.got[l]++
}

func (r *randomSubscriber) ReceiveSubgroup(st *session.SubgroupReader) {
	for {
		h, err := st.Next()
		if err != nil {
			return
		}
		payload, err := st.Payload()
		if err != nil {
			return
		}
		r.take(loc(st.Header.Group, h.ID), payload, h.Status)
	}
}

func (r *randomSubscriber) ReceiveDatagram(d *session.Datagram) {
	r.take(loc(d.Group, d.Object), d.Payload, d.Status)
}

// randomContent is what an object holds; large ones pass through the relay in
// parts.
func randomContent(l model.Location, large bool) string {
	if large {
		return strings.Repeat(l.String(), 4000)
	}
	return l.String()
}

func (p *random) step(sc scene) {
	pub, sub := p.pubs[sc.Who], p.subs[sc.Who]
	switch sc.Do {
	case "announce", "push":
		if pub == nil {
			p.enter(sc.Who, sc.Do == "push")
		}
	case "leave", "die":
		if pub != nil {
			if sc.Do == "die" {
				p.publish(sc.Who)
			}
			pub.sess.Close(model.NoError, "")
			p.pubs[sc.Who] = nil
			p.deaths++
		}
	case "withdraw":
		if pub != nil && pub.ns != nil {
			pub.ns.Withdraw()
			pub.ns = nil
			p.deaths++ // it sends on to those who have it, and nobody else finds it
		}
	case "join":
		if sub == nil {
			p.join(sc.Who, sc.Filter, uint64(sc.N))
		}
	case "part", "vanish":
		if sub == nil {
			return
		}
		if sc.Do == "part" {
			sub.in.Cancel(model.ResetCancelled)
		} else {
			sub.sess.Close(model.NoError, "")
		}
		p.end(sc.Who)
	case "pause", "resume":
		if sub == nil || sub.in.Context().Err() != nil {
			return
		}
		ctx, cancel := context.WithTimeout(p.s.ctx, time.Minute)
		defer cancel()
		if _, err := sub.in.Update(ctx, session.Change{Forward: model.Some(sc.Do == "resume")}); err == nil {
			sub.paused = sc.Do == "pause"
		} else if sub.in.Context().Err() == nil {
			p.problems = append(p.problems, fmt.Sprintf("%s: %v", sc.Do, err))
		}
	case "publish":
		for range sc.N {
			p.publish(-1)
			synctest.Wait()
		}
	case "group":
		for _, pub := range p.pubs {
			if pub != nil {
				pub.closeStreams()
			}
		}
		if p.next.Object > 0 {
			p.next = loc(p.next.Group+uint64(sc.N), 0)
		}
	case "wait":
		time.Sleep(time.Duration(sc.N*sc.N) * time.Second) // virtual
	}
}

// offer is what publishers say of the track.
func (p *random) offer() session.Offer { return session.Offer{Largest: p.newest} }

func (p *random) enter(who int, push bool) {
	pub := &randomPublisher{actor: p.s.join(), open: map[uint64]*subgroup{}}
	pub.actor.offer("date", p.offer())
	pub.fetching = p.serve
	pub.tells = !p.silent
	p.pubs[who] = pub
	if push {
		pub.pushed = pub.push(date, p.offer())
	} else {
		pub.ns = pub.announce("moq-date")
	}
}

func (p *random) join(who, filter int, n uint64) {
	var f model.Filter
	switch filter {
	case 1:
		f = model.NextObject
	case 2:
		f = model.NextGroup
	case 3:
		f = model.From(p.next.Next())
	case 4:
		f = between(p.next, p.next.Group+n)
	}
	sub := &randomSubscriber{actor: p.s.join(), deaths: -p.deaths, got: map[model.Location]int{}}
	sub.manned = p.reachable()
	c := session.Change{}
	if filter > 0 {
		c.Filter = model.Some(f)
	}
	in, err := sub.sess.Subscribe(p.s.ctx, session.SubscribeOptions{Track: date, Change: c}, sub)
	if err != nil {
		if p.reachable() {
			p.problems = append(p.problems, fmt.Sprintf("a subscriber is refused: %v", err))
		}
		return
	}
	sub.in = in
	p.subs[who] = sub
	if filter == 1 && in.Offer.Largest.Set && sub.manned {
		p.catchUp(sub, n)
	}
}

// reachable reports whether a publisher can be found.
func (p *random) reachable() bool {
	for _, pub := range p.pubs {
		if pub != nil && (pub.ns != nil || pub.pushed != nil) {
			return true
		}
	}
	return false
}

// publish sends the next object through all publishers. The one that dies
// sends half of it.
func (p *random) publish(dies int) {
	live := false
	for _, pub := range p.pubs {
		live = live || pub != nil
	}
	if !live {
		return
	}
	l := p.next
	large := dies >= 0 && !p.datagrams
	payload := randomContent(l, large)
	p.next.Object++
	p.newest = model.Some(l)
	p.history = append(p.history, past{l, payload})
	for _, sub := range p.subs {
		if sub != nil && !sub.paused && sub.in.Terms.Range.Contains(l) {
			sub.expects = append(sub.expects, l)
		}
	}
	for i, pub := range p.pubs {
		if pub == nil {
			continue
		}
		pub.actor.offer("date", p.offer())
		if i != dies {
			pub.send(p, l, payload, len(payload))
		} else if large {
			pub.send(p, l, payload, len(payload)/2)
		}
	}
}

// send sends the first n bytes of an object to the relay, if it wants them.
func (pub *randomPublisher) send(p *random, l model.Location, payload string, n int) {
	pub.mu.Lock()
	out := pub.out["date"]
	pub.mu.Unlock()
	if pub.pushed != nil {
		out = pub.pushed
	}
	if out != pub.to {
		pub.closeStreams()
		pub.to = out
	}
	if out == nil || out.Context().Err() != nil || !out.Terms().Forward {
		for id, g := range pub.open { // as a publisher that is paused or cancelled does
			g.CancelWrite(uint64(model.ResetCancelled))
			delete(pub.open, id)
		}
		return
	}
	if p.datagrams {
		d := session.Datagram{TrackAlias: out.Alias(), Group: l.Group, Object: l.Object, Payload: []byte(payload)}
		_ = pub.sess.Conn().SendDatagram(d.Append(nil, model.Draft18)) // the queue has room
		return
	}
	id := l.Object % p.subgroups
	g := pub.open[id]
	if g == nil || g.group != l.Group {
		g = pub.actor.open(out, session.SubgroupHeader{
			Group: l.Group, Mode: wire.SubgroupExplicit, Subgroup: id, FirstObject: l.Object < p.subgroups,
		})
		pub.open[id] = g
	}
	g.promise(session.ObjectHeader{ID: l.Object, PayloadLen: uint64(len(payload))}, payload[:n])
}

// closeStreams ends the streams of a group.
func (pub *randomPublisher) closeStreams() {
	for id, g := range pub.open {
		_ = g.Close()
		delete(pub.open, id)
	}
}

// end puts a subscription aside.
func (p *random) end(who int) {
	if sub := p.subs[who]; sub != nil {
		sub.deaths += p.deaths
		p.over = append(p.over, sub)
		p.subs[who] = nil
	}
}

// judge compares what each subscription received with what it should have.
func (p *random) judge() {
	synctest.Wait()
	for who := range p.subs {
		p.end(who)
	}
	for _, sub := range p.over {
		sub.mu.Lock()
		p.problems = append(p.problems, sub.odd...)
		for l, n := range sub.got {
			if n > 1 {
				p.problems = append(p.problems, fmt.Sprintf("object %v came %d times", l, n))
			}
			if !sub.in.Terms.Range.Contains(l) {
				p.problems = append(p.problems, fmt.Sprintf("object %v is outside %v", l, sub.in.Terms.Range))
			}
		}
		if sub.manned && sub.deaths == 0 {
			for _, l := range sub.expects {
				if sub.got[l] == 0 {
					p.problems = append(p.problems, fmt.Sprintf("object %v is missing", l))
				}
			}
		}
		sub.mu.Unlock()
	}
}
