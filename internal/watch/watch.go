package watch

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
)

//go:embed page
var files embed.FS

// policy lets the page load its own files only, and connect to the relay, whose
// UDP port may have another number than the TCP port of the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' https:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Track is what the page shows unless its address says otherwise.
type Track struct {
	// Relay is the path of the WebTransport sessions, as "/moq-relay", if the UDP
	// port has the number of the page's TCP port, and else their URL.
	Relay string
	// Namespace has its fields separated by '/'.
	Namespace string
	Name      string
}

// Query is the part of the page's address that names the track.
func (t Track) Query() string {
	return url.Values{"relay": {t.Relay}, "namespace": {t.Namespace}, "track": {t.Name}}.Encode()
}

// Handler serves the page at "/" and its files beside it, for GET and HEAD. The
// track is shown when the address names none.
func Handler(track Track) http.Handler {
	served := load(track)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		content, ok := served[name]
		switch {
		case !ok:
			http.Error(w, "There is no such page; / shows a track.", http.StatusNotFound)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Pages are only read.", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", contentType(name))
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache") // another version may be there after a restart
		_, _ = w.Write(content)            // the browser may have gone
	})
}

// load returns the content of every file by its name.
func load(track Track) map[string][]byte {
	entries, err := files.ReadDir("page")
	if err != nil {
		panic(err) // the program was built without its files
	}
	served := make(map[string][]byte, len(entries))
	for _, e := range entries {
		content, err := files.ReadFile(path.Join("page", e.Name()))
		if err != nil {
			panic(err)
		}
		served[e.Name()] = content
	}
	var page bytes.Buffer
	if err := template.Must(template.New("").Parse(string(served["index.html"]))).Execute(&page, track); err != nil {
		panic(err)
	}
	served["index.html"] = page.Bytes()
	return served
}

// contentType is the type of a file by its name. Browsers run modules only with
// the right one, whatever the tables of the machine say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}
