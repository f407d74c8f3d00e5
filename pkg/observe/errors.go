package observe

import "errors"

// What a Source and a Control say.
var (
	ErrNoTrack   = errors.New("there is no such track")
	ErrNoSession = errors.New("there is no such session")
	ErrRemain    = errors.New("not all sessions have left in time")
)
