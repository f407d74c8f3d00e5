package admin

import (
	"net/http"
	"strings"
	"time"
)

// HeaderTime is the header with the time of a state, in RFC 3339, which an answer
// without a body has too.
const HeaderTime = "Oxymoq-Time"

// state answers with observe.State. A state that differs from what the client has in
// its time only is not sent again.
func (a *API) state(w http.ResponseWriter, r *http.Request) {
	s, err := a.newest.get(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	body, etag, err := s.encode()
	if err != nil {
		fail(w, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set(HeaderTime, s.Time.Format(time.RFC3339Nano))
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = s.compress()
	}
	_, _ = w.Write(body) // the client may have gone
}

// track answers with observe.TrackDetail.
func (a *API) track(w http.ResponseWriter, r *http.Request) {
	d, err := a.source.Track(r.Context(), r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, d)
}

// Grant is what the client may do, and at which relay.
type Grant struct {
	Scope string `json:"scope"` // "read" or "control"
	Relay string `json:"relay"` // its name
	Run   string `json:"run"`   // differs after a restart
}

// grant answers with Grant.
func (a *API) grant(w http.ResponseWriter, r *http.Request) {
	s, err := a.newest.get(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	scope := scopeOf(r.Context())
	if a.control == nil {
		scope = min(scope, Read)
	}
	answer(w, Grant{Scope: scope.String(), Relay: s.Relay.Name, Run: a.run})
}

// Health is what load balancers and supervisors ask for.
type Health struct {
	Status string `json:"status"` // "ok", or "draining"
}

// health says that the process answers.
func (a *API) health(w http.ResponseWriter, _ *http.Request) { answer(w, Health{Status: "ok"}) }

// ready says whether new sessions are taken.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	s, err := a.newest.get(r.Context())
	switch {
	case err != nil:
		fail(w, err)
	case s.Relay.Draining:
		refuse(w, http.StatusServiceUnavailable, "draining", "The relay asks its peers to leave and takes no new ones.")
	default:
		answer(w, Health{Status: "ok"})
	}
}
