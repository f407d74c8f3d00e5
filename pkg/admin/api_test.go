package admin

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

// TestEveryRouteAnswers: with all rights each route answers as openapi.json says.
func TestEveryRouteAnswers(t *testing.T) {
	bodies := map[string]string{"PUT /v1/log-level": `{"level":"WARN"}`}
	for _, r := range routes {
		if r.path == "/debug/pprof/profile" || r.path == "/debug/pprof/trace" {
			continue // they take their time; TestProfiles asks for them
		}
		t.Run(r.method+r.path, func(t *testing.T) {
			w := newWorld()
			w.Add(observe.Event{Kind: observe.KindRelay, Level: "info", Text: "it began"})
			id := "1"
			if strings.Contains(r.path, "/sessions/") {
				id = "7f3a"
			}
			path := strings.NewReplacer("{$}", "", "{id}", id, "{name}", "goroutine").Replace(r.path)
			resp, body := ask(t, handler(w, everybody), r.method, path, bodies[r.method+" "+r.path])
			switch {
			case r.nothing:
				testkit.Equal(t, resp.StatusCode, http.StatusNoContent)
				testkit.Equal(t, body, "")
			case r.gives != nil:
				testkit.Equal(t, resp.StatusCode, http.StatusOK)
				testkit.Equal(t, resp.Header.Get("Content-Type"), "application/json")
				checkJSON(t, body, r.gives)
			default:
				testkit.Equal(t, resp.StatusCode, http.StatusOK)
				kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
				testkit.Equal(t, kind, r.types[0])
			}
			testkit.Equal(t, resp.Header.Get("X-Content-Type-Options"), "nosniff")
		})
	}
}

// TestEveryRouteIsGuarded: who may less than a route needs is refused, and told why.
func TestEveryRouteIsGuarded(t *testing.T) {
	for _, r := range routes {
		path := strings.NewReplacer("{$}", "", "{id}", "1", "{name}", "heap").Replace(r.path)
		for _, access := range []Access{{AnyHost: true}, {AnyHost: true, Open: Read}} {
			if access.Open >= r.scope {
				continue
			}
			w := newWorld()
			resp, body := ask(t, handler(w, access), r.method, path, "")
			testkit.Equal(t, resp.StatusCode, http.StatusForbidden)
			testkit.Equal(t, problem(t, resp, body).Code, "scope")
			testkit.Equal(t, w.did, "")
			access.Tokens = tokens(t, "read "+readToken)
			resp, body = ask(t, handler(w, access), r.method, path, "", "Authorization", "Bearer nonsense")
			testkit.Equal(t, resp.StatusCode, http.StatusUnauthorized)
			testkit.Equal(t, problem(t, resp, body).Code, "token")
			testkit.Equal(t, resp.Header.Get("WWW-Authenticate"), `Bearer realm="oxymoq"`)
		}
		resp, _ := ask(t, handler(newWorld(), Access{Open: Control}), r.method, path, "", "Host", "attacker.example:9670")
		testkit.Equal(t, resp.StatusCode, http.StatusMisdirectedRequest)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, row := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/nothing", "", 404, "path"},
		{"GET", "/v1/", "", 404, "path"},
		{"DELETE", "/v1/state", "", 405, "method"},
		{"GET", "/v1/drain", "", 405, "method"},
		{"POST", "/", "", 405, "method"},
		{"GET", "/v1/tracks/9", "", 404, "no_track"},
		{"POST", "/v1/tracks/9/purge", "", 404, "no_track"},
		{"POST", "/v1/sessions/9/kick", "", 404, "no_session"},
		{"POST", "/v1/drain", `{"within":"0s"}`, 409, "remain"},
		{"POST", "/v1/drain", `{"within":"soon"}`, 400, "within"},
		{"POST", "/v1/drain", `{"within":"-1s"}`, 400, "within"},
		{"POST", "/v1/drain", `{"within":"61m"}`, 400, "within"},
		{"POST", "/v1/drain", `{"uri":"moqt://` + strings.Repeat("x", MaxURI) + `"}`, 400, "uri"},
		{"POST", "/v1/drain", `{"whithin":"1s"}`, 400, "body"},
		{"POST", "/v1/drain", `{} {}`, 400, "body"},
		{"POST", "/v1/drain", `[]`, 400, "body"},
		{"POST", "/v1/drain", strings.Repeat(" ", MaxBody+1), 413, "body"},
		{"POST", "/v1/sessions/7f3a/kick", `{"reason":"` + strings.Repeat("x", MaxReason+1) + `"}`, 400, "reason"},
		{"POST", "/v1/tracks/1/purge", `{"x":1}`, 400, "body"},
		{"PUT", "/v1/log-level", `{"level":"LOUD"}`, 400, "level"},
		{"PUT", "/v1/log-level", ``, 400, "level"},
		{"GET", "/v1/events?after=x", "", 400, "after"},
		{"GET", "/v1/events?wait=x", "", 400, "wait"},
		{"GET", "/v1/events?wait=61s", "", 400, "wait"},
		{"GET", "/debug/pprof/nonsense", "", 404, ""},
	} {
		t.Run(row.method+row.path, func(t *testing.T) {
			resp, body := ask(t, handler(newWorld(), everybody), row.method, row.path, row.body)
			testkit.Equal(t, resp.StatusCode, row.status)
			if row.code != "" {
				testkit.Equal(t, problem(t, resp, body).Code, row.code)
			}
		})
	}
}

func TestOrders(t *testing.T) {
	for _, row := range []struct{ path, body, did string }{
		{"/v1/sessions/7f3a/kick", "", "kick 7f3a " + DefaultReason},
		{"/v1/sessions/7f3a/kick", `{"reason":"too loud"}`, "kick 7f3a too loud"},
		{"/v1/sessions/7f3a/kick", `{"reason":"` + strings.Repeat("x", MaxReason) + `"}`, "kick 7f3a " + strings.Repeat("x", MaxReason)},
		{"/v1/sessions/a%2Fb/kick", "", "kick a/b " + DefaultReason},
		{"/v1/tracks/1/purge", "{}", "purge 1"},
		{"/v1/drain", "", "drain  10s"},
		{"/v1/drain", `{"uri":"moqt://other","within":"1m"}`, "drain moqt://other 1m0s"},
	} {
		w := newWorld()
		resp, _ := ask(t, handler(w, everybody), "POST", row.path, row.body)
		testkit.Equal(t, resp.StatusCode, http.StatusNoContent)
		testkit.Equal(t, w.did, row.did)
	}
}

func TestWithoutControl(t *testing.T) {
	w := newWorld()
	h := New(Config{Source: w}).Handler(everybody)
	for _, row := range []struct{ method, path string }{
		{"POST", "/v1/sessions/7f3a/kick"}, {"POST", "/v1/tracks/1/purge"}, {"POST", "/v1/drain"}, {"GET", "/v1/log-level"}, {"PUT", "/v1/log-level"},
	} {
		resp, body := ask(t, h, row.method, row.path, "")
		testkit.Equal(t, resp.StatusCode, http.StatusNotImplemented)
		problem(t, resp, body)
	}
	_, body := ask(t, h, "GET", "/v1/access", "")
	testkit.Equal(t, strings.Contains(body, `"scope":"read","relay":"eu-1"`), true)
}

func TestARelayThatDoesNotAnswer(t *testing.T) {
	for err, code := range map[error]string{errors.New("it is broken"): "unavailable", context.DeadlineExceeded: "timeout"} {
		w := newWorld()
		w.err = err
		for _, row := range []struct{ method, path string }{
			{"GET", "/v1/state"}, {"GET", "/state"}, {"GET", "/v1/access"}, {"GET", "/readyz"}, {"GET", "/metrics"},
			{"GET", "/v1/tracks/1"}, {"POST", "/v1/tracks/1/purge"}, {"POST", "/v1/sessions/7f3a/kick"}, {"POST", "/v1/drain"},
		} {
			resp, body := ask(t, handler(w, everybody), row.method, row.path, "")
			testkit.Equal(t, resp.StatusCode, http.StatusServiceUnavailable)
			testkit.Equal(t, problem(t, resp, body).Code, code)
		}
	}
}

func TestReadiness(t *testing.T) {
	w := newWorld()
	w.state.Relay.Draining = true
	resp, body := ask(t, handler(w, Access{}), "GET", "/readyz", "")
	testkit.Equal(t, resp.StatusCode, http.StatusServiceUnavailable)
	testkit.Equal(t, problem(t, resp, body).Code, "draining")
	resp, _ = ask(t, handler(w, Access{}), "GET", "/healthz", "")
	testkit.Equal(t, resp.StatusCode, http.StatusOK)
}

// TestPagesOfOthersChangeNothing: browsers say where a request comes from.
func TestPagesOfOthersChangeNothing(t *testing.T) {
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://attacker.example"}} {
		w := newWorld()
		resp, body := ask(t, handler(w, everybody), "POST", "/v1/tracks/1/purge", "", header...)
		testkit.Equal(t, resp.StatusCode, http.StatusForbidden)
		testkit.Equal(t, problem(t, resp, body).Code, "cross_origin")
		testkit.Equal(t, w.did, "")
	}
	resp, _ := ask(t, handler(newWorld(), everybody), "POST", "/v1/tracks/1/purge", "", "Sec-Fetch-Site", "same-origin")
	testkit.Equal(t, resp.StatusCode, http.StatusNoContent)
}

func TestStateIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		h := handler(w, everybody)
		resp, body := ask(t, h, "GET", "/v1/state", "")
		testkit.Equal(t, resp.Header.Get(HeaderTime), "2026-11-21T12:01:00Z")
		etag := resp.Header.Get("ETag")
		var s observe.State
		testkit.NoErr(t, json.Unmarshal([]byte(body), &s))
		testkit.Equal(t, s, w.state)

		for range 3 { // many readers are one to the relay
			ask(t, h, "GET", "/v1/state", "")
		}
		testkit.Equal(t, w.asked, 1)

		time.Sleep(Freshness)
		w.state.Time = w.state.Time.Add(time.Second)
		resp, body = ask(t, h, "GET", "/v1/state", "", "If-None-Match", etag)
		testkit.Equal(t, resp.StatusCode, http.StatusNotModified)
		testkit.Equal(t, body, "")
		testkit.Equal(t, resp.Header.Get(HeaderTime), "2026-11-21T12:01:01Z")
		testkit.Equal(t, w.asked, 2)

		time.Sleep(Freshness)
		w.state.Totals.BytesIn++
		resp, _ = ask(t, h, "GET", "/v1/state", "", "If-None-Match", etag)
		testkit.Equal(t, resp.StatusCode, http.StatusOK)

		// After an order nobody sees what was before it.
		asked := w.asked
		ask(t, h, "POST", "/v1/tracks/1/purge", "")
		ask(t, h, "GET", "/v1/state", "")
		testkit.Equal(t, w.asked, asked+1)
	})
}

func TestStateIsCompressed(t *testing.T) {
	h := handler(newWorld(), everybody)
	_, plain := ask(t, h, "GET", "/v1/state", "")
	resp, body := ask(t, h, "GET", "/v1/state", "", "Accept-Encoding", "gzip, br")
	testkit.Equal(t, resp.Header.Get("Content-Encoding"), "gzip")
	z := testkit.Must(gzip.NewReader(strings.NewReader(body)))(t)
	testkit.Equal(t, string(testkit.Must(io.ReadAll(z))(t)), plain)
}

// TestWaitingForAStateEnds: who goes away does not wait for the relay.
func TestWaitingForAStateEnds(t *testing.T) {
	s := newSnapshots(newWorld())
	s.turn <- struct{}{}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	_, err := s.get(ctx)
	testkit.ErrIs(t, err, gone)
}

func TestLogLevel(t *testing.T) {
	h := handler(newWorld(), everybody)
	_, body := ask(t, h, "GET", "/v1/log-level", "")
	testkit.Equal(t, body, `{"level":"INFO"}`+"\n")
	_, body = ask(t, h, "PUT", "/v1/log-level", `{"level":"WARN,session=DBG"}`)
	testkit.Equal(t, body, `{"level":"WARN,session=DBG"}`+"\n")
	_, body = ask(t, h, "GET", "/v1/log-level", "")
	testkit.Equal(t, body, `{"level":"WARN,session=DBG"}`+"\n")
}

func TestPage(t *testing.T) {
	resp, body := ask(t, handler(newWorld(), Access{}), "GET", "/", "")
	testkit.Equal(t, resp.Header.Get("Content-Security-Policy"), policy)
	for _, outside := range []string{"http://", "https://", "<script>", "style=", "onclick"} {
		if strings.Contains(body, outside) {
			t.Errorf("the page has %q", outside)
		}
	}
	resp, body = ask(t, handler(newWorld(), Access{}), "HEAD", "/main.mjs", "")
	testkit.Equal(t, resp.StatusCode, http.StatusOK)
	testkit.Equal(t, resp.Header.Get("Content-Type"), "text/javascript; charset=utf-8")
	_ = body
}
