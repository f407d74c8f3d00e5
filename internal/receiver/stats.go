package receiver

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"oxymoq/internal/latency"
	"oxymoq/pkg/media"
)

// Stats tells of each object, and at the end of them all.
type Stats struct {
	// JSON has a line for each object and one for the report, for programs;
	// otherwise the report is for people, and all there is.
	JSON bool
	Out  io.Writer
}

// Report is what a Receiver tells at the end. Times are milliseconds.
type Report struct {
	Tracks []TrackReport `json:"tracks"`
	// FirstPicture is from the SUBSCRIBE of the video to when its first key
	// picture went out; nil if none did.
	FirstPicture *float64 `json:"first_picture_ms"`
	Written      int64    `json:"written_ms"` // of media
	Bytes        int64    `json:"written_bytes"`
	Skew         *int64   `json:"av_skew_ms"`
	Dropped      uint64   `json:"dropped"` // because writing was too slow
	Refused      uint64   `json:"refused"` // samples that FLV cannot have
	Restarts     uint64   `json:"restarts"`
}

// TrackReport is what it tells of a track.
type TrackReport struct {
	TrackStatus
	Latency latency.Report `json:"arrival"`
}

// report makes one.
func (r *Receiver) report(now time.Time) *Report {
	st := r.status(now)
	rep := &Report{
		Written: st.Written, Bytes: st.Bytes, Skew: st.Skew, Dropped: st.Dropped, Refused: st.Refused, Restarts: st.Restarts,
	}
	if r.firstPicture != nil {
		ms := millis(*r.firstPicture)
		rep.FirstPicture = &ms
	}
	for i, s := range r.sources {
		if s.overAt.IsZero() {
			s.recorder.Until(now)
		} else {
			s.recorder.Until(s.overAt)
		}
		rep.Tracks = append(rep.Tracks, TrackReport{st.Tracks[i], s.recorder.Report()})
	}
	return rep
}

// Text is the report for people.
func (rep *Report) Text() string {
	var b strings.Builder
	for _, t := range rep.Tracks {
		fmt.Fprintf(&b, "%s (%s", t.Name, t.Kind)
		if t.Packaging != "" {
			fmt.Fprintf(&b, ", %s", t.Packaging)
		}
		fmt.Fprintf(&b, "): %d written, %d gaps, %d late, %d out of order between the tracks, %d twice, %d before the first key picture, %d not decodable\n",
			t.Written, t.Gaps, t.Late, t.Behind, t.Duplicates, t.Skipped, t.Undecodable)
		for line := range strings.Lines(t.Latency.Text()) {
			b.WriteString("  " + line)
		}
	}
	if rep.FirstPicture != nil {
		fmt.Fprintf(&b, "first picture after %.1f ms\n", *rep.FirstPicture)
	}
	fmt.Fprintf(&b, "written %s, %s of media", size(rep.Bytes), clock(rep.Written))
	if rep.Skew != nil {
		fmt.Fprintf(&b, ", A/V skew %+d ms at the end", *rep.Skew)
	}
	fmt.Fprintf(&b, "; %d dropped, %d refused, %d restarts\n", rep.Dropped, rep.Refused, rep.Restarts)
	return b.String()
}

// line is an object in JSON.
type line struct {
	Track     string   `json:"track"`
	Kind      string   `json:"kind"`
	Packaging string   `json:"packaging"`
	Group     uint64   `json:"group"`
	Object    uint64   `json:"object"`
	PTS       float64  `json:"pts_ms"`
	DTS       float64  `json:"dts_ms"`
	Key       bool     `json:"key"`
	Size      int      `json:"size"`
	Seq       *uint64  `json:"seq,omitempty"`
	Arrival   string   `json:"arrival"`
	Captured  string   `json:"captured,omitempty"`
	Latency   *float64 `json:"latency_ms,omitempty"` // as far as the clocks agree
	Past      bool     `json:"past,omitempty"`       // published before it was asked for
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// object tells of an object.
func (st *Stats) object(s *source, a *arrival, m *media.Sample, past bool) {
	if st == nil || !st.JSON {
		return
	}
	l := line{
		Track: a.name, Kind: s.kind.String(), Packaging: string(s.detector.Name()), Group: a.Group, Object: a.Location.Object,
		PTS: millis(m.PTS), DTS: millis(m.DTS), Key: m.Key, Size: len(a.Payload), Arrival: a.came.Format(time.RFC3339Nano), Past: past,
	}
	if m.HasSeq {
		l.Seq = &m.Seq
	}
	if !m.Captured.IsZero() {
		took := millis(a.came.Sub(m.Captured))
		l.Captured, l.Latency = m.Captured.Format(time.RFC3339Nano), &took
	}
	st.write(l)
}

// write writes a line, to a spool, which never fails.
func (st *Stats) write(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it has nothing that JSON has no form for
	}
	_, _ = st.Out.Write(append(b, '\n'))
}

// end tells how it went.
func (st *Stats) end(rep *Report) {
	switch {
	case st == nil:
	case st.JSON:
		st.write(map[string]*Report{"report": rep})
	default:
		_, _ = io.WriteString(st.Out, rep.Text())
	}
}
