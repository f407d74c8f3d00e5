package moqtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oxymoq/pkg/model"
)

// Failure is why a track did not come as it was asked for.
type Failure struct {
	Reason string // a sentence without its full stop
	Err    error  // what came instead of an answer, if that is it
}

// Error returns the reason.
func (f *Failure) Error() string { return f.Reason }
func (f *Failure) Unwrap() error { return f.Err }

func failf(format string, args ...any) error { return &Failure{Reason: fmt.Sprintf(format, args...)} }

// instead makes a failure of what came instead of something; nil of nil.
func instead(wanted string, err error) error {
	if err == nil {
		return nil
	}
	return &Failure{Reason: fmt.Sprintf("%s was expected, and what came is %s", wanted, received(err)), Err: err}
}

// lateError is the cause of a context whose time is over.
type lateError struct{ limit time.Duration }

func (e *lateError) Error() string { return fmt.Sprintf("nothing within %v", e.limit) }

// received says what came instead, in the words of the draft.
func received(err error) string {
	if e, ok := errors.AsType[*lateError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*model.RequestError](err); ok && e.Remote {
		return fmt.Sprintf("REQUEST_ERROR with %v (%q)", e.Code, e.Reason)
	}
	if e, ok := errors.AsType[*model.DoneError](err); ok {
		return fmt.Sprintf("PUBLISH_DONE with %v (%q)", e.Code, e.Reason)
	}
	return err.Error()
}

// waited returns why a wait ended that ctx bounds: the cause of ctx if that has
// ended, else err.
func waited(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// refusedTrack reports whether a publisher has refused a track for its parameters.
func refusedTrack(err error) bool {
	e, ok := errors.AsType[*model.RequestError](err)
	return ok && e.Code == model.NotSupported
}
