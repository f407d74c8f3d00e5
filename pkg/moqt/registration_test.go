package moqt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// register runs a Registration and returns where its end is reported.
func (h *house) register(ctx context.Context, g Registration) <-chan error {
	g.Session, g.Mux = h.server, h.mux
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	synctest.Wait()
	return ended
}

func (h *house) wantRunning(why string, ended <-chan error) {
	h.t.Helper()
	synctest.Wait()
	select {
	case err := <-ended:
		h.t.Errorf("%s: it has ended with %v", why, err)
	default:
	}
}

var errEnough = errors.New("enough")

func TestRegistrationOfNamespace(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		var ns *session.NamespaceRequest
		h.guest.namespaces = func(r *session.NamespaceRequest) { ns = r; _ = r.Accept() }
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := h.register(ctx, Registration{Namespace: testTrack.Namespace})
		if ns == nil || !ns.Namespace.Equal(testTrack.Namespace) {
			t.Fatalf("published %+v", ns)
		}
		h.wantRunning("accepted", ended)
		cancel(errEnough)
		if err := <-ended; !errors.Is(err, errEnough) {
			t.Errorf("ended with %v", err)
		}
		synctest.Wait()
		if ns.Context().Err() == nil {
			t.Error("the namespace is not withdrawn")
		}
	})
}

func TestRegistrationThatTheRelayEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(h *house, ns *session.NamespaceRequest)
		want error // nil: any
	}{
		{"revoked", func(_ *house, ns *session.NamespaceRequest) { ns.Revoke(model.ResetExpiredAuthToken) }, &model.StreamError{Code: model.ResetExpiredAuthToken, Remote: true}},
		{"GOAWAY", func(h *house, _ *session.NamespaceRequest) { _ = h.client.Goaway("", 0) }, session.ErrGoingAway},
		{"session closed", func(h *house, _ *session.NamespaceRequest) { h.client.Close(model.GoawayTimeout, "") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			atHome(t, session.Client, func(t *testing.T, h *house) {
				var ns *session.NamespaceRequest
				h.guest.namespaces = func(r *session.NamespaceRequest) { ns = r; _ = r.Accept() }
				ended := h.register(t.Context(), Registration{Namespace: testTrack.Namespace})
				tt.do(h, ns)
				if err := <-ended; err == nil || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

func TestRegistrationRefused(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		h.guest.namespaces = func(r *session.NamespaceRequest) {
			_ = r.Reject(&model.RequestError{Code: model.RequestUnauthorized})
		}
		if err := <-h.register(t.Context(), Registration{Namespace: testTrack.Namespace}); !errors.Is(err, refusedWith(model.RequestUnauthorized)) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestRegistrationWithoutAnswer(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		h.guest.namespaces = func(r *session.NamespaceRequest) { <-r.Context().Done() }
		began := time.Now()
		err := <-h.register(t.Context(), Registration{Namespace: testTrack.Namespace, Timeout: 3 * time.Second})
		if err == nil || time.Since(began) != 3*time.Second {
			t.Errorf("ended after %v with %v", time.Since(began), err)
		}
	})
}

// offered is a registration of two tracks by PUBLISH.
func offered(t *testing.T, h *house) (one, two *LocalTrack, g Registration) {
	t.Helper()
	one = local(t, 1)
	two = &LocalTrack{Name: model.FullTrackName{Namespace: testTrack.Namespace, Name: "two"}, Log: track.New(track.Config{})}
	h.guest.published = func(r *session.PublishRequest) {
		if _, err := r.Accept(session.Change{}, h.guest); err != nil {
			t.Error(err)
		}
	}
	return one, two, Registration{Tracks: []*LocalTrack{one, two}}
}

// TestRegistrationEndsWithItsTracks: with the last of them.
func TestRegistrationEndsWithItsTracks(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		one, two, g := offered(t, h)
		ended := h.register(t.Context(), g)
		write(t, two, 5, 0, 1)
		if got := h.guest.received(); got != "5/0" {
			t.Errorf("received %q", got)
		}
		one.Log.End(model.DoneTrackEnded, "")
		h.wantRunning("the other goes on", ended)
		write(t, two, 5, 1, 1)
		if got := h.guest.received(); got != "5/1" {
			t.Errorf("received %q", got)
		}
		two.Log.End(model.DoneTrackEnded, "")
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestRegistrationOutlivedByItsTracks: Run does not wait for what was accepted,
// which ends with the track or the session.
func TestRegistrationOutlivedByItsTracks(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		_, two, g := offered(t, h)
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := h.register(ctx, g)
		cancel(errEnough)
		if err := <-ended; !errors.Is(err, errEnough) {
			t.Errorf("ended with %v", err)
		}
		write(t, two, 5, 0, 1)
		if got := h.guest.received(); got != "5/0" {
			t.Errorf("received %q", got)
		}
	})
}

// TestRegistrationFallsBack: a relay that does not take PUBLISH gets the
// namespace, once for each track.
func TestRegistrationFallsBack(t *testing.T) {
	for code, falls := range map[model.RequestCode]bool{
		model.NotSupported: true, model.Uninterested: true, model.RequestUnauthorized: false,
	} {
		atHome(t, session.Client, func(t *testing.T, h *house) {
			one, _, g := offered(t, h)
			g.Tracks = []*LocalTrack{one}
			h.mux.Handle(one)
			h.guest.published = func(r *session.PublishRequest) { _ = r.Reject(&model.RequestError{Code: code}) }
			ended := h.register(t.Context(), g)
			if !falls {
				if err := <-ended; !errors.Is(err, refusedWith(code)) {
					t.Errorf("%v: ended with %v", code, err)
				}
				return
			}
			h.wantRunning("it fell back", ended)
			if _, err := h.subscribe(model.Filter{}); err != nil {
				t.Errorf("%v: %v", code, err)
			}
		})
	}
}

// TestRegistrationAtAPeerThatDeclines: it is not asked.
func TestRegistrationAtAPeerThatDeclines(t *testing.T) {
	for _, implementation := range []string{"moq-lite-rs", "moq-lite-js", "another/1"} {
		atHomeOf(t, session.Client, implementation, func(t *testing.T, h *house) {
			one, _, g := offered(t, h)
			asked := false
			g.Tracks = []*LocalTrack{one}
			h.mux.Handle(one)
			h.guest.published = func(r *session.PublishRequest) {
				asked = true
				_ = r.Reject(&model.RequestError{Code: model.NotSupported})
			}
			ended := h.register(t.Context(), g)
			h.wantRunning("it has published the namespace", ended)
			if want := implementation == "another/1"; asked != want {
				t.Errorf("%s: asked by PUBLISH: %v, want %v", implementation, asked, want)
			}
		})
	}
}

// TestRegistrationThatAnotherTakesOver: some relays have one publisher for each
// namespace, which is said.
func TestRegistrationThatAnotherTakesOver(t *testing.T) {
	for implementation, want := range map[string]bool{"Meta MoQ C++ Draft-14": true, "another/1": false} {
		atHomeOf(t, session.Client, implementation, func(t *testing.T, h *house) {
			var ns *session.NamespaceRequest
			h.guest.namespaces = func(r *session.NamespaceRequest) { ns = r; _ = r.Accept() }
			ended := h.register(t.Context(), Registration{Namespace: testTrack.Namespace})
			ns.Revoke(model.ResetCancelled)
			err := <-ended
			if got := strings.Contains(fmt.Sprint(err), "one publisher for each namespace"); got != want || !errors.Is(err, &model.StreamError{Code: model.ResetCancelled, Remote: true}) {
				t.Errorf("%s: %v", implementation, err)
			}
		})
	}
}
