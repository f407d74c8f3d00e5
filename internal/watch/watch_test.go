package watch_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"oxymoq/internal/watch"
)

var date = watch.Track{Relay: "/moq-relay", Namespace: "moq-date", Name: "date"}

func get(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestFilesHaveTypesAndAPolicy(t *testing.T) {
	h := watch.Handler(date)
	for name, want := range map[string]string{
		"/":            "text/html; charset=utf-8",
		"/index.html":  "text/html; charset=utf-8",
		"/main.mjs":    "text/javascript; charset=utf-8",
		"/session.mjs": "text/javascript; charset=utf-8",
		"/wire.mjs":    "text/javascript; charset=utf-8",
		"/style.css":   "text/css; charset=utf-8",
		"/icon.svg":    "image/svg+xml",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := get(t, h, method, name+"?namespace=a")
			if w.Code != http.StatusOK {
				t.Errorf("%s %s: status %d", method, name, w.Code)
			}
			if got := w.Header().Get("Content-Type"); got != want {
				t.Errorf("%s has type %q, not %q", name, got, want)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s: X-Content-Type-Options %q", name, got)
			}
			if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
				t.Errorf("%s: policy %q", name, got)
			}
		}
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	h := watch.Handler(date)
	for _, target := range []string{"/nothing", "/page/main.mjs", "/main.mjs/", "/../watch.go", "//main.mjs", "/page"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: target}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
	w := get(t, h, http.MethodPost, "/")
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestTrackIsWrittenSafelyIntoThePage(t *testing.T) {
	body := get(t, watch.Handler(watch.Track{Relay: `/"><script>`, Namespace: "live/cam", Name: "video"}), http.MethodGet, "/").Body.String()
	if !strings.Contains(body, `value="live/cam"`) || !strings.Contains(body, `value="video"`) {
		t.Error("the page does not have the track")
	}
	if strings.Contains(body, `"><script>`) || strings.Contains(body, "{{") {
		t.Error("the page was written without care")
	}
}

// What the policy forbids must not be in the page: it would silently not work.
func TestPageHasNothingInline(t *testing.T) {
	body := get(t, watch.Handler(date), http.MethodGet, "/").Body.String()
	for _, inline := range []string{`<style`, ` style=`, ` on[a-z]+=`, `javascript:`, `(src|href)="(https?:)?//`} {
		if regexp.MustCompile(inline).MatchString(body) {
			t.Errorf("the page contains %s", inline)
		}
	}
	for _, script := range regexp.MustCompile(`<script[^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(script, "src=") {
			t.Errorf("the page contains %s", script)
		}
	}
}

// Every file that the page names is there.
func TestLinksLead(t *testing.T) {
	h := watch.Handler(date)
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"|from '\./([^']+)'`)
	for _, file := range []string{"/", "/main.mjs", "/session.mjs", "/wire.mjs"} {
		for _, m := range links.FindAllStringSubmatch(get(t, h, http.MethodGet, file).Body.String(), -1) {
			if w := get(t, h, http.MethodGet, "/"+m[1]+m[2]); w.Code != http.StatusOK {
				t.Errorf("%s names %s: status %d", file, m[1]+m[2], w.Code)
			}
		}
	}
}

func TestQuery(t *testing.T) {
	got, err := url.ParseQuery(watch.Track{Relay: "/a b", Namespace: "live/cam&1", Name: "x=y"}.Query())
	if err != nil || got.Get("relay") != "/a b" || got.Get("namespace") != "live/cam&1" || got.Get("track") != "x=y" {
		t.Errorf("%v, %v", got, err)
	}
}
