package egress

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/track"

	"pgregory.net/rapid"
)

// planned is one step of a publisher: the next object of a subgroup, or its end.
type planned struct {
	key       track.SubgroupKey
	end       string // "", "fin" or "reset"
	size      int
	datagram  bool
	pause     bool
	subscribe int // index of a plannedViewer that joins before the step, -1: none
}

type plannedViewer struct {
	form   track.Form
	r      model.Range
	order  model.GroupOrder
	delay  time.Duration // of each Write
	replay bool
}

func drawViewer(t *rapid.T) plannedViewer {
	loc := func(name string) model.Location {
		return model.Location{Group: rapid.Uint64Range(0, 3).Draw(t, name), Object: rapid.Uint64Range(0, 6).Draw(t, name)}
	}
	v := plannedViewer{
		form:   rapid.SampledFrom([]track.Form{formA, formB}).Draw(t, "form"),
		order:  rapid.SampledFrom([]model.GroupOrder{model.Ascending, model.Descending}).Draw(t, "order"),
		delay:  rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Second}).Draw(t, "delay"),
		replay: rapid.Bool().Draw(t, "replay"),
	}
	if rapid.Bool().Draw(t, "from somewhere") {
		v.r.Start = loc("from")
	}
	if v.r.End = model.Forever; rapid.Bool().Draw(t, "to somewhere") {
		v.r.End = loc("to")
	}
	return v
}

// TestSubscribersAgainstModel plays a random publication to random subscribers
// and checks that each gets exactly what it asked for, once, in order.
func TestSubscribersAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		viewers := make([]plannedViewer, rapid.IntRange(1, 4).Draw(rt, "viewers"))
		for i := range viewers {
			viewers[i] = drawViewer(rt)
		}
		joined := 0
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) planned {
			p := planned{
				key:       track.SubgroupKey{Group: rapid.Uint64Range(0, 3).Draw(t, "group"), Subgroup: rapid.Uint64Range(0, 1).Draw(t, "subgroup")},
				end:       rapid.SampledFrom([]string{"", "", "", "", "", "", "fin", "reset"}).Draw(t, "end"),
				size:      rapid.SampledFrom([]int{0, 1, 100, 3000, 40_000}).Draw(t, "size"),
				datagram:  rapid.IntRange(0, 5).Draw(t, "datagram") == 0,
				pause:     rapid.Bool().Draw(t, "pause"),
				subscribe: -1,
			}
			if joined < len(viewers) && rapid.Bool().Draw(t, "join") {
				p.subscribe = joined
				joined++
			}
			return p
		}), 1, 40).Draw(rt, "steps")
		var failure string
		synctest.Test(t, func(t *testing.T) { failure = play(t, steps, viewers) })
		if failure != "" {
			rt.Fatal(failure)
		}
	})
}

// play runs a plan and returns what is wrong.
func play(t *testing.T, steps []planned, viewers []plannedViewer) string {
	ctx, cancel := context.WithCancel(t.Context())
	tr := track.New(track.Config{})
	type subscriber struct {
		plannedViewer
		f    *fakeSession
		s    *Scheduler
		sub  *Subscription
		want map[model.Location]bool
	}
	var subs []*subscriber
	writers := map[track.SubgroupKey]*track.Writer{}
	next := map[track.SubgroupKey]uint64{}
	over := map[track.SubgroupKey]string{}
	var all []model.Location
	for _, p := range steps {
		if p.subscribe >= 0 {
			v := &subscriber{plannedViewer: viewers[p.subscribe], want: map[model.Location]bool{}}
			v.f = newFakeSession(v.form)
			v.f.write = func(*fakeStream, []byte) error { time.Sleep(v.delay); return nil }
			v.s = NewScheduler(ctx, v.f, nil)
			v.sub = v.s.Subscribe(tr)
			v.sub.Start(Options{
				Range: v.r, Forward: true, Order: v.order, Replay: v.replay, Policy: Policy{MaxBytes: 1 << 40},
			})
			for _, l := range all {
				if v.replay && v.r.Contains(l) {
					v.want[l] = true
				}
			}
			subs = append(subs, v)
		}
		l := model.Location{Group: p.key.Group, Object: next[p.key]*2 + p.key.Subgroup}
		if p.datagram {
			l = model.Location{Group: p.key.Group, Object: 1000 + uint64(len(all))}
			must(t, tr.AppendDatagram(&track.Datagram{Location: l, Form: formA}))
		} else {
			if over[p.key] != "" {
				continue
			}
			w := writers[p.key]
			if w == nil {
				w = open(t, tr, p.key.Group, p.key.Subgroup)
				writers[p.key] = w
			}
			switch p.end {
			case "fin":
				must(t, w.Close())
				over[p.key] = "fin"
			case "reset":
				w.Abort(model.ResetGoingAway)
				over[p.key] = "reset GOING_AWAY"
			}
			if p.end != "" {
				continue
			}
			next[p.key]++
			h := track.ObjectHeader{ID: l.Object, PayloadLen: uint64(p.size)}
			if payload := make([]byte, p.size); p.size > track.CutThrough {
				must(t, w.Begin(h))
				for part := range slices.Chunk(payload, 7000) {
					_, err := w.Write(part)
					must(t, err)
				}
			} else {
				must(t, w.Append(h, payload))
			}
		}
		all = append(all, l)
		for _, v := range subs {
			if v.r.Contains(l) {
				v.want[l] = true
			}
		}
		if p.pause {
			time.Sleep(10 * time.Millisecond)
		}
	}
	for key, w := range writers {
		if over[key] == "" {
			w.Abort(model.ResetGoingAway)
			over[key] = "reset GOING_AWAY"
		}
	}
	tr.End(model.DoneTrackEnded, "")
	failure := ""
	for i, v := range subs {
		<-v.sub.Done()
		if r := v.sub.Result(); r.Streams != uint64(len(v.f.sent())) {
			failure = fmt.Sprintf("viewer %d: result %+v after %d streams", i, r, len(v.f.sent()))
		}
		if v.sub.Result().Code == model.DoneSubscriptionEnded && v.r.End != model.Forever {
			continue // it ended with its range; a late subgroup may have come after
		}
		got := map[model.Location]bool{}
		seen := map[track.SubgroupKey]bool{}
		for _, st := range v.f.sent() {
			if seen[st.key] {
				failure = fmt.Sprintf("viewer %d: two streams of %v", i, st.key)
			}
			seen[st.key] = true
			want := over[st.key]
			if v.r.End.Group == st.key.Group && next[st.key] > 0 && (next[st.key]-1)*2+st.key.Subgroup > v.r.End.Object {
				want = "reset CANCELLED"
			}
			if st.end != want || st.rest > 0 {
				failure = fmt.Sprintf("viewer %d: stream %v, want end %q", i, st, want)
			}
			for _, id := range st.ids {
				got[model.Location{Group: st.key.Group, Object: id}] = true
			}
		}
		for _, l := range v.f.datagrams {
			if got[l] {
				failure = fmt.Sprintf("viewer %d: %v twice", i, l)
			}
			got[l] = true
		}
		for l := range v.want {
			if !got[l] {
				failure = fmt.Sprintf("viewer %d lacks %v: %v", i, l, v.f.lines())
			}
		}
		for l := range got {
			if !v.want[l] {
				failure = fmt.Sprintf("viewer %d has %v, which it did not ask for", i, l)
			}
		}
	}
	cancel()
	for _, v := range subs {
		v.s.Wait()
	}
	return failure
}
