package receiver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"oxymoq/internal/latency"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/session"
)

// rendezvousAgain is how long the peer is asked to wait for a publisher that was
// there before, or whose other track is there.
const rendezvousAgain = 10 * time.Second

// endPatience is how long a track that has ended may take to begin anew. A relay
// says that a track has ended when its publisher was restarted.
const endPatience = time.Second

// state is how far the Receiver is with a track.
type state uint8

const (
	asking state = iota // no answer yet
	had                 // subscribed
	absent              // refused; it is asked for again
	ending              // it has ended, and may begin anew
	ended               // it is not asked for any more
)

// source is a track as the Receiver follows it. Its fields belong to Run's
// goroutine, except those of the names.
type source struct {
	r      *Receiver
	kind   media.Kind
	choice Choice

	state    state
	accept   bool      // the subscription that runs was accepted
	asked    time.Time // when the SUBSCRIBE was sent that brought the first object
	refusal  error     // why it is absent
	over     *time.Timer
	overAt   time.Time                 // when the publisher said that the track has ended
	largest  model.Opt[model.Location] // when it was accepted
	recorder *latency.Recorder
	objects  uint64
	held     time.Duration // from their arrival until they were given out, for the sake of order, of all
	last     seen
	seq      model.Opt[uint64] // of the last sample
	missing  uint64            // objects that were given up since then, as far as is known

	detector *packaging.Detector
	hint     *media.Format
	waiting  []arrival // for a catalog
	size     int       // of what waits, in bytes
	broken   uint64    // objects that are no samples
	warned   time.Time // when the user was told

	mu    sync.Mutex
	names []string // to ask for, one after the other
	next  int
	poke  chan struct{}           // there is a new name
	quit  context.CancelCauseFunc // ends the subscription that runs
}

// arrival is an object of a track of that name.
type arrival struct {
	model.Object
	name string
	came time.Time
}

// seen is what the progress line shows of the last object.
type seen struct {
	at       model.Location
	lag      time.Duration // from capture to arrival, if captured
	captured bool
}

func newSource(r *Receiver, k media.Kind, c Choice) *source {
	return &source{
		r: r, kind: k, choice: c, names: []string{c.Name}, poke: make(chan struct{}, 1),
		recorder: latency.New(latency.Options{}),
	}
}

// name returns the name to ask for now.
func (s *source) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[s.next]
}

// refused turns to the next name and reports whether it was not asked for before.
func (s *source) refused() (fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	fresh = s.next < len(s.names)
	s.next %= len(s.names)
	return fresh
}

// errRenamed ends a subscription because a catalog has the track by another name.
var errRenamed = errors.New("a catalog names another track")

// offer adds the names that a catalog has for the track, unless only one is
// wanted. If what is asked for is not among them and has brought nothing, the first
// of them is asked for at once: some publishers accept what they do not have.
func (s *source) offer(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.choice.Fixed || len(names) == 0 {
		return
	}
	listed := slices.Contains(names, s.names[s.next])
	fresh := -1
	for _, name := range names {
		if !slices.Contains(s.names, name) && len(s.names) < maxNames {
			if s.names = append(s.names, name); fresh < 0 {
				fresh = len(s.names) - 1
			}
		}
	}
	first := slices.Index(s.names, names[0])
	rename := -1
	switch {
	case s.state == absent && fresh >= 0:
		rename = fresh
	case !listed && s.objects == 0 && first >= 0 && (s.state == had || s.state == asking):
		rename = first
	case fresh < 0:
		return
	}
	if rename >= 0 {
		s.state, s.next = asking, rename
		if s.quit != nil {
			s.quit(errRenamed)
		}
	}
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// stays notes how to end the subscription that begins.
func (s *source) stays(quit context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quit = quit
}

// maxNames is how many names of a catalog are tried for a track.
const maxNames = 8

// follow subscribes, again whenever the subscription ends, until there is no use.
func (s *source) follow() {
	var again pauses
	var sub *moqt.Subscriber
	for rendezvous := s.r.Rendezvous; ; {
		name := s.name()
		if sub == nil || sub.Track.Name != name {
			sub = s.subscriber(name)
		}
		sub.Rendezvous = rendezvous
		sess, err := s.r.session.Current(s.r.ctx)
		if err != nil {
			return // Run hears of it by itself
		}
		ctx, cancel := context.WithCancelCause(s.r.ctx)
		s.stays(cancel)
		answered := s.r.expectAnswer(rendezvous, cancel)
		s.r.do(s.ask)
		sub.Subscribed = func(o session.Offer) {
			answered()
			s.r.do(func() { s.accepted(o) })
		}
		err = sub.Run(ctx, sess)
		answered()
		cancel(nil)
		if s.r.ctx.Err() != nil {
			return
		}
		var v verdict
		judge := func() {
			if v = askNow; s.name() == name || sess.Context().Err() != nil {
				v = s.r.judge(s, sess, err)
			} // else a catalog was faster, and what became of the name before does not matter
		}
		if !s.r.do(judge) || v.stop {
			return
		}
		rendezvous = v.rendezvous
		if v.pause && !wait(s.r.ctx, s.poke, max(v.after, again.take())) {
			return
		}
	}
}

// subscriber returns a Subscriber for one name of the track. It is kept over all
// sessions, so that nothing is missed or comes twice.
func (s *source) subscriber(name string) *moqt.Subscriber {
	return &moqt.Subscriber{
		Track: model.FullTrackName{Namespace: s.r.Namespace, Name: name},
		Start: s.r.Start, Terms: s.r.Terms, Tokens: s.r.Tokens,
		// A quarter is left for what the other track brings meanwhile.
		Patience: max(s.r.Hold*3/4, time.Nanosecond),
		EmitCame: func(o model.Object, came time.Time) {
			s.r.do(func() { s.take(&arrival{o, name, came}) })
		},
		Gap: func(from, to model.Location) {
			s.r.do(func() { s.lose(from, to) })
		},
		Log: slog.New(quiet{s.r.Log.Handler()}),
	}
}

// ask is told of each SUBSCRIBE that is sent.
func (s *source) ask() {
	if s.accept = false; s.objects == 0 {
		s.asked = time.Now()
		s.recorder = latency.New(latency.Options{Subscribed: s.asked})
	}
}

// accepted is told of each subscription.
func (s *source) accepted(o session.Offer) {
	r := s.r
	s.accept, s.largest, s.refusal = true, o.Largest, nil
	r.Log.Info("subscribed", "track", s.name())
	if s.state == asking || s.state == absent {
		s.state = had
	}
	if s.state == had {
		r.timeline.Open(s.kind, time.Now())
	}
	if l, ok := o.Largest.Get(); !ok || r.timeline.Beyond(s.kind, l) {
		r.timeline.Renew(s.kind) // the track is not as far as it was
	}
	if !r.worked {
		r.worked = true
		r.heard()
	}
}

// Limits of the objects that wait for a catalog to say what they are.
const (
	maxWaiting      = 1024
	maxWaitingBytes = 16 << 20
)

// take takes an object.
func (s *source) take(a *arrival) {
	r := s.r
	r.heard()
	s.objects++
	s.held += max(0, time.Since(a.came))
	s.last.at = a.Location
	if s.state == ending || s.state == ended {
		s.began()
	}
	if s.unknown() && r.catalogs.pending() && len(s.waiting) < maxWaiting && s.size+len(a.Payload) <= maxWaitingBytes {
		if m, err := s.unpack(a); err == nil {
			s.add(a, m)
			return
		}
		s.waiting = append(s.waiting, *a)
		s.size += len(a.Payload)
		return
	}
	s.replay()
	s.open(a)
}

// unknown reports whether it is not known yet what packaging the objects have.
func (s *source) unknown() bool { return s.detector == nil || s.detector.Name() == "" }

// replay takes what has waited for a catalog.
func (s *source) replay() {
	waiting := s.waiting
	s.waiting, s.size = nil, 0
	for i := range waiting {
		s.open(&waiting[i])
	}
}

// open takes what is in an object.
func (s *source) open(a *arrival) {
	m, err := s.unpack(a)
	if err != nil {
		s.unpackable(a, err)
		return
	}
	s.add(a, m)
}

func (s *source) add(a *arrival, m *media.Sample) {
	past := s.largest.Set && !s.largest.Value.Less(a.Location)
	s.recorder.Observe(latency.Arrival{
		At: a.came, Captured: m.Captured, Media: m.DTS, HasMedia: true,
		Group: a.Group, Object: a.Location.Object, Size: len(a.Payload), Key: m.Key, Past: past,
	})
	if !m.Captured.IsZero() && !past {
		s.last.lag, s.last.captured = a.came.Sub(m.Captured), true
	}
	s.r.Stats.object(s, a, m, past)
	if s.r.timeline.Add(s.kind, a.Location, m, a.came, time.Now()) {
		s.gap(m)
	}
	s.missing, s.seq = 0, model.Opt[uint64]{}
	if m.HasSeq {
		s.seq = model.Some(m.Seq)
	}
}

// gap counts what is missing before a sample.
func (s *source) gap(m *media.Sample) {
	n := s.missing
	if seq, ok := s.seq.Get(); ok && m.HasSeq && m.Seq > seq {
		n = m.Seq - seq - 1
	}
	s.recorder.Gap(n, time.Duration(min(n, maxGap))*m.Duration)
	s.r.Log.Info("something is missing", "track", s.name(), "before", s.last.at.String(), "objects", n)
}

// maxGap bounds the objects of a gap whose time is counted.
const maxGap = 1 << 16

// unpack makes a sample of an object, also if its packaging is not what it was.
func (s *source) unpack(a *arrival) (*media.Sample, error) {
	hint := s.r.catalogs.format(s.kind, a.name)
	if s.detector == nil || !hint.Same(s.hint) && (s.unknown() || a.Location.Object == 0) {
		s.detector, s.hint = packaging.NewDetector(s.kind, hint), hint
	}
	m, err := s.detector.Unpack(a.Properties, a.Payload)
	if err == nil || s.unknown() || errors.Is(err, packaging.ErrNoConfig) || errors.Is(err, packaging.ErrNoSample) {
		return m, err
	}
	other := packaging.NewDetector(s.kind, s.hint)
	if m, otherwise := other.Unpack(a.Properties, a.Payload); otherwise == nil {
		s.detector = other
		return m, nil
	}
	return nil, err
}

// warnAgain is how often the user is told of objects that are no samples.
const warnAgain = 10 * time.Second

// unpackable notes an object that is no sample.
func (s *source) unpackable(a *arrival, err error) {
	if errors.Is(err, packaging.ErrNoSample) {
		return
	}
	s.r.timeline.Lose(s.kind)
	if errors.Is(err, packaging.ErrNoConfig) {
		return // from before the first key picture
	}
	s.broken++
	level := slog.LevelDebug
	if time.Since(s.warned) > warnAgain {
		level, s.warned = slog.LevelWarn, time.Now()
	}
	s.r.Log.Log(s.r.ctx, level, "an object is no sample", "track", a.name, "at", a.Location.String(), "because", err)
}

// lose notes objects that were given up. That some exist is not certain: where
// groups end is often not known.
func (s *source) lose(from, to model.Location) {
	if from.Group == to.Group {
		s.missing += to.Object - from.Object
	}
	s.r.timeline.Lose(s.kind)
}

// end says that the track has ended, which is believed a little later, unless it
// begins anew.
func (s *source) end() {
	r := s.r
	s.state, s.overAt = ending, time.Now()
	r.timeline.Close(s.kind, time.Now())
	s.over = time.AfterFunc(endPatience, func() {
		r.do(func() {
			if s.state == ending {
				s.state = ended
				r.settle()
			}
		})
	})
}

// began says that a track that had ended has begun anew.
func (s *source) began() {
	s.over.Stop()
	s.state, s.overAt = had, time.Time{}
	s.r.timeline.Open(s.kind, time.Now())
}

// leave stops what is left at the end.
func (s *source) leave() {
	if s.over != nil {
		s.over.Stop()
	}
}
