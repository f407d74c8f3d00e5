package text

import (
	"context"
	"testing"
	"time"

	"oxymoq/internal/date"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

func TestPublishesThroughARelay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pub := w.date(date.StreamPerGroup)
		_, serve := w.relayed(pub, true)
		w.open(serve)
		until(7)
		p := w.launch(func(c *Client) { c.Way, c.Track.Name = Publishes, "" })
		until(9)
		p.want("joined", seconds(0, 9))
		w.kill()
		until(12)
		_, serve = w.relayed(pub, true)
		w.open(serve)
		until(20)
		p.want("resumed at the new relay", seconds(10, 20))
		p.end()
	})
}

// offering publishes tracks to whoever asks for the namespace.
type offering struct {
	*moqt.TrackMux
	tracks []*moqt.LocalTrack
	ends   chan error
}

func (o *offering) SubscribeTracks(ctx context.Context, r *session.PrefixRequest) {
	if _, err := r.Accept(nil); err != nil {
		return
	}
	for _, t := range o.tracks {
		go func() { o.ends <- o.Offer(ctx, r.Session(), t) }()
	}
	<-ctx.Done()
}

func newOffering(names ...string) *offering {
	o := &offering{TrackMux: moqt.NewTrackMux(), ends: make(chan error, len(names))}
	for _, n := range names {
		t := &moqt.LocalTrack{Name: model.FullTrackName{Namespace: model.Namespace{"moq-date", "a"}, Name: n}, Log: track.New(track.Config{})}
		write(t.Log, 1, 0, n+"0")
		o.Handle(t)
		o.tracks = append(o.tracks, t)
	}
	return o
}

func TestPublishes(t *testing.T) {
	t.Run("all tracks until they end", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			o := newOffering("x", "y")
			w.open(direct(o))
			p := w.launch(func(c *Client) { c.Way, c.Track.Name, c.ExitOn.End = Publishes, "", true })
			if got := p.out.take(); got != "x0\ny0\n" && got != "y0\nx0\n" {
				t.Errorf("joined: %q", got)
			}
			write(o.tracks[0].Log, 1, 1, "x1")
			o.tracks[0].Log.End(model.DoneTrackEnded, "")
			until(2)
			p.want("one has ended", "x1")
			write(o.tracks[1].Log, 1, 1, "y1")
			o.tracks[1].Log.End(model.DoneTrackEnded, "")
			p.result("both have", "")
			p.want("both have", "y1")
		})
	})
	t.Run("the one that was named", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			o := newOffering("x", "y")
			w.open(direct(o))
			p := w.launch(func(c *Client) { c.Way, c.Track.Name = Publishes, "y" })
			p.want("only that", "y0")
			testkit.ErrIs(t, <-o.ends, &model.RequestError{Code: model.Uninterested, Remote: true})
			p.end()
		})
	})
	t.Run("up to an end", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			o := newOffering("x")
			w.open(direct(o))
			p := w.launch(func(c *Client) { c.Way, c.Track.Name, c.Span = Publishes, "", mustSpan("", "", "1") })
			write(o.tracks[0].Log, 1, 1, "x1")
			write(o.tracks[0].Log, 2, 0, "x2")
			p.result("reached", "")
			p.want("reached", "x0|x1")
		})
	})
	t.Run("a peer that does not publish", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.open(direct(moqt.NewTrackMux()))
			p := w.launch(func(c *Client) { c.Way = Publishes })
			p.result("refused", `refuses namespace "moq-date" with NOT_SUPPORTED`)
		})
	})
}

func TestPublishesMoveOnGoaway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pub := w.date(date.StreamPerGroup)
		r, serve := w.relayed(pub, true)
		w.open(serve)
		until(7)
		p := w.launch(func(c *Client) { c.Way, c.Track.Name = Publishes, "" })
		_, serve = w.relayed(pub, true)
		w.open(serve)
		w.work.Go(func() { r.Drain(w.ctx, "", time.Minute) })
		until(20)
		p.want("at the next relay, without a gap", seconds(0, 20))
		p.end()
	})
}

func TestPublishesAreBounded(t *testing.T) {
	c := &Client{Track: dateTrack}
	p := newPublishes(c)
	for i := range MaxTracks {
		p.tracks[string(rune(i))] = &published{running: 1}
	}
	if p.forgetLocked() {
		t.Error("forgets a track that is read")
	}
	p.tracks[string(rune(7))].running = 0
	if !p.forgetLocked() || len(p.tracks) != MaxTracks-1 {
		t.Error("keeps a track that is not read")
	}
}
