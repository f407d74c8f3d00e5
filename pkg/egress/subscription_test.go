package egress

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"

	"github.com/google/go-cmp/cmp"
)

// house is a track with one subscriber, in a bubble of virtual time.
type house struct {
	t   *testing.T
	tr  *track.Track
	f   *fakeSession
	s   *Scheduler
	sub *Subscription
	c   observe.Subscriber
	end context.CancelFunc
}

func newHouse(t *testing.T, form track.Form) *house {
	h := &house{t: t, tr: track.New(track.Config{}), f: newFakeSession(form)}
	ctx, cancel := context.WithCancel(t.Context())
	h.end = cancel
	h.s = NewScheduler(ctx, h.f, nil)
	h.sub = h.s.Subscribe(h.tr)
	return h
}

// start starts the subscription with changed terms.
func (h *house) start(change ...func(*Options)) {
	o := everything()
	o.Counters = &h.c
	for _, c := range change {
		c(&o)
	}
	h.sub.Start(o)
}

// want waits until nothing happens any more and compares the streams.
func (h *house) want(why string, lines ...string) {
	h.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(lines, h.f.lines()); diff != "" {
		h.t.Errorf("%s: streams (-want +got):\n%s", why, diff)
	}
}

// wantDone checks how the subscription ended.
func (h *house) wantDone(code model.DoneCode, streams uint64) {
	h.t.Helper()
	synctest.Wait()
	select {
	case <-h.sub.Done():
	default:
		h.t.Fatal("the subscription has not ended")
	}
	if r := h.sub.Result(); r.Code != code || r.Streams != streams {
		h.t.Errorf("result = %+v, want %v after %d streams", r, code, streams)
	}
}

// close ends the session and waits for every goroutine.
func (h *house) close() {
	h.end()
	h.s.Wait()
	<-h.sub.Done()
	if n := h.tr.Counters().Subscribers.Load(); n != 0 {
		h.t.Errorf("%d subscribers are counted at the end", n)
	}
	if n := h.c.OpenStreams.Load(); n != 0 {
		h.t.Errorf("%d open streams are counted at the end", n)
	}
}

// inHouse runs a test in a bubble.
func inHouse(t *testing.T, test func(t *testing.T, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, formA)
		defer h.close()
		test(t, h)
	})
}

// Duties: 38, 51.
func TestObjectsGoOutAsTheyCome(t *testing.T) {
	for _, form := range []track.Form{formA, formB} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, form)
			defer h.close()
			h.start()
			w := open(t, h.tr, 1, 0, func(i *track.SubgroupInfo) { i.EndOfGroup = true })
			bring(t, w, 0)
			h.want("first object", "1.0: 0 open")
			bring(t, w, 1, 2)
			h.want("more", "1.0: 0 1 2 open")
			must(t, w.Close())
			h.want("FIN", "1.0: 0 1 2 fin")
			s := h.f.sent()[0]
			if s.alias != 7 || s.flags != 3 || s.boundaryAt != s.headerBytes || s.payloads[1] != "payload" {
				t.Errorf("stream = %+v", s)
			}
			h.tr.End(model.DoneTrackEnded, "over")
			h.wantDone(model.DoneTrackEnded, 1)
			if c := h.c.Snapshot(); c.ObjectsOut != 3 || c.Dropped.Total() != 0 || c.Streams != 1 {
				t.Errorf("counters = %+v", c)
			}
		})
	}
}

func TestWhatWasPublishedBeforeIsNotSent(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0, 1)
		late := h.s.Subscribe(h.tr)
		if l := late.Largest(); l != model.Some(model.Location{Group: 1, Object: 1}) {
			t.Errorf("largest = %v", l)
		}
		late.Start(everything())
		bring(t, w, 2)
		must(t, w.Close())
		h.want("from now on", "1.0: 2 fin")
		if s := h.f.sent()[0]; s.flags != 0 {
			t.Error("a stream that begins in the middle says FIRST_OBJECT")
		}
		replay := everything()
		replay.Replay = true
		h.sub.Start(replay)
		h.want("replay", "1.0: 2 fin", "1.0: 0 1 2 fin")
	})
}

// Duties: 30, 51.
func TestRangeIsKept(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start(func(o *Options) {
			o.Range = model.Range{Start: model.Location{Group: 2, Object: 3}, End: model.Location{Group: 3, Object: 4}}
		})
		for g := range uint64(6) {
			w := open(t, h.tr, g, 0, func(i *track.SubgroupInfo) { i.EndOfGroup = true })
			bring(t, w, 0, 1, 2, 3, 4, 5)
			must(t, w.Close())
			synctest.Wait()
		}
		h.want("edges", "2.0: 3 4 5 fin", "3.0: 0 1 2 3 4 reset CANCELLED")
		for _, s := range h.f.sent() {
			if s.key.Group == 3 && (s.boundaryAt <= s.headerBytes || s.flags&2 != 0) {
				t.Errorf("the stream that is cut at the range's end: %+v", s)
			}
		}
		h.wantDone(model.DoneSubscriptionEnded, 2)
		if n := h.c.Snapshot().Dropped.Total(); n != 0 {
			t.Errorf("%d objects dropped", n)
		}
	})
}

// Duties: 50.
func TestUpstreamResetResetsDownstream(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start()
		a, b := open(t, h.tr, 1, 0), open(t, h.tr, 1, 0)
		bring(t, a, 0)
		must(t, a.Begin(track.ObjectHeader{ID: 1, PayloadLen: 30_000}))
		_, err := a.Write(make([]byte, 20_000))
		must(t, err)
		must(t, b.Append(track.ObjectHeader{ID: 0}, []byte("payload")))
		must(t, b.Append(track.ObjectHeader{ID: 1}, make([]byte, 30_000)))
		synctest.Wait()
		a.Abort(model.ResetGoingAway)
		must(t, b.Close())
		h.want("torn", "1.0: 0 part reset GOING_AWAY", "1.0: 1 fin")
	})
}

func TestSecondRunWaitsForTheFirst(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		gate := make(chan struct{})
		h.f.write = func(*fakeStream, []byte) error { <-gate; return nil }
		h.start()
		a, b := open(t, h.tr, 1, 0), open(t, h.tr, 1, 0, func(i *track.SubgroupInfo) { i.First = track.FirstNo })
		bring(t, a, 0)
		bring(t, b, 3)
		a.Abort(model.ResetInternalError) // a further run begins with 3
		synctest.Wait()
		if n := len(h.f.sent()); n != 1 {
			t.Errorf("%d streams of one subgroup are open", n)
		}
		close(gate)
		h.want("one after the other", "1.0: 0 reset INTERNAL_ERROR", "1.0: 3 open")
	})
}

// Duties: 52.
func TestStopSendingSkipsTheSubgroup(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start()
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		synctest.Wait()
		h.f.streams[0].refuse()
		bring(t, w, 1)
		h.want("refused", "1.0: 0 reset CANCELLED")
		bring(t, w, 2)
		bring(t, open(t, h.tr, 1, 1), 3)
		h.want("another subgroup", "1.0: 0 reset CANCELLED", "1.1: 3 open")
		if d := h.c.Snapshot().Dropped; d[observe.DropRefused] != 0 { // it was handed over before
			t.Logf("dropped = %v", d)
		}
	})
}

// Duties: 48, 50.
func TestForwardPausesAndResumes(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start(func(o *Options) { o.Forward = false })
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		h.want("off")
		h.sub.Update(Change{Forward: model.Some(true)})
		synctest.Wait()
		bring(t, w, 1)
		h.want("on", "1.0: 1 open")
		h.sub.Update(Change{Forward: model.Some(false)})
		synctest.Wait()
		bring(t, w, 2)
		h.want("off again", "1.0: 1 reset CANCELLED")
		h.sub.Update(Change{Forward: model.Some(true)})
		bring(t, w, 3)
		must(t, w.Close())
		h.want("on again", "1.0: 1 reset CANCELLED", "1.0: 3 reset CANCELLED") // 2 is missing: no FIN
		w = open(t, h.tr, 2, 0)
		bring(t, w, 0)
		must(t, w.Close())
		synctest.Wait()
		if got := h.f.lines(); got[2] != "2.0: 0 fin" {
			t.Errorf("a whole subgroup: %q", got)
		}
	})
}

// Duties: 50.
func TestNarrowerRangeResetsWhatIsOutside(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start()
		var ws []*track.Writer
		for g := range uint64(3) {
			ws = append(ws, open(t, h.tr, g, 0))
			bring(t, ws[g], 0)
			synctest.Wait()
		}
		h.want("all", "0.0: 0 open", "1.0: 0 open", "2.0: 0 open")
		h.sub.Update(Change{Range: model.Some(model.Range{Start: model.Location{Group: 1}, End: model.Location{Group: 2, Object: 1}})})
		for _, w := range ws {
			bring(t, w, 1, 2)
		}
		h.want("narrowed", "0.0: 0 reset CANCELLED", "1.0: 0 1 2 open", "2.0: 0 1 reset CANCELLED")
	})
}

func TestStopResetsOpenStreams(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start()
		bring(t, open(t, h.tr, 1, 0), 0)
		w := open(t, h.tr, 1, 1)
		bring(t, w, 1)
		must(t, w.Close())
		synctest.Wait()
		h.sub.Stop(model.ResetGoingAway)
		h.wantDone(model.DoneSubscriptionEnded, 2)
		got := h.f.lines()
		slices.Sort(got)
		if want := []string{"1.0: 0 reset GOING_AWAY", "1.1: 1 fin"}; !slices.Equal(got, want) {
			t.Errorf("streams = %q", got)
		}
		h.sub.Stop(0) // harmless
		h.sub.Update(Change{Priority: model.Some(uint8(1))})
	})
}

func TestSubscriptionThatNeverStartedCanStop(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.sub.Stop(model.ResetCancelled)
		h.wantDone(model.DoneSubscriptionEnded, 0)
		h.sub.Start(everything())
		bring(t, open(t, h.tr, 1, 0), 0)
		h.want("nothing")
	})
}

func TestEndOfSessionStopsEverything(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = stuck
		h.start()
		bring(t, open(t, h.tr, 1, 0), 0)
		synctest.Wait()
		h.end()
		h.s.Wait()
		h.wantDone(model.DoneInternalError, 1)
		late := h.s.Subscribe(h.tr)
		late.Start(everything())
		<-late.Done()
	})
}

func TestNewEpochEndsTheSubscription(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start()
		bring(t, open(t, h.tr, 1, 0), 0)
		h.want("before", "1.0: 0 open")
		h.tr.NewEpoch(model.DoneTrackEnded, "publisher began anew")
		h.want("after", "1.0: 0 reset CANCELLED")
		h.wantDone(model.DoneTrackEnded, 1)
	})
}

func TestNoStreamCreditWaits(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.credit = 1
		h.start()
		a, b, c := open(t, h.tr, 1, 0), open(t, h.tr, 2, 0), open(t, h.tr, 3, 0)
		bring(t, a, 0)
		synctest.Wait()
		bring(t, c, 0)
		synctest.Wait()
		bring(t, b, 0)
		h.want("one stream", "1.0: 0 open")
		bring(t, a, 1)
		h.want("who has one goes on", "1.0: 0 1 open")
		h.f.grant(1)
		h.want("ascending order: the lower group first", "1.0: 0 1 open", "2.0: 0 open")
		h.sub.Update(Change{Range: model.Some(model.Range{End: model.Location{Group: 2, Object: model.MaxID}})})
		synctest.Wait()
		h.f.grant(1) // nobody needs it now
		synctest.Wait()
		bring(t, open(t, h.tr, 2, 1), 1)
		synctest.Wait()
		if got := h.f.lines(); len(got) != 3 || got[2] != "2.1: 1 open" {
			t.Errorf("the stream that came late is not used: %q", got)
		}
	})
}

// Duties: 55.
func TestDatagramsAreSentInRange(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.start(func(o *Options) { o.Range.Start = model.Location{Group: 1, Object: 5} })
		for id := range uint64(8) {
			must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 1, Object: id}, Form: formA}))
		}
		synctest.Wait()
		if len(h.f.datagrams) != 3 || h.f.datagrams[0].Object != 5 {
			t.Errorf("datagrams = %v", h.f.datagrams)
		}
		for reason, err := range map[observe.DropReason]error{
			observe.DropDatagramFull: transport.ErrDatagramDropped, observe.DropDatagramSize: transport.ErrDatagramTooLarge,
			observe.DropUnencodable: errUnencodable,
		} {
			h.f.dgramErr = err
			must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 2, Object: uint64(reason)}, Form: formA}))
			synctest.Wait()
			if n := h.c.Snapshot().Dropped[reason]; n != 1 {
				t.Errorf("%v: %d dropped", reason, n)
			}
		}
	})
}

func TestUnencodableObjectCostsItsSubgroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, formB)
		defer h.close()
		h.start()
		w := open(t, h.tr, 1, 0)
		bring(t, w, 0)
		must(t, w.Append(track.ObjectHeader{ID: 1 << 63}, nil))
		synctest.Wait()
		bring(t, open(t, h.tr, 2, 0), 0)
		h.want("too large an ID", "1.0: 0 reset INTERNAL_ERROR", "2.0: 0 open")
		if d := h.c.Snapshot().Dropped; d[observe.DropUnencodable] != 1 {
			t.Errorf("dropped = %v", d)
		}
	})
}

// Duties: 54.
func TestLargeObjectsFlowThroughToTheSubscriber(t *testing.T) {
	for _, form := range []track.Form{formA, formB} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, form)
			defer h.close()
			h.start()
			w := open(t, h.tr, 1, 0)
			payload := strings.Repeat("0123456789", 30_000)
			must(t, w.Begin(track.ObjectHeader{ID: 0, PayloadLen: uint64(len(payload))}))
			for i := 0; i < len(payload); i += 50_000 {
				_, err := w.Write([]byte(payload[i : i+50_000]))
				must(t, err)
				synctest.Wait()
				if got := h.c.BytesOut.Load(); got < uint64(i+50_000) {
					t.Fatalf("%d bytes out after %d in", got, i+50_000)
				}
			}
			must(t, w.Close())
			h.want("all", "1.0: 0 fin")
			if h.f.sent()[0].payloads[0] != payload {
				t.Error("payload differs")
			}
		})
	}
}
