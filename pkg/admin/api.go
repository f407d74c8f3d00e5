package admin

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"oxymoq/pkg/observe"
)

// Levels is the level of the log, in the notation of the flag -logging. Its methods
// may be called from any goroutine.
type Levels interface {
	Level() string
	// SetLevel changes nothing if it returns an error.
	SetLevel(level string) error
}

// Config says what is shown and what can be changed.
type Config struct {
	// Source is what is shown.
	Source observe.Source
	// Control is what can be changed; nil: nothing.
	Control observe.Control
	// Levels is the level of the log; nil: it is not told.
	Levels Levels
	// Tracks is how many tracks have metrics of their own; 0 is DefaultTracks.
	Tracks int
	// Log is told what was changed by whom. Nil: nobody is.
	Log *slog.Logger
}

// API answers requests for one relay.
type API struct {
	source  observe.Source
	control observe.Control
	levels  Levels
	log     *slog.Logger

	run     string // differs between runs of a relay, so that numbers of events are not mixed up
	newest  *snapshots
	metrics *metrics
}

// New returns an API. It starts nothing.
func New(c Config) *API {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &API{
		source: c.Source, control: c.Control, levels: c.Levels, log: log,
		run:    strconv.FormatInt(time.Now().UnixNano(), 36),
		newest: newSnapshots(c.Source), metrics: newMetrics(c.Tracks),
	}
}

// Handler answers the requests that come to one address.
func (a *API) Handler(access Access) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, a.serve(r, access))
	}
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "cross_origin", "A page of another origin may not change anything here.")
	}))
	guarded := foreign.Handler(withProblems(mux))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !access.knows(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "host",
				"This host name is not one of this API's; ask for it by address, as localhost, or by a name that it was told.")
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// serve is one route at one address.
func (a *API) serve(r route, access Access) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.scope > Nothing {
			scope, known := access.scope(req)
			switch {
			case scope >= r.scope:
			case !known:
				w.Header().Set("WWW-Authenticate", `Bearer realm="oxymoq"`)
				refuse(w, http.StatusUnauthorized, "token", "This needs a token of the relay, in the header Authorization: Bearer TOKEN.")
				return
			default:
				refuse(w, http.StatusForbidden, "scope", "This needs the scope "+r.scope.String()+", which was not granted; see docs/observability.md.")
				return
			}
			req = req.WithContext(withScope(req.Context(), scope))
		}
		if r.long {
			// The time to read a request is over long before the answer is.
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // not every writer can
		}
		req.Body = http.MaxBytesReader(w, req.Body, MaxBody)
		r.handle(a, w, req)
	})
}
