package admin

import (
	"fmt"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

// Kick is the body of a request to end a session.
type Kick struct {
	// Reason is what the peer is told; empty is DefaultReason.
	Reason string `json:"reason"`
}

// DefaultReason is what a peer is told that was kicked without a reason.
const DefaultReason = "ended by an operator of the relay"

// MaxReason is how many bytes a reason may have; the drafts let phrases have 1024.
const MaxReason = 512

// Drain is the body of a request to ask all peers to leave.
type Drain struct {
	// URI is where they should go; empty: they are not told.
	URI string `json:"uri"`
	// Within is how long they have, as "10s"; empty is DefaultDrain.
	Within string `json:"within"`
}

// How long peers have to leave.
const (
	DefaultDrain = 10 * time.Second
	MaxDrain     = time.Hour
	// MaxURI is how many bytes a URI may have, as in the drafts.
	MaxURI = 8192
)

// LogLevel is the level of the log, as in "INFO" or "WARN,session=DBG4".
type LogLevel struct {
	Level string `json:"level"`
}

// changes answers if nothing can be changed here, and returns false then.
func (a *API) changes(w http.ResponseWriter) bool {
	if a.control == nil {
		refuse(w, http.StatusNotImplemented, "no_control", "This relay can only be looked at.")
		return false
	}
	return true
}

// note writes into the log what was ordered, by whom, and why it was not done.
func (a *API) note(r *http.Request, err error, what string, args ...any) {
	from := r.RemoteAddr
	if _, _, notTCP := net.SplitHostPort(from); notTCP != nil {
		from = "the socket"
	}
	args = append(args, "from", from)
	if err != nil {
		args = append(args, "error", err)
	}
	a.log.InfoContext(r.Context(), what, args...)
}

// done answers to an order that was carried out, or was not.
func (a *API) done(w http.ResponseWriter, err error) {
	a.newest.forget()
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) kick(w http.ResponseWriter, r *http.Request) {
	var k Kick
	if !a.changes(w) || !readBody(w, r, &k) {
		return
	}
	if k.Reason == "" {
		k.Reason = DefaultReason
	}
	if len(k.Reason) > MaxReason || !utf8.ValidString(k.Reason) {
		refuse(w, http.StatusBadRequest, "reason", fmt.Sprintf("The reason must be text of at most %d bytes.", MaxReason))
		return
	}
	id := r.PathValue("id")
	err := a.control.Kick(r.Context(), id, k.Reason)
	a.note(r, err, "an operator kicks a session", "session", id, "reason", k.Reason)
	a.done(w, err)
}

func (a *API) purge(w http.ResponseWriter, r *http.Request) {
	if !a.changes(w) || !readBody(w, r, &struct{}{}) {
		return
	}
	id := r.PathValue("id")
	err := a.control.Purge(r.Context(), id)
	a.note(r, err, "an operator purges a track", "track", id)
	a.done(w, err)
}

func (a *API) drain(w http.ResponseWriter, r *http.Request) {
	var d Drain
	if !a.changes(w) || !readBody(w, r, &d) {
		return
	}
	within := DefaultDrain
	if d.Within != "" {
		var err error
		if within, err = time.ParseDuration(d.Within); err != nil || within < 0 || within > MaxDrain {
			refuse(w, http.StatusBadRequest, "within", "\"within\" must be a duration such as \"10s\", of at most an hour.")
			return
		}
	}
	if len(d.URI) > MaxURI {
		refuse(w, http.StatusBadRequest, "uri", fmt.Sprintf("The URI must have at most %d bytes.", MaxURI))
		return
	}
	extend(w, within+WriteTimeout)
	a.note(r, nil, "an operator drains the relay", "uri", d.URI, "within", within)
	a.done(w, a.control.Drain(r.Context(), d.URI, within))
}

// extend gives the answer so much time to be written.
func extend(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // not every writer can
}

func (a *API) logLevel(w http.ResponseWriter, _ *http.Request) {
	if a.levels == nil {
		refuse(w, http.StatusNotImplemented, "no_levels", "The level of the log is not known here.")
		return
	}
	answer(w, LogLevel{Level: a.levels.Level()})
}

func (a *API) setLogLevel(w http.ResponseWriter, r *http.Request) {
	if a.levels == nil {
		a.logLevel(w, r)
		return
	}
	var l LogLevel
	if !readBody(w, r, &l) {
		return
	}
	if l.Level == "" {
		refuse(w, http.StatusBadRequest, "level", "The body must have a level, as in {\"level\":\"INFO\"}.")
		return
	}
	before := a.levels.Level()
	if err := a.levels.SetLevel(l.Level); err != nil {
		refuse(w, http.StatusBadRequest, "level", "The level was not changed: "+err.Error()+".")
		return
	}
	a.note(r, nil, "an operator sets the level of the log", "before", before, "now", a.levels.Level())
	a.logLevel(w, r)
}
