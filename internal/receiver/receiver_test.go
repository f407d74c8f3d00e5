package receiver

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/media/remux"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

func wantFile(t *testing.T, r *program, video, audio string) {
	t.Helper()
	got := r.file()
	testkit.Equal(t, got.video, video)
	testkit.Equal(t, got.audio, audio)
}

func wantLog(t *testing.T, r *program, text string) {
	t.Helper()
	if !strings.Contains(r.log.String(), text) {
		t.Errorf("the log does not say %q", text)
	}
}

// TestJoin: the file begins with the key picture of the present group, and ends
// with the tracks.
func TestJoin(t *testing.T) {
	for _, form := range packaging.Names() {
		t.Run(string(form), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.publish(form, both...)
				if form == packaging.Hang {
					p.list(catalog.NameHang)
				}
				w.direct(p)
				p.run(1400 * time.Millisecond)
				r := w.launch(nil)
				p.run(2 * time.Second)
				p.end()
				r.result("")
				wantFile(t, r, "V25@0s+60", "34@380ms+101")
				wantLog(t, r, `"first picture" after=0s`)
				for _, text := range []string{
					`"packaging":"` + string(form) + `"`, `"key":true,"size":`, `{"report":{"tracks":[{"track":"video`, `"first_picture_ms":0`,
				} {
					if !strings.Contains(r.told.String(), text) {
						t.Errorf("the stats do not have %s", text)
					}
				}
			})
		})
	}
}

// TestOneKind: one track is enough, whether the other is not wanted, does not
// exist, or ends.
func TestOneKind(t *testing.T) {
	for _, tt := range []struct {
		name         string
		kinds        []media.Kind
		set          func(*Receiver)
		video, audio string
	}{
		{"no audio wanted", both, func(r *Receiver) { r.Audio.None = true }, "V25@0s+60", ""},
		{"no video wanted", both, func(r *Receiver) { r.Video.None = true }, "", "34@0s+101"},
		{"no audio there", []media.Kind{media.Video}, nil, "V25@0s+60", ""},
		{"no video there", []media.Kind{media.Audio}, nil, "", "34@0s+101"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.publish(packaging.MoQMi, tt.kinds...)
				w.direct(p)
				p.run(1400 * time.Millisecond)
				r := w.launch(tt.set)
				p.run(2 * time.Second)
				p.end()
				r.result("")
				wantFile(t, r, tt.video, tt.audio)
			})
		})
	}
}

// TestOneKindIsWaitedFor: the end of one track is the end, although the relay is
// still asked to wait for the other.
func TestOneKindIsWaitedFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish(packaging.MoQMi, media.Audio)
		s := w.register(p)
		defer s.Close()
		began := time.Now()
		r := w.launch(func(r *Receiver) { r.Rendezvous = time.Minute })
		p.run(2 * time.Second)
		p.end()
		r.result("")
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it waited for %v", took)
		}
	})
}

// TestComesLater: a track that does not exist yet is asked for again.
func TestComesLater(t *testing.T) {
	for _, late := range both {
		t.Run(late.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.publish(packaging.MoQMi, media.Video+media.Audio-late)
				w.direct(p)
				p.run(time.Second)
				r := w.launch(nil)
				p.run(time.Second)
				p.add(late)
				p.run(15 * time.Second)
				p.end()
				r.result("")
				got := r.file()
				if late == media.Video {
					got.video, got.audio = got.audio, got.video
				}
				if got.video == "" || strings.Contains(got.video, " ") || got.audio == "" || strings.Contains(got.audio, " ") {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestNothingThere is a sentence, at once or after the time to wait.
func TestNothingThere(t *testing.T) {
	for _, wait := range []time.Duration{0, 20 * time.Second} {
		inWorld(t, func(t *testing.T, w *world) {
			w.relayed()
			began := time.Now()
			r := w.launch(func(r *Receiver) { r.Rendezvous = wait })
			r.result(`has no track "video0" or "audio0" of namespace "live"`)
			if took := time.Since(began); took < wait || took > wait+dialPause {
				t.Errorf("it took %v, not %v", took, wait)
			}
		})
	}
}

const dialPause = 5 * time.Second

// TestWaits for a publisher that comes later.
func TestWaits(t *testing.T) {
	for _, set := range []func(*Receiver){
		func(r *Receiver) { r.Dial.RetryFirst = true },
		func(r *Receiver) { r.Rendezvous = 20 * time.Second },
	} {
		inWorld(t, func(t *testing.T, w *world) {
			w.relayed()
			r := w.launch(set)
			pass(10 * time.Second)
			p := w.publish(packaging.MoQMi, both...)
			s := w.register(p)
			p.run(12 * time.Second)
			p.end()
			r.result("")
			s.Close()
			if got := r.file(); !strings.HasPrefix(got.video, "V") || strings.Contains(got.video, " ") || !strings.Contains(got.audio, "@") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// list publishes a catalog of the tracks.
func (p *publisher) list(name string) {
	p.t.Helper()
	c := &catalog.Catalog{}
	for _, tr := range []*track{p.video, p.audio} {
		if tr == nil {
			continue
		}
		e := catalog.Track{Name: tr.w.Name().Name, Packaging: string(p.form), Kind: media.Video, Role: "video", Format: small, Live: true}
		if tr == p.audio {
			e.Kind, e.Role, e.Format = media.Audio, "audio", stereo
		}
		c.Tracks = append(c.Tracks, e)
	}
	write := catalog.AppendMSF
	if name == catalog.NameHang {
		write = catalog.AppendHang
	}
	b := testkit.Must(write(nil, c))(p.t)
	tr := testkit.Must(p.mux.PublishTrack(p.ctx, model.FullTrackName{Namespace: namespace, Name: name}))(p.t)
	g := testkit.Must(tr.AppendGroup())(p.t)
	f := moqt.NewFrame(len(b))
	_, _ = f.Write(b)
	testkit.NoErr(p.t, g.WriteFrame(f))
	testkit.NoErr(p.t, g.Close())
}

// TestPublisherRestarts: the file goes on where it was, with both tracks in step.
func TestPublisherRestarts(t *testing.T) {
	for _, away := range []time.Duration{0, 3 * time.Second, 40 * time.Second} {
		t.Run(away.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.relayed()
				first := w.publish(packaging.MoQMi, both...)
				s := w.register(first)
				first.run(time.Second)
				r := w.launch(nil)
				first.run(1400 * time.Millisecond)
				first.kill(s)
				pass(away)
				again := w.publish(packaging.MoQMi, both...)
				s = w.register(again)
				again.run(12 * time.Second)
				again.end()
				r.result("")
				s.Close()
				if away > 30*time.Second {
					// The relay has given up, and is asked again with growing pauses.
					if got := r.file().video; !strings.HasPrefix(got, "V0@0s+") || strings.Contains(got, " ") {
						t.Errorf("the video is %s", got)
					}
					return
				}
				wantFile(t, r, "V0@0s+360", "24@980ms+671")
			})
		})
	}
}

// TestRelayRestarts: what the publisher still has is fetched, and the rest is a hole.
func TestRelayRestarts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		p := w.publish(packaging.MoQMi, both...)
		s := w.register(p)
		p.run(time.Second)
		r := w.launch(nil)
		p.run(1400 * time.Millisecond)
		w.kill()
		p.run(time.Second)
		w.relayed()
		p.run(10 * time.Second)
		p.end()
		r.result("")
		s.Close()
		got := r.file()
		testkit.Equal(t, got.video, "V0@0s+335")
		if c := r.timeline.Counts(media.Audio); c.Gaps > 1 {
			t.Errorf("%d gaps in the audio", c.Gaps)
		}
		if !strings.HasPrefix(got.audio, "24@980ms+") || strings.Count(got.audio, " ") > 1 {
			t.Errorf("the audio is %s", got.audio)
		}
	})
}

// TestRelayLeaves: a relay that says that it goes away is left without a loss.
func TestRelayLeaves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		old := w.relayed()
		p := w.publish(packaging.MoQMi, both...)
		s := w.register(p)
		p.run(time.Second)
		r := w.launch(func(r *Receiver) { r.ExitOn.Error = true })
		p.run(1400 * time.Millisecond)
		w.relayed()
		w.work.Go(func() { _ = old.Drain(w.ctx, "", 5*time.Second) })
		p.run(10 * time.Second)
		p.end()
		r.result("")
		s.Close()
		wantFile(t, r, "V0@0s+310", "24@980ms+571")
	})
}

// TestGap: after a loss the file goes on at the next key picture, but a stream that
// was cut is no loss if nothing is missing.
func TestGap(t *testing.T) {
	for lost, want := range map[uint64]string{0: "V0@0s+85", 3: "V0@0s+35 V50@2s+35"} {
		inWorld(t, func(t *testing.T, w *world) {
			p := w.publish(packaging.MoQMi, both...)
			w.direct(p)
			r := w.launch(func(r *Receiver) { r.Dial.RetryFirst = true })
			p.run(1400 * time.Millisecond)
			p.video.g.CancelWrite(moqt.InternalGroupErrorCode)
			p.video.g = testkit.Must(p.video.w.AppendGroup())(t)
			p.video.seq += lost
			p.run(2 * time.Second)
			p.end()
			r.result("")
			got := r.file()
			testkit.Equal(t, got.video, want)
			testkit.Equal(t, got.audio, "0@0s+170")
			c := r.timeline.Counts(media.Video)
			if rep := r.sources[0].recorder.Report(); (c.Gaps > 0) != (lost > 0) || rep.Gaps != c.Gaps || rep.Lost != lost || (c.Undecodable > 0) != (lost > 0) {
				t.Errorf("%+v, %+v", c, rep)
			}
		})
	}
}

// TestFormatChanges at a key picture.
func TestFormatChanges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.publish(packaging.MoQMi, media.Video)
		w.direct(p)
		r := w.launch(nil)
		for i := range 75 {
			f := small
			if i >= 50 {
				f = large
			}
			p.step(f)
		}
		p.end()
		r.result("")
		wantFile(t, r, "V0@0s+75", "")
		f := testkit.Must(os.Open(r.Path))(t)
		defer f.Close()
		d := remux.NewDemuxer(flv.NewReader(f))
		var formats []*media.Format
		for {
			s, err := d.Next()
			if err != nil {
				testkit.ErrIs(t, err, io.EOF)
				break
			}
			if n := len(formats); n == 0 || !formats[n-1].Same(s.Format) {
				formats = append(formats, s.Format)
			}
		}
		if len(formats) != 2 || !formats[0].Same(small) || !formats[1].Same(large) {
			t.Errorf("the formats are %v", formats)
		}
	})
}

// TestExits.
func TestExits(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*Receiver)
		do   func(*world, *publisher)
		want string
	}{
		{"a time", func(r *Receiver) { r.Duration = time.Second }, nil, ""},
		{"idle", func(r *Receiver) { r.ExitOn.Idle, r.Idle = true, time.Second }, nil, ""},
		{"a lost session", func(r *Receiver) { r.ExitOn.Error = true }, func(w *world, _ *publisher) { w.kill() }, "lost moqt://relay:4433"},
		{"a lost track", func(r *Receiver) { r.ExitOn = ExitOn{Error: true} }, func(_ *world, p *publisher) { p.end() }, `cannot read track "`},
		{"one track ends", func(r *Receiver) { r.Duration = time.Minute }, func(_ *world, p *publisher) { p.video.w.Close() }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.publish(packaging.MoQMi, both...)
				w.direct(p)
				r := w.launch(tt.set)
				p.run(400 * time.Millisecond)
				if tt.do != nil {
					tt.do(w, p)
				}
				r.result(tt.want)
				wantFile(t, r, "V0@0s+10", "0@0s+20")
			})
		})
	}
}

// TestStop: a signal leaves a complete file.
func TestStop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.publish(packaging.MoQMi, both...)
		w.direct(p)
		r := w.launch(nil)
		p.run(400 * time.Millisecond)
		r.end()
		wantFile(t, r, "V0@0s+10", "0@0s+20")
		f := testkit.Must(os.Open(r.Path))(t)
		defer f.Close()
		d := remux.NewDemuxer(flv.NewReader(f))
		_, err := d.Next()
		testkit.NoErr(t, err)
		if got, _ := d.Metadata().Get("duration").(float64); got != 0.4 {
			t.Errorf("the file says that it lasts %v s", got)
		}
	})
}

// TestNobodyAnswers.
func TestNobodyAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.launch(nil)
		r.result("connection refused")
		if _, err := os.Stat(r.Path); err == nil {
			t.Error("a file is left")
		}
	})
}

// TestNamesOfCatalog are followed unless others were asked for.
func TestNamesOfCatalog(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.publish(packaging.Hang, both...)
		p.list(catalog.NameHang)
		w.direct(p)
		r := w.launch(func(r *Receiver) { r.Video.Fixed, r.Audio.Fixed = true, true })
		r.result("has no track")
	})
	for _, late := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			p := w.publish(packaging.Hang, both...)
			w.direct(p)
			if !late {
				p.list(catalog.NameHang)
			}
			r := w.launch(func(r *Receiver) {
				r.Video, r.Audio = Choice{Name: "video/hd", Fixed: true}, Choice{Name: "audio/hd", Fixed: true}
			})
			pass(110 * time.Millisecond) // nothing is published in the moment of the catalog
			p.run(600 * time.Millisecond)
			if late {
				p.list(catalog.NameHang)
			}
			p.run(2400 * time.Millisecond)
			p.end()
			r.result("")
			if late { // it is asked for again after a second
				wantFile(t, r, "V25@0s+50", "25@0s+100")
			} else {
				wantFile(t, r, "V0@0s+75", "0@0s+150")
			}
		})
	}
}

// TestNamesOfCatalogWhileWaiting: they are asked for although the relay is being
// asked to wait for others.
func TestNamesOfCatalogWhileWaiting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.relayed()
		began := time.Now()
		r := w.launch(func(r *Receiver) { r.Dial.RetryFirst = true })
		pass(700 * time.Millisecond)
		p := w.publish(packaging.Hang, both...)
		p.list(catalog.NameHang)
		s := w.register(p)
		defer s.Close()
		p.run(5 * time.Second)
		p.end()
		r.result("")
		wantLog(t, r, "track=video/hd")
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("the names were asked for after %v", took)
		}
	})
}

// TestPublisherAcceptsWhatItDoesNotHave: the names of the catalog are asked for
// although there is a subscription.
func TestPublisherAcceptsWhatItDoesNotHave(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.publish(packaging.Hang, both...)
		testkit.NoErr(t, p.mux.HandleFunc(namespace, func(ctx context.Context, tw *moqt.TrackWriter) error {
			if strings.HasPrefix(tw.Name().Name, "catalog") {
				return nil // there is none yet
			}
			tw.Ready()
			<-ctx.Done()
			return nil
		}))
		w.direct(p)
		r := w.launch(nil)
		pass(110 * time.Millisecond) // nothing is published in the moment of the catalog
		p.run(600 * time.Millisecond)
		p.list(catalog.NameHang)
		p.run(2400 * time.Millisecond)
		p.end()
		r.result("")
		wantFile(t, r, "V0@0s+75", "22@880ms+106")
	})
}
