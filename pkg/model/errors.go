package model

import (
	"fmt"
	"time"
)

// SessionError ends a session. Remote says that the peer closed it.
type SessionError struct {
	Code   SessionCode
	Reason string
	Remote bool
}

// Error returns one sentence with the code's name and the reason.
func (e *SessionError) Error() string {
	return fmt.Sprintf("session closed %s with %v%s", by(e.Remote), e.Code, because(e.Reason))
}

// Is reports whether target is a SessionError of the same code and direction.
func (e *SessionError) Is(target error) bool {
	t, ok := target.(*SessionError)
	return ok && t.Code == e.Code && t.Remote == e.Remote
}

// Redirect names another place for a request (section 10.6.1).
type Redirect struct {
	ConnectURI string         // empty: the same session
	Track      *FullTrackName // nil: unchanged
}

// RequestError refuses a request. Remote says that the peer refused ours.
type RequestError struct {
	Code       RequestCode
	Reason     string
	RetryAfter Opt[time.Duration] // absent: do not retry
	Redirect   *Redirect          // only with Redirected
	Remote     bool
}

// Error returns one sentence with the code's name and the reason.
func (e *RequestError) Error() string {
	return fmt.Sprintf("request refused %s with %v%s", by(e.Remote), e.Code, because(e.Reason))
}

// Is reports whether target is a RequestError of the same code and direction.
func (e *RequestError) Is(target error) bool {
	t, ok := target.(*RequestError)
	return ok && t.Code == e.Code && t.Remote == e.Remote
}

// StreamError says that a stream was reset, or that its reader refused it.
type StreamError struct {
	Code   ResetCode
	Remote bool
}

// Error returns one sentence with the code's name.
func (e *StreamError) Error() string {
	return fmt.Sprintf("stream cancelled %s with %v", by(e.Remote), e.Code)
}

// Is reports whether target is a StreamError of the same code and direction.
func (e *StreamError) Is(target error) bool {
	t, ok := target.(*StreamError)
	return ok && t.Code == e.Code && t.Remote == e.Remote
}

// DoneError says that the publisher ended a subscription.
type DoneError struct {
	Code   DoneCode
	Reason string
}

// Error returns one sentence with the code's name and the reason.
func (e *DoneError) Error() string {
	return fmt.Sprintf("publisher ended the subscription with %v%s", e.Code, because(e.Reason))
}

// Is reports whether target is a DoneError of the same code.
func (e *DoneError) Is(target error) bool {
	t, ok := target.(*DoneError)
	return ok && t.Code == e.Code
}

func by(remote bool) string {
	if remote {
		return "by the peer"
	}
	return "by us"
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
