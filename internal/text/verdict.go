package text

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// maxRetryAfter is how long a peer may ask us to wait.
const maxRetryAfter = time.Minute

// verdict says what follows from the end of a request of ours on a session
// that lives: final is true if that was it, with the sentence for the user or
// nil for success; otherwise the request is to be made again after pause.
func (c *Client) verdict(err error, pause time.Duration) (final bool, again time.Duration, sentence error) {
	done, isDone := errors.AsType[*model.DoneError](err)
	refused, isRefused := errors.AsType[*model.RequestError](err)
	switch {
	case isDone && done.Code == model.DoneTrackEnded && c.ExitOn.End:
		return true, 0, nil
	case errors.Is(err, session.ErrGoingAway):
		return false, pause, nil // a new session is being made
	case c.ExitOn.Error, isRefused && hopeless(refused.Code), !c.worked.Load() && !c.mayWait():
		return true, 0, c.sentence(err)
	case isRefused:
		pause = max(pause, min(refused.RetryAfter.Value, maxRetryAfter))
	}
	return false, pause, nil
}

// mayWait reports whether the first request may still be made again.
func (c *Client) mayWait() bool {
	return c.Dial.RetryFirst || time.Since(c.began) < c.Rendezvous
}

// hopeless reports whether a request that was refused with the code will be
// refused again.
func hopeless(code model.RequestCode) bool {
	switch code {
	case model.RequestUnauthorized, model.NotSupported, model.RequestMalformedAuthToken, model.RequestExpiredAuthToken,
		model.InvalidRange, model.NoObjects, model.NamespaceTooLarge, model.UnsupportedExtension, model.Redirected:
		return true
	}
	return false
}

// sentence explains to the user why a request failed.
func (c *Client) sentence(err error) error {
	what := describe(c.Track)
	if c.Way == Publishes {
		what = fmt.Sprintf("namespace %q", strings.Join(c.Track.Namespace, "/"))
	}
	refused, ok := errors.AsType[*model.RequestError](err)
	if !ok || !refused.Remote {
		return fmt.Errorf("cannot read %s at %v: %w", what, c.Target, err)
	}
	reason := ""
	if refused.Reason != "" {
		reason = fmt.Sprintf(" (it says %q)", refused.Reason)
	}
	switch refused.Code {
	case model.DoesNotExist, model.RequestTimeout:
		return fmt.Errorf("%v has no %s%s; start its publisher first, or wait for it with -retry or -rendezvous_timeout", c.Target, what, reason)
	case model.RequestUnauthorized:
		return fmt.Errorf("%v does not let us read %s%s", c.Target, what, reason)
	case model.InvalidRange, model.NoObjects:
		return fmt.Errorf("%v has no such range of %s%s", c.Target, what, reason)
	case model.Redirected:
		if r := refused.Redirect; r != nil && r.ConnectURI != "" {
			return fmt.Errorf("%v sends us to %q for %s; use that as -connect_url", c.Target, r.ConnectURI, what)
		}
	}
	return fmt.Errorf("%v refuses %s with %v%s", c.Target, what, refused.Code, reason)
}
