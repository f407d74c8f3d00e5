package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"

	"oxymoq/pkg/observe"
	"oxymoq/pkg/tui/draw"
)

// patience is how long a relay may take to answer.
const patience = 5 * time.Second

// printer writes what a relay does where no screen is drawn.
type printer struct {
	source   observe.Source
	out      io.Writer
	log      *slog.Logger
	json     bool
	interval time.Duration

	before *observe.State
	wrong  string // why there was no answer, as the log has it already
}

// run prints until ctx ends or nobody reads any more. Once it prints one state,
// and fails if there is none.
func (p *printer) run(ctx context.Context, once bool) error {
	for first := true; ; first = false {
		s, err := p.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && once:
			return err
		case err != nil:
			p.fail(err)
		case !once || !first: // rates need two states, and namespaces a moment to be found
			if gone, err := p.print(s); gone || err != nil || once {
				return err
			}
		}
		if err == nil {
			p.before, p.wrong = s, ""
		}
		if err := pause(ctx, p.interval); err != nil {
			return err
		}
	}
}

func (p *printer) ask(ctx context.Context) (*observe.State, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %v", patience))
	defer cancel()
	return p.source.State(ctx)
}

// fail tells why there is no state, once.
func (p *printer) fail(err error) {
	if p.wrong != err.Error() {
		p.wrong = err.Error()
		p.log.Warn("the relay does not answer", "because", err)
	}
}

// print writes a state at once. That nobody reads it any more is no failure.
func (p *printer) print(s *observe.State) (gone bool, err error) {
	var b []byte
	if p.json {
		b, err = json.Marshal(s)
		b = append(b, '\n')
	} else {
		b = p.text(s)
	}
	if err == nil {
		_, err = p.out.Write(b)
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return true, nil
	}
	return false, err
}

// text is a line for the relay and one for each track that does anything, the
// busiest first.
func (p *printer) text(s *observe.State) []byte {
	var b bytes.Buffer
	r := p.rates(s)
	at := s.Time.Format("15:04:05")
	fmt.Fprintf(&b, "%s relay %s: %d sessions, %d namespaces, %d tracks, in %s out %s b/s\n",
		at, cmp.Or(draw.Clean(s.Relay.Name), "without a name"), len(s.Sessions), len(s.Spaces), len(s.Tracks), rate(r.of("").in), rate(r.of("").out))
	tracks := slices.Clone(s.Tracks)
	slices.SortStableFunc(tracks, func(x, y observe.TrackState) int {
		return cmp.Compare(r.of(y.ID).both(), r.of(x.ID).both())
	})
	for i := range tracks {
		t := &tracks[i]
		parts := []string{at, "track", t.FullName, t.State, fmt.Sprintf("subs %d", t.Subscribers)}
		if t.Largest != nil {
			parts = append(parts, "at "+t.Largest.String())
		}
		parts = append(parts, "in "+rate(r.of(t.ID).in), "out "+rate(r.of(t.ID).out))
		if t.Lag.Objects > 0 {
			parts = append(parts, "lag "+draw.Lag(t.Lag.P99))
		}
		if t.Media != "" {
			parts = append(parts, draw.Clean(t.Media))
		}
		b.WriteString(strings.Join(parts, " "))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// rate is a number of bits a second; before there are two states it is not known.
func rate(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return draw.SI(v)
}

// flow is what comes and goes, in bits a second.
type flow struct{ in, out float64 }

func (f flow) both() float64 {
	if math.IsNaN(f.in) {
		return 0
	}
	return f.in + f.out
}

// flows are those of tracks by ID; that of the relay has none.
type flows map[string]flow

func (f flows) of(id string) flow {
	if v, ok := f[id]; ok {
		return v
	}
	return flow{math.NaN(), math.NaN()}
}

// rates compares a state with the one before, if both are of the same run of the
// relay.
func (p *printer) rates(s *observe.State) flows {
	all := flows{}
	if p.before == nil || !p.before.Relay.Began.Equal(s.Relay.Began) || !s.Time.After(p.before.Time) {
		return all
	}
	seconds := s.Time.Sub(p.before.Time).Seconds()
	grown := func(was, is uint64) float64 { return float64(is-min(was, is)) * 8 / seconds }
	all[""] = flow{grown(p.before.Totals.BytesIn, s.Totals.BytesIn), grown(p.before.Totals.BytesOut, s.Totals.BytesOut)}
	had := map[string]*observe.TrackSnapshot{}
	for i := range p.before.Tracks {
		had[p.before.Tracks[i].ID] = &p.before.Tracks[i].Counters
	}
	for i := range s.Tracks {
		t := &s.Tracks[i]
		if c := had[t.ID]; c != nil {
			all[t.ID] = flow{grown(c.BytesIn, t.Counters.BytesIn), grown(c.BytesOut, t.Counters.BytesOut)}
		}
	}
	return all
}
