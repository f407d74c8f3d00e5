package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// Choice says which track of a kind is wanted.
type Choice struct {
	Name string
	// Fixed says that it is this name or none; otherwise a catalog that names
	// another one is followed when this one does not exist.
	Fixed bool
	None  bool // none at all
}

// ExitOn says what ends a Receiver, beside being told to stop.
type ExitOn struct {
	End   bool // the publisher says that all tracks have ended: success
	Idle  bool // no object has come for Receiver.Idle: success
	Error bool // the session or a subscription is lost: failure
}

// ParseExitOn reads the names of a flag.
func ParseExitOn(names []string) (e ExitOn, err error) {
	for _, n := range names {
		switch n {
		case "end":
			e.End = true
		case "idle":
			e.Idle = true
		case "error":
			e.Error = true
		default:
			return e, fmt.Errorf("-exit_on %q is not known; use end, idle or error", n)
		}
	}
	return e, nil
}

// Receiver writes what a publisher sends as FLV. Set the fields before Run, which
// is for one call.
type Receiver struct {
	Target dial.Target
	// Dial says how to connect; RetryFirst goes on trying although it has never
	// worked, to connect as well as to subscribe.
	Dial      dial.KeepOptions
	Namespace model.Namespace
	Video     Choice
	Audio     Choice
	// Start is where to begin; the zero value is the next object.
	Start moqt.Start
	Terms session.Change
	// Tokens go with each request.
	Tokens []auth.Token
	// Hold is how long something that is missing is awaited, within a track or
	// between the tracks; see Timeline.
	Hold time.Duration
	// Rendezvous is how long to wait for a publisher at first.
	Rendezvous time.Duration
	// Answer is how long the peer may take to answer a request, beside what it
	// is asked to wait for a publisher; 0: for ever.
	Answer time.Duration
	ExitOn ExitOn
	// Idle is how long without an object is idle, from the first answer on.
	Idle time.Duration
	// Duration is how long to run; 0: for ever.
	Duration time.Duration

	// Path is where the FLV goes: a file, a fifo, "-" for Out, or empty for
	// nowhere.
	Path string
	Out  io.Writer
	// Stats is told of objects and gets the report at the end; may be nil.
	Stats *Stats
	// Progress shows from time to time how it goes; may be nil.
	Progress *Progress
	Log      *slog.Logger

	began    time.Time
	calls    chan func() // for Run's goroutine
	ctx      context.Context
	stop     context.CancelCauseFunc
	session  *moqt.Session
	sources  []*source
	catalogs catalogs
	timeline *Timeline
	sink     *Sink
	out      *Output
	worked   bool // a track was had once
	idle     *time.Timer

	firstPicture *time.Duration // from its SUBSCRIBE; nil: none yet
}

// Why a Receiver is done, with success.
var (
	errTimeUp = errors.New("the time is up")
	errIdle   = errors.New("no object has come for a while")
	errEnded  = errors.New("all tracks have ended")
)

// Run receives until what ExitOn says, or ctx ends, when it returns the cause, or
// until it cannot go on. Errors are sentences for the user.
func (r *Receiver) Run(ctx context.Context) error {
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	defer r.spool()()
	r.began = time.Now()
	r.calls = make(chan func())
	r.ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	if r.Duration > 0 {
		t := time.AfterFunc(r.Duration, func() { r.stop(errTimeUp) })
		defer t.Stop()
	}
	sink, err := OpenSink(r.Path, r.Out)
	if err != nil {
		return err
	}
	r.sink = sink
	r.out = NewOutput(sink, !r.Video.None, !r.Audio.None, r.stop)
	r.timeline = NewTimeline(r.Hold, r.emit)
	err = r.receive()
	now := time.Now()
	r.timeline.Flush(now)
	unwritten := r.out.Close()
	if failed := sink.Close(); unwritten == nil {
		unwritten = failed
	}
	if r.Progress.end(); len(r.sources) > 0 {
		if p := r.Progress; p != nil && p.To != nil {
			p.To(r.status(now))
		}
		rep := r.report(now)
		r.Stats.end(rep)
		if rep.Bytes > 0 {
			r.Log.Info("done", "written", size(rep.Bytes), "to", sink.Name(), "time", clock(rep.Written))
		}
	}
	switch {
	case errors.Is(unwritten, ErrReaderGone):
		r.Log.Info("the reader has gone", "of", sink.Name())
	case unwritten != nil && !errors.Is(unwritten, errNotRead):
		return cannotWrite(sink.Name(), unwritten)
	case unwritten != nil:
		r.Log.Warn("the reader does not read; the last of it is lost", "of", sink.Name())
	}
	for _, done := range []error{errTimeUp, errIdle, errEnded, ErrReaderGone} {
		if errors.Is(err, done) {
			return nil
		}
	}
	return err
}

// spool has what is told written beside the work. What it returns is to be called at
// the end.
func (r *Receiver) spool() (end func()) {
	var spools []*spool
	aside := func(out io.Writer) io.Writer {
		s := newSpool(out)
		spools = append(spools, s)
		return s
	}
	if r.Stats != nil {
		r.Stats = &Stats{JSON: r.Stats.JSON, Out: aside(r.Stats.Out)}
	}
	if p := r.Progress; p != nil {
		r.Progress = &Progress{Every: p.Every, JSON: p.JSON, InPlace: p.InPlace, Out: aside(p.Out), To: p.To}
	}
	return func() {
		for _, s := range spools {
			if lost := s.close(); lost > 0 {
				r.Log.Warn("nobody read what was told in time", "lost", lost)
			}
		}
	}
}

// receive connects and lets everything that comes go to the output, until that
// ends, and returns why.
func (r *Receiver) receive() (err error) {
	opts := r.Dial
	opts.Log = r.Log
	if r.session, err = moqt.Connect(r.ctx, r.Target, opts, nil); err != nil {
		return err
	}
	defer r.session.Close()
	if err := r.sink.Wait(r.ctx, r.Log); err != nil {
		return err
	}
	for _, s := range []*source{newSource(r, media.Video, r.Video), newSource(r, media.Audio, r.Audio)} {
		if !s.choice.None {
			r.sources = append(r.sources, s)
		}
	}
	var work sync.WaitGroup
	defer work.Wait()
	for _, s := range r.sources {
		r.timeline.Open(s.kind, time.Now())
		work.Go(s.follow)
		defer s.leave()
	}
	defer r.catalogs.open(r, &work)()
	stop := context.AfterFunc(r.session.Context(), func() { r.stop(r.session.Err()) }) // it will have no successor
	defer stop()
	r.loop()
	return context.Cause(r.ctx)
}

// emit gives a sample to the output.
func (r *Receiver) emit(m *media.Sample) {
	if r.firstPicture == nil && m.Format.Codec.Kind() == media.Video {
		took := time.Since(r.sources[0].asked)
		r.firstPicture = &took
		r.Log.Info("first picture", "after", took.Round(time.Millisecond))
	}
	r.out.Add(m)
}

// loop runs what the other goroutines ask for, and what is due, until r.ctx ends.
func (r *Receiver) loop() {
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	ticks, stop := r.Progress.ticks()
	defer stop()
	r.idle = time.NewTimer(time.Hour)
	r.idle.Stop()
	defer r.idle.Stop()
	for {
		var expired <-chan time.Time
		if at := r.timeline.Deadline(); !at.IsZero() {
			due.Reset(time.Until(at))
			expired = due.C
		}
		select {
		case call := <-r.calls:
			call()
		case <-expired:
			r.timeline.Expire(time.Now())
		case now := <-ticks:
			r.Progress.show(r.status(now))
		case <-r.idle.C:
			r.stop(errIdle)
		case <-r.ctx.Done():
			return
		}
	}
}

// do has Run's goroutine call f. It returns false if that is no longer possible.
func (r *Receiver) do(f func()) bool {
	done := make(chan struct{})
	select {
	case r.calls <- func() { f(); close(done) }:
		<-done
		return true
	case <-r.ctx.Done():
		return false
	}
}

// heard notes that something has come.
func (r *Receiver) heard() {
	if r.ExitOn.Idle && r.worked {
		r.idle.Reset(r.Idle)
	}
}
