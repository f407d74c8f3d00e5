package inspect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// The states of a subject, as observe.TrackState has them.
const (
	isIdle    = "idle"    // nobody looks
	isPaused  = "paused"  // the relay publishes it, and nobody looks
	isOpening = "opening" // it was asked for
	isLive    = "live"
	isRefused = "refused"
	isEnded   = "ended"
)

// subject is a track that is known.
type subject struct {
	i        *Inspector
	id       string
	number   int
	name     model.FullTrackName
	fullName string
	began    time.Time
	changed  chan struct{} // has a value when run should look again
	study    *study

	// Guarded by Inspector.mu.
	named   bool        // by the user
	follows bool        // it is a catalog that is received
	looked  *time.Timer // until nobody looks any more; nil: nobody does
	seen    int         // number of the visit that told of it last; 0: none, or it has gone
	lister  *subject    // the catalog that names it
	offer   *offer      // the relay's PUBLISH; nil: there is none
	running bool
	stop    context.CancelCauseFunc
	state   string
	because string // of the newest refusal or end; empty: there was none since it worked
	had     bool   // it was accepted once
	in      *session.Inbound
	log     *track.Track // nil: nothing was received yet
}

// offer is a track that the relay publishes.
type offer struct {
	in   *session.Inbound
	told bool // the relay sends its objects
}

// subjectLocked finds a track or makes it known; nil: there are too many.
func (i *Inspector) subjectLocked(name model.FullTrackName) *subject {
	key := name.Key()
	t := i.subjects[key]
	if t == nil && len(i.subjects) < MaxTracks {
		i.numbered++
		t = &subject{
			i: i, id: fmt.Sprintf("t%d", i.numbered), number: i.numbered, name: name, fullName: name.String(),
			began: time.Now(), changed: make(chan struct{}, 1), state: isIdle, study: newStudy(name),
		}
		i.subjects[key] = t
	}
	if t == nil {
		i.limitLocked("tracks", MaxTracks)
	}
	return t
}

func (t *subject) wantedLocked() bool { return t.named || t.follows || t.looked != nil }

// hiddenLocked reports whether nobody says that there is such a track: it is a
// catalog that may not exist, or has gone.
func (t *subject) hiddenLocked() bool {
	return !t.named && !t.had && t.offer == nil && t.lister == nil && t.looked == nil
}

// look notes that somebody looks.
func (t *subject) lookLocked() {
	if t.looked != nil {
		t.looked.Reset(LookTime)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(LookTime, func() {
		t.i.mu.Lock()
		defer t.i.mu.Unlock()
		if t.looked == timer {
			t.looked = nil
			t.settleLocked()
		}
	})
	t.looked = timer
	t.settleLocked()
}

// settleLocked begins or ends the receiving.
func (t *subject) settleLocked() {
	switch want := t.wantedLocked() && !t.i.closed; {
	case want && !t.running:
		t.running = true
		ctx, stop := context.WithCancelCause(t.i.ctx)
		t.stop = stop
		t.i.spawnLocked(func() { t.run(ctx) })
	case !want && t.running:
		t.stop(errUnwanted)
	}
}

var errUnwanted = errors.New("nobody looks any more")

// poke lets run look again.
func (t *subject) poke() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// discardLocked frees what is kept.
func (t *subject) discardLocked() {
	if t.looked != nil {
		t.looked.Stop()
	}
	if t.log != nil {
		t.log.Discard()
	}
}

// run receives the track as long as it is wanted, through one session after
// another.
func (t *subject) run(ctx context.Context) {
	i := t.i
	pause := firstPause
	for {
		v, err := i.present(ctx, nil)
		if err != nil {
			break
		}
		t.asks()
		worked, err := t.receive(ctx, v)
		if ctx.Err() != nil {
			break
		}
		if v.s.Context().Err() != nil {
			t.asks()
			pause = firstPause
			if _, err := i.present(ctx, v); err != nil {
				break
			}
			continue
		}
		if worked {
			pause = firstPause
		}
		t.failed(err, worked)
		if !wait(ctx, t.changed, pause) {
			break
		}
		pause = t.longer(pause)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	t.running = false
	t.stop(nil)
	switch {
	case t.offer != nil:
		t.state = isPaused
	case t.state == isOpening || t.state == isLive:
		t.state = isIdle
	}
	t.settleLocked() // somebody may have looked meanwhile
}

// longer is the pause that follows one. A catalog that does not exist is asked for
// ever more rarely.
func (t *subject) longer(pause time.Duration) time.Duration {
	t.i.mu.Lock()
	defer t.i.mu.Unlock()
	if t.hiddenLocked() {
		return min(5*pause, catalogPause)
	}
	return min(2*pause, longestPause)
}

// asks notes that the track is asked for; one that was refused stays so until it
// is accepted.
func (t *subject) asks() {
	t.i.mu.Lock()
	defer t.i.mu.Unlock()
	if t.state != isRefused {
		t.state = isOpening
	}
}

// failed notes why a subscription was refused or ended. Whether a catalog exists
// is asked of everybody, so that a refusal is no news.
func (t *subject) failed(err error, worked bool) {
	if errors.Is(err, session.ErrSuperseded) {
		return // it is offered instead
	}
	state, text, level := isRefused, "the relay refuses the track", slog.LevelWarn
	switch {
	case errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}), errors.Is(err, &model.DoneError{Code: model.DoneSubscriptionEnded}):
		state, text, level = isEnded, "the track has ended", slog.LevelInfo
	case worked:
		text = "the subscription has ended"
	}
	t.i.mu.Lock()
	news := t.because != err.Error()
	t.state, t.because = state, err.Error()
	if t.hiddenLocked() {
		level = slog.LevelDebug
	}
	t.i.mu.Unlock()
	if news {
		t.i.note(level, observe.KindTrack, t, text, "because", err)
	}
}

// withdrawn is told that a PUBLISH of the relay is over.
func (t *subject) withdrawn(in *session.Inbound) {
	i := t.i
	i.mu.Lock()
	mine := t.offer != nil && t.offer.in == in
	if mine {
		if t.offer = nil; t.lister == nil {
			t.seen = 0
		}
		if !t.running {
			if t.state = isEnded; in.Session().Context().Err() != nil {
				t.state = isIdle
			}
		}
		t.poke()
	}
	i.mu.Unlock()
	if mine && in.Session().Context().Err() == nil {
		i.note(slog.LevelInfo, observe.KindTrack, t, "no longer published by the relay", "because", context.Cause(in.Context()))
	}
}
