package streamer

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// collector gathers the tracks that a peer takes.
type collector struct {
	mu     sync.Mutex
	tracks map[string]*viewed
	done   sync.WaitGroup
}

// read takes the objects of a track until it ends.
func (c *collector) read(ctx context.Context, r *moqt.TrackReader) {
	var v viewed
	for f, err := range r.Objects(ctx) {
		if err != nil {
			v.err = err
			break
		}
		v.objects = append(v.objects, object{f.Location(), 0, f.Properties(), bytes.Clone(f.Body())})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tracks == nil {
		c.tracks = map[string]*viewed{}
	}
	c.tracks[r.Name().Name] = &v
}

// later are samples of which the audio begins only after a second.
func later() (all []*media.Sample) {
	for _, s := range clip(small, 0, 3*time.Second) {
		if s.Format != sound || s.DTS >= time.Second {
			all = append(all, s)
		}
	}
	return all
}

// TestOneWay: a relay that takes tracks in one way only gets them in that way,
// those that come later too, and hears of their ends.
func TestOneWay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		offer bool
		take  func(*testing.T, *moqt.TrackMux, *collector)
	}{
		{"PUBLISH only", false, publishOnly}, {"PUBLISH as asked for", true, publishOnly},
		{"PUBLISH_NAMESPACE only", true, namespaceOnly}, {"PUBLISH_NAMESPACE as asked for", false, namespaceOnly},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var c collector
				mux := moqt.NewTrackMux()
				tt.take(t, mux, &c)
				w.serves(mux)
				samples := later()
				s := w.streamer(bytes.NewReader(flvOf(t, samples)))
				s.Offer = tt.offer
				testkit.NoErr(t, <-w.run(s))
				c.done.Wait()
				for name, kind := range map[string]media.Kind{"video0": media.Video, "audio0": media.Audio} {
					got := c.tracks[name]
					if got == nil {
						t.Fatalf("there is no %s", name)
					}
					testkit.NoErr(t, got.err)
					same(t, got.samples(t, packaging.NewDetector(kind, nil)), only(kind, samples), true)
				}
				if got := c.tracks["catalog"]; len(got.objects) != 3 { // video, both, the end
					t.Errorf("%d catalogs", len(got.objects))
				}
			})
		})
	}
}

// publishOnly makes a mux take what is offered; it refuses namespaces.
func publishOnly(t *testing.T, mux *moqt.TrackMux, c *collector) {
	testkit.NoErr(t, mux.HandlePublish(nil, func(ctx context.Context, r *moqt.TrackReader) {
		c.done.Add(1)
		defer c.done.Done()
		c.read(ctx, r)
	}, fromPresentGroup))
}

// fromPresentGroup has viewers get what the group has already when they come.
var fromPresentGroup = moqt.StartAt(moqt.FromGroupsBack(0))

// namespaceOnly makes a mux subscribe to the tracks of a namespace, each as soon
// as it is there; it refuses what is offered.
func namespaceOnly(t *testing.T, mux *moqt.TrackMux, c *collector) {
	testkit.NoErr(t, mux.HandleNamespace(nil, func(ctx context.Context, from *moqt.Session, ns moqt.Namespace) {
		for _, name := range []string{"video0", "audio0", "catalog"} {
			c.done.Go(func() {
				for {
					r, err := from.Subscribe(context.WithoutCancel(ctx), moqt.TrackName{Namespace: ns, Name: name}, fromPresentGroup)
					if err == nil {
						c.read(context.WithoutCancel(ctx), r)
						return
					}
					select {
					case <-time.After(ms):
					case <-ctx.Done():
						return
					}
				}
			})
		}
		<-ctx.Done()
	}))
}

// refusing refuses both ways with a code, or does not answer.
type refusing struct {
	session.Refuse
	code model.RequestCode // 0: no answer
}

func (p refusing) PublishNamespace(ctx context.Context, r *session.NamespaceRequest) {
	if p.code == 0 {
		<-r.Context().Done()
		return
	}
	_ = r.Reject(&model.RequestError{Code: p.code, Reason: "go away"})
}

func (p refusing) Publish(ctx context.Context, r *session.PublishRequest) {
	_ = r.Reject(&model.RequestError{Code: p.code, Reason: "go away"})
}

// TestRefused: who is not wanted in any way says so and ends.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		code  model.RequestCode
		offer bool
		want  string
	}{
		{"neither way", model.NotSupported, false, "the relay takes neither the namespace nor its tracks"},
		{"neither way, tracks first", model.Uninterested, true, "the relay takes neither the namespace nor its tracks"},
		{"not allowed", model.RequestUnauthorized, false, "the relay does not accept the namespace: request refused by the peer with UNAUTHORIZED"},
		{"tracks not allowed", model.RequestUnauthorized, true, "the relay does not accept the track"},
		{"no answer", 0, false, "the relay did not answer within 5s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.serves(refusing{code: tt.code})
				s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 10*time.Second))))
				s.Offer, s.Answer = tt.offer, 5*time.Second
				err := <-w.run(s)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %s", err, tt.want)
				}
			})
		})
	}
}

// TestNoRelay: it ends with a sentence, unless it is to wait.
func TestNoRelay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.kill()
		file := flvOf(t, clip(small, 0, time.Second))
		err := <-w.run(w.streamer(bytes.NewReader(file)))
		if err == nil || err.Error() != "cannot connect to moqt://relay/: connection refused" {
			t.Errorf("%v", err)
		}

		video := make(chan viewed, 1)
		s := w.streamer(nil)
		s.Open = fromFile(t, file) // which waits as long as it takes
		s.Dial.RetryFirst = true
		time.AfterFunc(time.Second, func() {
			w.open(relay.New(relay.Config{}).Serve)
			w.work.Go(func() { video <- <-w.view("video0") })
		})
		testkit.NoErr(t, <-w.run(s))
		got := <-video
		testkit.NoErr(t, got.err)
		if len(got.objects) != 25 {
			t.Errorf("%d objects", len(got.objects))
		}
	})
}

// TestUselessRelay: a relay that ends the session before it accepts anything is
// none, also if it is too quick to be seen doing so.
func TestUselessRelay(t *testing.T) {
	for _, after := range []time.Duration{0, 100 * ms} {
		t.Run(after.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.open(func(ctx context.Context, c session.Conn) error {
					s, err := session.Start(ctx, c, session.Config{Role: wire.Server, Handler: refusing{}})
					if err == nil {
						<-time.After(after)
						s.Close(model.InternalError, "out of order")
						s.Wait()
					}
					return err
				})
				s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 20*time.Second))))
				err := <-w.run(s)
				if err == nil || !strings.Contains(err.Error(), "cannot connect to moqt://relay/: ") ||
					!strings.Contains(err.Error(), "out of order") && (after > 0 || !errors.Is(err, errUseless)) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestRelayLost: the input is read on, and the next relay gets what comes then.
func TestRelayLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 20*time.Second))))
		over := w.run(s)
		<-time.After(3 * time.Second)
		w.kill()
		<-time.After(5 * time.Second)
		if st := s.Status(); st.Connected || st.Media < 7.9 || st.Dropped > 0 {
			t.Errorf("without a relay: %+v", st)
		}
		w.open(relay.New(relay.Config{}).Serve)
		video := w.view("video0")
		testkit.NoErr(t, <-over)
		got := <-video
		testkit.NoErr(t, got.err)
		all := got.samples(t, packaging.NewDetector(media.Video, nil))
		if first := all[0]; !first.Key || first.DTS < 7*time.Second || first.DTS > 15*time.Second {
			t.Errorf("it begins with the sample of %v", first.DTS)
		}
		if last := all[len(all)-1]; last.DTS != 20*time.Second-frameTime {
			t.Errorf("it ends with the sample of %v", last.DTS)
		}
	})
}

func TestExitOnLoss(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.streamer(bytes.NewReader(flvOf(t, clip(small, 0, 20*time.Second))))
		s.ExitOnLoss = true
		time.AfterFunc(3*time.Second, w.kill)
		began := time.Now()
		err := <-w.run(s)
		if err == nil || !strings.Contains(err.Error(), "lost moqt://relay/") {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestDeclined says which refusals are worth another try.
func TestDeclined(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&moqt.RequestError{Code: model.NotSupported}, true},
		{&moqt.RequestError{Code: model.Uninterested}, true},
		{&moqt.RequestError{Code: model.RequestUnauthorized}, false},
		{errDeclined, true},
		{dial.ErrLost, false},
		{nil, false},
	} {
		if got := declined(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
