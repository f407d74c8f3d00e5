package quictr

import (
	"context"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	http3qlog "github.com/quic-go/quic-go/http3/qlog"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
	"github.com/quic-go/quic-go/qlogwriter/jsontext"

	"oxymoq/pkg/transport"
)

// schemas are those of the events that quic-go records: of QUIC, and of HTTP/3
// where that is spoken.
var schemas = []string{qlog.EventSchema, http3qlog.EventSchema}

// tracer is t for quic-go.
func tracer(t transport.Tracer) func(context.Context, bool, quic.ConnectionID) qlogwriter.Trace {
	if t == nil {
		return nil
	}
	return func(_ context.Context, client bool, id quic.ConnectionID) qlogwriter.Trace {
		to := t(transport.TraceStart{Client: client, ID: id.String(), Schemas: schemas})
		if to == nil {
			return nil
		}
		return &trace{to: to}
	}
}

// TraceOf returns where the events of q go, nil if it is not traced.
func TraceOf(q *quic.Conn) transport.Trace {
	if t, ok := q.QlogTrace().(*trace); ok {
		return t.to
	}
	return nil
}

// trace is a transport.Trace for quic-go. The parts of quic-go that have
// something to say, QUIC and HTTP/3, are its producers; it ends with the last.
type trace struct {
	to        transport.Trace
	producers atomic.Int64

	// Of the goroutine that formats events.
	w   io.Writer
	enc *jsontext.Encoder // on w
}

// encode formats an event. The encoder is kept: making one costs more than the
// event.
func (t *trace) encode(e qlogwriter.Event, w io.Writer, at time.Time) error {
	if t.enc == nil || t.w != w {
		t.w, t.enc = w, jsontext.NewEncoder(w)
	}
	err := e.Encode(t.enc, at)
	if err != nil {
		t.enc = nil // it is within an object
	}
	return err
}

func (t *trace) SupportsSchemas(schema string) bool {
	return slices.Contains(schemas, schema)
}

func (t *trace) AddProducer() qlogwriter.Recorder {
	t.producers.Add(1)
	return &recorder{t: t}
}

// recorder is one producer.
type recorder struct {
	t      *trace
	closed atomic.Bool
}

// RecordEvent implements qlogwriter.Recorder: quic-go does not change an event
// after that.
func (r *recorder) RecordEvent(e qlogwriter.Event) {
	r.t.to.Event(e.Name(), func(w io.Writer, at time.Time) error {
		return r.t.encode(e, w, at)
	})
}

func (r *recorder) Close() error {
	if !r.closed.Swap(true) && r.t.producers.Add(-1) == 0 {
		r.t.to.Close()
	}
	return nil
}

var (
	_ qlogwriter.Trace    = (*trace)(nil)
	_ qlogwriter.Recorder = (*recorder)(nil)
)
