package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// ask makes a FETCH of moq-date/date and does not read it.
func (a *actor) ask(r model.Range, order model.GroupOrder) *session.Fetch {
	a.t.Helper()
	f, err := a.sess.Fetch(a.t.Context(), session.FetchOptions{Track: date, Range: r, Order: order})
	if err != nil {
		a.t.Fatal(err)
	}
	return f
}

// wantRead reads a FETCH to its end and compares.
func (s *stage) wantRead(why string, f *session.Fetch, want ...model.Location) {
	s.t.Helper()
	got, _ := s.read(f)
	_, err := f.OK(s.ctx)
	if err != nil || !slices.Equal(got, want) {
		s.t.Errorf("%s: received %v, %v, want %v", why, got, err, want)
	}
}

// begun is a track whose publisher has groups 4 and 5 up to 5/3 and answers fetches
// as the test says.
func (s *stage) begun() (pub *actor, asked <-chan *partial) {
	s.t.Helper()
	pub = s.join()
	pub.publish("moq-date", "date", largest(5, 3))
	asked = pub.answerFetches(loc(5, 3))
	s.join().mustSubscribe(date)
	s.settle()
	return pub, asked
}

// TestFetchesAreShared: who asks for what is on its way gets it too.
func TestFetchesAreShared(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, asked := s.begun()
		first := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		p := <-asked
		second := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		part := s.join().ask(span(5, 1, 5, 2), model.Ascending)
		s.settle()
		p.put(loc(5, 0), loc(5, 1))
		late := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		s.settle()
		p.put(loc(5, 2), loc(5, 3))
		s.wantRead("a part does not wait for the end", part, loc(5, 1), loc(5, 2))
		p.finish()
		for why, f := range map[string]*session.Fetch{"first": first, "second": second, "late": late} {
			s.wantRead(why, f, locations(5, 0, 4)...)
		}
		pub.wantCounts("all of them", 1, 1)
		s.join().wantFetch("after them", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/1 5/2 5/3")
		pub.wantCounts("it is in the log", 1, 1)
	})
}

// TestFetchesThatOverlap: only what is not on its way is asked for.
// Duties: 64.
func TestFetchesThatOverlap(t *testing.T) {
	for order, want := range map[model.GroupOrder][]model.Location{
		model.Ascending:  append(append(locations(3, 0, 2), locations(4, 0, 2)...), locations(5, 0, 2)...),
		model.Descending: append(append(locations(5, 0, 2), locations(4, 0, 2)...), locations(3, 0, 2)...),
	} {
		play(t, Config{}, func(t *testing.T, s *stage) {
			pub, asked := s.begun()
			one := s.join().ask(span(4, 0, 4, model.MaxID), order)
			middle := <-asked
			all := s.join().ask(span(3, 0, 5, 3), order)
			rest := map[uint64]*partial{}
			for range 2 {
				p := <-asked
				rest[p.req.Range.Start.Group] = p
			}
			if r := rest[3].req.Range; r != span(3, 0, 3, model.MaxID) {
				t.Errorf("before it %v is asked for", r)
			}
			if r := rest[5].req.Range; r != span(5, 0, 5, 3) {
				t.Errorf("after it %v is asked for", r)
			}
			middle.put(locations(4, 0, 2)...)
			middle.finish()
			rest[3].put(locations(3, 0, 2)...)
			rest[3].finish()
			rest[5].put(locations(5, 0, 2)...)
			rest[5].finish()
			s.wantRead("one group", one, locations(4, 0, 2)...)
			s.wantRead(order.String(), all, want...)
			pub.wantCounts("nothing twice", 1, 3)
		})
	}
}

// TestSharedFetchCancelled: it goes on as long as anybody reads it.
// Duties: 69.
func TestSharedFetchCancelled(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, asked := s.begun()
		first := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		p := <-asked
		second := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		s.settle()
		p.put(loc(5, 0))
		first.Cancel()
		s.settle()
		if p.ctx.Err() != nil {
			t.Fatal("the publisher's fetch ended with the first")
		}
		p.put(loc(5, 1))
		s.settle()
		second.Cancel()
		s.settle()
		if p.ctx.Err() == nil || p.st.Context().Err() == nil {
			t.Error("the publisher's fetch goes on without anybody")
		}
		pub.wantCounts("both", 1, 1)
		third := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		p = <-asked
		if p.req.Range != span(5, 2, 5, 3) {
			t.Errorf("%v is asked for, want what has not come yet", p.req.Range)
		}
		p.put(loc(5, 2), loc(5, 3))
		p.finish()
		s.wantRead("who came after", third, locations(5, 0, 4)...)
	})
}

// TestSharedFetchFails for all.
func TestSharedFetchFails(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		_, asked := s.begun()
		first := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		p := <-asked
		second := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		s.settle()
		p.put(loc(5, 0))
		p.st.CancelWrite(uint64(model.ResetInternalError))
		for _, f := range []*session.Fetch{first, second} {
			if _, err := s.read(f); !errors.Is(err, &model.StreamError{Code: model.ResetInternalError, Remote: true}) {
				t.Errorf("ended with %v", err)
			}
		}
	})
}

// TestSharedFetchEndsBeforeTheRange: what is on its way shows that a range lies
// behind all that exists.
func TestSharedFetchEndsBeforeTheRange(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", largest(5, 3))
		hold := make(chan struct{})
		pub.fetching = func(_ context.Context, r *session.FetchRequest) {
			<-hold
			if r.Accept(session.FetchInfo{End: loc(5, 3)}) != nil {
				return
			}
			st, enc, header, err := r.Open(s.ctx)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = st.Write(header)
			p := &partial{t: t, req: r, st: st, enc: enc, ctx: s.ctx}
			p.put(loc(5, 3))
			p.finish()
		}
		all, tail := s.join().ask(span(1, 0, 9, 9), model.Ascending), s.join()
		s.settle()
		behind := tail.ask(span(7, 0, 9, 9), model.Ascending)
		s.settle()
		close(hold)
		s.wantRead("all", all, loc(5, 3))
		if _, err := behind.OK(s.ctx); !errors.Is(err, &model.RequestError{Code: model.InvalidRange, Remote: true}) {
			t.Errorf("behind all: %v", err)
		}
		pub.wantCounts("for both", 0, 1)
	})
}

// TestFillTimeoutIsOnesOwn: who is in a hurry does not take it from the others.
// Duties: 65.
func TestFillTimeoutIsOnesOwn(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, asked := s.begun()
		hasty, err := s.join().sess.Fetch(t.Context(), session.FetchOptions{Track: date, Range: span(5, 0, 5, 3), FillTimeout: model.Some(time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		bounded := <-asked
		patient := s.join().ask(span(5, 0, 5, 3), model.Ascending)
		p := <-asked
		s.settle()
		bounded.put(loc(5, 0))
		pass(2 * time.Second)
		s.wantRead("with a fill timeout", hasty, loc(5, 0), loc(5, 3))
		p.put(locations(5, 0, 4)...)
		p.finish()
		s.wantRead("without", patient, locations(5, 0, 4)...)
		pub.wantCounts("each", 1, 2)
	})
}

// TestSlowReaderOfASharedFetch does not slow the others, and gets all in the end.
func TestSlowReaderOfASharedFetch(t *testing.T) {
	for _, order := range []model.GroupOrder{model.Ascending, model.Descending} {
		play(t, Config{CacheBytes: fillWindow}, func(t *testing.T, s *stage) { // so that the log does not help
			const groups, each, size = 4, 8, fillWindow / 16
			pub := s.join()
			pub.publish("moq-date", "date", largest(groups, each-1))
			asked := pub.answerFetches(loc(groups, each-1))
			s.join().mustSubscribe(date)
			var all []model.Location
			for g := uint64(1); g <= groups; g++ {
				all = append(all, locations(g, 0, each)...)
			}
			if order == model.Descending {
				all = nil
				for g := uint64(groups); g >= 1; g-- {
					all = append(all, locations(g, 0, each)...)
				}
			}
			s.work.Go(func() {
				for {
					var p *partial
					select {
					case p = <-asked:
					case <-s.ctx.Done():
						return
					}
					for _, l := range all {
						if p.req.Range.Contains(l) && p.ctx.Err() == nil {
							p.item(wire.FetchItem{Kind: wire.FetchObject, Location: l, Priority: 128, PayloadLen: size}, strings.Repeat("x", size))
						}
					}
					p.finish()
				}
			})
			slow := s.join(memtr.WithWindow(size/2)).ask(span(1, 0, groups, each-1), order)
			s.settle()
			fast := s.join().ask(span(1, 0, groups, each-1), order)
			s.wantRead("the fast one", fast, all...)
			s.wantRead("the slow one", slow, all...)
			if _, fetches := pub.counts(); fetches < 2 {
				t.Error("the slow one did not have to ask again")
			}
		})
	}
}

// TestManyJoinOneTrack: the publisher sees one subscription and one fetch.
func TestManyJoinOneTrack(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", largest(5, 3))
		asked := pub.answerFetches(loc(5, 3))
		pub.hold = make(chan struct{})
		errs := make(chan error, crowd)
		for range crowd {
			a := s.join()
			s.work.Go(func() {
				errs <- func() error {
					in, err := a.sess.Subscribe(s.ctx, session.SubscribeOptions{Track: date}, a)
					if err != nil {
						return err
					}
					got, err := a.fetch(session.FetchOptions{Join: &session.Join{To: in, Relative: true}})
					if err == nil && got != "5/0 5/1 5/2 5/3" {
						err = fmt.Errorf("received %q", got)
					}
					return err
				}()
			})
		}
		s.settle()
		close(pub.hold)
		p := <-asked
		s.settle()
		p.put(locations(5, 0, 4)...)
		p.finish()
		for range crowd {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		pub.wantCounts("all of them", 1, 1)
	})
}
