package interop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oxymoq/pkg/model"
)

// Failure is why a relay did not pass a case.
type Failure struct {
	Expected string // in the words of the draft
	Received string
	Message  string // what else is to be said; may be empty
}

// Error returns one sentence.
func (f *Failure) Error() string {
	text := fmt.Sprintf("%s was expected, and what came is %s", f.Expected, f.Received)
	if f.Message != "" {
		text += ": " + f.Message
	}
	return text
}

// lateError is the cause of a context whose time is over.
type lateError struct{ limit time.Duration }

func (e *lateError) Error() string { return fmt.Sprintf("nothing within %v", e.limit) }

// Is makes it a deadline like any other.
func (e *lateError) Is(target error) bool { return target == context.DeadlineExceeded }

// instead makes a failure of err, nil if it is nil. expected is what the case
// asked for.
func instead(expected string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Expected: expected, Received: received(err)}
}

// received says what came instead of an answer that was hoped for.
func received(err error) string {
	if e, ok := errors.AsType[*lateError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*model.RequestError](err); ok && e.Remote {
		return "REQUEST_ERROR with " + e.Code.String() + because(e.Reason)
	}
	if e, ok := errors.AsType[*model.DoneError](err); ok {
		return "PUBLISH_DONE with " + e.Code.String() + because(e.Reason)
	}
	if e, ok := errors.AsType[*model.SessionError](err); ok {
		if e.Remote {
			return "the session closed by the relay with " + e.Code.String() + because(e.Reason)
		}
		return "what the session must be closed for with " + e.Code.String() + because(e.Reason)
	}
	if e, ok := errors.AsType[*model.StreamError](err); ok {
		return "the stream cancelled with " + e.Code.String()
	}
	return err.Error()
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", reason)
}
