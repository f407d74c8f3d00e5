package track

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"oxymoq/pkg/model"

	"pgregory.net/rapid"
)

// The universe of the model test: a few groups of a few subgroups. Every
// publisher has the same objects, but starts, dies and dawdles as it likes.
const (
	modelGroups    = 3
	modelSubgroups = 2
	modelObjects   = 7 // of each subgroup, whose IDs are s, s+2, s+4, …
)

// modelPayload is the payload of an object, the same from every publisher. Some
// are empty, some larger than a chunk.
func modelPayload(l model.Location) string {
	n := (l.Group*7 + l.Object*13) % 11
	switch n {
	case 3:
		return strings.Repeat("large payload ", 6000)
	case 5:
		return ""
	}
	return strings.Repeat(fmt.Sprintf("%v ", l), int(n*n))
}

func modelProps(l model.Location) string { return strings.Repeat("p", int(l.Object%4)) }

// publisher is one writer of the model test.
type publisher struct {
	w    *Writer
	next uint64 // ID to bring next
	left string // of the payload of the object before it
}

func (p *publisher) atEnd() bool { return p.next >= 2*modelObjects }

// viewer is one subscriber of the model test.
type viewer struct {
	form        testForm
	cursor      *Cursor
	bell        bell
	parked      bool // Next found nothing
	first, last uint64
	streams     []*viewStream
	got         map[model.Location]int
}

type viewStream struct {
	run     *Run
	r       *Reader
	data    []byte
	state   ReadState
	settled bool // no more will come
}

type modelTest struct {
	tr      *Track
	pubs    []*publisher
	views   []*viewer
	brought map[model.Location]bool // completely, and not given up with its publisher
	evicted map[uint64]bool
	purged  map[model.Location]bool // they may be gone, but viewers may have them
}

func TestTrackAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &modelTest{tr: New(Config{}), brought: map[model.Location]bool{}, evicted: map[uint64]bool{}, purged: map[model.Location]bool{}}
		defer m.finish(t)
		pub := func(t *rapid.T) *publisher {
			if len(m.pubs) == 0 {
				t.Skip("no publisher")
			}
			return rapid.SampledFrom(m.pubs).Draw(t, "publisher")
		}
		t.Repeat(map[string]func(*rapid.T){
			"open": m.open,
			"bring": func(t *rapid.T) {
				m.bring(t, pub(t))
			},
			"bring more": func(t *rapid.T) {
				p := pub(t)
				for range rapid.IntRange(1, 5).Draw(t, "n") {
					m.bring(t, p)
				}
			},
			"close": func(t *rapid.T) {
				p := pub(t)
				if p.left != "" || !p.atEnd() {
					t.Skip("not at its end")
				}
				m.leave(p, func() error { return p.w.Close() }, t)
			},
			"abort": func(t *rapid.T) {
				p := pub(t)
				for _, a := range p.w.aside {
					delete(m.brought, p.w.at(a.h.ID))
				}
				m.leave(p, func() error { p.w.Abort(model.ResetInternalError); return nil }, t)
			},
			"subscribe": m.subscribe,
			"read": func(t *rapid.T) {
				if len(m.views) == 0 {
					t.Skip("no viewer")
				}
				rapid.SampledFrom(m.views).Draw(t, "viewer").step(t)
			},
			"evict": func(t *rapid.T) {
				if len(m.tr.groups) < 2 || rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
					t.Skip("not now")
				}
				m.tr.mu.Lock()
				m.evicted[m.tr.groups[0].id] = true
				m.tr.evictGroup(0, evictEpoch)
				m.tr.unlock()
			},
			"purge": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
					t.Skip("not now")
				}
				m.purge(t)
			},
			"": func(t *rapid.T) {
				for _, v := range m.views {
					if v.parked && v.bell.rung > 0 {
						v.parked = false
					}
				}
			},
		})
	})
}

// purge forgets everything but the newest object of each open run.
func (m *modelTest) purge(t *rapid.T) {
	for _, g := range m.tr.groups {
		for _, s := range []*idSet{&g.seen, &g.stored} {
			for _, sp := range s.spans {
				for id := sp.lo; id <= sp.hi; id++ {
					m.purged[model.Location{Group: g.id, Object: uint64(id)}] = true
				}
			}
		}
	}
	before := slices.Clone(m.tr.groups)
	held, purged := m.tr.counters.Purged.Load(), m.tr.Purge()
	if now := m.tr.counters.Purged.Load(); now-held != purged {
		t.Fatalf("%d objects left, %d are counted", purged, now-held)
	}
	for _, g := range before {
		if g.evicted {
			m.evicted[g.id] = true
			continue
		}
		for l := range m.purged {
			if l.Group == g.id && g.held(l.Object) {
				t.Fatalf("%v is held after the purge", l)
			}
		}
	}
}

func (m *modelTest) open(t *rapid.T) {
	if len(m.pubs) >= 6 {
		t.Skip("enough publishers")
	}
	key := SubgroupKey{rapid.Uint64Range(0, modelGroups-1).Draw(t, "group"), rapid.Uint64Range(0, modelSubgroups-1).Draw(t, "subgroup")}
	skip := rapid.SampledFrom([]uint64{0, 0, 1, 3}).Draw(t, "skip")
	info := SubgroupInfo{Properties: true, First: FirstYes, Form: formA}
	if skip > 0 {
		info.First = FirstNo
	}
	if rapid.Bool().Draw(t, "other form") {
		info.Form = formB
	}
	w, err := m.tr.OpenSubgroup(key, info)
	if err != nil {
		if m.evicted[key.Group] || len(m.evicted) > 0 {
			return
		}
		t.Fatal(err)
	}
	m.pubs = append(m.pubs, &publisher{w: w, next: key.Subgroup + 2*skip})
}

func (m *modelTest) bring(t *rapid.T, p *publisher) {
	if p.w.g.evicted {
		return
	}
	if p.left != "" {
		n := rapid.SampledFrom([]int{1, 20_000, len(p.left)}).Draw(t, "part")
		n = min(n, len(p.left))
		kept := p.w.state != writerDiscarding
		if _, err := p.w.Write([]byte(p.left[:n])); err != nil {
			t.Fatal(err)
		}
		if p.left = p.left[n:]; p.left == "" && kept {
			m.brought[p.w.at(p.next-2)] = true
		}
		return
	}
	if p.atEnd() {
		return
	}
	l := p.w.at(p.next)
	h := ObjectHeader{ID: p.next, Properties: []byte(modelProps(l))}
	if p.w.info.Form == formB {
		for i := range h.Properties {
			h.Properties[i] ^= 0xff
		}
	}
	payload := modelPayload(l)
	p.next += 2
	var err error
	if rapid.Bool().Draw(t, "in parts") && payload != "" {
		h.PayloadLen = uint64(len(payload))
		err = p.w.Begin(h)
		p.left = payload
	} else {
		err = p.w.Append(h, []byte(payload))
		m.brought[l] = true
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m *modelTest) leave(p *publisher, how func() error, t *rapid.T) {
	if err := how(); err != nil && !p.w.g.evicted {
		t.Fatal(err)
	}
	m.pubs = slices.DeleteFunc(m.pubs, func(o *publisher) bool { return o == p })
}

func (m *modelTest) subscribe(t *rapid.T) {
	if len(m.views) >= 4 {
		t.Skip("enough viewers")
	}
	v := &viewer{form: testForm{rapid.Bool().Draw(t, "other form")}, last: model.MaxID, got: map[model.Location]int{}}
	v.cursor, _ = m.tr.NewCursor(&v.bell)
	if rapid.Bool().Draw(t, "from the beginning") {
		v.cursor.Rewind()
	}
	v.first = rapid.SampledFrom([]uint64{0, 0, 3}).Draw(t, "first")
	v.last = rapid.SampledFrom([]uint64{model.MaxID, model.MaxID, 8}).Draw(t, "last")
	m.views = append(m.views, v)
}

// step makes a viewer look for runs, or read a little of one.
func (v *viewer) step(t *rapid.T) {
	if i := rapid.IntRange(-1, len(v.streams)-1).Draw(t, "stream"); i >= 0 {
		v.streams[i].step(t, v)
		return
	}
	v.discover()
}

func (v *viewer) discover() {
	for {
		e := v.cursor.Next()
		if e.Kind != EventRun {
			v.parked, v.bell.rung = true, 0
			return
		}
		s := &viewStream{run: e.Run, r: new(Reader)}
		s.r.Init(e.Run, ReaderOptions{Form: v.form, Waiter: &bell{}, First: v.first, Last: v.last, Since: v.cursor.Since()})
		v.streams = append(v.streams, s)
	}
}

// step reads one span and checks all whole objects that came so far.
func (s *viewStream) step(t *rapid.T, v *viewer) {
	if s.settled {
		return
	}
	had, _ := v.form.decode(s.data)
	span, state := s.r.Read(nil, noTime)
	s.data = append(append(s.data, span.Head...), span.Body...)
	s.r.Release()
	s.state = state
	s.settled = state != ReadSpan && state != ReadWait
	if state == ReadPurged && !s.run.Gone() { // the rest has another stream
		again := &viewStream{run: s.run, r: new(Reader)}
		again.r.Init(s.run, ReaderOptions{Form: v.form, Waiter: &bell{}, First: v.first, Last: v.last, Since: v.cursor.Since()})
		v.streams = append(v.streams, again)
	}
	now, rest := v.form.decode(s.data)
	if len(now)-len(had) != span.Objects {
		t.Fatalf("%d objects came whole, the span says %d", len(now)-len(had), span.Objects)
	}
	for _, o := range now[len(had):] {
		l := model.Location{Group: s.run.key.Group, Object: o.id}
		if want := (gotObject{id: o.id, props: modelProps(l), payload: modelPayload(l)}); o != want {
			t.Fatalf("%v: got %v, want %v", l, o, want)
		}
		if o.id < v.first || o.id > v.last || o.id%2 != s.run.key.Subgroup {
			t.Fatalf("%v is not wanted here", l)
		}
		if v.got[l]++; v.got[l] > 1 {
			t.Fatalf("%v came twice", l)
		}
	}
	if (state == ReadFinished || state == ReadRangeEnd) && len(rest) > 0 {
		t.Fatalf("part of an object at the end of a stream")
	}
	if len(now) > 0 && s.r.StartsSubgroup() && now[0].id > 1 {
		t.Fatalf("a stream that starts with %d says it starts the subgroup", now[0].id)
	}
}

// finish lets everybody read to the end and compares.
func (m *modelTest) finish(t *rapid.T) {
	if t.Failed() {
		return
	}
	for _, p := range m.pubs {
		for _, a := range p.w.aside {
			delete(m.brought, p.w.at(a.h.ID))
		}
		p.w.Abort(model.ResetInternalError)
	}
	for l := range m.brought {
		g := m.tr.lookup(l.Group)
		if (g == nil || !g.held(l.Object)) && !m.evicted[l.Group] && !m.purged[l] {
			t.Fatalf("%v was brought and is not held", l)
		}
	}
	for i, v := range m.views {
		if v.parked && v.bell.rung == 0 {
			if e := v.cursor.Next(); e.Kind != EventNone {
				t.Fatalf("viewer %d was not woken", i)
			}
		}
		v.discover()
		for i := 0; i < len(v.streams); i++ { // it may grow
			s := v.streams[i]
			for !s.settled {
				if s.step(t, v); s.state == ReadWait {
					t.Fatalf("run %v is open without writers", s.run.key)
				}
			}
		}
		want := map[model.Location]bool{}
		for _, g := range m.tr.groups {
			for _, r := range g.runs {
				for _, e := range r.index {
					if e.seq > v.cursor.Since() && e.id >= v.first && e.id <= v.last {
						want[model.Location{Group: g.id, Object: e.id}] = true
					}
				}
			}
		}
		for l := range want {
			if v.got[l] == 0 {
				t.Fatalf("viewer %d lacks %v; has %v", i, l, slices.Collect(maps.Keys(v.got)))
			}
		}
		for l := range v.got {
			if !want[l] && !m.evicted[l.Group] && !m.purged[l] {
				t.Fatalf("viewer %d has %v, which is not in the log", i, l)
			}
		}
		v.cursor.Close()
	}
	m.tr.Discard()
	if n := m.tr.counters.LogBytes.Load(); n != 0 {
		t.Fatalf("%d bytes are left", n)
	}
}
