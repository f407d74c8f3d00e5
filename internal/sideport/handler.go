package sideport

import (
	"encoding/hex"
	"log/slog"
	"net/http"

	"oxymoq/internal/certs"
)

// Config says what is answered.
type Config struct {
	// Source has the certificate. Its current one is asked for each time.
	Source *certs.Source
	// Pages answers GET and HEAD for all paths that are not the hash's. Nil:
	// there is nothing else.
	Pages http.Handler
	// Log is told of faults. Nil: nobody is.
	Log *slog.Logger
}

// The paths of the hash, and whether it is text.
var hashPaths = map[string]bool{
	"/fingerprint":                       true,
	"/certificate.sha256":                true,
	"/certs/certificate_fingerprint.hex": false,
}

// preflightSeconds is how long a browser may remember that it may ask.
const preflightSeconds = "600"

// Handler answers requests as Serve does, for use over HTTP/3 too.
func Handler(c Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, isHash := hashPaths[r.URL.Path]
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case isHash && reads:
			c.hash(w, text)
		case isHash && r.Method == http.MethodOptions:
			preflight(w, r)
		case !reads && (isHash || c.Pages != nil):
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
		case c.Pages != nil:
			c.Pages.ServeHTTP(w, r)
		default:
			http.Error(w, "There is nothing at this path; /fingerprint has the SHA-256 of the server's certificate.", http.StatusNotFound)
		}
	})
}

func (c Config) hash(w http.ResponseWriter, text bool) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store") // the certificate is renewed
	h.Set("X-Content-Type-Options", "nosniff")
	cert := c.Source.Current()
	if len(cert.Certificate) == 0 {
		http.Error(w, "The server has no certificate.", http.StatusServiceUnavailable)
		return
	}
	sum := certs.Fingerprint(cert)
	body := sum[:]
	h.Set("Content-Type", "application/octet-stream")
	if text {
		body = []byte(hex.EncodeToString(body)) // no newline: it is parsed, not read
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	_, _ = w.Write(body) // the client may have gone
}

// preflight permits what a page of another origin wants to do, also if this
// machine is in a more private network than the page (Private Network Access).
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Max-Age", preflightSeconds)
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
}
