package streamer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

// roster is the list of tracks that there are; it only grows.
type roster struct {
	mu     sync.Mutex
	tracks []*moqt.TrackWriter
	more   chan struct{} // closed when it grows; nil if nobody waits
}

func (r *roster) add(w *moqt.TrackWriter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tracks = append(r.tracks, w)
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// since returns the tracks after the first n, and what is closed when there are
// more.
func (r *roster) since(n int) ([]*moqt.TrackWriter, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.more == nil {
		r.more = make(chan struct{})
	}
	return r.tracks[n:], r.more
}

// registration makes the tracks of a namespace known to a relay, in one way, or
// in the other if the relay does not do the first.
type registration struct {
	session   *moqt.Session
	namespace model.Namespace
	tracks    *roster
	// offer offers each track by PUBLISH at first; otherwise the namespace is
	// published, so that the relay subscribes.
	offer bool
	// answer is how long the relay may take to accept the namespace; 0: for ever.
	answer time.Duration
	// life is that of offers, which outlast the registration: tracks that end
	// do so for the relay too. offers counts them.
	life   context.Context
	offers *sync.WaitGroup
	// accepted is called when tracks may be written.
	accepted func()
	log      *slog.Logger
}

// run registers until ctx ends, when it returns the cause, or the relay refuses.
func (r *registration) run(ctx context.Context) error {
	first, second := r.announce, r.publish
	name, other := "PUBLISH_NAMESPACE", "PUBLISH"
	if r.offer {
		first, second = second, first
		name, other = other, name
	}
	err := first(ctx)
	if ctx.Err() != nil || !declined(err) {
		return err
	}
	r.log.Info(name+" is refused; trying "+other, "because", err)
	if again := second(ctx); ctx.Err() != nil || !declined(again) {
		return again
	}
	return fmt.Errorf("the relay takes neither the namespace nor its tracks: %w", err)
}

// errDeclined says that a relay does not want a track any more.
var errDeclined = errors.New("the relay does not want the track")

// declined reports whether a relay does not do what it was asked, or does not
// want it, as opposed to not allowing it.
func declined(err error) bool {
	re, refused := errors.AsType[*moqt.RequestError](err)
	return refused && (re.Code == model.NotSupported || re.Code == model.Uninterested) || errors.Is(err, errDeclined)
}

// announce publishes the namespace until ctx ends, in every session.
func (r *registration) announce(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := func() bool { return true }
	if r.answer > 0 {
		stop = time.AfterFunc(r.answer, func() { cancel(fmt.Errorf("the relay did not answer within %v", r.answer)) }).Stop
	}
	a, err := r.session.Announce(ctx, r.namespace)
	stop()
	if err != nil {
		if _, refused := errors.AsType[*moqt.RequestError](err); refused {
			err = fmt.Errorf("the relay does not accept the namespace: %w", err)
		}
		return err
	}
	r.accepted()
	<-a.Context().Done()
	return context.Cause(a.Context())
}

// publish offers each track, those that come later too, until ctx ends.
func (r *registration) publish(ctx context.Context) error {
	failed := make(chan error, 1)
	r.accepted()
	for n, over := 0, false; ; {
		tracks, more := r.tracks.since(n)
		n += len(tracks)
		for _, w := range tracks {
			r.offers.Go(func() {
				if err := r.session.Offer(r.life, w); err != nil {
					select {
					case failed <- r.unwanted(w, err):
					default: // another did, and that is enough
					}
				}
			})
		}
		if over {
			return context.Cause(ctx)
		}
		select {
		case <-more:
		case err := <-failed:
			return err
		case <-ctx.Done():
			over = true // after those that came at the last moment
		}
	}
}

// unwanted says what became of an offer.
func (r *registration) unwanted(w *moqt.TrackWriter, err error) error {
	re, refused := errors.AsType[*moqt.RequestError](err)
	switch {
	case refused && re.Remote:
		return fmt.Errorf("the relay does not accept the track %s: %w", w.Name().Name, err)
	case r.session.Context().Err() != nil:
		return err
	}
	return fmt.Errorf("%w %s: %w", errDeclined, w.Name().Name, err)
}
