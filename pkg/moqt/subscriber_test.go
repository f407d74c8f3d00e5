package moqt

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestJoinInMidGroup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		start Start
		asked []string
		want  string
	}{
		{"from now", FromNow, nil, ""},
		{"the present group", FromGroupsBack(0), []string{"join 7/0..7/3"}, "7/0-3"},
		{"one group back", FromGroupsBack(1), []string{"join 6/0..7/3"}, "6/0-2 7/0-3"},
		{"more groups back than there are", FromGroupsBack(9), []string{"join 0/0..7/3"}, "6/0-2 7/0-3"},
		{"a group", FromGroup(6), []string{"join 6/0..7/3"}, "6/0-2 7/0-3"},
		{"a group that has not come", FromGroup(8), nil, ""},
		{"a location", From(at(6, 2)), []string{"6/2..7/3"}, "6/2 7/0-3"},
		{"the next location", From(at(7, 4)), nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, tt.start, func(t *testing.T, st *stage, o *origin) {
				o.grow(span(6, 0, 2), span(7, 0, 3))
				st.connect(o)
				st.want("the past", tt.want)
				o.wantAsked("the past", tt.asked...)
				o.open(7, 1, false).put(4, 5).close()
				st.want("live", "7/4 7/5")
			})
		})
	}
}

func TestStartInTheFuture(t *testing.T) {
	play(t, From(at(8, 1)), func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 3))
		l := st.connect(o)
		o.open(7, 0, false).put(4).close()
		wantErr[error](t, "lost", l.lose())
		o.grow(span(7, 4, 4))
		st.connect(o)
		o.open(7, 0, false).put(5).end(6)
		o.open(8, 0, false).put(0, 1, 2)
		st.want("from the start on, on the second session too", "8/1 8/2")
	})
}

func TestNothingPublishedYet(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		st.connect(o)
		o.open(3, 1, false).put(1).close()
		synctest.Wait()
		o.open(3, 0, false).put(0).close()
		st.want("the first object overtakes nothing", "3/0 3/1")
	})
}

func TestLiveObjectsWaitForTheBacklog(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 3))
		o.stallAfter = 2
		st.connect(o)
		o.open(7, 0, false).put(4, 5)
		st.want("the backlog is not over", "7/0 7/1")
		st.pass(BacklogPatience)
		st.want("it was given up", "gap(7/2_7/4) 7/4 7/5")
	})
}

func TestBacklogIsAskedAgain(t *testing.T) {
	t.Run("peers that do not join", func(t *testing.T) {
		play(t, FromGroupsBack(1), func(t *testing.T, st *stage, o *origin) {
			o.grow(span(6, 0, 1), span(7, 0, 1))
			o.refuseJoin = &model.RequestError{Code: model.NotSupported}
			st.connect(o)
			st.want("by range", "6/0-1 7/0-1")
			o.wantAsked("by range", "join 6/0..7/1", "6/0..7/1")
		})
	})
	t.Run("a stream that was cut", func(t *testing.T) {
		play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
			o.grow(span(7, 0, 5))
			o.cutAfter = 2
			st.connect(o)
			st.want("the rest too", "7/0-5")
			o.wantAsked("the rest", "join 7/0..7/5", "7/2..7/5")
		})
	})
	t.Run("refused for good", func(t *testing.T) {
		play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
			o.grow(span(7, 0, 3))
			o.refuseFetch = &model.RequestError{Code: model.RequestInternalError}
			st.connect(o)
			o.open(7, 0, false).put(4)
			st.want("live goes on", "7/4")
			o.wantAsked("once each way", "join 7/0..7/3", "7/0..7/3")
		})
	})
	t.Run("what the peer does not know is a gap", func(t *testing.T) {
		play(t, From(at(7, 0)), func(t *testing.T, st *stage, o *origin) {
			o.grow(span(7, 0, 1), span(7, 4, 5))
			o.unknown = []model.Location{at(7, 6)}
			o.log = append(o.log, at(7, 7))
			st.connect(o)
			st.want("the hole that was told and the one that was not", "7/0-1 7/4-5 7/7")
		})
	})
}

func TestResume(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 3))
		l := st.connect(o)
		s := o.open(7, 0, false).put(4)
		o.grow(span(7, 4, 4))
		st.want("first session", "7/0-4")
		o.wantAsked("first session", "join 7/0..7/3")
		s.put(6)
		wantErr[error](t, "lost", l.lose())
		o.grow(span(7, 5, 9), span(8, 0, 2))
		st.connect(o)
		o.wantAsked("what was missed", "7/5..8/2")
		o.open(8, 0, false).put(3)
		st.want("no gap, no duplicates", "7/5-9 8/0-3")
	})
}

func TestResumeReportsWhatCannotBeHad(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 3))
		l := st.connect(o)
		o.open(7, 0, false).put(4)
		st.want("first session", "7/4")
		wantErr[error](t, "lost", l.lose())
		o.grow(span(7, 4, 9))
		o.refuseFetch = &model.RequestError{Code: model.DoesNotExist}
		st.connect(o)
		o.open(7, 0, false).put(10)
		st.want("second session", "gap(7/5_7/10) 7/10")
	})
}

func TestSessionLostDuringTheBacklog(t *testing.T) {
	for _, tt := range []struct {
		name          string
		stall         int
		first, second string
		asked         string
	}{
		{"before it brought anything", -1, "", "8/0-2", "join 8/0..8/2"},
		{"in its middle", 2, "7/0-1", "7/2-4 8/0-2", "7/2..8/2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
				o.grow(span(7, 0, 3))
				o.stallAfter = tt.stall
				l := st.connect(o)
				o.open(7, 1, false).put(4)
				st.want("first session", tt.first)
				o.wantAsked("first session", "join 7/0..7/3")
				l.lose()
				o.grow(span(7, 4, 4), span(8, 0, 2))
				st.connect(o)
				st.want("second session", tt.second)
				o.wantAsked("second session", tt.asked)
			})
		})
	}
}

func TestSubscriptionEndsDuringTheBacklog(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 3))
		o.stallAfter = 2
		l := st.connect(o)
		o.open(7, 1, false).put(4).close()
		synctest.Wait()
		if err := o.out.Done(model.DoneTrackEnded, "over", model.Some(uint64(1))); err != nil {
			t.Fatal(err)
		}
		st.want("the backlog still counts", "7/0-1")
		st.pass(BacklogPatience)
		st.want("all that there is", "gap(7/2_7/4) 7/4")
		testkit.ErrIs(t, <-l.done, &model.DoneError{Code: model.DoneTrackEnded})
	})
}

func TestSubscriptionEndsBeforeARepair(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 0))
		l := st.connect(o)
		o.grow(span(7, 1, 3))
		o.open(7, 0, false).put(1, 3).close()
		synctest.Wait()
		if err := o.out.Done(model.DoneTrackEnded, "over", model.Some(uint64(1))); err != nil {
			t.Fatal(err)
		}
		testkit.ErrIs(t, <-l.done, &model.DoneError{Code: model.DoneTrackEnded})
		st.want("the missing object was fetched first", "7/1-3")
	})
}

func TestNewEpoch(t *testing.T) {
	for _, tt := range []struct {
		name  string
		log   [][]model.Location
		asked []string
		want  string
	}{
		{"young: all of it", [][]model.Location{span(0, 0, 1), span(1, 0, 2)}, []string{"join 0/0..1/2"}, "0/0-1 1/0-3"},
		{"grown: the present group", [][]model.Location{span(70, 0, 1), span(71, 0, 2)}, []string{"join 71/0..71/2"}, "71/0-3"},
		{"nothing published yet", nil, []string{"1/0..1/2"}, "1/3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, From(at(700, 0)), func(t *testing.T, st *stage, o *origin) {
				o.grow(span(700, 0, 3))
				l := st.connect(o)
				o.open(700, 0, false).put(4).cut()
				st.want("old epoch", "700/0-4")
				_ = o.out.Done(model.DoneSubscriptionEnded, "the publisher began anew", model.Opt[uint64]{})
				wantErr[*model.DoneError](t, "old epoch", <-l.done)
				o.wantAsked("old epoch", "700/0..700/3")

				o.log = nil
				o.grow(tt.log...)
				st.run(l, func(ctx context.Context) error { return st.sub.Run(ctx, l.client) })
				g := uint64(1)
				if n := len(o.log); n > 0 {
					g = o.log[n-1].Group
				}
				o.open(g, 1, false).put(3)
				st.pass(2 * time.Second)
				st.want("new epoch", tt.want)
				o.wantAsked("new epoch", tt.asked...)
			})
		})
	}
}

// A publisher must end its streams before it ends the subscription.
func TestStreamThatOutlivesItsSubscription(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 0))
		l := st.connect(o)
		o.open(7, 0, false).put(1)
		synctest.Wait()
		_ = o.out.Done(model.DoneSubscriptionEnded, "", model.Opt[uint64]{})
		st.pass(StreamPatience)
		wantErr[*model.StreamError](t, "given up", <-l.done)
	})
}

func TestRepair(t *testing.T) {
	for _, tt := range []struct {
		name  string
		live  func(*origin)
		asked []string
		early string // before the repair
		want  string // after it
	}{
		{"an object that was lost", func(o *origin) { o.open(8, 0, false).put(0, 2) }, []string{"8/1..8/1"}, "8/0", "8/1-2"},
		{"the rest of a stream that was cut", func(o *origin) {
			o.open(8, 0, false).put(0).cut()
			o.open(9, 0, false).put(0)
		}, []string{"8/1..8/*"}, "8/0", "8/1-5 9/0"},
		{"groups that were left out", func(o *origin) {
			o.open(8, 0, true).put(0, 1, 2, 3, 4, 5).close()
			o.open(9, 0, true).put(0, 1).close()
			o.open(11, 0, true).put(0).close()
		}, []string{"9/3..10/*"}, "8/0-5 9/0-1", "10/0-1 11/0"},
		{"the end of a group of datagrams", func(o *origin) {
			o.datagram(at(8, 0), false)
			o.datagram(at(9, 0), false)
			o.datagram(at(9, 1), true)
		}, []string{"8/1..8/*"}, "8/0", "8/1-5 9/0-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
				o.grow(span(7, 0, 0))
				st.connect(o)
				o.open(7, 0, true).put(1, 2).close() // this track marks its ends
				st.want("before", "7/1-2")
				o.grow(span(7, 1, 2), span(8, 0, 5), span(9, 0, 1), span(10, 0, 1), span(11, 0, 0))
				tt.live(o)
				st.want("at once", tt.early)
				st.pass(DefaultPatience / 4)
				st.want("repaired", tt.want)
				o.wantAsked("repair", tt.asked...)
			})
		})
	}
}

func TestRepairThatFails(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 0))
		o.refuseFetch = &model.RequestError{Code: model.InvalidRange}
		st.connect(o)
		o.open(7, 0, false).put(1, 3)
		st.pass(DefaultPatience - time.Millisecond)
		st.want("awaited", "7/1")
		o.wantAsked("once", "7/2..7/2")
		st.pass(time.Millisecond)
		st.want("given up", "gap(7/2_7/3) 7/3")
	})
}

func TestRepairThatStalls(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 0))
		o.stallAfter = -1
		st.connect(o)
		o.open(7, 0, false).put(1, 3)
		st.pass(DefaultPatience * 5 / 4)
		st.want("given up", "7/1 gap(7/2_7/3) 7/3")
	})
}

func TestNoRepairOfWhatIsLate(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		st.sub.Terms.ObjectTimeout = model.Some(time.Second)
		o.grow(span(7, 0, 0))
		st.connect(o)
		o.open(7, 0, false).put(1, 3)
		st.pass(DefaultPatience)
		st.want("given up", "7/1 gap(7/2_7/3) 7/3")
		o.wantAsked("dropped on purpose")
	})
}

func TestEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  bool
		from Start
		end  model.Location
		live func(*origin)
		want string
	}{
		{"in the past", false, From(at(6, 1)), at(6, model.MaxID), nil, "6/1-2"},
		{"in the past, raw", true, From(at(6, 1)), at(6, model.MaxID), nil, "6/1-2"},
		{"before the start", false, FromGroupsBack(0), at(6, model.MaxID), nil, ""},
		{"at an object of the backlog", false, FromGroupsBack(0), at(7, 1), nil, "7/0-1"},
		{"with the mark of the group", false, FromGroupsBack(0), at(7, model.MaxID), func(o *origin) { o.open(7, 0, false).put(4).end(5) }, "7/0-4"},
		{"with the mark of the group, raw", true, FromGroupsBack(0), at(7, model.MaxID), func(o *origin) { o.open(7, 0, false).put(4).end(5) }, "7/0-4"},
		{"with the FIN that ends the group", false, FromNow, at(7, model.MaxID), func(o *origin) { o.open(7, 0, true).put(4).close() }, "7/4"},
		{"with a later object", false, FromNow, at(8, model.MaxID), func(o *origin) {
			o.open(7, 0, false).put(4).close()
			o.open(8, 0, false).put(0).close()
			o.open(9, 0, false).put(0).close()
		}, "7/4 8/0"},
		{"live, at an object", false, FromNow, at(7, 5), func(o *origin) { o.open(7, 0, false).put(4, 5, 6) }, "7/4-5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, tt.from, func(t *testing.T, st *stage, o *origin) {
				st.sub.End = model.Some(tt.end)
				st.sub.RawOrder = tt.raw
				o.grow(span(6, 0, 2), span(7, 0, 3))
				l := st.connect(o)
				if tt.live != nil {
					tt.live(o)
				}
				testkit.ErrIs(t, <-l.done, ErrEnd)
				st.want("up to the end", tt.want)
			})
		})
	}
}

func TestRawOrder(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		st.sub.RawOrder = true
		o.grow(span(7, 0, 3))
		o.stallAfter = 1
		l := st.connect(o)
		o.open(7, 0, false).put(6)
		synctest.Wait()
		o.open(7, 1, false).put(4, 6)
		st.want("as it comes", "7/0 7/6 7/4 7/6")
		l.lose()
		o.grow(span(7, 4, 8))
		st.connect(o)
		st.want("resumed behind the furthest", "7/7-8")
	})
}

// TestEmitCame: an object that was held back is given out with the time when it
// came.
func TestEmitCame(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  bool
		want string
	}{
		{"in order", false, "7/0@0s 7/1@0s 7/2@30ms 7/3@10ms 7/4@10ms 7/5@30ms"},
		{"as they come", true, "7/0@0s 7/1@0s 7/3@10ms 7/4@10ms 7/2@30ms 7/5@30ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
				began := time.Now()
				st.sub.RawOrder, st.sub.Emit = tt.raw, nil
				st.sub.EmitCame = func(o model.Object, came time.Time) {
					st.say(fmt.Sprint(o.Location, "@", came.Sub(began)))
				}
				o.grow(span(7, 0, 1))
				st.connect(o)
				st.pass(10 * time.Millisecond)
				o.open(7, 1, false).put(3, 4)
				st.pass(20 * time.Millisecond)
				o.open(7, 0, false).put(2, 5)
				st.want("all", tt.want)
			})
		})
	}
}

func TestAcceptPublish(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		offers := make(chan *session.PublishRequest, 1)
		l := st.dial(o, session.Config{Handler: publishes{offers: offers}})
		o.grow(span(7, 0, 3))
		go func() {
			out, err := l.server.Publish(t.Context(), session.PublishOptions{Track: testTrack, Offer: o.offer()})
			if err != nil {
				t.Error(err)
			}
			o.out = out
		}()
		p := <-offers
		st.run(l, func(ctx context.Context) error { return st.sub.Accept(ctx, p) })
		o.open(7, 0, false).put(4)
		st.want("joined and live", "7/0-4")
		o.wantAsked("joined", "join 7/0..7/3")
		l.stop()
		testkit.ErrIs(t, <-l.done, context.Canceled)
	})
}

type publishes struct {
	session.Refuse
	offers chan *session.PublishRequest
}

func (p publishes) Publish(ctx context.Context, r *session.PublishRequest) {
	p.offers <- r
	<-ctx.Done()
}

func TestRefusal(t *testing.T) {
	play(t, FromNow, func(t *testing.T, st *stage, o *origin) {
		o.refuse = &model.RequestError{Code: model.DoesNotExist}
		l := st.connect(o)
		testkit.ErrIs(t, <-l.done, &model.RequestError{Code: model.DoesNotExist, Remote: true})
		o.refuse = nil
		o.grow(span(7, 0, 0))
		st.run(l, func(ctx context.Context) error { return st.sub.Run(ctx, l.client) })
		o.open(7, 0, false).put(1)
		st.want("later", "7/1")
	})
}

func TestCancelWhileAFetchStalls(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		o.grow(span(7, 0, 3))
		o.stallAfter = 2
		l := st.connect(o)
		l.stop()
		st.pass(leaveTime)
		synctest.Wait()
		select {
		case err := <-l.done:
			testkit.ErrIs(t, err, context.Canceled)
		default:
			t.Error("Run waits for the fetch")
		}
		st.want("only what had come", "7/0-1")
	})
}
