package admin

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"oxymoq/pkg/observe"
)

// family is one metric. Exactly one of value, each, track and histogram is set.
type family struct {
	name, help string
	counter    bool
	labels     []string
	value      func(*observe.State) float64
	each       func(*observe.State, emit)
	track      func(series, emit)
	histogram  func(*observe.State) observe.Histogram
}

// emit adds a sample with the values of the labels.
type emit func(value float64, labels ...string)

// trackLabels are those of every metric of tracks.
var trackLabels = []string{"track", "scope"}

// count makes a family of a counter of tracks.
func count(name, help string, place int) family {
	return family{name: name, help: help, counter: true, labels: trackLabels, track: func(s series, out emit) {
		out(float64(s.counts[place]), s.name, s.scope)
	}}
}

// families are all metrics of a relay.
var families = []family{
	{name: "oxymoq_relay_info", help: "Always 1; the labels say which relay it is.", labels: []string{"name", "version"},
		each: func(s *observe.State, out emit) { out(1, s.Relay.Name, s.Relay.Version) }},
	{name: "oxymoq_relay_start_time_seconds", help: "When the relay began, in seconds since 1970.",
		value: func(s *observe.State) float64 { return float64(s.Relay.Began.UnixNano()) / 1e9 }},
	{name: "oxymoq_relay_draining", help: "1 while the relay asks its peers to leave and takes no new ones.",
		value: func(s *observe.State) float64 { return oneIf(s.Relay.Draining) }},

	{name: "oxymoq_open_sessions", help: "Sessions that are open.", labels: []string{"transport", "draft", "role"}, each: sessions},
	{name: "oxymoq_sessions_total", help: "Sessions that were opened.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Counters.SessionsTotal) }},
	{name: "oxymoq_session_round_trip_seconds", help: "Round trips of the open sessions, of which so many are shorter.", labels: []string{"percentile"},
		each: func(s *observe.State, out emit) {
			percentiles(s, out, func(l observe.SessionState) (float64, bool) { return l.Link.RTT.Seconds(), l.Link.RTT > 0 })
		}},
	{name: "oxymoq_session_loss_ratio", help: "Share of packets that the open sessions lost since they began, 0 to 1, of which so many lost less.", labels: []string{"percentile"},
		each: func(s *observe.State, out emit) {
			percentiles(s, out, func(l observe.SessionState) (float64, bool) { return l.Link.Loss(), l.Link.PacketsSent > 0 })
		}},
	{name: "oxymoq_namespaces", help: "Namespaces that are published.",
		value: func(s *observe.State) float64 {
			n := 0
			for _, space := range s.Spaces {
				n += int(oneIf(len(space.Publishers) > 0))
			}
			return float64(n)
		}},
	{name: "oxymoq_known_tracks", help: "Tracks that the relay knows.", labels: []string{"state"}, each: trackStates},
	{name: "oxymoq_tracks_total", help: "Tracks that the relay came to know.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Counters.TracksTotal) }},
	{name: "oxymoq_malformed_tracks_total", help: "Tracks that broke the rules of the draft and were given up.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Counters.MalformedTracks) }},

	{name: "oxymoq_objects_received_total", help: "Objects that publishers sent.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.ObjectsIn) }},
	{name: "oxymoq_received_bytes_total", help: "Bytes of payloads that publishers sent.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.BytesIn) }},
	{name: "oxymoq_objects_sent_total", help: "Objects that went to subscribers.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.ObjectsOut) }},
	{name: "oxymoq_sent_bytes_total", help: "Bytes that went to subscribers, headers of MoQT included.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.BytesOut) }},
	{name: "oxymoq_objects_dropped_total", help: "Objects that a subscriber asked for and did not get.", counter: true, labels: []string{"reason"},
		each: func(s *observe.State, out emit) {
			for r, n := range s.Totals.Dropped {
				out(float64(n), observe.DropReason(r).Label())
			}
		}},
	{name: "oxymoq_delivery_delay_seconds", help: "How long objects stayed in the relay: from arrival to hand-over to the transport.",
		histogram: func(s *observe.State) observe.Histogram { return s.Totals.Delays }},

	{name: "oxymoq_requests_received_total", help: "Requests that peers made.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.RequestsIn) }},
	{name: "oxymoq_requests_sent_total", help: "Requests that the relay made.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.RequestsOut) }},
	{name: "oxymoq_requests_refused_total", help: "Requests that the relay refused.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Totals.Refused) }},
	{name: "oxymoq_requests_forbidden_total", help: "Requests that were refused because the peer may not make them.", counter: true,
		value: func(s *observe.State) float64 { return float64(s.Counters.RequestsForbidden) }},
	{name: "oxymoq_fetches_total", help: "Fetches, by where their objects came from: the cache, or upstream.", counter: true, labels: []string{"source"},
		each: func(s *observe.State, out emit) {
			out(float64(s.Counters.FetchHits), "cache")
			out(float64(s.Counters.FetchMisses), "upstream")
		}},

	{name: "oxymoq_cache_bytes", help: "Bytes that the cache holds, with its own overhead.",
		value: func(s *observe.State) float64 { return float64(s.Cache.Bytes) }},
	{name: "oxymoq_cache_limit_bytes", help: "Bytes that the cache may hold.",
		value: func(s *observe.State) float64 { return float64(s.Cache.Budget) }},
	{name: "oxymoq_cache_groups", help: "Groups in the cache.",
		value: func(s *observe.State) float64 { return float64(s.Cache.Groups) }},
	{name: "oxymoq_cache_tracks", help: "Tracks of which the cache holds anything.",
		value: func(s *observe.State) float64 { return float64(s.Cache.Tracks) }},

	{name: "oxymoq_link_up", help: "1 while the connection to another relay stands.", labels: []string{"url"},
		each: func(s *observe.State, out emit) {
			links(s, func(l observe.LinkState) { out(oneIf(l.State == "up"), l.URL) })
		}},
	{name: "oxymoq_link_round_trip_seconds", help: "Round trip to another relay.", labels: []string{"url"},
		each: func(s *observe.State, out emit) {
			links(s, func(l observe.LinkState) { out(l.RTT.Seconds(), l.URL) })
		}},
	{name: "oxymoq_link_namespaces", help: "Namespaces that another relay tells.", labels: []string{"url"},
		each: func(s *observe.State, out emit) {
			links(s, func(l observe.LinkState) { out(float64(l.Namespaces), l.URL) })
		}},
	{name: "oxymoq_link_tracks", help: "Tracks that come from another relay.", labels: []string{"url"},
		each: func(s *observe.State, out emit) {
			links(s, func(l observe.LinkState) { out(float64(l.Tracks), l.URL) })
		}},
	{name: "oxymoq_link_sessions", help: "Sessions with another relay that were made so far.", labels: []string{"url"},
		each: func(s *observe.State, out emit) {
			links(s, func(l observe.LinkState) { out(float64(l.Sessions), l.URL) })
		}},

	count("oxymoq_track_objects_received_total", "Objects that came for the track.", objectsIn),
	count("oxymoq_track_received_bytes_total", "Bytes of payloads that came for the track.", bytesIn),
	count("oxymoq_track_objects_sent_total", "Objects of the track that went to subscribers.", objectsOut),
	count("oxymoq_track_sent_bytes_total", "Bytes of the track that went to subscribers, headers of MoQT included.", bytesOut),
	count("oxymoq_track_objects_dropped_total", "Objects of the track that a subscriber asked for and did not get.", dropped),
	{name: "oxymoq_track_subscribers", help: "Subscribers of the track.", labels: trackLabels,
		track: func(s series, out emit) { out(float64(s.subscribers), s.name, s.scope) }},
	{name: "oxymoq_track_cache_bytes", help: "Bytes that the cache holds of the track.", labels: trackLabels,
		track: func(s series, out emit) { out(float64(s.bytes), s.name, s.scope) }},
	{name: "oxymoq_track_delay_seconds", help: "How long objects of the track stayed in the relay of late, of which so many stayed shorter. Not for other tracks.",
		labels: append(slices.Clone(trackLabels), "percentile"),
		track: func(s series, out emit) {
			if s.measured {
				out(s.lag.P50.Seconds(), s.name, s.scope, "50")
				out(s.lag.P95.Seconds(), s.name, s.scope, "95")
				out(s.lag.P99.Seconds(), s.name, s.scope, "99")
			}
		}},
}

func oneIf(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// sessions counts by what there are a few of each.
func sessions(s *observe.State, out emit) {
	type kind struct{ transport, draft, role string }
	n := map[kind]int{}
	for _, session := range s.Sessions {
		role := session.Role
		if role != "pub" && role != "sub" && role != "pub+sub" {
			role = "none"
		}
		n[kind{session.Transport, session.Draft, role}]++
	}
	for k, v := range n {
		out(float64(v), k.transport, k.draft, k.role)
	}
}

func trackStates(s *observe.State, out emit) {
	n := map[string]int{"live": 0, "opening": 0, "orphaned": 0, "idle": 0}
	for i := range s.Tracks {
		n[s.Tracks[i].State]++
	}
	for state, v := range n {
		out(float64(v), state)
	}
}

// percentiles emits those of what is known of the open sessions; the 100th is the largest.
func percentiles(s *observe.State, out emit, read func(observe.SessionState) (float64, bool)) {
	var all []float64
	for _, session := range s.Sessions {
		if v, ok := read(session); ok {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	for _, q := range []struct {
		part  float64
		label string
	}{{.5, "50"}, {.95, "95"}, {1, "100"}} {
		out(all[int(math.Ceil(q.part*float64(len(all))))-1], q.label)
	}
}

// maxLinks is how many links have metrics; more are configured nowhere.
const maxLinks = 100

// links calls show for each link, once for each URL.
func links(s *observe.State, show func(observe.LinkState)) {
	seen := map[string]bool{}
	for _, l := range s.Links {
		if !seen[l.URL] && len(seen) < maxLinks {
			seen[l.URL] = true
			show(l)
		}
	}
}

// metrics makes samples of states.
type metrics struct {
	tally   *tally
	descs   []*prometheus.Desc // of families
	process *prometheus.Registry
	scrapes chan struct{} // holds one entry for each scrape
}

func newMetrics(tracks int) *metrics {
	m := &metrics{tally: newTally(tracks), process: prometheus.NewRegistry(), scrapes: make(chan struct{}, MaxScrapes)}
	for _, f := range families {
		m.descs = append(m.descs, prometheus.NewDesc(f.name, f.help, f.labels, nil))
	}
	m.process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// serveMetrics answers with all metrics, of a relay and of its process.
func (a *API) serveMetrics(w http.ResponseWriter, r *http.Request) {
	select {
	case a.metrics.scrapes <- struct{}{}:
		defer func() { <-a.metrics.scrapes }()
	default:
		refuse(w, http.StatusServiceUnavailable, "busy", "The metrics are being told to as many as can be.")
		return
	}
	s, err := a.newest.get(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	own := prometheus.NewRegistry()
	own.MustRegister(scrape{a.metrics, s.State})
	promhttp.HandlerFor(prometheus.Gatherers{own, a.metrics.process}, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
	}).ServeHTTP(w, r)
}

// MaxScrapes is how many scrapes are answered at a time; others are told to come
// again.
const MaxScrapes = 4

// scrape is the Collector of one state.
type scrape struct {
	*metrics
	state *observe.State
}

// Describe is for package prometheus.
func (s scrape) Describe(out chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		out <- d
	}
}

// Collect is for package prometheus.
func (s scrape) Collect(out chan<- prometheus.Metric) {
	tracks := s.tally.look(s.state)
	for i, f := range families {
		kind := prometheus.GaugeValue
		if f.counter {
			kind = prometheus.CounterValue
		}
		sample := func(value float64, labels ...string) {
			for i := range labels {
				labels[i] = strings.ToValidUTF8(labels[i], "�")
			}
			out <- prometheus.MustNewConstMetric(s.descs[i], kind, value, labels...)
		}
		switch {
		case f.value != nil:
			sample(f.value(s.state))
		case f.each != nil:
			f.each(s.state, sample)
		case f.track != nil:
			for _, t := range tracks {
				f.track(t, sample)
			}
		case f.histogram != nil:
			h := f.histogram(s.state)
			buckets := make(map[float64]uint64, len(h.Buckets))
			for _, b := range h.Buckets {
				buckets[b.Below.Seconds()] = b.Count
			}
			out <- prometheus.MustNewConstHistogram(s.descs[i], h.Count, h.Sum.Seconds(), buckets)
		}
	}
}
