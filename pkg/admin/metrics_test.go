package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

// scraped are the metrics that a scrape of the world gives, by name.
func scraped(t *testing.T, w *world) map[string]*dto.MetricFamily {
	t.Helper()
	_, body := ask(t, handler(w, everybody), "GET", "/metrics", "")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(body))
	testkit.NoErr(t, err)
	return all
}

// sample is the value of a metric with the labels.
func sample(t *testing.T, all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var got []string
		for _, l := range m.GetLabel() {
			got = append(got, l.GetName()+"="+l.GetValue())
		}
		if slices.Equal(got, slices.Sorted(slices.Values(labels))) {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no %s%v", name, labels)
	return 0
}

func TestMetricsOfAState(t *testing.T) {
	all := scraped(t, newWorld())
	for _, row := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"oxymoq_relay_info", []string{"name=eu-1", "version=v1"}, 1},
		{"oxymoq_relay_start_time_seconds", nil, 1795262400},
		{"oxymoq_relay_draining", nil, 0},
		{"oxymoq_open_sessions", []string{"transport=quic", "draft=18", "role=pub"}, 1},
		{"oxymoq_open_sessions", []string{"transport=wt", "draft=18", "role=sub"}, 1},
		{"oxymoq_sessions_total", nil, 7},
		{"oxymoq_session_round_trip_seconds", []string{"percentile=50"}, .02},
		{"oxymoq_session_round_trip_seconds", []string{"percentile=100"}, .04},
		{"oxymoq_session_loss_ratio", []string{"percentile=100"}, .02},
		{"oxymoq_namespaces", nil, 1},
		{"oxymoq_known_tracks", []string{"state=live"}, 1},
		{"oxymoq_known_tracks", []string{"state=opening"}, 0},
		{"oxymoq_tracks_total", nil, 3},
		{"oxymoq_malformed_tracks_total", nil, 0},
		{"oxymoq_objects_received_total", nil, 100},
		{"oxymoq_received_bytes_total", nil, 1000},
		{"oxymoq_objects_sent_total", nil, 300},
		{"oxymoq_sent_bytes_total", nil, 3300},
		{"oxymoq_objects_dropped_total", []string{"reason=timeout"}, 4},
		{"oxymoq_objects_dropped_total", []string{"reason=purged"}, 0},
		{"oxymoq_requests_received_total", nil, 9},
		{"oxymoq_requests_sent_total", nil, 0},
		{"oxymoq_requests_refused_total", nil, 1},
		{"oxymoq_requests_forbidden_total", nil, 0},
		{"oxymoq_fetches_total", []string{"source=cache"}, 5},
		{"oxymoq_fetches_total", []string{"source=upstream"}, 2},
		{"oxymoq_cache_bytes", nil, 4000},
		{"oxymoq_cache_limit_bytes", nil, 1 << 20},
		{"oxymoq_cache_groups", nil, 4},
		{"oxymoq_cache_tracks", nil, 1},
		{"oxymoq_link_up", []string{"url=moqt://root.example"}, 1},
		{"oxymoq_link_round_trip_seconds", []string{"url=moqt://root.example"}, .005},
		{"oxymoq_track_objects_received_total", []string{"track=live-cam1--video", "scope="}, 100},
		{"oxymoq_track_received_bytes_total", []string{"track=live-cam1--video", "scope="}, 1000},
		{"oxymoq_track_objects_sent_total", []string{"track=live-cam1--video", "scope="}, 300},
		{"oxymoq_track_sent_bytes_total", []string{"track=live-cam1--video", "scope="}, 3300},
		{"oxymoq_track_objects_dropped_total", []string{"track=live-cam1--video", "scope="}, 4},
		{"oxymoq_track_objects_dropped_total", []string{"track=other", "scope="}, 0},
		{"oxymoq_track_subscribers", []string{"track=live-cam1--video", "scope="}, 1},
		{"oxymoq_track_cache_bytes", []string{"track=live-cam1--video", "scope="}, 4000},
		{"oxymoq_track_delay_seconds", []string{"track=live-cam1--video", "scope=", "percentile=99"}, .003},
	} {
		if got := sample(t, all, row.name, row.labels...); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%s%v = %v, want %v", row.name, row.labels, got, row.want)
		}
	}
	h := all["oxymoq_delivery_delay_seconds"].GetMetric()[0].GetHistogram()
	testkit.Equal(t, h.GetSampleCount(), uint64(3))
	testkit.Equal(t, len(h.GetBucket()), 20) // with +Inf
	testkit.Equal(t, h.GetBucket()[3].GetCumulativeCount(), uint64(1))
	testkit.Equal(t, h.GetBucket()[18].GetCumulativeCount(), uint64(2)) // the third stayed longer than that
	for _, f := range families {
		if all[f.name] == nil {
			t.Errorf("%s has no samples", f.name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if all[name] == nil {
			t.Errorf("%s of the process is missing", name)
		}
	}
}

// TestMetricsKeepToConventions: those that promtool knows, and those of OpenMetrics, where names of counters lose their end.
func TestMetricsKeepToConventions(t *testing.T) {
	own := prometheus.NewPedanticRegistry()
	own.MustRegister(scrape{newMetrics(0), &newWorld().state})
	problems, err := testutil.GatherAndLint(own)
	testkit.NoErr(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	seen := map[string]bool{}
	for _, f := range families {
		base := strings.TrimSuffix(f.name, "_total")
		if seen[base] {
			t.Errorf("%s is there twice", base)
		}
		seen[base] = true
		if f.counter != strings.HasSuffix(f.name, "_total") {
			t.Errorf("%s: counters and nothing else end in _total", f.name)
		}
		if !strings.HasSuffix(f.help, ".") {
			t.Errorf("%s: its help is no sentence", f.name)
		}
	}
}

// TestMetricsAreBounded: thousands of tracks and sessions, with names of any kind, make no more series.
func TestMetricsAreBounded(t *testing.T) {
	w := newWorld()
	w.state.Tracks, w.state.Sessions = nil, nil
	for i := range 3000 {
		x := track(fmt.Sprint(i), fmt.Sprintf("ns--%d\xff%s", i, strings.Repeat("y", i)), "live")
		x.Counters.BytesIn, x.Lag.Objects = uint64(i), 1
		w.state.Tracks = append(w.state.Tracks, x)
		w.state.Sessions = append(w.state.Sessions, observe.SessionState{ID: fmt.Sprint(i), Transport: "quic", Draft: "18", Role: "–"})
		w.state.Links = append(w.state.Links, observe.LinkState{URL: fmt.Sprint(i / 2)})
	}
	all := scraped(t, w)
	for name, family := range all {
		if n := len(family.GetMetric()); n > 3*DefaultTracks+3 {
			t.Errorf("%s has %d series", name, n)
		}
	}
	testkit.Equal(t, len(all["oxymoq_track_received_bytes_total"].GetMetric()), DefaultTracks+1)
	testkit.Equal(t, len(all["oxymoq_link_up"].GetMetric()), maxLinks)
	testkit.Equal(t, sample(t, all, "oxymoq_open_sessions", "transport=quic", "draft=18", "role=none"), 3000.0)
	sum := 0.0
	for _, m := range all["oxymoq_track_received_bytes_total"].GetMetric() {
		sum += m.GetCounter().GetValue()
	}
	testkit.Equal(t, sum, 3000.0*2999/2)
}

func TestScrapesAreLimited(t *testing.T) {
	api := New(Config{Source: newWorld()})
	for range MaxScrapes {
		api.metrics.scrapes <- struct{}{}
	}
	resp, body := ask(t, api.Handler(everybody), "GET", "/metrics", "")
	testkit.Equal(t, resp.StatusCode, http.StatusServiceUnavailable)
	testkit.Equal(t, problem(t, resp, body).Code, "busy")
	<-api.metrics.scrapes
	for range 3 { // each gives its place back
		resp, _ = ask(t, api.Handler(everybody), "GET", "/metrics", "")
		testkit.Equal(t, resp.StatusCode, http.StatusOK)
	}
}

func TestMetricsOfNothing(t *testing.T) {
	w := newWorld()
	w.state = observe.State{}
	all := scraped(t, w)
	testkit.Equal(t, sample(t, all, "oxymoq_track_subscribers", "track=other", "scope="), 0.0)
	testkit.Equal(t, all["oxymoq_session_loss_ratio"] == nil, true)
}

// TestMetricsDocument: docs/metrics.md is the table of families.
func TestMetricsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Metrics

Written by ` + "`go test ./pkg/admin -update`" + `; not edited by hand. What they are for, and how to collect them, stands in
[observability.md](observability.md).

` + "`GET /metrics`" + ` of the admin API has these, and those of the Go runtime and of the process (` + "`go_*`, `process_*`" + `). Counters are
since the relay began. Metrics of tracks (with the labels ` + "`track` and `scope`" + `) are of ` + fmt.Sprint(DefaultTracks) + ` tracks at most, or of
` + "`-admin_metric_tracks`" + `; what all others do together has the label ` + "`track=\"" + otherTracks + "\"`" + `.

| metric | type | labels | what it is |
|---|---|---|---|
`)
	for _, f := range families {
		kind := "gauge"
		switch {
		case f.counter:
			kind = "counter"
		case f.histogram != nil:
			kind = "histogram"
		}
		labels := ""
		if len(f.labels) > 0 {
			labels = "`" + strings.Join(f.labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, kind, labels, f.help)
	}
	written(t, "../../docs/metrics.md", b.String())
}

// TestDashboardNamesMetrics: the dashboard of Grafana asks for nothing that is not there, and for most that is.
func TestDashboardNamesMetrics(t *testing.T) {
	content := testkit.Must(os.ReadFile("../../docs/grafana.json"))(t)
	var board struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr string }
			GridPos struct{ X, Y, W, H int }
		}
		Templating struct{ List []struct{ Query any } }
	}
	testkit.NoErr(t, json.Unmarshal(content, &board))
	known := map[string]bool{}
	for name, family := range scraped(t, newWorld()) {
		known[name] = true
		if family.GetType() == dto.MetricType_HISTOGRAM {
			known[name+"_bucket"], known[name+"_count"], known[name+"_sum"] = true, true, true
		}
	}
	names := regexp.MustCompile(`\b(oxymoq|go|process)_[a-z_]+`)
	asked, ids := map[string]bool{}, map[int]bool{}
	check := func(where, expr string) {
		found := names.FindAllString(expr, -1)
		if len(found) == 0 {
			t.Errorf("%s asks for no metric: %s", where, expr)
		}
		for _, name := range found {
			asked[strings.TrimSuffix(name, "_bucket")] = true
			if !known[name] {
				t.Errorf("%s asks for %s, which there is not", where, name)
			}
		}
	}
	for _, p := range board.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q has no id, title or place of its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for _, v := range board.Templating.List {
		if query := fmt.Sprint(v.Query); strings.Contains(query, "label_values") {
			check("a variable", query)
		}
	}
	for _, f := range families {
		if !asked[f.name] {
			t.Logf("not on the dashboard: %s", f.name)
		}
	}
	testkit.Equal(t, len(slices.Collect(maps.Keys(asked))) > len(families)/2, true)
}
