package receiver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// maxRetryAfter is how long a peer may ask us to wait.
const maxRetryAfter = time.Minute

// verdict says what a source does after its subscription has ended: nothing more,
// or ask again, at once or after a pause of its own or of the peer, who is to wait
// for a publisher.
type verdict struct {
	stop, pause bool
	after       time.Duration
	rendezvous  time.Duration
}

// Ask again, and have the peer wait for a publisher.
var (
	askAgain = verdict{pause: true, rendezvous: rendezvousAgain}
	askNow   = verdict{rendezvous: rendezvousAgain}
)

// judge says what follows from the end of a subscription.
func (r *Receiver) judge(s *source, sess *session.Session, err error) verdict {
	done, isDone := errors.AsType[*model.DoneError](err)
	switch {
	case sess.Context().Err() != nil:
		return r.lost(sess)
	case errors.Is(err, session.ErrGoingAway), isDone && done.Code == model.DoneGoingAway:
		return askAgain // a new session is being made
	case isDone && (done.Code == model.DoneTrackEnded || done.Code == model.DoneSubscriptionEnded) && r.ExitOn.End:
		if s.state == ending || s.state == ended {
			return askAgain
		}
		s.end()
		return verdict{} // it may have begun anew; nobody is to be waited for
	case s.state == ending || s.state == ended:
		s.state = ended
		r.settle()
		return askAgain
	case s.accept && r.ExitOn.Error:
		r.stop(r.sentence(s, err))
		return verdict{stop: true}
	}
	return r.miss(s, err)
}

// lost says what follows from the end of a session.
func (r *Receiver) lost(sess *session.Session) verdict {
	select {
	case <-sess.GoawayReceived(): // there is another, or will be
		return askNow
	default:
	}
	switch {
	case !r.worked && !r.Dial.RetryFirst:
		r.stop(dial.Failure(r.Target, r.Dial.Options, sess.Err()))
	case r.ExitOn.Error:
		r.stop(fmt.Errorf("lost %v: %w", r.Target, sess.Err()))
	}
	return askNow
}

// miss notes that a track is not to be had for now.
func (r *Receiver) miss(s *source, err error) verdict {
	s.refusal = err
	if s.refused() {
		s.state = asking
		return askNow // it may be there by another name
	}
	s.state = absent
	if !r.catalogs.pending() { // it may name another track
		r.timeline.Close(s.kind, time.Now())
	}
	r.Log.Debug("asking again", "track", s.name(), "because", err)
	r.settle()
	refused, ok := errors.AsType[*model.RequestError](err)
	v := askAgain
	if ok {
		v.after = min(refused.RetryAfter.Value, maxRetryAfter)
	}
	return v
}

// settle ends the Receiver if there is nothing more to be had.
func (r *Receiver) settle() {
	over, missing, hopeless := 0, 0, 0
	waiting := 0 // for a publisher that never was there
	var why *source
	for _, s := range r.sources {
		switch s.state {
		case ended:
			over++
		case asking:
			if !s.accept && s.objects == 0 {
				waiting++
			}
		case absent:
			missing++
			why = s
			if refused, ok := errors.AsType[*model.RequestError](s.refusal); ok && isHopeless(refused.Code) {
				hopeless++
			}
		}
	}
	switch all := len(r.sources); {
	case over > 0 && over+missing+waiting == all:
		r.stop(errEnded)
	case over+missing < all:
	case r.catalogs.pending(): // it may name other tracks
	case hopeless == all, !r.worked && !r.mayWait():
		r.stop(r.sentence(why, why.refusal))
	}
}

// mayWait reports whether tracks that never were there may still come.
func (r *Receiver) mayWait() bool {
	return r.Dial.RetryFirst || time.Since(r.began) < r.Rendezvous
}

// isHopeless reports whether a request that was refused with the code will be
// refused again.
func isHopeless(code model.RequestCode) bool {
	switch code {
	case model.RequestUnauthorized, model.NotSupported, model.RequestMalformedAuthToken, model.RequestExpiredAuthToken,
		model.NamespaceTooLarge, model.UnsupportedExtension, model.Redirected:
		return true
	}
	return false
}

// sentence explains to the user why a track is not to be had.
func (r *Receiver) sentence(s *source, err error) error {
	names := make([]string, 0, len(r.sources))
	for _, o := range r.sources {
		names = append(names, fmt.Sprintf("%q", o.choice.Name))
	}
	what := fmt.Sprintf("track %q of namespace %q", s.choice.Name, strings.Join(r.Namespace, "/"))
	refused, ok := errors.AsType[*model.RequestError](err)
	if !ok || !refused.Remote {
		return fmt.Errorf("cannot read %s at %v: %w", what, r.Target, err)
	}
	reason := ""
	if refused.Reason != "" {
		reason = fmt.Sprintf(" (it says %q)", refused.Reason)
	}
	switch refused.Code {
	case model.DoesNotExist, model.RequestTimeout:
		return fmt.Errorf("%v has no track %s of namespace %q%s; start its publisher first, or wait for it with -retry or -rendezvous_timeout",
			r.Target, strings.Join(names, " or "), strings.Join(r.Namespace, "/"), reason)
	case model.RequestUnauthorized:
		return fmt.Errorf("%v does not let us read %s%s", r.Target, what, reason)
	case model.Redirected:
		if to := refused.Redirect; to != nil && to.ConnectURI != "" {
			return fmt.Errorf("%v sends us to %q for %s; use that as -connect_url", r.Target, to.ConnectURI, what)
		}
	}
	return fmt.Errorf("%v refuses %s with %v%s", r.Target, what, refused.Code, reason)
}
