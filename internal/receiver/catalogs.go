package receiver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// catalogPatience is how long catalogs may take before tracks are given up that
// they might have named otherwise.
const catalogPatience = 2 * time.Second

// catalogPause is the longest pause between requests for a catalog: many
// publishers have none.
const catalogPause = time.Minute

// catalogs are what publishers say of their tracks. They belong to Run's goroutine.
type catalogs struct {
	r     *Receiver
	lists []*listing
	over  bool // nobody waits for them any more
}

// listing is one catalog.
type listing struct {
	c        *catalogs
	name     string
	reader   *catalog.Reader
	answered bool
	now      *catalog.Catalog // nil: none yet
}

// open begins to follow the catalogs. What it returns is to be called at the end.
func (c *catalogs) open(r *Receiver, work *sync.WaitGroup) (end func()) {
	c.r = r
	late := time.AfterFunc(catalogPatience, func() {
		r.do(func() { c.over = true; c.heard() })
	})
	for _, name := range []string{catalog.NameMSF, catalog.NameHang} {
		l := &listing{c: c, name: name}
		c.lists = append(c.lists, l)
		work.Go(l.follow)
	}
	return func() { late.Stop() }
}

// pending reports whether a catalog may still name tracks.
func (c *catalogs) pending() bool {
	return !c.over && slices.ContainsFunc(c.lists, func(l *listing) bool { return !l.answered })
}

// heard goes on with what waited for the catalogs.
func (c *catalogs) heard() {
	if c.pending() {
		return
	}
	for _, s := range c.r.sources {
		s.replay()
		if s.state == absent {
			c.r.timeline.Close(s.kind, time.Now())
		}
	}
	c.r.settle()
}

// format returns what the catalogs say of a track, or nil.
func (c *catalogs) format(k media.Kind, name string) *media.Format {
	for _, l := range c.lists {
		if l.now == nil {
			continue
		}
		if t := l.now.Named(name); t != nil && t.Kind == k && t.Format != nil {
			return t.Format
		}
	}
	return nil
}

// tell lets the sources know by which other names their tracks may be had, the
// largest pictures first.
func (l *listing) tell() {
	size := func(t catalog.Track) int { return t.Format.Width * t.Format.Height }
	var tracks []catalog.Track
	for _, t := range l.now.Tracks {
		if _, err := packaging.Parse(t.Packaging); err == nil && t.Format != nil && t.Namespace == nil {
			tracks = append(tracks, t)
		}
	}
	slices.SortStableFunc(tracks, func(a, b catalog.Track) int { return size(b) - size(a) })
	for _, s := range l.c.r.sources {
		var names []string
		for _, t := range tracks {
			if t.Kind == s.kind {
				names = append(names, t.Name)
			}
		}
		s.offer(names)
	}
}

// follow subscribes to the catalog, again and again.
func (l *listing) follow() {
	r := l.c.r
	sub := &moqt.Subscriber{
		Track: model.FullTrackName{Namespace: r.Namespace, Name: l.name}, Start: moqt.FromGroupsBack(0), Tokens: r.Tokens,
		Log:  slog.New(quiet{r.Log.Handler()}),
		Emit: func(o model.Object) { r.do(func() { l.take(&o) }) },
	}
	for pause := time.Second; ; pause = min(2*pause, catalogPause) {
		sess, err := r.session.Current(r.ctx)
		if err != nil {
			return // Run hears of it by itself
		}
		ctx, cancel := context.WithCancelCause(r.ctx)
		answered := r.expectAnswer(0, cancel)
		sub.Subscribed = func(o session.Offer) {
			answered()
			pause = time.Second
			r.do(func() { l.accepted(o) })
		}
		err = sub.Run(ctx, sess)
		answered()
		cancel(nil)
		if sess.Context().Err() != nil {
			continue
		}
		if r.ctx.Err() == nil {
			r.Log.Debug("no catalog", "track", l.name, "because", err)
		}
		if !r.do(func() { l.answered = true; l.c.heard() }) || !wait(r.ctx, nil, pause) {
			return
		}
	}
}

func (l *listing) accepted(o session.Offer) {
	var err error
	if l.reader, err = catalog.NewReader(l.name); err != nil {
		panic(err) // the names are those of the package
	}
	l.reader.TrackProperties(o.Properties)
	if !o.Largest.Set { // nothing is published yet
		l.answered = true
		l.c.heard()
	}
}

func (l *listing) take(o *model.Object) {
	now, err := l.reader.Object(o.Location.Object, o.Properties, o.Payload)
	if err != nil {
		if !errors.Is(err, catalog.ErrNoBase) {
			l.c.r.Log.Warn("a catalog cannot be read", "track", l.name, "at", o.Location.String(), "because", err)
		}
	} else {
		l.now = now
		l.tell()
	}
	l.answered = true
	l.c.heard()
}
