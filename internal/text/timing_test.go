package text

import (
	"context"
	"testing"
	"time"

	"oxymoq/internal/date"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// TestRelativeSpans: distances count from the group that is present when the
// program asks, here 0:02, and stay the same afterwards.
func TestRelativeSpans(t *testing.T) {
	for _, tt := range []struct {
		name           string
		way            Way
		sg, so, eg, eo string
		want           string // from 0:02:07 on, until it ends
	}{
		{"follow from a group back", Follow, "-1", "", "", "", seconds(60, 129)},
		{"follow from an object of the group before", Follow, "-1", "60", "+0", "4", "59|" + seconds(120, 123)},
		{"follow from the next group on", Follow, "+1", "", "+1", "3", seconds(180, 182)},
		{"fetch the group before", Fetch, "-1", "59", "-1", "", "58|59"},
		{"fetch up to an object", Fetch, "-1", "60", "-0", "2", "59|2000-01-01 00:02:|0|1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mux := moqt.NewTrackMux()
				w.date(date.StreamPerGroup).Serve(mux)
				w.open(direct(mux))
				until(127)
				s, err := ParseSpan(tt.sg, tt.so, tt.eg, tt.eo)
				if err != nil {
					t.Fatal(err)
				}
				p := w.launch(func(c *Client) { c.Way, c.Span = tt.way, s })
				if tt.eg == "" {
					until(129)
					p.end()
				} else {
					p.result("it ends by itself", "")
				}
				p.want("all of it", tt.want)
			})
		})
	}
}

func TestRelativeSpanOfNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		mux.Handle(&moqt.LocalTrack{Name: dateTrack, Log: track.New(track.Config{})})
		w.open(direct(mux))
		p := w.launch(func(c *Client) { c.Span = mustSpan("+1", "", "") })
		p.result("there is nothing to count from", "nothing was published yet")
	})
}

func TestExitWhenIdle(t *testing.T) {
	for _, way := range []Way{Follow, Publishes} {
		inWorld(t, func(t *testing.T, w *world) {
			o := newOffering("x")
			w.open(direct(o))
			p := w.launch(func(c *Client) {
				c.Way, c.Track = way, o.tracks[0].Name
				c.ExitOn.Idle, c.Idle = true, 5*time.Second
			})
			until(4)
			write(o.tracks[0].Log, 1, 1, "later")
			until(9) // 4.5 s after the object
			p.want("it is still there", "x0|later")
			p.result("nothing comes any more", "")
			if now := time.Since(time.Unix(946684800, 0)); now < 9*time.Second || now > 10*time.Second {
				t.Errorf("ended after %v", now)
			}
		})
	}
}

// TestNotIdleBeforeTheFirstAnswer: waiting for a server is not being idle.
func TestNotIdleBeforeTheFirstAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.launch(func(c *Client) {
			c.Dial.RetryFirst = true
			c.ExitOn.Idle, c.Idle, c.Count = true, 5*time.Second, 1
		})
		until(20)
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		p.result("the server came late", "")
	})
}

func TestLeave(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		w.date(date.StreamPerGroup).Serve(mux)
		w.open(direct(mux))
		until(1)
		p := w.launch(func(c *Client) { c.Leave = 3 * time.Second })
		p.result("the time with the track is up", "")
		p.want("until then", seconds(0, 4))
	})
	inWorld(t, func(t *testing.T, w *world) {
		o := newOffering("x", "y")
		w.open(direct(o))
		p := w.launch(func(c *Client) { c.Way, c.Track.Name, c.Leave = Publishes, "", 3*time.Second })
		p.result("both were left", "")
		for range o.tracks {
			if err := <-o.ends; err == nil {
				t.Error("the publisher does not learn that its track was left")
			}
		}
	})
}

// mute never answers.
type mute struct{ session.Refuse }

func (mute) Subscribe(ctx context.Context, _ *session.SubscribeRequest)     { <-ctx.Done() }
func (mute) Fetch(ctx context.Context, _ *session.FetchRequest)             { <-ctx.Done() }
func (mute) TrackStatus(ctx context.Context, _ *session.TrackStatusRequest) { <-ctx.Done() }
func (mute) SubscribeTracks(ctx context.Context, _ *session.PrefixRequest)  { <-ctx.Done() }

func TestNoAnswer(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*Client)
		want string
	}{
		{"to SUBSCRIBE", func(*Client) {}, "no answer within 7s"},
		{"to SUBSCRIBE that may wait for a publisher", func(c *Client) { c.Rendezvous = 2 * time.Second }, "no answer within 9s"},
		{"to TRACK_STATUS", func(c *Client) { c.Span = mustSpan("-1", "", "-1") }, "no answer within 7s"},
		{"to FETCH", func(c *Client) { c.Way, c.Span = Fetch, mustSpan("1", "", "2") }, "brought nothing"},
		{"to SUBSCRIBE_TRACKS", func(c *Client) { c.Way = Publishes }, "no answer within 7s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.open(direct(mute{}))
				p := w.launch(func(c *Client) {
					c.Answer = 7 * time.Second
					tt.set(c)
				})
				p.result("the peer says nothing", tt.want)
			})
		})
	}
}
