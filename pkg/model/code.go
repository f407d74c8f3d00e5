package model

import "fmt"

// The codes below are semantic: their values are the numbers of draft 18, and
// package wire translates them for drafts that number or lack them otherwise.
// A code that is not known is treated as an internal error (section 14).

// SessionCode is why a session was closed (section 3.5).
type SessionCode uint64

// Session codes (section 15.10.1).
const (
	NoError                  SessionCode = 0x0
	InternalError            SessionCode = 0x1
	Unauthorized             SessionCode = 0x2
	ProtocolViolation        SessionCode = 0x3
	InvalidRequestID         SessionCode = 0x4
	DuplicateTrackAlias      SessionCode = 0x5
	KeyValueFormattingError  SessionCode = 0x6
	TooManyRequests          SessionCode = 0x7 // drafts up to 16
	InvalidPath              SessionCode = 0x8
	MalformedPath            SessionCode = 0x9
	GoawayTimeout            SessionCode = 0x10
	ControlMessageTimeout    SessionCode = 0x11
	DataStreamTimeout        SessionCode = 0x12
	AuthTokenCacheOverflow   SessionCode = 0x13
	DuplicateAuthTokenAlias  SessionCode = 0x14
	VersionNegotiationFailed SessionCode = 0x15
	MalformedAuthToken       SessionCode = 0x16
	UnknownAuthTokenAlias    SessionCode = 0x17
	ExpiredAuthToken         SessionCode = 0x18
	InvalidAuthority         SessionCode = 0x19
	MalformedAuthority       SessionCode = 0x1A
)

var sessionNames = map[SessionCode]string{
	NoError: "NO_ERROR", InternalError: "INTERNAL_ERROR", Unauthorized: "UNAUTHORIZED",
	ProtocolViolation: "PROTOCOL_VIOLATION", InvalidRequestID: "INVALID_REQUEST_ID",
	DuplicateTrackAlias: "DUPLICATE_TRACK_ALIAS", KeyValueFormattingError: "KEY_VALUE_FORMATTING_ERROR",
	TooManyRequests: "TOO_MANY_REQUESTS", InvalidPath: "INVALID_PATH", MalformedPath: "MALFORMED_PATH",
	GoawayTimeout: "GOAWAY_TIMEOUT", ControlMessageTimeout: "CONTROL_MESSAGE_TIMEOUT",
	DataStreamTimeout: "DATA_STREAM_TIMEOUT", AuthTokenCacheOverflow: "AUTH_TOKEN_CACHE_OVERFLOW",
	DuplicateAuthTokenAlias: "DUPLICATE_AUTH_TOKEN_ALIAS", VersionNegotiationFailed: "VERSION_NEGOTIATION_FAILED",
	MalformedAuthToken: "MALFORMED_AUTH_TOKEN", UnknownAuthTokenAlias: "UNKNOWN_AUTH_TOKEN_ALIAS",
	ExpiredAuthToken: "EXPIRED_AUTH_TOKEN", InvalidAuthority: "INVALID_AUTHORITY", MalformedAuthority: "MALFORMED_AUTHORITY",
}

// String returns the name that the draft gives the code.
func (c SessionCode) String() string { return codeName(sessionNames, c) }

// RequestCode is why a request was refused (section 10.6).
type RequestCode uint64

// Request codes (section 15.10.2).
const (
	RequestInternalError      RequestCode = 0x0
	RequestUnauthorized       RequestCode = 0x1
	RequestTimeout            RequestCode = 0x2
	NotSupported              RequestCode = 0x3
	RequestMalformedAuthToken RequestCode = 0x4
	RequestExpiredAuthToken   RequestCode = 0x5
	RequestGoingAway          RequestCode = 0x6
	RequestExcessiveLoad      RequestCode = 0x9
	DoesNotExist              RequestCode = 0x10
	InvalidRange              RequestCode = 0x11
	RequestMalformedTrack     RequestCode = 0x12
	DuplicateSubscription     RequestCode = 0x19
	Uninterested              RequestCode = 0x20
	PrefixOverlap             RequestCode = 0x30
	NamespaceTooLarge         RequestCode = 0x31
	InvalidJoiningRequestID   RequestCode = 0x32
	UnsupportedExtension      RequestCode = 0x33
	Redirected                RequestCode = 0x34

	// NoObjects refuses a FETCH of a range in which no object exists, in draft 14
	// (section 9.18). Later drafts send an empty stream instead and have no number
	// for it: where it is written to them all the same, it is INVALID_RANGE.
	NoObjects RequestCode = 1<<63 | 0x6
)

var requestNames = map[RequestCode]string{
	RequestInternalError: "INTERNAL_ERROR", RequestUnauthorized: "UNAUTHORIZED", RequestTimeout: "TIMEOUT",
	NotSupported: "NOT_SUPPORTED", RequestMalformedAuthToken: "MALFORMED_AUTH_TOKEN",
	RequestExpiredAuthToken: "EXPIRED_AUTH_TOKEN", RequestGoingAway: "GOING_AWAY",
	RequestExcessiveLoad: "EXCESSIVE_LOAD", DoesNotExist: "DOES_NOT_EXIST", InvalidRange: "INVALID_RANGE",
	RequestMalformedTrack: "MALFORMED_TRACK", DuplicateSubscription: "DUPLICATE_SUBSCRIPTION",
	Uninterested: "UNINTERESTED", PrefixOverlap: "PREFIX_OVERLAP", NamespaceTooLarge: "NAMESPACE_TOO_LARGE",
	InvalidJoiningRequestID: "INVALID_JOINING_REQUEST_ID", UnsupportedExtension: "UNSUPPORTED_EXTENSION",
	Redirected: "REDIRECT", NoObjects: "NO_OBJECTS",
}

// String returns the name that the draft gives the code.
func (c RequestCode) String() string { return codeName(requestNames, c) }

// DoneCode is why a subscription ended (section 10.11).
type DoneCode uint64

// Done codes.
const (
	DoneInternalError     DoneCode = 0x0
	DoneUnauthorized      DoneCode = 0x1
	DoneTrackEnded        DoneCode = 0x2
	DoneSubscriptionEnded DoneCode = 0x3
	DoneGoingAway         DoneCode = 0x4
	DoneTooFarBehind      DoneCode = 0x5
	DoneExpired           DoneCode = 0x6
	DoneUpdateFailed      DoneCode = 0x8
	DoneExcessiveLoad     DoneCode = 0x9
	DoneMalformedTrack    DoneCode = 0x12
)

var doneNames = map[DoneCode]string{
	DoneInternalError: "INTERNAL_ERROR", DoneUnauthorized: "UNAUTHORIZED", DoneTrackEnded: "TRACK_ENDED",
	DoneSubscriptionEnded: "SUBSCRIPTION_ENDED", DoneGoingAway: "GOING_AWAY", DoneTooFarBehind: "TOO_FAR_BEHIND",
	DoneExpired: "EXPIRED", DoneUpdateFailed: "UPDATE_FAILED", DoneExcessiveLoad: "EXCESSIVE_LOAD",
	DoneMalformedTrack: "MALFORMED_TRACK",
}

// String returns the name that the draft gives the code.
func (c DoneCode) String() string { return codeName(doneNames, c) }

// ResetCode is why a stream was reset or refused (section 3.3.3).
type ResetCode uint64

// Reset codes.
const (
	ResetInternalError       ResetCode = 0x0
	ResetCancelled           ResetCode = 0x1
	ResetDeliveryTimeout     ResetCode = 0x2
	ResetSessionClosed       ResetCode = 0x3
	ResetGoingAway           ResetCode = 0x4
	ResetTooFarBehind        ResetCode = 0x5
	ResetUnknownObjectStatus ResetCode = 0x6
	ResetExpiredAuthToken    ResetCode = 0x7
	ResetExcessiveLoad       ResetCode = 0x9
	ResetMalformedTrack      ResetCode = 0x12
)

var resetNames = map[ResetCode]string{
	ResetInternalError: "INTERNAL_ERROR", ResetCancelled: "CANCELLED", ResetDeliveryTimeout: "DELIVERY_TIMEOUT",
	ResetSessionClosed: "SESSION_CLOSED", ResetGoingAway: "GOING_AWAY", ResetTooFarBehind: "TOO_FAR_BEHIND",
	ResetUnknownObjectStatus: "UNKNOWN_OBJECT_STATUS", ResetExpiredAuthToken: "EXPIRED_AUTH_TOKEN",
	ResetExcessiveLoad: "EXCESSIVE_LOAD", ResetMalformedTrack: "MALFORMED_TRACK",
}

// String returns the name that the draft gives the code.
func (c ResetCode) String() string { return codeName(resetNames, c) }

func codeName[C ~uint64](names map[C]string, c C) string {
	if n, ok := names[c]; ok {
		return n
	}
	return fmt.Sprintf("0x%x", uint64(c))
}
