package track

import (
	"errors"
	"fmt"

	"oxymoq/pkg/model"
)

// Errors of writers. Test with errors.Is.
var (
	// ErrEvicted says that the group has left the log; what still comes for it
	// is too late.
	ErrEvicted = errors.New("group has left the log")
	// ErrEnded says that the track ended or that another epoch began.
	ErrEnded = errors.New("track ended")
	// ErrTooLarge says that an object exceeds Config.MaxObject.
	ErrTooLarge = errors.New("object exceeds the size limit")
	// ErrTooManySubgroups says that a group has MaxSubgroups already.
	ErrTooManySubgroups = errors.New("group has too many subgroups")
	// ErrWriterState says that calls came in a wrong order: a Write without
	// Begin, more or less payload than the header said, or use after Close.
	ErrWriterState = errors.New("writer is not in a state for this call")
)

// MalformedError says that what a publisher sent contradicts itself or what was
// known of the track (section 2.4.2). The caller cancels the subscriptions and
// fetches of the track at that publisher.
type MalformedError struct {
	Location model.Location
	Reason   string
}

// Error names the location and the rule that was broken.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed track: object %v: %s", e.Location, e.Reason)
}

func malformed(l model.Location, format string, args ...any) error {
	return &MalformedError{Location: l, Reason: fmt.Sprintf(format, args...)}
}
