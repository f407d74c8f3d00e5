package text

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/date"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

func TestStartInMidMinute(t *testing.T) {
	for _, mode := range []date.Mode{date.StreamPerGroup, date.StreamPerObject, date.Datagrams} {
		for _, through := range []string{"direct", "relay"} {
			t.Run(string(mode)+" "+through, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					pub := w.date(mode)
					mux := moqt.NewTrackMux()
					pub.Serve(mux)
					serve := direct(mux)
					if through == "relay" {
						_, serve = w.relayed(pub, false)
					}
					w.open(serve)
					until(7)
					p := w.launch(nil)
					time.Sleep(100 * time.Millisecond)
					p.want("so far", seconds(0, 7))
					until(8)
					p.want("one a second", "8")
					until(125)
					p.want("over the minutes", seconds(9, 125))
					p.end()
				})
			})
		}
	}
}

func TestParts(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*Client)
		want string // at 0:02:07, until it ends
	}{
		{"from now", func(c *Client) { c.Start = moqt.FromNow; c.Count = 2 }, seconds(128, 129)},
		{"one minute back", func(c *Client) { c.Start = moqt.FromGroupsBack(1); c.Count = 70 }, seconds(60, 127)},
		{"start group and object", func(c *Client) { c.Span = mustSpan("15778081", "58", ""); c.Count = 6 }, "57|58|59|2000-01-01 00:02:|0|1"},
		{"a past group", func(c *Client) { c.Span = mustSpan("15778081", "60", "15778081") }, "59"},
		{"up to the end of this group", func(c *Client) { c.Span = mustSpan("", "", "15778082") }, seconds(120, 179)},
		{"a time", func(c *Client) { c.Duration = 2 * time.Second }, seconds(120, 129)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mux := moqt.NewTrackMux()
				w.date(date.StreamPerGroup).Serve(mux)
				w.open(direct(mux))
				until(127)
				p := w.launch(tt.set)
				p.result("it ends by itself", "")
				p.want("all of it", tt.want)
			})
		})
	}
}

func mustSpan(sg, so, eg string) Span {
	s, err := ParseSpan(sg, so, eg, "")
	if err != nil {
		panic(err)
	}
	return s
}

func TestSessionLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		until(7)
		p := w.launch(nil)
		until(10)
		p.want("first session", seconds(0, 10))
		w.kill()
		until(55)
		p.want("nobody answers", "")
		w.open(direct(mux))
		until(65)
		p.want("what was missed, once", seconds(11, 65))
		w.kill()
		w.open(direct(mux))
		until(70)
		p.want("again", seconds(66, 70))
		p.end()
	})
}

func TestRelayRestarts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pub := w.date(date.StreamPerGroup)
		_, serve := w.relayed(pub, false)
		w.open(serve)
		until(57)
		p := w.launch(nil)
		until(58)
		p.want("first relay", seconds(0, 58))
		w.kill()
		until(63)
		_, serve = w.relayed(pub, false)
		w.open(serve)
		until(70)
		p.want("what was missed", seconds(59, 70))
		p.end()
	})
}

func TestGoaway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		sessions := make(chan *session.Session, 4)
		serve := func(ctx context.Context, c session.Conn) {
			s, err := session.Start(ctx, c, session.Config{Role: session.Server, Handler: mux})
			if err == nil {
				sessions <- s
				s.Wait()
			}
		}
		w.open(serve)
		until(7)
		p := w.launch(nil)
		old := <-sessions
		w.open(nil) // no new session can be had at first
		if err := old.Goaway("", time.Minute); err != nil {
			t.Fatal(err)
		}
		until(12)
		p.want("the old session serves on", seconds(0, 12))
		w.open(serve)
		until(18)
		p.want("no gap between them", seconds(13, 18))
		if n := w.connections(); n != 1 {
			t.Errorf("%d sessions are open", n)
		}
		testkit.ErrIs(t, old.Err(), &model.SessionError{Code: model.NoError, Remote: true})
		p.end()
		next := <-sessions
		testkit.ErrIs(t, next.Err(), &model.SessionError{Code: model.NoError, Remote: true})
	})
}

func TestGoawayOfASessionThatEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pub := w.date(date.StreamPerGroup)
		r, serve := w.relayed(pub, false)
		w.open(serve)
		until(7)
		p := w.launch(nil)
		w.open(nil)
		w.work.Go(func() { r.Drain(w.ctx, "", 3*time.Second) })
		until(12)
		w.kill()
		p.out.take()
		_, serve = w.relayed(pub, false)
		w.open(serve)
		until(20)
		got := p.out.take()
		if want := seconds(11, 20); len(got) < len(want) {
			t.Errorf("after the drain: %q", got)
		}
		p.end()
	})
}

// muxed adds a track with the objects of one group.
func muxed(mux *moqt.TrackMux, group uint64, texts ...string) *track.Track {
	t := track.New(track.Config{})
	mux.Handle(&moqt.LocalTrack{Name: dateTrack, Log: t})
	write(t, group, 0, texts...)
	return t
}

func write(t *track.Track, group, first uint64, texts ...string) {
	w, err := t.OpenSubgroup(track.SubgroupKey{Group: group, Subgroup: first}, track.SubgroupInfo{Form: nativeForm})
	for i, s := range texts {
		if err == nil {
			err = w.Append(track.ObjectHeader{ID: first + uint64(i), PayloadLen: uint64(len(s))}, []byte(s))
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
}

func TestPublisherBeginsAnew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		log := muxed(mux, 700, "a", "b")
		w.open(func(ctx context.Context, c session.Conn) { direct(w.handler(&mux))(ctx, c) })
		p := w.launch(nil)
		write(log, 701, 0, "c")
		time.Sleep(moqt.DefaultPatience) // nothing says that group 700 is over
		p.want("old epoch", "a|b|c")

		w.mu.Lock()
		mux = moqt.NewTrackMux()
		w.mu.Unlock()
		log.End(model.DoneSubscriptionEnded, "the publisher has gone")
		time.Sleep(time.Minute)
		p.want("nobody publishes", "")
		p.wantLog("and it says so", "DOES_NOT_EXIST")

		w.mu.Lock()
		log = muxed(mux, 0, "d")
		w.mu.Unlock()
		write(log, 1, 0, "e")
		time.Sleep(6 * time.Second)
		write(log, 2, 0, "f")
		time.Sleep(moqt.DefaultPatience)
		p.want("all of the new epoch, on the same session", "d|e|f")
		if n := w.connections(); n != 1 {
			t.Errorf("%d sessions", n)
		}
		p.end()
	})
}

func TestTrackEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		exit   ExitOn
		ends   bool
		result string
	}{
		{"by default it waits for more", ExitOn{}, false, ""},
		{"exit on end", ExitOn{End: true}, true, ""},
		{"exit on error", ExitOn{Error: true}, true, "TRACK_ENDED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mux := moqt.NewTrackMux()
				log := muxed(mux, 7, "a", "b")
				w.open(direct(mux))
				p := w.launch(func(c *Client) { c.ExitOn = tt.exit })
				write(log, 8, 0, "c")
				log.End(model.DoneTrackEnded, "that was it")
				time.Sleep(time.Minute)
				p.want("all that there was", "a|b|c")
				if !tt.ends {
					p.end()
					return
				}
				p.result("exit", tt.result)
			})
		})
	}
}

func TestExitOnErrorWhenTheSessionIsLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		p := w.launch(func(c *Client) { c.ExitOn.Error = true })
		w.kill()
		p.result("lost", "lost moqt://relay:4433")
	})
}

func TestRawOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		until(2)
		p := w.launch(func(c *Client) { c.RawOrder = true })
		until(5)
		p.want("all the same", seconds(0, 5))
		w.kill()
		w.open(direct(mux))
		until(9)
		p.want("and resumed", seconds(6, 9))
		p.end()
	})
}

func TestFirstAttempt(t *testing.T) {
	unknown := `moqt://relay:4433 has no track "date" of namespace "moq-date"`
	for _, tt := range []struct {
		name   string
		server bool // there is one, without the track
		set    func(*Client)
		after  time.Duration // when the track and the server come
		result string        // "": it works in the end
	}{
		{"nobody answers", false, nil, 0, "cannot connect to moqt://relay:4433: connection refused"},
		{"nobody answers yet", false, func(c *Client) { c.Dial.RetryFirst = true }, time.Minute, ""},
		{"no such track", true, nil, 0, unknown},
		{"no such track yet", true, func(c *Client) { c.Dial.RetryFirst = true }, time.Minute, ""},
		{"no such track, waiting", true, func(c *Client) { c.Rendezvous = 10 * time.Second }, 5 * time.Second, ""},
		{"no such track, waiting too short", true, func(c *Client) { c.Rendezvous = 10 * time.Second }, time.Minute, unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mux := moqt.NewTrackMux()
				if tt.server {
					w.open(direct(mux))
				}
				p := w.launch(tt.set)
				time.Sleep(tt.after)
				muxed(mux, 1, "a")
				w.open(direct(mux))
				if tt.result != "" {
					p.result("refused", tt.result)
					return
				}
				time.Sleep(6 * time.Second)
				p.want("in the end", "a")
				p.end()
			})
		})
	}
}

func TestSessionLostBeforeItWorked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.open(direct(silent{}))
		p := w.launch(nil)
		w.kill()
		p.result("lost", "cannot connect to moqt://relay:4433")
	})
}

// silent never answers.
type silent struct{ session.Refuse }

func (silent) Subscribe(ctx context.Context, _ *session.SubscribeRequest) { <-ctx.Done() }

func TestStoppedByASignal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		sessions := make(chan *session.Session, 1)
		w.open(func(ctx context.Context, c session.Conn) {
			s, err := session.Start(ctx, c, session.Config{Role: session.Server, Handler: mux})
			if err == nil {
				sessions <- s
				s.Wait()
			}
		})
		p := w.launch(nil)
		p.end()
		synctest.Wait()
		testkit.ErrIs(t, (<-sessions).Err(), &model.SessionError{Code: model.NoError, Remote: true})
	})
}

func TestGoawayOfEverySession(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		leaving := make(chan struct{})
		accepted := 0
		w.open(func(ctx context.Context, c session.Conn) {
			accepted++
			s, err := session.Start(ctx, c, session.Config{Role: session.Server, Handler: mux})
			if err != nil {
				return
			}
			<-leaving
			_ = s.Goaway("", time.Minute)
			s.Wait()
		})
		until(7)
		p := w.launch(nil)
		close(leaving)
		until(30)
		p.want("the first session serves on meanwhile", seconds(0, 30))
		if n := w.connections(); n > 2 || accepted > 20 {
			t.Errorf("%d sessions are open of %d", n, accepted)
		}
		p.end()
	})
}
