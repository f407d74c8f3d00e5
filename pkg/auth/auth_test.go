package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
)

func TestAllowAllGrantsEveryActionForEver(t *testing.T) {
	for a := auth.Setup; a <= auth.TrackStatus; a++ {
		g, err := auth.AllowAll.Authorize(t.Context(), auth.Request{Action: a})
		if err != nil {
			t.Errorf("%v: %v", a, err)
		}
		if err := g.Valid(time.Unix(1<<40, 0)); err != nil {
			t.Errorf("%v: grant ended: %v", a, err)
		}
	}
}

func TestDenyIsUnauthorized(t *testing.T) {
	err := auth.Deny("no")
	if !errors.Is(err, &model.RequestError{Code: model.RequestUnauthorized}) {
		t.Fatalf("got %v, want UNAUTHORIZED by us", err)
	}
	if got, want := err.Error(), "request refused by us with UNAUTHORIZED: no"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestActionNames(t *testing.T) {
	for _, tt := range []struct {
		action    auth.Action
		name      string
		publishes bool
	}{
		{auth.Setup, "SETUP", false},
		{auth.Publish, "PUBLISH", true},
		{auth.Subscribe, "SUBSCRIBE", false},
		{auth.Fetch, "FETCH", false},
		{auth.PublishNamespace, "PUBLISH_NAMESPACE", true},
		{auth.SubscribeNamespace, "SUBSCRIBE_NAMESPACE", false},
		{auth.SubscribeTracks, "SUBSCRIBE_TRACKS", false},
		{auth.TrackStatus, "TRACK_STATUS", false},
		{0, "Action(0)", false},
		{200, "Action(200)", false},
	} {
		if got := tt.action.String(); got != tt.name {
			t.Errorf("String() = %q, want %q", got, tt.name)
		}
		if got := tt.action.Publishes(); got != tt.publishes {
			t.Errorf("%s: Publishes() = %v", tt.name, got)
		}
	}
}

func TestValid(t *testing.T) {
	now := time.Unix(1000, 0)
	closed, open := make(chan struct{}), make(chan struct{})
	close(closed)
	for _, tt := range []struct {
		name  string
		grant auth.Grant
		want  model.RequestCode
		holds bool
	}{
		{"the zero grant holds", auth.Grant{}, 0, true},
		{"holds until it expires", auth.Grant{Expires: now.Add(1)}, 0, true},
		{"ends at the instant of expiry", auth.Grant{Expires: now}, model.RequestExpiredAuthToken, false},
		{"holds until it is revoked", auth.Grant{Revoked: open}, 0, true},
		{"ends when revoked", auth.Grant{Revoked: closed}, model.RequestUnauthorized, false},
		{"revocation outweighs expiry", auth.Grant{Revoked: closed, Expires: now}, model.RequestUnauthorized, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantCode(t, tt.grant.Valid(now), tt.holds, tt.want)
		})
	}
}

func TestBound(t *testing.T) {
	parentCause := errors.New("session closed")
	for _, tt := range []struct {
		name   string
		expiry time.Duration // 0: none
		revoke time.Duration // 0: never; negative: not revocable
		parent time.Duration // 0: never
		ends   time.Duration // 0: it does not
		want   error
	}{
		{"the zero grant never ends", 0, -1, 0, 0, nil},
		{"an expiring grant ends in time", time.Second, -1, 0, time.Second, &model.RequestError{Code: model.RequestExpiredAuthToken}},
		{"a revoked grant ends at once", 0, time.Second, 0, time.Second, &model.RequestError{Code: model.RequestUnauthorized}},
		{"revocation before expiry", time.Minute, time.Second, 0, time.Second, &model.RequestError{Code: model.RequestUnauthorized}},
		{"expiry before revocation", time.Second, time.Minute, 0, time.Second, &model.RequestError{Code: model.RequestExpiredAuthToken}},
		{"the parent ends it with its own cause", time.Minute, time.Minute, time.Second, time.Second, parentCause},
		{"a revocable grant may last", 0, 0, 0, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				if tt.parent > 0 {
					time.AfterFunc(tt.parent, func() { stop(parentCause) })
				}
				var g auth.Grant
				if tt.expiry > 0 {
					g.Expires = time.Now().Add(tt.expiry)
				}
				if tt.revoke >= 0 {
					revoked := make(chan struct{})
					g.Revoked = revoked
					if tt.revoke > 0 {
						time.AfterFunc(tt.revoke, func() { close(revoked) })
					}
				}
				ctx, cancel := g.Bound(parent)
				defer cancel()
				start := time.Now()
				select {
				case <-ctx.Done():
					if got := time.Since(start); got != tt.ends {
						t.Errorf("ended after %v, want %v", got, tt.ends)
					}
					if got := context.Cause(ctx); !errors.Is(got, tt.want) {
						t.Errorf("cause %v, want %v", got, tt.want)
					}
				case <-time.After(time.Hour):
					if tt.ends != 0 {
						t.Errorf("still valid after an hour, want an end after %v", tt.ends)
					}
				}
			})
		})
	}
}

// Cancelling must end the goroutine too: synctest fails a test that leaves one.
func TestBoundCancelLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := auth.Grant{Expires: time.Now().Add(time.Hour), Revoked: make(chan struct{})}
		ctx, cancel := g.Bound(t.Context())
		cancel()
		<-ctx.Done()
		if got := context.Cause(ctx); !errors.Is(got, context.Canceled) {
			t.Errorf("cause %v, want context.Canceled", got)
		}
	})
}

func wantCode(t *testing.T, err error, holds bool, code model.RequestCode) {
	t.Helper()
	if holds {
		if err != nil {
			t.Errorf("grant ended: %v", err)
		}
		return
	}
	var refused *model.RequestError
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("got %v, want %v", err, code)
	}
}

func ExampleFunc() {
	guard := auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
		if r.Action.Publishes() {
			return auth.Grant{}, auth.Deny("this relay is for watching only")
		}
		return auth.Grant{Expires: time.Now().Add(time.Hour)}, nil
	})
	_, err := guard.Authorize(context.Background(), auth.Request{
		Action: auth.Publish,
		Track:  model.FullTrackName{Namespace: model.Namespace{"moq-date"}, Name: "date"},
	})
	fmt.Println(err)
	// Output: request refused by us with UNAUTHORIZED: this relay is for watching only
}
