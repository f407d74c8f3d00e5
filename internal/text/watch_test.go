package text

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/date"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// watched is a Watcher that writes down what it is told.
type watched struct {
	mu   sync.Mutex
	said []string
}

func (w *watched) Object(a *Arrival) {
	past := ""
	if a.Past {
		past = "past "
	}
	w.say(past + string(a.Payload))
}

func (w *watched) Gap(_ model.FullTrackName, from, to model.Location) {
	w.say(fmt.Sprintf("gap %v %v", from, to))
}

func (w *watched) say(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, s)
}

// take returns what was said since the last time.
func (w *watched) take() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.said = nil }()
	return strings.Join(w.said, "|")
}

// watch launches a Client that shows what comes and prints nothing.
func (w *world) watch(set func(*Client)) (*program, *watched) {
	to := &watched{}
	return w.launch(func(c *Client) {
		c.Watch, c.Format = to, Nothing
		if set != nil {
			set(c)
		}
	}), to
}

// TestWatch: a Watcher is told of what would be printed otherwise, and the Status
// of how it comes.
func TestWatch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p, _ := w.watch(nil)
		if st := p.Status(); st.Connected || st.Accepted || st.Objects != 0 || st.First != nil {
			t.Errorf("without a server %+v", st)
		}
		p.result("without a server", "refused")
		_, serve := w.relayed(w.date(date.StreamPerGroup), false)
		w.open(serve)
		until(7)
		p, to := w.watch(nil)
		until(11)
		testkit.Equal(t, to.take(), "past "+strings.ReplaceAll(seconds(0, 7), "|", "|past ")+"|8|9|10|11")
		st := p.Status()
		if !st.Connected || !st.Accepted || st.Paused || st.Objects != 13 || st.Bytes < 11 || st.Answer == nil || st.First == nil || st.Jitter == nil || st.Protocol == "" {
			t.Errorf("%+v", st)
		}
		p.want("nothing is printed", "")
		testkit.NoErr(t, p.Unsubscribe())
		p.result("the track was left", "")
	})
	if err := new(Client).Unsubscribe(); err == nil {
		t.Error("a track is left that was not asked for")
	}
}

// TestPause: nothing comes while it lasts, and then what was missed.
func TestPause(t *testing.T) {
	for _, way := range []Way{Follow, Publishes} {
		inWorld(t, func(t *testing.T, w *world) {
			pub := w.date(date.StreamPerGroup)
			_, serve := w.relayed(pub, way == Publishes)
			w.open(serve)
			until(7)
			p, to := w.watch(func(c *Client) { c.Way = way })
			until(9)
			to.take()
			testkit.NoErr(t, p.Pause(w.ctx, true))
			until(14)
			testkit.Equal(t, to.take(), "")
			if st := p.Status(); !st.Paused {
				t.Errorf("%+v", st)
			}
			testkit.NoErr(t, p.Pause(w.ctx, false))
			until(16)
			testkit.Equal(t, to.take(), seconds(10, 16))
			if st := p.Status(); st.Paused {
				t.Errorf("%+v", st)
			}
			// It holds on the next session.
			testkit.NoErr(t, p.Pause(w.ctx, true))
			w.kill()
			until(20)
			testkit.ErrIs(t, p.Pause(w.ctx, true), moqt.ErrNotSubscribed)
			_, serve = w.relayed(pub, way == Publishes)
			w.open(serve)
			until(25)
			to.take() // what was published up to the new subscription, if anything
			until(28)
			testkit.Equal(t, to.take(), "")
			p.end()
		})
	}
}

// TestNotEverythingCanBePaused or fetched beside what runs.
func TestNotEverythingCanBePaused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.open(direct(&halting{after: []uint64{2}}))
		p, _ := w.watch(func(c *Client) { c.Way, c.Span = Fetch, mustSpan("3", "", "3") })
		testkit.ErrIs(t, p.Pause(w.ctx, true), errNoPause)
		_, err := p.FetchRange(w.ctx, Span{})
		testkit.ErrIs(t, err, errNoRange)
		p.end()
		synctest.Wait()
		_, err = p.FetchRange(w.ctx, mustSpan("3", "", "3"))
		testkit.ErrIs(t, err, errNotConnected)
		w.open(direct(moqt.NewTrackMux()))
		p, _ = w.watch(func(c *Client) { c.Way, c.Track.Name = Publishes, "" })
		if _, err := p.FetchRange(w.ctx, mustSpan("3", "", "3")); err == nil {
			t.Error("a range of no track is fetched")
		}
		p.stop(errStopped)
		<-p.done
	})
}

// TestFetchRange: the past comes beside the present.
func TestFetchRange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, serve := w.relayed(w.date(date.StreamPerGroup), false)
		w.open(serve)
		until(127)
		p, to := w.watch(func(c *Client) { c.Start = moqt.FromNow })
		until(128)
		testkit.Equal(t, to.take(), "8")
		n, err := p.FetchRange(w.ctx, mustSpan("-1", "", "-1"))
		testkit.NoErr(t, err)
		testkit.Equal(t, n, uint64(61))
		testkit.Equal(t, to.take(), "past "+strings.ReplaceAll(seconds(60, 119), "|", "|past "))
		until(129)
		testkit.Equal(t, to.take(), "9")
		p.end()
	})
}

// TestFetchRangeThatStalls leaves the session as it is.
func TestFetchRangeThatStalls(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		h := &stalling{TrackMux: mux, halting: halting{after: []uint64{2, 2}}}
		w.open(direct(h))
		until(7)
		p, to := w.watch(func(c *Client) { c.Start, c.Answer = moqt.FromNow, 5*time.Second })
		until(9)
		testkit.Equal(t, to.take(), "8|9")
		n, err := p.FetchRange(w.ctx, mustSpan("3", "", "3"))
		if err == nil || n != 3 {
			t.Errorf("%d objects, %v", n, err)
		}
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		defer cancel()
		began := time.Now()
		if n, err = p.FetchRange(ctx, mustSpan("3", "", "3")); err == nil || n != 3 || time.Since(began) > time.Second {
			t.Errorf("%d objects, %v, after %v", n, err, time.Since(began))
		}
		to.take()
		until(60)
		if got := to.take(); !strings.HasSuffix(got, "58|59|2000-01-01 00:01:|0") || w.connections() != 1 {
			t.Errorf("the subscription brings %s, %d connections", got, w.connections())
		}
		p.end()
	})
}

// stalling serves subscriptions, and fetches that stall.
type stalling struct {
	*moqt.TrackMux
	halting halting
}

func (s *stalling) Fetch(ctx context.Context, r *session.FetchRequest) { s.halting.Fetch(ctx, r) }
