package admin

import (
	"embed"
	"net/http"
	"net/http/pprof"
	"path"

	"oxymoq/pkg/observe"
)

// route is one path of the API. All but handle, scope and long is for
// openapi.json.
type route struct {
	method, path string
	scope        Scope
	long         bool // the answer may take longer than a request may
	handle       func(*API, http.ResponseWriter, *http.Request)

	summary string
	query   []parameter
	header  []parameter
	takes   any      // the type of the body; nil: there is none
	gives   any      // the type of the answer, if it is JSON; nil: it is not
	types   []string // the types of an answer that is not JSON, or not only
	nothing bool     // the answer has no body
	fails   []int    // beyond those that every path may have
}

// parameter is a value in the query or the header of a request.
type parameter struct{ name, what string }

// The statuses that are named often.
const (
	wrong  = http.StatusBadRequest
	none   = http.StatusNotFound
	lacks  = http.StatusNotImplemented
	absent = http.StatusServiceUnavailable
)

// routes are all paths.
var routes = []route{
	{method: "GET", path: "/{$}", handle: page("index.html"), summary: "A page that shows the relay live.", types: []string{"text/html"}},
	{method: "GET", path: "/main.mjs", handle: page("main.mjs"), summary: "The program of the page.", types: []string{"text/javascript"}},
	{method: "GET", path: "/style.css", handle: page("style.css"), summary: "How the page looks.", types: []string{"text/css"}},
	{method: "GET", path: "/icon.svg", handle: page("icon.svg"), summary: "The sign of the page.", types: []string{"image/svg+xml"}},
	{method: "GET", path: "/openapi.json", handle: (*API).openapi, summary: "This description.", types: []string{"application/json"}},

	{method: "GET", path: "/healthz", handle: (*API).health, summary: "Whether the process answers.", gives: Health{}},
	{method: "GET", path: "/readyz", handle: (*API).ready, summary: "Whether new sessions are taken: not while the relay drains.", gives: Health{}, fails: []int{absent}},
	{method: "GET", path: "/metrics", scope: Read, handle: (*API).serveMetrics, summary: "Metrics for Prometheus; see docs/metrics.md.", types: []string{"text/plain"}, fails: []int{absent}},

	{method: "GET", path: "/v1/access", scope: Read, handle: (*API).grant, summary: "What the client may do.", gives: Grant{}, fails: []int{absent}},
	{method: "GET", path: "/v1/state", scope: Read, handle: (*API).state, summary: "What the relay does, with its sessions, namespaces and tracks.",
		header: []parameter{{"If-None-Match", "the ETag of a state: one that differs from it in its time only is answered with 304, and the time in the header " + HeaderTime}},
		gives:  observe.State{}, fails: []int{http.StatusNotModified, absent}},
	{method: "GET", path: "/v1/tracks/{id}", scope: Read, handle: (*API).track, summary: "One track with its groups, holes, subscribers and newest objects.",
		gives: observe.TrackDetail{}, fails: []int{none, absent}},
	{method: "GET", path: "/v1/events", scope: Read, long: true, handle: (*API).events,
		summary: "What happened: at once, as server-sent events or as lines of JSON (observe.Event or admin.Skipped), by the header Accept.",
		query: []parameter{
			{"after", "the number of the last event that is known"},
			{"run", "the run of that number; if it is another than the present one, everything is told"},
			{"wait", "how long to wait if nothing happened, as 20s; for answers in JSON"},
		},
		header: []parameter{{"Last-Event-ID", "run and number of the last event that is known, with a dot between them"}},
		gives:  Events{}, types: []string{typeSSE, typeNDJSON}, fails: []int{wrong, absent}},
	{method: "GET", path: "/state", scope: Read, handle: (*API).moqx, summary: "The state in the shape of moqx, another relay, for programs that were made for it.",
		gives: moqxState{}, fails: []int{absent}},

	{method: "POST", path: "/v1/sessions/{id}/kick", scope: Control, handle: (*API).kick, summary: "Ends a session; the peer is told the reason.",
		takes: Kick{}, nothing: true, fails: []int{wrong, none, lacks, absent}},
	{method: "POST", path: "/v1/tracks/{id}/purge", scope: Control, handle: (*API).purge, summary: "Forgets the objects of a track; subscribers go on with what comes.",
		nothing: true, fails: []int{none, lacks, absent}},
	{method: "POST", path: "/v1/drain", scope: Control, long: true, handle: (*API).drain, summary: "Asks all peers to leave and takes no new ones for good; answers when all have left, or after the time that they have.",
		takes: Drain{}, nothing: true, fails: []int{wrong, http.StatusConflict, lacks, absent}},
	{method: "GET", path: "/v1/log-level", scope: Read, handle: (*API).logLevel, summary: "The level of the log.", gives: LogLevel{}, fails: []int{lacks}},
	{method: "PUT", path: "/v1/log-level", scope: Control, handle: (*API).setLogLevel, summary: "Sets the level of the log.",
		takes: LogLevel{}, gives: LogLevel{}, fails: []int{wrong, lacks}},

	{method: "GET", path: "/debug/pprof/", scope: Control, long: true, handle: profile(pprof.Index), summary: "The profiles of the Go runtime.", types: []string{"text/html"}},
	{method: "GET", path: "/debug/pprof/{name}", scope: Control, long: true, handle: profile(pprof.Index), summary: "A profile of the Go runtime by its name, as heap or goroutine.", types: []string{"application/octet-stream"}, fails: []int{none}},
	{method: "GET", path: "/debug/pprof/cmdline", scope: Control, handle: profile(pprof.Cmdline), summary: "The command line.", types: []string{"text/plain"}},
	{method: "GET", path: "/debug/pprof/profile", scope: Control, long: true, handle: profile(pprof.Profile), summary: "What uses the processor.",
		query: []parameter{{"seconds", "how long to look; 30 if not told"}}, types: []string{"application/octet-stream"}},
	{method: "GET", path: "/debug/pprof/symbol", scope: Control, handle: profile(pprof.Symbol), summary: "Names of addresses in the program.", types: []string{"text/plain"}},
	{method: "GET", path: "/debug/pprof/trace", scope: Control, long: true, handle: profile(pprof.Trace), summary: "A trace of the Go scheduler.",
		query: []parameter{{"seconds", "how long to look; 1 if not told"}}, types: []string{"application/octet-stream"}},
}

// profile adapts a handler of net/http/pprof.
func profile(h http.HandlerFunc) func(*API, http.ResponseWriter, *http.Request) {
	return func(_ *API, w http.ResponseWriter, r *http.Request) { h(w, r) }
}

//go:embed page
var files embed.FS

//go:embed openapi.json
var description []byte

func (a *API) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description) // the client may have gone
}

// policy lets the page load its own files only, and ask only where it came from.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// page answers with a file of the page. The page is for everybody: it shows only what
// the paths above tell its reader.
func page(name string) func(*API, http.ResponseWriter, *http.Request) {
	content, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // the program was built without its files
	}
	// Browsers run modules only with the right type, whatever the tables of the
	// machine say.
	kind := map[string]string{".html": "text/html", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[path.Ext(name)]
	if kind != "image/svg+xml" {
		kind += "; charset=utf-8"
	}
	return func(_ *API, w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache") // another version may be there after a restart
		_, _ = w.Write(content)            // the browser may have gone
	}
}
