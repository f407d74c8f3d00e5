package streamer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/media/remux"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

// world is a network in memory and on virtual time, which begins with the year
// 2000. There is one relay in it, or none.
type world struct {
	t    *testing.T
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu    sync.Mutex
	serve func(context.Context, session.Conn) error // nil: nobody answers
	links []transport.Conn                          // both ends of each
}

// inWorld runs f in a bubble with a relay.
func inWorld(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.ctx, w.stop = context.WithCancel(t.Context())
		w.open(relay.New(relay.Config{}).Serve)
		defer w.work.Wait()
		defer w.kill()
		defer w.stop()
		f(t, w)
	})
}

var (
	errRefused = errors.New("connection refused")
	errEnough  = errors.New("enough")
)

func (w *world) connect(context.Context, string, *tls.Config) (transport.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serve == nil {
		return nil, errRefused
	}
	c, s := memtr.Pair()
	w.links = append(w.links, c, s)
	serve := w.serve
	w.work.Go(func() { _ = serve(w.ctx, s) })
	return c, nil
}

// open lets a server answer from now on.
func (w *world) open(serve func(context.Context, session.Conn) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = serve
}

// serves lets a peer answer that handles requests by h.
func (w *world) serves(h session.Handler) {
	s := &moqt.Server{Session: session.Config{Handler: h}}
	w.open(s.ServeConn)
}

// kill breaks all connections; nobody answers until open.
func (w *world) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.links {
		memtr.Break(c, nil)
	}
	w.links, w.serve = nil, nil
}

// streamer returns one that publishes FLV from a reader.
func (w *world) streamer(in io.Reader) *Streamer {
	return &Streamer{
		Target:    testkit.Must(dial.Parse("moqt://relay/"))(w.t),
		Dial:      dial.KeepOptions{Options: dial.Options{Connect: w.connect}},
		Namespace: model.Namespace{"live"}, Tracks: Tracks{Video: "video0", Audio: "audio0"},
		Packaging: packaging.MoQMi, AudioSpan: time.Second,
		Open: func(ctx context.Context) (*Input, error) { return Open(ctx, Stdin, in, nil) },
	}
}

// run runs a Streamer until it ends, and returns what it says.
func (w *world) run(s *Streamer) <-chan error {
	over := make(chan error, 1)
	w.work.Go(func() { over <- s.Run(w.ctx) })
	return over
}

// object is one that a viewer got.
type object struct {
	moqt.Location
	at    time.Duration // since the viewer began
	props moqt.Properties
	body  []byte
}

// viewed is what a viewer got, and how it ended.
type viewed struct {
	objects []object
	err     error
}

// view reads a track in a goroutine, from the present group on, waiting for its
// publisher.
func (w *world) view(name string) <-chan viewed {
	got := make(chan viewed, 1)
	began := time.Now()
	w.work.Go(func() {
		var v viewed
		defer func() { got <- v }()
		s, err := moqt.Dial(w.ctx, "moqt://relay/", &moqt.Dialer{Connect: w.connect, Reconnect: true})
		if err != nil {
			v.err = err
			return
		}
		defer s.Close()
		r, err := s.Subscribe(w.ctx, moqt.Track("live", name), moqt.WithRendezvous(time.Minute), fromPresentGroup)
		if err != nil {
			v.err = err
			return
		}
		for f, err := range r.Objects(w.ctx) {
			if err != nil {
				v.err = err
				return
			}
			v.objects = append(v.objects, object{f.Location(), time.Since(began), f.Properties(), bytes.Clone(f.Body())})
		}
	})
	return got
}

// groups returns how many objects each group has, in their order.
func (v *viewed) groups() (n []int) {
	for i, o := range v.objects {
		if i == 0 || o.Group != v.objects[i-1].Group {
			n = append(n, 0)
		}
		n[len(n)-1]++
	}
	return n
}

// samples unpacks the objects.
func (v *viewed) samples(t *testing.T, u packaging.Unpacker) (got []*media.Sample) {
	t.Helper()
	for _, o := range v.objects {
		got = append(got, testkit.Must(u.Unpack(o.props, o.body))(t))
	}
	return got
}

// Configurations that ffmpeg made: of baseline and high video of 320x180, and of
// AAC-LC of 48 kHz.
var (
	small  = format(media.H264, "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8")
	second = format(media.H264, "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000468ef8fcbfdf8f800")
	sound  = format(media.AAC, "1190")
)

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

// picture returns a sample of video: an IDR picture or another one, that says
// what its time is.
func picture(f *media.Format, dts, pts time.Duration, key bool) *media.Sample {
	unit := []byte{0x41, 0x9a}
	if key {
		unit = []byte{0x65, 0x88}
	}
	unit = fmt.Appendf(unit, "%v", dts)
	return &media.Sample{
		Format: f, DTS: dts, PTS: pts, Duration: frameTime, Key: key,
		Data: append([]byte{0, 0, 0, byte(len(unit))}, unit...),
	}
}

// tone returns a frame of audio.
func tone(dts time.Duration) *media.Sample {
	return &media.Sample{Format: sound, DTS: dts, PTS: dts, Duration: toneTime, Key: true, Data: fmt.Appendf(nil, "%v", dts)}
}

// Times of what clip makes: 25 pictures in a second, of which every tenth is a
// key, and frames of AAC, which FLV has in whole milliseconds.
const (
	frameTime = 40 * time.Millisecond
	toneTime  = 1024 * time.Second / 48000
	gop       = 10
)

// clip returns video and audio for some time from begin on, interleaved.
func clip(f *media.Format, begin, length time.Duration) (all []*media.Sample) {
	audio := time.Duration(0)
	for i := 0; time.Duration(i)*frameTime < length; i++ {
		at := time.Duration(i) * frameTime
		for ; audio <= at; audio += toneTime {
			all = append(all, tone((begin + audio).Truncate(time.Millisecond)))
		}
		all = append(all, picture(f, begin+at, begin+at+frameTime, i%gop == 0))
	}
	return all
}

// only returns the samples of a kind.
func only(kind media.Kind, all []*media.Sample) (some []*media.Sample) {
	for _, s := range all {
		if s.Format.Codec.Kind() == kind {
			some = append(some, s)
		}
	}
	return some
}

// flvOf returns samples as FLV.
func flvOf(t testing.TB, samples []*media.Sample) []byte {
	t.Helper()
	var b bytes.Buffer
	m := remux.NewMuxer(&b, remux.MuxerOptions{Video: len(only(media.Video, samples)) > 0, Audio: len(only(media.Audio, samples)) > 0})
	for _, s := range samples {
		testkit.NoErr(t, m.Write(s))
	}
	testkit.NoErr(t, m.Close())
	return b.Bytes()
}

// fromFile returns what opens a file.
func fromFile(t *testing.T, content []byte) func(context.Context) (*Input, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "clip.flv")
	testkit.NoErr(t, os.WriteFile(name, content, 0o600))
	return func(ctx context.Context) (*Input, error) { return Open(ctx, name, nil, nil) }
}

func withCause(t *testing.T) (context.Context, context.CancelCauseFunc) {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	t.Cleanup(func() { stop(nil) })
	return ctx, stop
}
