package inspect

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// TestDiscovery: namespaces, catalogs and what they name are found; nothing but
// catalogs is received.
func TestDiscovery(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish()
		video, list := p.track("live/cam1", "video"), p.track("live/cam1", "catalog")
		group(t, list, msf(t, "video", "audio"))
		group(t, video, "x")
		a := p.announce("live/cam1")
		i := w.look(nil)
		wantBrief(t, i,
			"space  [] [s1] 3", "space live-cam1 [s1] [] 3",
			"track live-cam1--catalog live 1 0/0 MSF catalog, 2 tracks",
			"track live-cam1--video idle 0 - LOC H.264 320x180 30 fps", "track live-cam1--audio idle 0 - LOC AAC 48 kHz stereo")
		group(t, video, "y")
		if n := find(t, i, "live-cam1--video").Counters.ObjectsIn; n != 0 {
			t.Errorf("%d objects came although nobody looked", n)
		}
		group(t, list, msf(t, "video"))
		time.Sleep(settleTime)
		state(t, i) // the catalog is read now
		wantBrief(t, i,
			"space  [] [s1] 2", "space live-cam1 [s1] [] 2",
			"track live-cam1--catalog live 1 1/0 MSF catalog, 1 track", "track live-cam1--video idle 0 - LOC H.264 320x180 30 fps")
		testkit.NoErr(t, a.Close())
		state(t, i)
		wantBrief(t, i, "space  [] [s1] 0")
		happened(t, i, "namespace withdrawn")
		p.announce("live/cam1")
		wantBrief(t, i,
			"space  [] [s1] 2", "space live-cam1 [s1] [] 2",
			"track live-cam1--catalog live 1 1/0 MSF catalog, 1 track", "track live-cam1--video idle 0 - LOC H.264 320x180 30 fps")
	})
}

// TestLook: objects come while somebody looks, the present group first.
func TestLook(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish()
		video, list := p.track("live", "video"), p.track("live", "catalog")
		group(t, list, msf(t, "video"))
		g := testkit.Must(video.AppendGroup())(t)
		write := func(s string) {
			f := moqt.NewFrame(1)
			_, _ = f.WriteString(s)
			testkit.NoErr(t, g.WriteFrame(f))
			synctest.Wait()
		}
		write("past")
		p.announce("live")
		i := w.look(nil)
		if before := find(t, i, "live--video"); before.State != isIdle || before.Counters.ObjectsIn+before.Counters.Fetched > 0 {
			t.Errorf("before the first look it is %+v", before)
		}
		open(t, i, "live--video")
		write("live")
		d := open(t, i, "live--video")
		if len(d.Groups) != 1 || d.Groups[0].Objects != 2 || d.Groups[0].Missing != 0 || d.Groups[0].Open != 1 {
			t.Errorf("groups %+v", d.Groups)
		}
		if len(d.Objects) != 2 || string(d.Objects[0].Peek) != "past" || !d.Objects[0].Fetched || string(d.Objects[1].Peek) != "live" || d.Objects[1].Fetched {
			t.Errorf("objects %+v", d.Objects)
		}
		if len(d.Sources) != 1 || d.Sources[0].State != "sends" || d.Sources[0].Session != "s1" || d.Sources[0].Alias == nil || d.Sources[0].Pushed {
			t.Errorf("sources %+v", d.Sources)
		}
		if d.State != isLive || d.Subscribers != 1 || d.Timing == nil || d.Timing.Objects != 2 {
			t.Errorf("state %q, %d subscribers, timing %+v", d.State, d.Subscribers, d.Timing)
		}
		time.Sleep(LookTime - time.Second)
		write("still")
		if n := find(t, i, "live--video").Counters.ObjectsIn; n != 2 {
			t.Errorf("%d objects came before nobody looked any more", n)
		}
		time.Sleep(2 * time.Second)
		if s := find(t, i, "live--video"); s.State != isIdle {
			t.Errorf("it is %s although nobody looks", s.State)
		}
		write("nobody sees it")
		if n := find(t, i, "live--video").Counters.ObjectsIn; n != 2 {
			t.Errorf("%d objects came although nobody looks", n)
		}
		if _, err := i.Track(t.Context(), "t999"); !errors.Is(err, observe.ErrNoTrack) {
			t.Errorf("a track that does not exist: %v", err)
		}
	})
}

// TestPublished: a track that the relay publishes is known at once, and sent when
// somebody looks.
func TestPublished(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		i := w.look(nil)
		p := w.publish()
		tr := testkit.Must(p.s.Publish(p.ctx, moqt.Track("live", "video")))(t)
		group(t, tr, "a")
		wantBrief(t, i, "space  [] [s1] 1", "track live--video paused 0 -")
		if d := open(t, i, "live--video"); len(d.Sources) != 1 || !d.Sources[0].Pushed {
			t.Errorf("sources %+v", d.Sources)
		}
		group(t, tr, "b", "c")
		d := open(t, i, "live--video")
		if n := len(d.Objects); n < 2 || string(d.Objects[n-1].Peek) != "c" {
			t.Errorf("objects %+v", d.Objects)
		}
		time.Sleep(LookTime + time.Second)
		group(t, tr, "d")
		if s := find(t, i, "live--video"); s.State != isPaused || s.Largest == nil || s.Largest.Group != d.Groups[len(d.Groups)-1].ID {
			t.Errorf("it is %s at %v although nobody looks", s.State, s.Largest)
		}
		testkit.NoErr(t, tr.Close())
		synctest.Wait()
		time.Sleep(settleTime)
		wantBrief(t, i, "space  [] [s1] 0")
		happened(t, i, "no longer published by the relay")
	})
}

// TestNamed: a track of the user's is received without a look, also when it comes
// late, ends, and comes again.
func TestNamed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		i := w.look(func(o *Options) { o.Tracks = []model.FullTrackName{moqt.Track("live", "video")}; o.NoCatalogs = true })
		time.Sleep(time.Second)
		if s := find(t, i, "live--video"); s.State != isRefused {
			t.Errorf("without a publisher it is %s", s.State)
		}
		happened(t, i, "the relay refuses the track")
		p := w.publish()
		tr := p.track("live", "video")
		p.announce("live")
		time.Sleep(longestPause)
		group(t, tr, "a")
		wantBrief(t, i, "space  [] [s1] 1", "space live [s1] [] 1", "track live--video live 1 31000/0")
		testkit.NoErr(t, tr.Close())
		synctest.Wait()
		if s := find(t, i, "live--video"); s.State != isEnded {
			t.Errorf("after its end it is %s", s.State)
		}
		tr = p.track("live", "video")
		time.Sleep(longestPause)
		group(t, tr, "b")
		if s := find(t, i, "live--video"); s.State != isLive {
			t.Errorf("when it is there again it is %s", s.State)
		}
	})
}

// TestRestart: without a session State fails; after it everything is there again,
// and what is not is gone.
func TestRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish()
		list, video := p.track("live", "catalog"), p.track("live", "video")
		group(t, list, msf(t, "video"))
		group(t, video, "a")
		p.announce("live")
		other := w.publish()
		other.announce("other")
		i := w.look(nil)
		open(t, i, "live--video")
		before := state(t, i)
		if len(before.Spaces) != 3 || before.Sessions[0].ID != "s1" || before.Sessions[0].Role != "pub" || before.Sessions[0].Path != "/moq" {
			t.Errorf("before: %s, sessions %+v", brief(before), before.Sessions)
		}
		other.stop()
		other.s.Close()
		w.kill()
		synctest.Wait()
		if _, err := i.State(t.Context()); !errors.Is(err, ErrAway) {
			t.Errorf("without a relay: %v", err)
		}
		d := testkit.Must(i.Track(t.Context(), before.Tracks[1].ID))(t)
		if len(d.Objects) == 0 || d.State != isOpening {
			t.Errorf("without a relay the track is %s, with %d objects", d.State, len(d.Objects))
		}
		w.relayed()
		time.Sleep(10 * time.Second)
		group(t, video, "b")
		wantBrief(t, i,
			"space  [] [s2] 2", "space live [s2] [] 2",
			"track live--catalog live 1 0/0 MSF catalog, 1 track", "track live--video live 1 1/0 LOC H.264 320x180 30 fps")
		after := state(t, i)
		if after.Totals.ObjectsIn < before.Totals.ObjectsIn || after.Totals.ObjectsIn == 0 {
			t.Errorf("%d objects after %d", after.Totals.ObjectsIn, before.Totals.ObjectsIn)
		}
		happened(t, i, "the session is lost")
	})
}

// TestEpoch: groups that begin anew are no old ones.
func TestEpoch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish()
		tr := p.track("live", "video")
		for range 5 {
			group(t, tr, "old")
		}
		p.announce("live")
		i := w.look(func(o *Options) { o.Tracks = []model.FullTrackName{moqt.Track("live", "video")} })
		group(t, tr, "old")
		testkit.NoErr(t, tr.Close())
		tr = p.track("live", "video")
		group(t, tr, "new")
		time.Sleep(longestPause)
		group(t, tr, "new")
		d := open(t, i, "live--video")
		for _, o := range d.Objects {
			if string(o.Peek) != "new" {
				t.Errorf("there is still %v %q", o.Location, o.Peek)
			}
		}
		happened(t, i, "the publisher began anew")
	})
}

// TestRefusals: what the relay does not do is told, and the rest goes on.
func TestRefusals(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		tr := testkit.Must(mux.PublishTrack(w.ctx, moqt.Track("live", "video")))(t)
		h := &stubborn{TrackMux: mux}
		w.direct(h)
		i := w.look(func(o *Options) { o.Tracks = []model.FullTrackName{moqt.Track("live", "video")} })
		group(t, tr, "a")
		wantBrief(t, i, "space  [] [s1] 1", "track live--video live 1 0/0")
		happened(t, i, "the relay does not do SUBSCRIBE_NAMESPACE")
		happened(t, i, "the relay does not do SUBSCRIBE_TRACKS")
		time.Sleep(time.Hour)
		if h.asked != 1 {
			t.Errorf("SUBSCRIBE_NAMESPACE came %d times", h.asked)
		}
	})
}

// stubborn refuses to tell namespaces.
type stubborn struct {
	*moqt.TrackMux
	asked, offers int
}

func (s *stubborn) SubscribeNamespace(_ context.Context, r *session.PrefixRequest) {
	s.asked++
	_ = r.Reject(&model.RequestError{Code: model.NotSupported, Reason: "not here"})
}

func (s *stubborn) SubscribeTracks(_ context.Context, r *session.PrefixRequest) {
	s.offers++
	_ = r.Reject(&model.RequestError{Code: model.NotSupported, Reason: "not here"})
}

// TestConfused: a relay that mixes up the aliases of what it publishes is not asked
// to publish again.
func TestConfused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		h := &stubborn{TrackMux: moqt.NewTrackMux()}
		w.direct(h)
		i := w.look(nil)
		i.confused(&model.SessionError{Code: model.InternalError})
		w.kill()
		w.direct(h)
		time.Sleep(10 * time.Second)
		state(t, i)
		if h.offers != 2 {
			t.Errorf("after another error it was asked %d times in all", h.offers)
		}
		i.confused(&model.SessionError{Code: model.DuplicateTrackAlias})
		w.kill()
		w.direct(h)
		time.Sleep(10 * time.Second)
		state(t, i)
		if h.offers != 2 || h.asked != 3 {
			t.Errorf("it was asked %d times for tracks and %d times for namespaces", h.offers, h.asked)
		}
		happened(t, i, "one alias to two tracks")
	})
}

// TestLimits: what a hostile relay tells is bounded, and told once.
func TestLimits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.direct(&flood{TrackMux: moqt.NewTrackMux(), n: MaxNamespaces + 10})
		i := w.look(func(o *Options) { o.Events = observe.NewRing(4 * MaxNamespaces) })
		time.Sleep(time.Minute)
		if n := len(state(t, i).Spaces); n != MaxNamespaces+1 {
			t.Errorf("%d namespaces", n)
		}
		i.mu.Lock()
		catalogs, subjects := i.catalogs, len(i.subjects)
		for n := range MaxTracks {
			i.subjectLocked(moqt.Track("many", strconv.Itoa(n)))
		}
		most := len(i.subjects)
		i.mu.Unlock()
		if catalogs != MaxCatalogs || subjects != len(catalogNames)*MaxCatalogs || most != MaxTracks {
			t.Errorf("catalogs of %d namespaces, %d tracks, %d after more", catalogs, subjects, most)
		}
		happened(t, i, "too many namespaces; the first ones are shown")
		happened(t, i, "too many namespaces for their catalogs to be read")
		happened(t, i, "too many tracks; the first ones are shown")
	})
}

// flood tells many namespaces.
type flood struct {
	*moqt.TrackMux
	n int
}

func (f *flood) SubscribeNamespace(_ context.Context, r *session.PrefixRequest) {
	feed, err := r.Accept(nil)
	for n := 0; n < f.n && err == nil; n++ {
		err = feed.Namespace(model.Namespace{"n", strconv.Itoa(n)})
	}
}

// TestMedia: packaging, format and rhythm are read from the objects.
func TestMedia(t *testing.T) {
	for _, tt := range []struct {
		form  packaging.Name
		audio bool
		want  string
	}{
		{packaging.MoQMi, false, "MoQMi H.264 320x180 25 fps"},
		{packaging.LOC, false, "LOC H.264 320x180 25 fps"},
		{packaging.MoQMi, true, "MoQMi AAC 48 kHz stereo"},
		{packaging.LOC, true, "LOC AAC 48 kHz stereo"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.relayed()
				p := w.publish()
				tr, f := p.track("live", "x"), small
				if tt.audio {
					f = stereo
				}
				p.announce("live")
				i := w.look(func(o *Options) { o.Tracks = []model.FullTrackName{moqt.Track("live", "x")} })
				film(t, tr, tt.form, f, 3*gop, 70*time.Millisecond)
				d := open(t, i, "live--x")
				if d.Media != tt.want {
					t.Errorf("it is %q", d.Media)
				}
				g := d.Timing
				if g.Objects != 3*gop || g.FrameRate != 25 || g.JitterFrom != "media" || g.Jitter != 0 || g.Interval.P50.Round(time.Millisecond) != pictureStep || g.Freezes != 0 {
					t.Errorf("timing %+v", g)
				}
				if want := time.Second; !tt.audio && g.KeyInterval != want || tt.audio && g.KeyInterval != 0 {
					t.Errorf("a key picture each %v", g.KeyInterval)
				}
				if tt.form == packaging.MoQMi && (g.Delay.P50.Round(10*time.Millisecond) != 70*time.Millisecond || g.ClockSkewed) {
					t.Errorf("delay %+v", g.Delay)
				}
				time.Sleep(5 * time.Second)
				if g := open(t, i, "live--x").Timing; g.Freezes != 1 {
					t.Errorf("a silence is %d freezes", g.Freezes)
				}
			})
		})
	}
}

// TestHang: what objects do not say of themselves the catalog says.
func TestHang(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish()
		list, tr := p.track("live", catalog.NameHang), p.track("live", "video/hd")
		b := testkit.Must(catalog.AppendHang(nil, &catalog.Catalog{Tracks: []catalog.Track{{Name: "video/hd", Packaging: "hang", Kind: media.Video, Format: small}}}))(t)
		group(t, list, string(b))
		p.announce("live")
		i := w.look(nil)
		state(t, i)
		const name = "live--video.2fhd"
		if got := find(t, i, name).Media; got != "hang H.264 320x180 30 fps" {
			t.Errorf("the catalog says %q", got)
		}
		open(t, i, name)
		film(t, tr, packaging.Hang, small, gop, 0)
		if d := open(t, i, name); d.Media != "hang H.264 320x180 25 fps" || d.Timing.JitterFrom != "media" {
			t.Errorf("the objects say %q, and %+v", d.Media, d.Timing)
		}
	})
}

// TestBrokenCatalog is an event.
func TestBrokenCatalog(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish()
		list := p.track("live", "catalog")
		group(t, list, "{rubbish")
		p.announce("live")
		i := w.look(nil)
		wantBrief(t, i, "space  [] [s1] 1", "space live [s1] [] 1", "track live--catalog live 1 0/0 MSF catalog, unreadable")
		happened(t, i, "the catalog cannot be read")
		group(t, list, msf(t, "video"))
		state(t, i)
		if n := len(state(t, i).Tracks); n != 2 {
			t.Errorf("%d tracks after a good catalog", n)
		}
	})
}

// TestConnectFails says why, and leaves nothing behind.
func TestConnectFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, err := Connect(w.ctx, Options{Target: target, Dial: w.dialing()})
		testkit.ErrIs(t, err, errRefused)
	})
}
