package text

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/date"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var dateTrack = model.FullTrackName{Namespace: model.Namespace{"moq-date"}, Name: date.Name}

// world is a network in memory and on virtual time, which begins with the year
// 2000. There is one server in it, or none.
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

// connections returns how many are open at the client's end.
func (w *world) connections() (n int) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 0; i < len(w.links); i += 2 {
		if w.links[i].Context().Err() == nil {
			n++
		}
	}
	return n
}

// date publishes the date.
func (w *world) date(mode date.Mode) *date.Publisher {
	pub := date.NewPublisher(dateTrack.Namespace, date.Clock{Mode: mode, Zone: time.UTC})
	w.work.Go(func() { _ = pub.Run(w.ctx) })
	return pub
}

// direct serves a mux.
func direct(h session.Handler) func(context.Context, session.Conn) {
	s := &moqt.Server{Session: session.Config{Handler: h}}
	return func(ctx context.Context, c session.Conn) { _ = s.ServeConn(ctx, c) }
}

// relayed serves a new relay at which pub is registered. It ends when its
// connections break.
func (w *world) relayed(pub *date.Publisher, publish bool) (*relay.Relay, func(context.Context, session.Conn)) {
	w.t.Helper()
	r := relay.New(relay.Config{})
	serve := func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) }
	mux := moqt.NewTrackMux()
	pub.Serve(mux)
	c, s := memtr.Pair()
	w.mu.Lock()
	w.links = append(w.links, c, s)
	w.mu.Unlock()
	w.work.Go(func() { serve(w.ctx, s) })
	sess, err := session.Start(w.ctx, c, session.Config{Handler: mux})
	if err != nil {
		w.t.Fatal(err)
	}
	w.work.Go(func() {
		reg := &moqt.Registration{Session: sess, Mux: mux, Timeout: time.Minute}
		if publish {
			reg.Tracks = []*moqt.LocalTrack{pub.Track()}
		} else {
			reg.Namespace = dateTrack.Namespace
		}
		_ = reg.Run(w.ctx)
		sess.Close(model.NoError, "")
		sess.Wait()
	})
	synctest.Wait()
	return r, serve
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

func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

// program is a Client at work.
type program struct {
	*Client
	t    *testing.T
	out  screen
	log  screen
	done chan error
	stop context.CancelCauseFunc
}

// launch runs a Client that reads the date, unless set changes it.
func (w *world) launch(set func(*Client)) *program {
	w.t.Helper()
	p := &program{t: w.t, done: make(chan error, 1)}
	p.Client = &Client{
		Target: dial.Target{Host: "relay", Port: "4433", Authority: "relay:4433"},
		Dial:   dial.KeepOptions{Options: dial.Options{Timeout: time.Second, Connect: w.connect}},
		Track:  dateTrack, Start: moqt.FromGroupsBack(0), Out: &p.out,
		Log: slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if set != nil {
		set(p.Client)
	}
	ctx, stop := context.WithCancelCause(w.ctx)
	p.stop = stop
	w.work.Go(func() { p.done <- p.Run(ctx) })
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Log(p.log.take())
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

// want compares what was printed since the last time.
func (p *program) want(why, want string) {
	p.t.Helper()
	synctest.Wait()
	if got := strings.TrimSuffix(strings.ReplaceAll(p.out.take(), "\n", "|"), "|"); got != want {
		p.t.Errorf("%s:\ngot  %s\nwant %s", why, got, want)
	}
}

// wantLog fails unless the log has a text.
func (p *program) wantLog(why, text string) {
	p.t.Helper()
	synctest.Wait()
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	if !strings.Contains(p.log.text.String(), text) {
		p.t.Errorf("%s: the log does not say %q", why, text)
	}
}

// result waits for the end of the program. An error must have the text.
func (p *program) result(why, text string) {
	p.t.Helper()
	err := <-p.done
	switch {
	case text == "" && err != nil:
		p.t.Errorf("%s: %v", why, err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		p.t.Errorf("%s: %v; want an error with %q", why, err, text)
	}
}

// seconds is what the date prints from one second of the world to another,
// both included.
func seconds(from, to int) string {
	var lines []string
	for s := from; s <= to; s++ {
		if s%60 == 0 {
			lines = append(lines, time.Unix(946684800+int64(s), 0).UTC().Format("2006-01-02 15:04:"))
		}
		lines = append(lines, strconv.Itoa(s%60))
	}
	return strings.Join(lines, "|")
}

// until sleeps up to the middle of a second of the world.
func until(second int) {
	time.Sleep(time.Until(time.Unix(946684800+int64(second), 5e8)))
}

var nativeForm = hall.Native(false)

// handler serves what *mux is at the time of each request.
func (w *world) handler(mux **moqt.TrackMux) session.Handler { return &changing{w: w, mux: mux} }

type changing struct {
	session.Refuse
	w   *world
	mux **moqt.TrackMux
}

func (c *changing) now() *moqt.TrackMux {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return *c.mux
}

func (c *changing) Subscribe(ctx context.Context, r *session.SubscribeRequest) {
	c.now().Subscribe(ctx, r)
}
func (c *changing) Fetch(ctx context.Context, r *session.FetchRequest) { c.now().Fetch(ctx, r) }
