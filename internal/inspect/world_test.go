package inspect

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a network in memory and on virtual time. There is one server in it, or
// none.
type world struct {
	t    *testing.T
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu    sync.Mutex
	serve func(context.Context, session.Conn) // nil: nobody answers
	links []transport.Conn                    // both ends of each
}

func inWorld(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.ctx, w.stop = context.WithCancel(t.Context())
		defer w.work.Wait()
		defer w.kill()
		defer w.stop()
		f(t, w)
	})
}

var errRefused = errors.New("connection refused")

func (w *world) connect(context.Context, string, *tls.Config) (transport.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serve == nil {
		return nil, errRefused
	}
	c, s := memtr.Pair()
	w.links = append(w.links, c, s)
	serve := w.serve
	w.work.Go(func() { serve(w.ctx, s) })
	return c, nil
}

// kill breaks all connections; nobody answers until something is opened.
func (w *world) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.links {
		memtr.Break(c, nil)
	}
	w.links, w.serve = nil, nil
}

// relayed lets a new relay answer.
func (w *world) relayed() {
	r := relay.New(relay.Config{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) }
}

// direct lets a handler answer instead of a relay.
func (w *world) direct(h session.Handler) {
	s := &moqt.Server{Session: session.Config{Handler: h, Implementation: "direct"}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = func(ctx context.Context, c session.Conn) { _ = s.ServeConn(ctx, c) }
}

var target = dial.Target{Host: "relay", Port: "4433", Path: "/moq", Authority: "relay:4433"}

func (w *world) dialing() dial.KeepOptions {
	return dial.KeepOptions{Options: dial.Options{Timeout: time.Second, Connect: w.connect}}
}

// look connects an Inspector that is closed in the end.
func (w *world) look(set func(*Options)) *Inspector {
	w.t.Helper()
	o := Options{Target: target, Dial: w.dialing()}
	if set != nil {
		set(&o)
	}
	i := testkit.Must(Connect(w.ctx, o))(w.t)
	w.t.Cleanup(i.Close)
	synctest.Wait()
	return i
}

// publisher has tracks at the relay.
type publisher struct {
	t    *testing.T
	w    *world
	mux  *moqt.TrackMux
	s    *moqt.Session
	ctx  context.Context
	stop context.CancelFunc
}

// publish connects a publisher that comes back when the relay does.
func (w *world) publish() *publisher {
	w.t.Helper()
	p := &publisher{t: w.t, w: w, mux: moqt.NewTrackMux()}
	p.ctx, p.stop = context.WithCancel(w.ctx)
	o := w.dialing()
	o.RetryFirst = true
	p.s = testkit.Must(moqt.Connect(p.ctx, target, o, p.mux))(w.t)
	w.t.Cleanup(func() { p.stop(); p.s.Close() })
	return p
}

// track makes a track that subscribers find.
func (p *publisher) track(namespace, name string) *moqt.TrackWriter {
	p.t.Helper()
	return testkit.Must(p.mux.PublishTrack(p.ctx, moqt.Track(namespace, name)))(p.t)
}

func (p *publisher) announce(namespace string) *moqt.Announced {
	p.t.Helper()
	a := testkit.Must(p.s.Announce(p.ctx, moqt.ParseNamespace(namespace)))(p.t)
	synctest.Wait()
	return a
}

// group publishes objects in a group of their own.
func group(t *testing.T, w *moqt.TrackWriter, payloads ...string) {
	t.Helper()
	g := testkit.Must(w.AppendGroup())(t)
	for _, p := range payloads {
		f := moqt.NewFrame(len(p))
		_, _ = f.WriteString(p)
		testkit.NoErr(t, g.WriteFrame(f))
	}
	testkit.NoErr(t, g.Close())
	synctest.Wait()
}

func format(c media.Codec, config string) *media.Format {
	b, err := hex.DecodeString(config)
	if err != nil {
		panic(err)
	}
	f, err := media.ParseFormat(c, b)
	if err != nil {
		panic(err)
	}
	return f
}

var (
	small  = format(media.H264, "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8")
	stereo = format(media.AAC, "1190")
)

const (
	pictureStep = 40 * time.Millisecond
	gop         = 25
)

// film publishes so many pictures, or frames of audio, one each pictureStep, with a
// key picture and a group each second. They take a while to come: delay.
func film(t *testing.T, w *moqt.TrackWriter, form packaging.Name, f *media.Format, pictures int, delay time.Duration) {
	t.Helper()
	packer := testkit.Must(packaging.NewPacker(form, f.Codec.Kind(), packaging.Options{}))(t)
	var g *moqt.GroupWriter
	for n := range pictures {
		key := n%gop == 0
		data := fmt.Appendf([]byte{0, 0, 0, 6, 0x41, 0x9a}, "%04d", n)
		if key {
			data[4], data[5] = 0x65, 0x88
		}
		at := time.Duration(n) * pictureStep
		props, payload, err := packer.Pack(&media.Sample{
			Format: f, PTS: at, DTS: at, Duration: pictureStep, Key: key || f.Codec.Kind() == media.Audio, Data: data,
			Seq: uint64(n), HasSeq: true, Captured: time.Now().Add(-delay),
		})
		testkit.NoErr(t, err)
		if key {
			if g != nil {
				testkit.NoErr(t, g.Close())
			}
			g = testkit.Must(w.AppendGroup())(t)
		}
		frame := moqt.NewFrame(len(payload))
		_, _ = frame.Write(payload)
		frame.SetProperties(props)
		testkit.NoErr(t, g.WriteFrame(frame))
		time.Sleep(pictureStep)
	}
	testkit.NoErr(t, g.Close())
	synctest.Wait()
}

// msf is a catalog of tracks of LOC.
func msf(t *testing.T, names ...string) string {
	t.Helper()
	c := &catalog.Catalog{}
	for _, n := range names {
		track := catalog.Track{Name: n, Packaging: "loc", Format: small, Live: true}
		if strings.HasPrefix(n, "audio") {
			track.Format = stereo
		}
		c.Tracks = append(c.Tracks, track)
	}
	return string(testkit.Must(catalog.AppendMSF(nil, c))(t))
}

// state asks, and fails the test if there is no answer.
func state(t *testing.T, i *Inspector) *observe.State {
	t.Helper()
	synctest.Wait()
	return testkit.Must(i.State(t.Context()))(t)
}

// newYear is when synctest's time begins.
var newYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// brief is what there is in a State, a line for each thing.
func brief(s *observe.State) string {
	var lines []string
	for _, n := range s.Spaces {
		lines = append(lines, fmt.Sprintf("space %s %v %v %d", n.Name, n.Publishers, n.Watchers, n.Tracks))
	}
	for _, t := range s.Tracks {
		at := "-"
		if t.Largest != nil {
			// Group IDs begin with the time in milliseconds.
			at = fmt.Sprintf("%d/%d", t.Largest.Group-uint64(newYear.UnixMilli()), t.Largest.Object)
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("track %s %s %d %s %s", t.FullName, t.State, t.Subscribers, at, t.Media), " "))
	}
	return strings.Join(lines, "\n")
}

func wantBrief(t *testing.T, i *Inspector, lines ...string) {
	t.Helper()
	testkit.Equal(t, brief(state(t, i)), strings.Join(lines, "\n"))
}

// find returns a track by its full name.
func find(t *testing.T, i *Inspector, fullName string) observe.TrackState {
	t.Helper()
	s := state(t, i)
	for _, tr := range s.Tracks {
		if tr.FullName == fullName {
			return tr
		}
	}
	t.Fatalf("there is no track %s in\n%s", fullName, brief(s))
	return observe.TrackState{}
}

// open looks at a track.
func open(t *testing.T, i *Inspector, fullName string) *observe.TrackDetail {
	t.Helper()
	d := testkit.Must(i.Track(t.Context(), find(t, i, fullName).ID))(t)
	synctest.Wait()
	return d
}

// happened fails unless an event has the text.
func happened(t *testing.T, i *Inspector, text string) {
	t.Helper()
	synctest.Wait()
	var all []string
	for after, more := uint64(0), true; more; {
		events, _, err := i.Events(t.Context(), after)
		testkit.NoErr(t, err)
		for _, e := range events {
			line := fmt.Sprint(e.Level, " ", e.Text, " ", e.Detail)
			if strings.Contains(line, text) {
				return
			}
			all, after = append(all, line), e.Number
		}
		more = len(events) == observe.EventBatch
	}
	t.Errorf("nothing says %q; there is\n%s", text, strings.Join(all[:min(len(all), 50)], "\n"))
}
