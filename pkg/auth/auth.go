package auth

import (
	"context"
	"fmt"
	"time"

	"oxymoq/pkg/model"
)

// Action is what a session asks to do.
type Action uint8

// The actions: setting up a session, and one per kind of request.
const (
	Setup Action = iota + 1
	Publish
	Subscribe
	Fetch
	PublishNamespace
	SubscribeNamespace
	SubscribeTracks
	TrackStatus
)

var actionNames = [...]string{
	Setup: "SETUP", Publish: "PUBLISH", Subscribe: "SUBSCRIBE", Fetch: "FETCH",
	PublishNamespace: "PUBLISH_NAMESPACE", SubscribeNamespace: "SUBSCRIBE_NAMESPACE",
	SubscribeTracks: "SUBSCRIBE_TRACKS", TrackStatus: "TRACK_STATUS",
}

// String returns the name that the draft gives the message.
func (a Action) String() string {
	if a == 0 || int(a) >= len(actionNames) {
		return fmt.Sprintf("Action(%d)", uint8(a))
	}
	return actionNames[a]
}

// Publishes reports whether the action offers something to others, rather than
// asking for something.
func (a Action) Publishes() bool { return a == Publish || a == PublishNamespace }

// Token is an authorization token (section 10.2.2), its alias resolved. Type 0
// means that the two sides agreed on the meaning elsewhere.
type Token struct {
	Type  uint64
	Value []byte
}

// Session is what is known of the peer that asks.
type Session struct {
	ID        string  // as the logs and the dashboard show it
	Remote    string  // address and port
	Transport string  // "quic", "wt" or "mem"
	Authority string  // host and port that the client asked for; may be empty
	Path      string  // with query; may be empty
	Tokens    []Token // those of SETUP, which hold for the whole session
}

// Request is one thing that a session asks to do.
type Request struct {
	Session Session
	Action  Action
	// Track is what the action is about. PublishNamespace, SubscribeNamespace
	// and SubscribeTracks set the namespace only, Setup sets nothing.
	Track model.FullTrackName
	// Tokens came with this request; those of SETUP are in Session.
	Tokens []Token
}

// Authorizer decides about requests.
type Authorizer interface {
	// Authorize returns a grant, or an error that refuses the request. An
	// error that is not a *model.RequestError counts as an internal error, and
	// its text is not shown to the peer. Authorize may block, on a network for
	// example, until ctx ends: only the request waits for it.
	Authorize(ctx context.Context, r Request) (Grant, error)
}

// Func makes a function an Authorizer.
type Func func(ctx context.Context, r Request) (Grant, error)

// Authorize calls f.
func (f Func) Authorize(ctx context.Context, r Request) (Grant, error) { return f(ctx, r) }

// AllowAll allows everything for ever. It is what holds unless another
// Authorizer is configured.
var AllowAll Authorizer = Func(func(context.Context, Request) (Grant, error) { return Grant{}, nil })

// Deny returns the refusal of a request that lacks the right.
func Deny(reason string) *model.RequestError {
	return &model.RequestError{Code: model.RequestUnauthorized, Reason: reason}
}

// Grant is a permission and how long it lasts. The zero value lasts for ever.
type Grant struct {
	// Expires is when the permission ends; zero: never.
	Expires time.Time
	// Revoked is closed when the permission is taken back; nil: it never is.
	Revoked <-chan struct{}
}

// The causes of a grant's end, as errors that can be sent to the peer.
var (
	errExpired = &model.RequestError{Code: model.RequestExpiredAuthToken, Reason: "the permission has expired"}
	errRevoked = &model.RequestError{Code: model.RequestUnauthorized, Reason: "the permission was withdrawn"}
)

// Valid returns nil while the grant holds at the time now, else a
// *model.RequestError with EXPIRED_AUTH_TOKEN or UNAUTHORIZED.
func (g Grant) Valid(now time.Time) error {
	select {
	case <-g.Revoked:
		return errRevoked
	default:
	}
	if !g.Expires.IsZero() && !now.Before(g.Expires) {
		return errExpired
	}
	return nil
}

// Bound returns a context that ends with parent or with the grant, whichever
// is first. Its cause is then parent's, or the error that Valid would return.
// The caller must call cancel when the request is over.
func (g Grant) Bound(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	ctx, cancel = parent, func() {}
	if !g.Expires.IsZero() {
		ctx, cancel = context.WithDeadlineCause(parent, g.Expires, errExpired)
	}
	if g.Revoked == nil {
		return ctx, cancel
	}
	stopTimer := cancel
	ctx, stop := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-g.Revoked:
			stop(errRevoked)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(nil); stopTimer() }
}
