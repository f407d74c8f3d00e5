package streamer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

// same compares samples with those that were published, by what their packaging
// keeps. Hang's have parameter sets before the picture.
func same(t *testing.T, got, want []*media.Sample, dts bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.PTS != w.PTS || dts && g.DTS != w.DTS || g.Key != w.Key || !bytes.HasSuffix(g.Data, w.Data) || !g.Format.Same(w.Format) {
			t.Fatalf("sample %d is %v/%v key %v %q %v, want %v/%v %v %q %v",
				i, g.PTS, g.DTS, g.Key, g.Data, g.Format, w.PTS, w.DTS, w.Key, w.Data, w.Format)
		}
	}
}

// times returns n in a row.
func times(n, of int) (all []int) { return slices.Repeat([]int{of}, n) }

// TestPublish: whoever was there first gets every sample as it was, in groups, at
// its pace, and the end.
func TestPublish(t *testing.T) {
	for _, p := range packaging.Names() {
		t.Run(string(p), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				video, audio, list := w.view("video0"), w.view("audio0"), w.view("catalog")
				if p == packaging.Hang {
					list = w.view(catalog.NameHang)
				}
				samples := clip(small, time.Second, 2*time.Second)
				s := w.streamer(bytes.NewReader(flvOf(t, samples)))
				s.Packaging = p
				began := time.Now()
				testkit.NoErr(t, <-w.run(s))

				v, a, l := <-video, <-audio, <-list
				for _, got := range []viewed{v, a, l} {
					testkit.NoErr(t, got.err)
				}
				same(t, v.samples(t, packaging.NewDetector(media.Video, small)), only(media.Video, samples), p == packaging.MoQMi)
				same(t, a.samples(t, packaging.NewDetector(media.Audio, sound)), only(media.Audio, samples), p == packaging.MoQMi)
				testkit.Equal(t, v.groups(), times(5, gop))
				testkit.Equal(t, a.groups(), []int{47, 45})
				if v.objects[0].Group != uint64(began.UnixMilli()) || v.objects[gop].Group != v.objects[0].Group+1 {
					t.Errorf("groups %d and %d", v.objects[0].Group, v.objects[gop].Group)
				}
				for i := gop + 1; i < len(v.objects); i++ { // what was before the subscription comes later
					if took := v.objects[i].at - v.objects[i-1].at; took != frameTime {
						t.Fatalf("object %d comes %v after the one before", i, took)
					}
				}
				catalogs(t, l, p, 1)
				st := s.Status()
				if st.Media != 1.96 || st.Dropped != 0 || len(st.Tracks) != 2 || st.Tracks[0].Objects != 50 || st.Tracks[0].Groups != 5 {
					t.Errorf("status %+v", st)
				}
			})
		})
	}
}

// catalogs checks that the catalogs have both tracks, n times and the last time as
// over, where the catalog can say that.
func catalogs(t *testing.T, got viewed, p packaging.Name, n int) {
	t.Helper()
	name := catalog.NameMSF
	if p == packaging.Hang {
		name = catalog.NameHang
	} else {
		n++
	}
	if !slices.Equal(got.groups(), times(n, 1)) {
		t.Fatalf("catalogs in groups of %v, want %d", got.groups(), n)
	}
	r := testkit.Must(catalog.NewReader(name))(t)
	for i, o := range got.objects {
		c := testkit.Must(r.Object(o.Object, o.props, o.body))(t)
		complete := p != packaging.Hang && i == n-1
		if len(c.Tracks) != 2 || c.Complete != complete {
			t.Fatalf("catalog %d: %+v", i, c)
		}
		for _, tr := range c.Tracks {
			want := map[string]*media.Format{"video0": small, "audio0": sound}[tr.Name]
			if want == nil || tr.Packaging != string(p) || tr.Format.Codec != want.Codec || tr.Live == complete {
				t.Errorf("catalog %d: track %+v", i, tr)
			}
		}
	}
}

// TestAudioGroups as they are asked for.
func TestAudioGroups(t *testing.T) {
	for _, tt := range []struct {
		span time.Duration
		want []int
	}{{0, times(46, 1)}, {500 * ms, []int{24, 22}}, {100 * ms, []int{5, 5, 5, 5, 5, 5, 5, 5, 5, 1}}, {time.Hour, []int{46}}} {
		t.Run(tt.span.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				audio := w.view("audio0")
				s := w.streamer(bytes.NewReader(flvOf(t, only(media.Audio, clip(small, 0, time.Second)))))
				s.AudioSpan, s.NoCatalog = tt.span, true
				testkit.NoErr(t, <-w.run(s))
				got := <-audio
				testkit.NoErr(t, got.err)
				testkit.Equal(t, got.groups(), tt.want)
			})
		})
	}
}

// TestBeforeTheFirstKey: what nothing can be decoded from is dropped and counted.
func TestBeforeTheFirstKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		all := only(media.Video, clip(small, 0, time.Second))
		// A file that was cut: the configuration, and the pictures from the third on.
		file := flvOf(t, all)
		s := w.streamer(bytes.NewReader(cut(t, file, all, 2)))
		testkit.NoErr(t, <-w.run(s))
		got := <-video
		testkit.NoErr(t, got.err)
		same(t, got.samples(t, packaging.NewDetector(media.Video, nil)), all[gop:], true)
		if st := s.Status(); st.Dropped != gop-2 || st.Tracks[0].Dropped != gop-2 {
			t.Errorf("%d dropped, want %d", st.Dropped, gop-2)
		}
	})
}

// cut removes the first n pictures from FLV.
func cut(t *testing.T, file []byte, all []*media.Sample, n int) []byte {
	t.Helper()
	for _, s := range all[:n] {
		i := bytes.Index(file, s.Data)
		if i < 0 {
			t.Fatal("the picture is not there")
		}
		const before, after = 11 + 5, 4 // headers of the tag and of video; size of the tag
		file = slices.Delete(file, i-before, i+len(s.Data)+after)
	}
	return file
}

// TestFormatChange: two encodings in a row are two formats of one track, from a
// key on, and the catalog says so.
func TestFormatChange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video, list := w.view("video0"), w.view("catalog")
		one, two := clip(small, 0, time.Second), clip(second, 0, time.Second)
		s := w.streamer(io.MultiReader(bytes.NewReader(flvOf(t, one)), bytes.NewReader(flvOf(t, two))))
		testkit.NoErr(t, <-w.run(s))
		v, l := <-video, <-list
		testkit.NoErr(t, v.err)
		got := v.samples(t, packaging.NewDetector(media.Video, nil))
		wanted := only(media.Video, one)
		begin := got[25].DTS
		if begin < time.Second || begin > time.Second+toneTime {
			t.Errorf("the second begins at %v", begin)
		}
		wanted = append(wanted, only(media.Video, clip(second, 0, time.Second))...)
		for _, s := range wanted[25:] {
			s.DTS += begin
			s.PTS += begin
		}
		for _, s := range got[25:] { // the data says the time that it had
			if !s.Format.Same(second) {
				t.Fatalf("at %v the format is still the first", s.DTS)
			}
		}
		same(t, got, wanted, true)
		testkit.Equal(t, v.groups(), []int{gop, gop, 5, gop, gop, 5})
		testkit.Equal(t, l.groups(), times(3, 1)) // one of each format, and the end
	})
}

// TestTruncated: what is whole is published, and then it says what is wrong.
func TestTruncated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		samples := only(media.Video, clip(small, 0, time.Second))
		file := flvOf(t, samples)
		end := bytes.LastIndex(file, samples[24].Data) + 3
		s := w.streamer(bytes.NewReader(file[:end]))
		err := <-w.run(s)
		if want := fmt.Sprintf("standard input: FLV: it ends at byte %d, in the middle of a tag of video", end); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		got := <-video
		testkit.NoErr(t, got.err)
		same(t, got.samples(t, packaging.NewDetector(media.Video, nil)), samples[:24], true)
	})
}

// TestBadInput ends at once, whether the relay answers or not.
func TestBadInput(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"rubbish", []byte("this is no film"), "standard input: FLV: byte 0: this is no FLV: it does not begin with the letters FLV"},
		{"nothing", nil, "standard input: FLV: it ends at byte 0, in the middle of the header"},
		{"no media", []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"), "standard input has neither video nor audio that can be published"},
	} {
		for _, up := range []bool{true, false} {
			t.Run(tt.name, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					s := w.streamer(bytes.NewReader(tt.in))
					s.Dial.RetryFirst = true
					if !up {
						w.kill()
					}
					began := time.Now()
					err := <-w.run(s)
					if err == nil || err.Error() != tt.want {
						t.Errorf("%v, want %s", err, tt.want)
					}
					if took := time.Since(began); took > ShortFarewell {
						t.Errorf("it took %v", took)
					}
				})
			})
		}
	}
}

// TestUnsupportedCodec: a packaging that has no word for a codec is refused.
func TestUnsupportedCodec(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		o := &output{name: "video0", kind: media.Video, packer: testkit.Must(packaging.NewPacker(packaging.MoQMi, media.Video, packaging.Options{}))(t)}
		err := o.write(&media.Sample{Format: &media.Format{Codec: media.AV1}, Key: true})
		if err == nil || err.Error() != "track video0: MoQMi cannot carry AV1; the packaging loc can" {
			t.Errorf("%v", err)
		}
	})
}

// TestSignal: the end of the context ends the tracks, and everything.
func TestSignal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		ctx, stop := withCause(t)
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 20*time.Second))))
		time.AfterFunc(3*time.Second, func() { stop(errEnough) })
		began := time.Now()
		testkit.ErrIs(t, s.Run(ctx), errEnough)
		if took := time.Since(began); took > 3*time.Second+ShortFarewell {
			t.Errorf("it took %v", took)
		}
		got := <-video
		testkit.NoErr(t, got.err) // the track has ended
		if n := len(got.objects); n != 76 {
			t.Errorf("%d objects", n)
		}
	})
}

// TestNoPace publishes as fast as it can.
func TestNoPace(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, time.Minute))))
		s.NoPace = true
		began := time.Now()
		testkit.NoErr(t, <-w.run(s))
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if st := s.Status(); st.Tracks[0].Objects != 1500 {
			t.Errorf("%+v", st)
		}
	})
}

// TestLoop: a file begins again where it ends, with times, sequence and groups
// that go on, at its pace.
func TestLoop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video, audio := w.view("video0"), w.view("audio0")
		ctx, stop := withCause(t)
		s := w.streamer(nil)
		s.Loop = true
		s.Open = fromFile(t, flvOf(t, clip(small, time.Second, 2*time.Second)))
		time.AfterFunc(5*time.Second-ms, func() { stop(errEnough) })
		testkit.ErrIs(t, s.Run(ctx), errEnough)
		v, a := <-video, <-audio
		testkit.NoErr(t, v.err)
		testkit.NoErr(t, a.err)
		if n := len(v.objects); n != 125 {
			t.Errorf("%d pictures in 5 seconds", n)
		}
		testkit.Equal(t, v.groups(), append(times(12, gop), 5))
		for _, samples := range [][]*media.Sample{
			v.samples(t, packaging.NewDetector(media.Video, nil)), a.samples(t, packaging.NewDetector(media.Audio, nil)),
		} {
			for i, s := range samples[1:] {
				before := samples[i]
				// The file has pictures for longer than sound.
				if step := s.DTS - before.DTS; step < toneTime-ms || step > frameTime+toneTime || s.Seq != before.Seq+1 {
					t.Fatalf("sample %d of %v comes %v after the one before, with sequence %d after %d", i+1, s.Format.Codec, step, s.Seq, before.Seq)
				}
			}
		}
		if st := s.Status(); st.Media < 4.9 || st.Media > 5 || st.Percent == nil {
			t.Errorf("%+v", st)
		}
	})
}

// TestLoopNeedsAFile, which what is live is not.
func TestLoopNeedsAFile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, time.Second))))
		s.Loop = true
		testkit.ErrIs(t, <-w.run(s), ErrNotRepeatable)
	})
}

// TestHole: what follows a hole in the times comes at once, and its times are as
// the source has them.
func TestHole(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		samples := append(clip(small, 0, time.Second), clip(small, time.Hour, time.Second)...)
		s := w.streamer(bytes.NewReader(flvOf(t, samples)))
		s.NoCatalog = true
		began := time.Now()
		testkit.NoErr(t, <-w.run(s))
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		got := <-video
		testkit.NoErr(t, got.err)
		same(t, got.samples(t, packaging.NewDetector(media.Video, nil)), only(media.Video, samples), true)
	})
}

// TestWrap: times go on where those of FLV begin again.
func TestWrap(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		samples := only(media.Video, clip(small, (1<<32)*ms-time.Second, 2*time.Second))
		s := w.streamer(bytes.NewReader(flvOf(t, samples)))
		testkit.NoErr(t, <-w.run(s))
		got := <-video
		testkit.NoErr(t, got.err)
		same(t, got.samples(t, packaging.NewDetector(media.Video, nil)), samples, true)
	})
}

// TestPausedSource: what comes next is published as it comes, and the
// times of capture say when it was due.
func TestPausedSource(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		samples := only(media.Video, clip(small, 0, 2*time.Second))
		file := flvOf(t, samples)
		middle := bytes.Index(file, samples[25].Data)
		r, source := io.Pipe()
		w.work.Go(func() {
			_, _ = source.Write(file[:middle])
			<-time.After(5 * time.Second)
			_, _ = source.Write(file[middle:])
			_ = source.Close()
		})
		began := time.Now()
		s := w.streamer(r)
		testkit.NoErr(t, <-w.run(s))
		got := <-video
		testkit.NoErr(t, got.err)
		all := got.samples(t, packaging.NewDetector(media.Video, nil))
		same(t, all, samples, true)
		for i, s := range all {
			want := began.Add(s.DTS)
			if i >= 25 {
				want = want.Add(4 * time.Second) // a second of it was there when the pause began
			}
			if d := s.Captured.Sub(want).Abs(); d > 30*ms {
				t.Fatalf("sample %d says it is of %v, want %v", i, s.Captured, want)
			}
		}
	})
}

// TestPause: nothing is published while it lasts, and then all that follows, at its
// pace; a signal ends it.
func TestPause(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		video := w.view("video0")
		samples := only(media.Video, clip(small, 0, 2*time.Second))
		s := w.streamer(bytes.NewReader(flvOf(t, samples)))
		began := time.Now()
		done := w.run(s)
		<-time.After(time.Second)
		if st := s.Status(); st.Paused || st.Protocol == "" || st.Skew != nil || st.Tracks[0].Format.Width == 0 || st.Tracks[0].Every != gop*frameTime ||
			st.Tracks[0].KeptGroups == 0 || st.Tracks[0].SendLag == nil || st.Tracks[0].Unsent != 0 {
			t.Errorf("%+v", st)
		}
		s.Pause(true)
		s.Pause(true)
		<-time.After(time.Second)
		before := s.Status()
		<-time.After(10 * time.Second)
		if st := s.Status(); !st.Paused || st.Tracks[0].Objects != before.Tracks[0].Objects {
			t.Errorf("while it is paused %+v", st)
		}
		s.Pause(false)
		testkit.NoErr(t, <-done)
		got := <-video
		testkit.NoErr(t, got.err)
		same(t, got.samples(t, packaging.NewDetector(media.Video, nil)), samples, true)
		if took := time.Since(began); took < 12*time.Second || took > 14*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 2*time.Second))))
		s.Pause(true)
		ctx, stop := withCause(t)
		time.AfterFunc(time.Second, func() { stop(errEnough) })
		testkit.ErrIs(t, s.Run(ctx), errEnough)
		if st := s.Status(); len(st.Tracks) > 0 && st.Tracks[0].Objects > 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestSignalWhileReading ends the read.
func TestSignalWhileReading(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r, source := io.Pipe()
		defer source.Close()
		ctx, stop := withCause(t)
		time.AfterFunc(3*time.Second, func() { stop(errEnough) })
		began := time.Now()
		testkit.ErrIs(t, w.streamer(r).Run(ctx), errEnough)
		if took := time.Since(began); took > 3*time.Second+ShortFarewell {
			t.Errorf("it took %v", took)
		}
	})
}

// TestExpiry: who subscribes learns how old objects may get.
func TestExpiry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		offers := make(chan moqt.Offer, 1)
		mux := moqt.NewTrackMux()
		testkit.NoErr(t, mux.HandleNamespace(nil, func(ctx context.Context, from *moqt.Session, ns moqt.Namespace) {
			r, err := from.Subscribe(ctx, moqt.TrackName{Namespace: ns, Name: "video0"})
			if err != nil {
				t.Error(err)
				close(offers)
				return
			}
			offers <- r.Offer()
			<-ctx.Done()
		}))
		w.serves(mux)
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, time.Second))))
		s.Expiry = 1500 * ms
		testkit.NoErr(t, <-w.run(s))
		o := <-offers
		if got, ok := o.Properties.Int(model.PropObjectDeliveryTimeout); !ok || got != 1500 {
			t.Errorf("property %d, %v", got, ok)
		}
	})
}
