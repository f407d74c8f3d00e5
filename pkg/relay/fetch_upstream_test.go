package relay

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// partial is a FETCH that a publisher has begun to answer.
type partial struct {
	t   *testing.T
	req *session.FetchRequest
	st  session.SendStream
	enc *wire.FetchEncoder
	ctx context.Context
}

// answerFetches makes the actor accept fetches up to end and hands them to the
// test, open.
func (a *actor) answerFetches(end model.Location) <-chan *partial {
	begun := make(chan *partial, 8)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fetching = func(ctx context.Context, r *session.FetchRequest) {
		if r.Accept(session.FetchInfo{End: end}) != nil {
			return
		}
		st, enc, header, err := r.Open(ctx)
		if err != nil {
			return
		}
		_, _ = st.Write(header)
		begun <- &partial{t: a.t, req: r, st: st, enc: enc, ctx: ctx}
	}
	return begun
}

// put sends objects, each with its location as payload.
func (p *partial) put(locations ...model.Location) {
	p.t.Helper()
	for _, l := range locations {
		payload := l.String()
		p.item(wire.FetchItem{Kind: wire.FetchObject, Location: l, Priority: 128, PayloadLen: uint64(len(payload))}, payload)
	}
}

func (p *partial) item(i wire.FetchItem, payload string) {
	p.t.Helper()
	b, err := p.enc.Append(nil, i)
	if err != nil {
		p.t.Error(err)
	}
	_, _ = p.st.Write(append(b, payload...)) // the relay may have cancelled
}

func (p *partial) finish() {
	_ = p.st.Close()
	p.req.Finish()
}

// asked begins a track of which group 5 is published up to 5/3 before the relay
// comes, and a FETCH of it.
func (s *stage) asked(opts session.FetchOptions) (pub *actor, p *partial, f *session.Fetch) {
	s.t.Helper()
	pub = s.join()
	sub := s.join()
	pub.publish("moq-date", "date", largest(5, 3))
	begun := pub.answerFetches(loc(5, 3))
	sub.mustSubscribe(date)
	opts.Track, opts.Range = date, span(5, 0, 5, 3)
	f, err := sub.sess.Fetch(s.ctx, opts)
	if err != nil {
		s.t.Fatal(err)
	}
	return pub, <-begun, f
}

// read reads a FETCH to its end.
func (s *stage) read(f *session.Fetch) (got []model.Location, err error) {
	for {
		item, err := f.Next(s.ctx)
		if err != nil {
			return got, err
		}
		got = append(got, item.Location)
	}
}

// Duties: 64.
func TestFetchRefusedUpstream(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		pub.fetching = func(_ context.Context, r *session.FetchRequest) {
			_ = r.Reject(&model.RequestError{Code: model.NotSupported, Reason: "no past"})
		}
		pub.stream(out, 5, 0, 2)
		sub.want("live", "5/0 5/1")
		sub.wantFetch("what passed here is better than nothing", session.FetchOptions{Range: span(4, 0, 5, 1)}, "unknown..4/18446744073709551615 5/0 5/1")
		other := name("moq-date", "other")
		sub.wantRefused("nothing passed here", session.FetchOptions{Track: other, Range: span(0, 0, 9, 9)}, model.NotSupported)
	})
}

// Duties: 25, 77.
func TestFetchOfSilentPublisher(t *testing.T) {
	play(t, Config{UpstreamTimeout: 7 * time.Second}, func(t *testing.T, s *stage) {
		pub, a := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		pub.fetching = func(ctx context.Context, _ *session.FetchRequest) { <-ctx.Done() }
		began := time.Now()
		a.wantRefused("it does not answer", session.FetchOptions{Range: span(0, 0, 9, 9)}, model.RequestTimeout)
		if d := time.Since(began); d != 7*time.Second {
			t.Errorf("refused after %v", d)
		}
	})
}

func TestFetchCancelledDownstream(t *testing.T) {
	for _, begun := range []bool{false, true} {
		play(t, Config{}, func(t *testing.T, s *stage) {
			_, p, f := s.asked(session.FetchOptions{})
			if begun {
				p.put(loc(5, 0))
				if item, err := f.Next(t.Context()); err != nil || item.Location != loc(5, 0) {
					t.Fatalf("%+v, %v", item, err)
				}
			}
			f.Cancel()
			s.settle()
			if p.ctx.Err() == nil {
				t.Errorf("with %v: the publisher's fetch goes on", begun)
			}
			if p.st.Context().Err() == nil {
				t.Errorf("with %v: its stream is not stopped", begun)
			}
		})
	}
}

func TestPublisherDiesWithinFetch(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, p, f := s.asked(session.FetchOptions{})
		p.put(loc(5, 0), loc(5, 1))
		for range 2 {
			if _, err := f.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		pub.sess.Close(model.NoError, "killed")
		got, err := s.read(f)
		if _, ok := errors.AsType[*model.StreamError](err); !ok || len(got) > 0 {
			t.Errorf("received %v, then %v, want a reset", got, err)
		}
		// What came is kept, what did not is not taken for absent.
		pass(time.Second)
		s.join().wantFetch("after it", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/1 unknown..5/3")
	})
}

// Duties: 64.
func TestPublisherResetsFetch(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		_, p, f := s.asked(session.FetchOptions{})
		p.put(loc(5, 0))
		if _, err := f.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.st.CancelWrite(uint64(model.ResetUnknownObjectStatus))
		got, err := s.read(f)
		if !errors.Is(err, &model.StreamError{Code: model.ResetUnknownObjectStatus, Remote: true}) || len(got) > 0 {
			t.Errorf("received %v, then %v", got, err)
		}
	})
}

// TestUnknownRangesStayUnknown: a publisher that does not know a part of its
// own track does not make it empty.
// Duties: 61, 69.
func TestUnknownRangesStayUnknown(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, p, f := s.asked(session.FetchOptions{})
		p.put(loc(5, 0))
		p.item(wire.FetchItem{Kind: wire.FetchEndUnknown, Location: loc(5, 2)}, "")
		p.put(loc(5, 3))
		p.finish()
		got, _ := s.read(f)
		if len(got) != 3 || got[1] != loc(5, 2) {
			t.Errorf("received %v", got)
		}
		pub.fetching, pub.past["date"] = nil, locations(5, 0, 4)
		s.join().wantFetch("again", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/1 5/2 5/3")
		pub.wantCounts("it is asked again", 1, 2)
		s.join().wantFetch("once more", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/1 5/2 5/3")
		pub.wantCounts("now all is known", 1, 2)
	})
}

// TestFetchBeyondItsEnd: what came exists, also behind the end that FETCH_OK names.
func TestFetchBeyondItsEnd(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 3))
		begun := pub.answerFetches(loc(5, 2))
		sub.mustSubscribe(date)
		f, err := sub.sess.Fetch(s.ctx, session.FetchOptions{Track: date, Range: span(5, 0, 5, 3)})
		if err != nil {
			t.Fatal(err)
		}
		p := <-begun
		p.put(loc(5, 0), loc(5, 3))
		p.finish()
		for _, want := range []model.Location{loc(5, 0), loc(5, 3)} {
			if item, err := f.Next(s.ctx); err != nil || item.Kind != wire.FetchObject || item.Location != want {
				t.Errorf("received %+v, %v, want %v", item, err, want)
			}
		}
		if item, err := f.Next(s.ctx); err != io.EOF {
			t.Errorf("then %+v, %v", item, err)
		}
		s.join().wantFetch("again", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/3")
		pub.wantCounts("from the log", 1, 1)
	})
}

// Duties: 61, 63.
func TestKnownGapsAreKept(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, p, f := s.asked(session.FetchOptions{})
		p.put(loc(5, 0))
		p.item(wire.FetchItem{Kind: wire.FetchEndNonExistent, Location: loc(5, 2)}, "")
		p.put(loc(5, 3))
		p.finish()
		if got, _ := s.read(f); len(got) != 2 {
			t.Errorf("received %v", got)
		}
		s.join().wantFetch("again", session.FetchOptions{Range: span(5, 0, 5, 3)}, "5/0 5/3")
		pub.wantCounts("from the log", 1, 1)
	})
}

// Duties: 65.
func TestFillTimeout(t *testing.T) {
	cacheOnly := model.Some(time.Duration(0))
	t.Run("0 asks nobody", func(t *testing.T) {
		play(t, Config{}, func(t *testing.T, s *stage) {
			pub, sub := s.join(), s.join()
			pub.publish("moq-date", "date", largest(5, 1))
			pub.past["date"] = locations(5, 0, 2)
			sub.mustSubscribe(date)
			sub.wantFetch("nothing", session.FetchOptions{Range: span(5, 0, 5, 1), FillTimeout: cacheOnly}, "unknown..5/1")
			pub.stream(pub.outbound("date"), 5, 2, 1)
			sub.want("live", "5/2")
			sub.wantFetch("a part", session.FetchOptions{Range: span(5, 0, 5, 2), FillTimeout: cacheOnly}, "unknown..5/1 5/2")
			pub.wantCounts("no fetch", 1, 0)
			sub.wantRefused("nobody has subscribed", session.FetchOptions{Track: name("moq-date", "other"), Range: span(0, 0, 1, 1), FillTimeout: cacheOnly}, model.RequestTimeout)
		})
	})
	t.Run("bounds the answer", func(t *testing.T) {
		play(t, Config{}, func(t *testing.T, s *stage) {
			pub, a := s.join(), s.join()
			pub.publish("moq-date", "date", session.Offer{})
			pub.fetching = func(ctx context.Context, _ *session.FetchRequest) { <-ctx.Done() }
			began := time.Now()
			a.wantRefused("no answer", session.FetchOptions{Range: span(0, 0, 9, 9), FillTimeout: model.Some(3 * time.Second)}, model.RequestTimeout)
			if d := time.Since(began); d != 3*time.Second {
				t.Errorf("refused after %v", d)
			}
		})
	})
	t.Run("bounds the objects", func(t *testing.T) {
		play(t, Config{}, func(t *testing.T, s *stage) {
			_, p, f := s.asked(session.FetchOptions{FillTimeout: model.Some(3 * time.Second)})
			began := time.Now()
			p.put(loc(5, 0))
			got, _ := s.read(f)
			if d := time.Since(began); d != 3*time.Second || len(got) != 2 || got[1] != loc(5, 3) {
				t.Errorf("received %v after %v, want an object and the end of the unknown range", got, d)
			}
			if _, err := f.OK(t.Context()); err != nil {
				t.Error(err)
			}
			s.settle()
			if p.ctx.Err() == nil {
				t.Error("the publisher's fetch goes on")
			}
		})
	})
}

// TestFetchContradictsTheLog: the publisher says another thing than it did live.
// Duties: 72.
func TestFetchContradictsTheLog(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 1))
		begun := pub.answerFetches(loc(5, 2))
		in := sub.mustSubscribe(date)
		pub.stream(pub.outbound("date"), 5, 2, 1)
		sub.want("live", "5/2")
		f, err := sub.sess.Fetch(t.Context(), session.FetchOptions{Track: date, Range: span(5, 0, 5, 2)})
		if err != nil {
			t.Fatal(err)
		}
		p := <-begun
		p.put(loc(5, 0))
		p.item(wire.FetchItem{Kind: wire.FetchObject, Location: loc(5, 2), Priority: 128, PayloadLen: 1}, "x")
		if got, err := s.read(f); !errors.Is(err, &model.StreamError{Code: model.ResetMalformedTrack, Remote: true}) {
			t.Errorf("received %v, then %v", got, err)
		}
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneMalformedTrack}) {
			t.Errorf("the subscription ended with %v", err)
		}
	})
}

// TestEpochEndsWithinFetch: what a fetch brings from the life of a track that
// is over does not get into the log of the next.
func TestEpochEndsWithinFetch(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, p, f := s.asked(session.FetchOptions{})
		p.put(loc(5, 0))
		s.settle()
		if err := pub.outbound("date").Done(model.DoneTrackEnded, "", model.Some(uint64(0))); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		next, sub := s.join(), s.join()
		next.publish("moq-date", "date", largest(1, 0))
		pub.offer("date", largest(1, 0))
		sub.mustSubscribe(date)
		p.put(loc(5, 1), loc(5, 2), loc(5, 3))
		p.finish()
		if _, err := s.read(f); err == nil {
			t.Error("the fetch has no end")
		}
		if g := s.only().log.Newest(); g.Set {
			t.Errorf("group %v of the old epoch is in the log of the new one", g)
		}
	})
}

// only returns the one track of the relay.
func (s *stage) only() *relayTrack {
	s.t.Helper()
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	for _, sc := range s.r.scopes {
		for _, t := range sc.tracks {
			if len(sc.tracks) == 1 {
				return t
			}
		}
	}
	s.t.Fatal("there is not one track")
	return nil
}
