package relay

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// attempts make one request each.
var attempts = map[auth.Action]func(a *actor) error{
	auth.Publish: func(a *actor) error {
		_, err := a.sess.Publish(a.t.Context(), session.PublishOptions{Track: name("own", "t")})
		return err
	},
	auth.Subscribe: func(a *actor) error { _, err := a.subscribe(date, session.Change{}); return err },
	auth.Fetch: func(a *actor) error {
		_, err := a.fetch(session.FetchOptions{Track: date, Range: span(0, 0, 1, 0)})
		return err
	},
	auth.PublishNamespace: func(a *actor) error {
		_, err := a.sess.PublishNamespace(a.t.Context(), model.Namespace{"own"})
		return err
	},
	auth.SubscribeNamespace: func(a *actor) error {
		_, err := a.sess.SubscribeNamespace(a.t.Context(), model.Namespace{"moq-date"}, func(model.Namespace, bool) {})
		return err
	},
	auth.SubscribeTracks: func(a *actor) error {
		_, err := a.sess.SubscribeTracks(a.t.Context(), model.Namespace{"moq-date"}, true, nil)
		return err
	},
	auth.TrackStatus: func(a *actor) error { _, err := a.TrackStatusOf(date); return err },
}

// TestAuthorization: each action is denied, and only that one.
// Duties: 6, 7.
func TestAuthorization(t *testing.T) {
	for denied := range attempts {
		t.Run(denied.String(), func(t *testing.T) {
			var mu sync.Mutex
			asked := map[auth.Action]model.FullTrackName{}
			cfg := Config{Authorizer: auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
				if r.Session.ID < "3" { // the publisher and another subscriber
					return auth.Grant{}, nil
				}
				mu.Lock()
				asked[r.Action] = r.Track
				mu.Unlock()
				if r.Action == denied {
					return auth.Grant{}, auth.Deny("not you")
				}
				return auth.Grant{}, nil
			})}
			play(t, cfg, func(t *testing.T, s *stage) {
				pub := s.join()
				pub.publish("moq-date", "date", session.Offer{})
				pub.push(name("moq-date", "pushed"), session.Offer{})
				in := s.join().mustSubscribe(date)
				a := s.join()
				pub.stream(pub.outbound("date"), 1, 0, 1).Close()
				s.settle()
				for _, action := range []auth.Action{auth.Fetch, auth.TrackStatus, auth.Subscribe, auth.Publish, auth.PublishNamespace, auth.SubscribeNamespace, auth.SubscribeTracks} {
					err := attempts[action](a)
					if action != denied {
						if err != nil {
							t.Errorf("%v: %v", action, err)
						}
					} else if !errors.Is(err, &model.RequestError{Code: model.RequestUnauthorized, Remote: true}) {
						t.Errorf("%v is denied, the peer is told %v", action, err)
					}
				}
				if in.Context().Err() != nil {
					t.Error("somebody else's subscription ended")
				}
				if n := s.r.counters.RequestsForbidden.Load(); n == 0 {
					t.Error("the refusal is not counted")
				}
				if denied == auth.SubscribeTracks {
					a.wantTracks("nothing is offered")
				}
			})
			for action, want := range map[auth.Action]string{
				auth.Setup: "--", auth.Subscribe: "moq.2ddate--date", auth.Publish: "own--t", auth.SubscribeTracks: "moq.2ddate--",
			} {
				if got := asked[action].String(); got != want {
					t.Errorf("%v was asked about %s, want %s", action, got, want)
				}
			}
		})
	}
}

// TestGrantEnds: a permission that expires ends what it was given for.
// Duties: 8.
func TestGrantEnds(t *testing.T) {
	revoked := make(chan struct{})
	cfg := Config{Authorizer: auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
		switch r.Action {
		case auth.Subscribe:
			return auth.Grant{Expires: time.Now().Add(time.Minute)}, nil
		case auth.PublishNamespace:
			return auth.Grant{Revoked: revoked}, nil
		}
		return auth.Grant{}, nil
	})}
	play(t, cfg, func(t *testing.T, s *stage) {
		revoked = make(chan struct{}) // in the bubble
		pub, sub := s.join(), s.join()
		ns := pub.publish("moq-date", "date", session.Offer{})
		in := sub.mustSubscribe(date)
		began := time.Now()
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneExpired}) || time.Since(began) != time.Minute {
			t.Errorf("after %v the subscriber is told %v", time.Since(began), err)
		}
		close(revoked)
		<-ns.Context().Done()
		s.settle()
		if _, err := s.join().subscribe(date, session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("the namespace is gone: %v", err)
		}
	})
}

// TestSetupIsAuthorized: the session is closed.
func TestSetupIsAuthorized(t *testing.T) {
	cfg := Config{Authorizer: auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
		return auth.Grant{}, auth.Deny("nobody")
	})}
	play(t, cfg, func(t *testing.T, s *stage) {
		a, err := s.tryJoin("")
		synctest.Wait()
		if err == nil {
			err = a.sess.Err()
		}
		if !errors.Is(err, &model.SessionError{Code: model.Unauthorized, Remote: true}) {
			t.Errorf("got %v", err)
		}
	})
}
