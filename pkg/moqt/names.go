package moqt

import (
	"errors"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// The nouns of the drafts, so that most programs import this package only.
type (
	// Namespace is an ordered tuple of byte strings.
	Namespace = model.Namespace
	// TrackName is a namespace and the name of a track in it.
	TrackName = model.FullTrackName
	// Location is the place of an object: group and object ID.
	Location = model.Location
	// GroupSequence is the ID of a group.
	GroupSequence = uint64
	// Properties are a list of properties of a track or object.
	Properties = model.Properties
	// Property is one of them.
	Property = model.Property
	// Change is a set of terms of a subscription; what is absent stays.
	Change = session.Change
	// Terms are what a subscription has agreed on.
	Terms = session.Terms
	// Offer is what a publisher tells of its track.
	Offer = session.Offer
	// Handler answers the requests of a peer; a TrackMux is one.
	Handler = session.Handler
	// FetchRequest is a FETCH of a peer, for Handlers that are not a TrackMux.
	FetchRequest = session.FetchRequest
	// Conn is what carries a session, so that tests can bring their own.
	Conn = session.Conn
)

// The errors of the protocol. Test for a code with errors.Is and a pointer to
// one that has the code and direction, for the details with errors.AsType.
type (
	// SessionError is why a session was closed.
	SessionError = model.SessionError
	// RequestError is why a request was refused.
	RequestError = model.RequestError
	// StreamError is why a group was broken off.
	StreamError = model.StreamError
	// DoneError is why a publisher ended a subscription.
	DoneError = model.DoneError
)

// GroupErrorCode says why a group was broken off.
type GroupErrorCode = model.ResetCode

// Codes for GroupReader.CancelRead and GroupWriter.CancelWrite.
const (
	InternalGroupErrorCode         = model.ResetInternalError
	CancelledGroupErrorCode        = model.ResetCancelled
	DeliveryTimeoutGroupErrorCode  = model.ResetDeliveryTimeout
	SessionClosedGroupErrorCode    = model.ResetSessionClosed
	GoingAwayGroupErrorCode        = model.ResetGoingAway
	TooFarBehindGroupErrorCode     = model.ResetTooFarBehind
	UnknownObjectGroupErrorCode    = model.ResetUnknownObjectStatus
	ExcessiveLoadGroupErrorCode    = model.ResetExcessiveLoad
	MalformedTrackGroupErrorCode   = model.ResetMalformedTrack
	ExpiredAuthTokenGroupErrorCode = model.ResetExpiredAuthToken
)

// TrackErrorCode says why a track ended.
type TrackErrorCode = model.DoneCode

// Codes for TrackWriter.CloseWithError.
const (
	InternalTrackErrorCode      = model.DoneInternalError
	UnauthorizedTrackErrorCode  = model.DoneUnauthorized
	EndedTrackErrorCode         = model.DoneTrackEnded
	GoingAwayTrackErrorCode     = model.DoneGoingAway
	ExpiredTrackErrorCode       = model.DoneExpired
	ExcessiveLoadTrackErrorCode = model.DoneExcessiveLoad
)

// Errors of this package. Test with errors.Is.
var (
	// ErrDuplicate says that the mux has a track of that name, or that the
	// group is being written already.
	ErrDuplicate = errors.New("there is one of that name already")
	// ErrTooFarBehind says that a group was given up because its reader was
	// too slow: see DefaultBuffer.
	ErrTooFarBehind = errors.New("the reader is too far behind")
	// ErrClosed is what calls say after Close.
	ErrClosed = errors.New("closed")
	// ErrServerClosed is what Server says after Shutdown.
	ErrServerClosed = errors.New("server closed")
	// ErrOrder says that the IDs of objects in a group did not ascend.
	ErrOrder = errors.New("object IDs must ascend within a group")
	// ErrRestarted says that the track began anew, with groups that it had
	// published before.
	ErrRestarted = errors.New("the track began anew")

	errNoFrame = errors.New("no frame was given")
)

// Track returns a track name from a namespace written with slashes, "live/cam1",
// and the name of the track. Names with slashes in their fields are built as
// TrackName{Namespace: …, Name: …}.
func Track(namespace, name string) TrackName {
	return TrackName{Namespace: ParseNamespace(namespace), Name: name}
}

// ParseNamespace returns the fields between slashes. A slash at the beginning or
// end, or a doubled one, makes an empty field, which requests refuse.
func ParseNamespace(s string) Namespace { return model.ParseNamespace(s, "/") }

// GapError tells of objects that are known to be lost: the first of them, and
// the first after them. Objects yields it and goes on.
type GapError struct {
	From, To Location
	Err      error // why, if that is known
}

// Error names the locations.
func (e *GapError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("objects are missing from %v to %v: %v", e.From, e.To, e.Err)
	}
	return fmt.Sprintf("objects are missing from %v to %v", e.From, e.To)
}

// Unwrap returns Err.
func (e *GapError) Unwrap() error { return e.Err }
