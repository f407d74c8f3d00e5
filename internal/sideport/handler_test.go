package sideport_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/sideport"
	"oxymoq/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func source(t *testing.T) *certs.Source {
	t.Helper()
	return certs.NewSource(testkit.Must(certs.SelfSigned(time.Now(), "localhost"))(t))
}

func ask(t *testing.T, h http.Handler, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	defer resp.Body.Close()
	return resp, string(testkit.Must(io.ReadAll(resp.Body))(t))
}

func TestHashOfTheCurrentCertificate(t *testing.T) {
	s := source(t)
	h := sideport.Handler(sideport.Config{Source: s})
	for range 2 {
		sum := sha256.Sum256(s.Current().Certificate[0])
		for _, row := range []struct{ path, want, kind string }{
			{"/fingerprint", hex.EncodeToString(sum[:]), "text/plain; charset=utf-8"},
			{"/certificate.sha256", hex.EncodeToString(sum[:]), "text/plain; charset=utf-8"},
			{"/certs/certificate_fingerprint.hex", string(sum[:]), "application/octet-stream"},
		} {
			resp, body := ask(t, h, http.MethodGet, row.path)
			testkit.Equal(t, resp.StatusCode, http.StatusOK)
			testkit.Equal(t, body, row.want)
			testkit.Equal(t, resp.Header.Get("Content-Type"), row.kind)
			testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Origin"), "*")
			testkit.Equal(t, resp.Header.Get("Cache-Control"), "no-store")
			resp, _ = ask(t, h, http.MethodHead, row.path)
			testkit.Equal(t, resp.StatusCode, http.StatusOK)
			testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Origin"), "*")
		}
		s.Set(testkit.Must(certs.SelfSigned(time.Now(), "localhost"))(t))
	}
}

func TestWithoutCertificate(t *testing.T) {
	resp, body := ask(t, sideport.Handler(sideport.Config{Source: new(certs.Source)}), http.MethodGet, "/fingerprint")
	testkit.Equal(t, resp.StatusCode, http.StatusServiceUnavailable)
	testkit.Equal(t, body, "The server has no certificate.\n")
	testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Origin"), "*")
}

func TestPreflight(t *testing.T) {
	h := sideport.Handler(sideport.Config{Source: source(t)})
	resp, _ := ask(t, h, http.MethodOptions, "/fingerprint", "Origin", "https://player.example", "Access-Control-Request-Method", "GET")
	testkit.Equal(t, resp.StatusCode, http.StatusNoContent)
	testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Origin"), "*")
	testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Methods"), "GET, HEAD")
	testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Private-Network"), "")
	resp, _ = ask(t, h, http.MethodOptions, "/certificate.sha256", "Access-Control-Request-Private-Network", "true")
	testkit.Equal(t, resp.Header.Get("Access-Control-Allow-Private-Network"), "true")
}

func TestWhatIsNotTheHash(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page "+r.URL.Path) })
	for _, row := range []struct {
		method, path string
		pages        http.Handler
		status       int
		body         string
	}{
		{"GET", "/", nil, 404, "There is nothing at this path; /fingerprint has the SHA-256 of the server's certificate.\n"},
		{"GET", "/fingerprint/", nil, 404, "There is nothing at this path; /fingerprint has the SHA-256 of the server's certificate.\n"},
		{"POST", "/x", nil, 404, "There is nothing at this path; /fingerprint has the SHA-256 of the server's certificate.\n"},
		{"POST", "/fingerprint", nil, 405, "Only GET and HEAD are answered here.\n"},
		{"GET", "/", pages, 200, "page /"},
		{"GET", "/certs/", pages, 200, "page /certs/"},
		{"DELETE", "/", pages, 405, "Only GET and HEAD are answered here.\n"},
		{"POST", "/fingerprint", pages, 405, "Only GET and HEAD are answered here.\n"},
	} {
		t.Run(row.method+row.path, func(t *testing.T) {
			resp, body := ask(t, sideport.Handler(sideport.Config{Source: source(t), Pages: row.pages}), row.method, row.path)
			testkit.Equal(t, resp.StatusCode, row.status)
			testkit.Equal(t, body, row.body)
			if row.status == 405 {
				testkit.Equal(t, resp.Header.Get("Allow"), "GET, HEAD")
			}
		})
	}
}
