package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"oxymoq/pkg/observe"
)

// Events is what happened after an event's number, oldest first.
type Events struct {
	// Run is that of the numbers: they begin anew with each run of the relay. Who asks
	// with it is told everything of a new run.
	Run     string          `json:"run"`
	Skipped uint64          `json:"skipped"` // events that are not kept any more
	Events  []observe.Event `json:"events"`
}

// Skipped stands between events of a stream where some are not kept any more.
type Skipped struct {
	Skipped uint64 `json:"skipped"`
}

// HeaderRun is the header with Events.Run, for streams.
const HeaderRun = "Oxymoq-Run"

const (
	// Heartbeat is after which time without events a stream shows that it is alive.
	Heartbeat = 15 * time.Second
	// MaxWait is how long an answer may wait for an event.
	MaxWait = time.Minute
	// retryAfter tells browsers when to connect again, in milliseconds.
	retryAfter = "2000"
)

// The types of a stream of events.
const (
	typeSSE    = "text/event-stream"
	typeNDJSON = "application/x-ndjson"
)

// place is up to which event somebody knows of.
type place struct {
	run    string // "": not told
	number uint64
}

// String is the ID of a server-sent event.
func (p place) String() string { return p.run + "." + strconv.FormatUint(p.number, 10) }

// placeOf reads where a client is: the header Last-Event-ID, or after and run in the
// query.
func placeOf(r *http.Request) (p place, err error) {
	q := r.URL.Query()
	run, number := q.Get("run"), q.Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		if before, after, ok := strings.Cut(id, "."); ok {
			run, number = before, after
		} else {
			number = id
		}
	}
	p.run = run
	if number != "" {
		p.number, err = strconv.ParseUint(number, 10, 64)
	}
	return p, err
}

// events answers with Events, or with a stream of them if the client asks for one.
func (a *API) events(w http.ResponseWriter, r *http.Request) {
	at, err := placeOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "after", "The number of the last event that is known is not a number.")
		return
	}
	if at.run != "" && at.run != a.run {
		at.number = 0
	}
	at.run = a.run
	w.Header().Set(HeaderRun, a.run)
	accept := r.Header.Get("Accept")
	switch {
	case strings.Contains(accept, typeSSE):
		a.stream(w, r, at, sse{})
	case strings.Contains(accept, typeNDJSON):
		a.stream(w, r, at, ndjson{})
	default:
		a.batch(w, r, at)
	}
}

// batch answers with what there is, or with what comes within ?wait=20s.
func (a *API) batch(w http.ResponseWriter, r *http.Request, at place) {
	var wait time.Duration
	if s := r.URL.Query().Get("wait"); s != "" {
		var err error
		if wait, err = time.ParseDuration(s); err != nil || wait < 0 || wait > MaxWait {
			refuse(w, http.StatusBadRequest, "wait", "\"wait\" must be a duration such as 20s, of at most a minute.")
			return
		}
	}
	extend(w, wait+WriteTimeout)
	events, skipped, err := a.next(r.Context(), at, wait)
	if err != nil {
		fail(w, err)
		return
	}
	if events == nil {
		events = []observe.Event{}
	}
	answer(w, Events{Run: a.run, Skipped: skipped, Events: events})
}

// next waits for events; none is no error.
func (a *API) next(ctx context.Context, at place, wait time.Duration) ([]observe.Event, uint64, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	events, skipped, err := a.source.Events(waiting, at.number)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, 0, nil
	}
	return events, skipped, err
}

// format writes a stream.
type format interface {
	contentType() string
	begin(b []byte) []byte
	event(b []byte, id place, json []byte) []byte
	skipped(b, json []byte) []byte
	alive(b []byte) []byte
}

// stream writes events as they come, until the client goes or the server ends.
func (a *API) stream(w http.ResponseWriter, r *http.Request, at place, f format) {
	w.Header().Set("Content-Type", f.contentType())
	w.Header().Set("X-Accel-Buffering", "no") // proxies must not wait for more
	out := http.NewResponseController(w)
	b := f.begin(nil)
	for {
		extend(w, WriteTimeout)
		if _, err := w.Write(b); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		events, skipped, err := a.next(r.Context(), at, Heartbeat)
		if err != nil {
			return // the client asks again
		}
		b = b[:0]
		if skipped > 0 {
			b = f.skipped(b, fmt.Appendf(nil, `{"skipped":%d}`, skipped))
		}
		for _, e := range events {
			line, err := json.Marshal(e)
			if err != nil {
				a.log.Error("an event cannot be written as JSON", "event", e.Number, "error", err)
				return
			}
			at.number = e.Number
			b = f.event(b, at, line)
		}
		if len(b) == 0 {
			b = f.alive(b)
		}
	}
}

// sse are server-sent events, as the HTML standard has them in section 9.2.
type sse struct{}

func (sse) contentType() string   { return typeSSE }
func (sse) begin(b []byte) []byte { return append(b, "retry: "+retryAfter+"\n\n"...) }
func (sse) alive(b []byte) []byte { return append(b, ": alive\n\n"...) }

func (sse) event(b []byte, id place, json []byte) []byte {
	b = append(b, "id: "+id.String()+"\ndata: "...)
	return append(append(b, json...), "\n\n"...)
}

func (sse) skipped(b, json []byte) []byte {
	b = append(b, "event: skipped\ndata: "...)
	return append(append(b, json...), "\n\n"...)
}

// ndjson is one JSON object in each line; an empty line shows that the stream is
// alive.
type ndjson struct{}

func (ndjson) contentType() string   { return typeNDJSON }
func (ndjson) begin(b []byte) []byte { return b }
func (ndjson) alive(b []byte) []byte { return append(b, '\n') }

func (ndjson) event(b []byte, _ place, json []byte) []byte {
	return append(append(b, json...), '\n')
}

func (ndjson) skipped(b, json []byte) []byte { return append(append(b, json...), '\n') }
