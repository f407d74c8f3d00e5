package receiver

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/media/remux"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
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
	link, err := w.link()
	if err != nil {
		return nil, err
	}
	return link[0], nil
}

// link makes a connection and returns both of its ends.
func (w *world) link() ([]transport.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serve == nil {
		return nil, errRefused
	}
	c, s := memtr.Pair()
	w.links = append(w.links, c, s)
	serve := w.serve
	w.work.Go(func() { serve(w.ctx, s) })
	return []transport.Conn{c, s}, nil
}

// open lets a server answer from now on.
func (w *world) open(serve func(context.Context, session.Conn)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = serve
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

// relayed lets a new relay answer.
func (w *world) relayed() *relay.Relay {
	r := relay.New(relay.Config{})
	w.open(func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) })
	return r
}

// target is any place in the world.
var target = dial.Target{Host: "relay", Port: "4433", Authority: "relay:4433"}

func (w *world) options() dial.KeepOptions {
	return dial.KeepOptions{Options: dial.Options{Timeout: time.Second, Connect: w.connect}}
}

var namespace = model.Namespace{"live"}

// publisher publishes a picture every 40 ms and audio every 20 ms, with a key
// picture each second.
type publisher struct {
	t     *testing.T
	mux   *moqt.TrackMux
	ctx   context.Context
	stop  context.CancelFunc
	video *track
	audio *track
	form  packaging.Name
	media time.Duration // of the next picture
	n     int           // pictures so far

	mu    sync.Mutex
	dead  bool
	links []transport.Conn // to the relay, both ends of each
}

type track struct {
	w      *moqt.TrackWriter
	g      *moqt.GroupWriter
	packer packaging.Packer
	seq    uint64
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func format(c media.Codec, config string) *media.Format {
	f, err := media.ParseFormat(c, unhex(config))
	if err != nil {
		panic(err)
	}
	return f
}

var (
	small  = format(media.H264, "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8")
	large  = format(media.H264, "0142c00dffe100186742c00dd901419f9e10000003001000000303c0f142992001000468ce0fc8")
	stereo = format(media.AAC, "1190")
)

// publish makes a publisher whose tracks are those of the kinds.
func (w *world) publish(form packaging.Name, kinds ...media.Kind) *publisher {
	p := &publisher{t: w.t, mux: moqt.NewTrackMux(), form: form}
	p.ctx, p.stop = context.WithCancel(w.ctx)
	for _, k := range kinds {
		p.add(k)
	}
	return p
}

var both = []media.Kind{media.Video, media.Audio}

func (p *publisher) add(k media.Kind) {
	p.t.Helper()
	name := k.String() + "0"
	if p.form == packaging.Hang {
		name = k.String() + "/hd"
	}
	tr := &track{
		w:      testkit.Must(p.mux.PublishTrack(p.ctx, model.FullTrackName{Namespace: namespace, Name: name}))(p.t),
		packer: testkit.Must(packaging.NewPacker(p.form, k, packaging.Options{}))(p.t),
	}
	if k == media.Video {
		p.video = tr
	} else {
		p.audio = tr
	}
}

// direct serves the publisher to whoever connects.
func (w *world) direct(p *publisher) {
	s := &moqt.Server{Session: session.Config{Handler: p.mux}}
	w.open(func(ctx context.Context, c session.Conn) { _ = s.ServeConn(ctx, c) })
}

// register announces the publisher at the relay of the world, until it is stopped.
func (w *world) register(p *publisher) *moqt.Session {
	w.t.Helper()
	opts := w.options()
	opts.RetryFirst = true
	opts.Connect = func(context.Context, string, *tls.Config) (transport.Conn, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.dead {
			return nil, errRefused
		}
		link, err := w.link()
		if err != nil {
			return nil, err
		}
		p.links = append(p.links, link...)
		return link[0], nil
	}
	s := testkit.Must(moqt.Connect(p.ctx, target, opts, p.mux))(w.t)
	testkit.Must(s.Announce(p.ctx, namespace))(w.t)
	return s
}

// kill ends the publisher without a word to the relay, which notices.
func (p *publisher) kill(s *moqt.Session) {
	p.mu.Lock()
	p.dead = true
	for _, c := range p.links {
		memtr.Break(c, nil)
	}
	p.mu.Unlock()
	p.stop()
	s.Close()
}

// write sends a sample, in a new group if that is asked for.
func (tr *track) write(t *testing.T, s *media.Sample, group bool) {
	t.Helper()
	s.Seq, s.HasSeq = tr.seq, true
	tr.seq++
	props, payload, err := tr.packer.Pack(s)
	testkit.NoErr(t, err)
	if group || tr.g == nil {
		if tr.g != nil {
			testkit.NoErr(t, tr.g.Close())
		}
		tr.g = testkit.Must(tr.w.AppendGroup())(t)
	}
	f := moqt.NewFrame(len(payload))
	_, _ = f.Write(payload)
	f.SetProperties(props)
	testkit.NoErr(t, tr.g.WriteFrame(f))
}

// picture is the data of one, with a number in it.
func picture(n int, key bool) []byte {
	b := []byte{0, 0, 0, 6, 0x41, 0x9a}
	if key {
		b[4], b[5] = 0x65, 0x88
	}
	return fmt.Appendf(b, "%04d", n) // no zeros, which some packagings cut off
}

const (
	pictureStep = 40 * time.Millisecond
	gop         = 25
)

// step publishes a picture and what is heard with it, as time goes by.
func (p *publisher) step(video *media.Format) {
	p.t.Helper()
	if p.video != nil {
		key := p.n%gop == 0
		p.video.write(p.t, &media.Sample{
			Format: video, PTS: p.media, DTS: p.media, Duration: pictureStep, Key: key, Data: picture(p.n, key), Captured: time.Now(),
		}, key)
	}
	for at := p.media; at < p.media+pictureStep; at += pictureStep / 2 {
		if p.audio != nil {
			p.audio.write(p.t, &media.Sample{
				Format: stereo, PTS: at, DTS: at, Duration: pictureStep / 2, Key: true, Data: []byte{0x21, byte(p.n)}, Captured: time.Now(),
			}, true)
		}
		time.Sleep(pictureStep / 2)
	}
	p.n++
	p.media += pictureStep
}

// run publishes for a time.
func (p *publisher) run(d time.Duration) {
	p.t.Helper()
	for ; d > 0; d -= pictureStep {
		p.step(small)
	}
}

// end ends the tracks, in good order.
func (p *publisher) end() {
	for _, tr := range []*track{p.video, p.audio} {
		if tr == nil {
			continue
		}
		if tr.g != nil {
			testkit.NoErr(p.t, tr.g.Close())
		}
		tr.w.Close()
	}
}

// screen is what a program writes.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// program is a Receiver at work.
type program struct {
	*Receiver
	t    *testing.T
	log  screen
	told screen
	done chan error
	stop context.CancelCauseFunc
}

// launch runs a Receiver that writes to a file, unless set changes it.
func (w *world) launch(set func(*Receiver)) *program {
	w.t.Helper()
	p := &program{t: w.t, done: make(chan error, 1)}
	p.Receiver = &Receiver{
		Target: target, Dial: w.options(), Namespace: namespace, Start: moqt.FromGroupsBack(0), Hold: DefaultHold,
		Video: Choice{Name: "video0"}, Audio: Choice{Name: "audio0"}, ExitOn: ExitOn{End: true},
		Path:  filepath.Join(w.t.TempDir(), "out.flv"),
		Stats: &Stats{JSON: true, Out: &p.told},
		Log:   slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if set != nil {
		set(p.Receiver)
	}
	ctx, stop := context.WithCancelCause(w.ctx)
	p.stop = stop
	w.work.Go(func() { p.done <- p.Run(ctx) })
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Log(p.log.String())
		}
	})
	synctest.Wait()
	return p
}

var errStopped = errors.New("stopped by the test")

// end stops the program as a signal does.
func (p *program) end() {
	p.t.Helper()
	p.stop(errStopped)
	testkit.ErrIs(p.t, <-p.done, errStopped)
}

// result waits for the end of the program. An error must have the text.
func (p *program) result(text string) {
	p.t.Helper()
	err := <-p.done
	switch {
	case text == "" && err != nil:
		p.t.Errorf("it ends with %v", err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		p.t.Errorf("it ends with %v; want an error with %q", err, text)
	}
}

// written is what is in a file: for each kind the samples, in runs of those that
// follow each other, as "V12@480ms+25": from the key picture 12, which is at 480 ms,
// 25 samples without a hole.
type written struct {
	video, audio string
	largest      time.Duration // largest step back between the tracks
}

// file reads what was written.
func (p *program) file() written {
	p.t.Helper()
	f := testkit.Must(os.Open(p.Path))(p.t)
	defer f.Close()
	return read(p.t, f)
}

func read(t *testing.T, r io.Reader) (w written) {
	t.Helper()
	d := remux.NewDemuxer(flv.NewReader(r))
	var runs [2]runs
	var last time.Duration
	for {
		s, err := d.Next()
		if err == io.EOF {
			break
		}
		testkit.NoErr(t, err)
		w.largest = max(w.largest, last-s.DTS)
		last = s.DTS
		if s.Format.Codec.Kind() == media.Audio {
			runs[1].add(int(s.Data[1]), s, pictureStep/2)
			continue
		}
		n := testkit.Must(strconv.Atoi(string(s.Data[len(s.Data)-4:])))(t)
		runs[0].add(n, s, pictureStep)
	}
	w.video, w.audio = runs[0].String(), runs[1].String()
	return w
}

// runs tells of samples in runs.
type runs struct {
	text []string
	n    int // in the last
	next time.Duration
}

func (r *runs) add(number int, s *media.Sample, step time.Duration) {
	if r.n > 0 && s.DTS == r.next {
		r.n++
	} else {
		r.close()
		mark := ""
		if s.Format.Codec.Kind() == media.Video {
			mark = "v"
			if s.Key {
				mark = "V"
			}
		}
		r.text = append(r.text, fmt.Sprintf("%s%d@%v", mark, number, s.DTS))
		r.n = 1
	}
	r.next = s.DTS + step
}

func (r *runs) close() {
	if r.n > 0 {
		r.text[len(r.text)-1] += fmt.Sprintf("+%d", r.n)
	}
	r.n = 0
}

func (r *runs) String() string {
	r.close()
	return strings.Join(r.text, " ")
}

// pass lets time go by in a world.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
