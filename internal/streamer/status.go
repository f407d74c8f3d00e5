package streamer

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"oxymoq/pkg/media"
)

// Status is how far a Streamer is: what it has published since it began, and how
// fast since the Status before.
type Status struct {
	Time time.Time `json:"time"`
	// Media is how much media time was published, in seconds.
	Media float64 `json:"media_s"`
	// Percent is how much of a file was read.
	Percent *float64 `json:"percent,omitempty"`
	// Pace is media time by real time.
	Pace float64 `json:"pace"`
	// Lag is how late the last sample was published, in milliseconds.
	Lag float64 `json:"lag_ms"`
	// Dropped counts samples of the input that were not published.
	Dropped   uint64        `json:"dropped"`
	Connected bool          `json:"connected"`
	Tracks    []TrackStatus `json:"tracks"`
	// Done says that it is the last one.
	Done bool `json:"done"`

	// The rest is for screens only.

	// Transport and Protocol are what carries the session: "quic", "moqt-18".
	Transport string `json:"-"`
	Protocol  string `json:"-"`
	Paused    bool   `json:"-"`
	// Skew is how far the video is before the audio; nil unless there are both.
	Skew *time.Duration `json:"-"`
}

// TrackStatus is the part of a Status for one track.
type TrackStatus struct {
	Name        string `json:"name"`
	Codec       string `json:"codec"`
	Groups      uint64 `json:"groups"`
	Objects     uint64 `json:"objects"`
	Bytes       uint64 `json:"bytes"`
	Dropped     uint64 `json:"dropped"`
	Subscribers int    `json:"subscribers"`
	// Group and Object are the place of the last object.
	Group  uint64 `json:"group"`
	Object uint64 `json:"object"`
	// BitRate is in bits a second of real time.
	BitRate float64 `json:"bits_per_second"`

	// The rest is for screens only.

	Format *media.Format `json:"-"` // nil before the first object
	// Every is how much media time the last group had.
	Every time.Duration `json:"-"`
	// KeptGroups and KeptBytes are what is kept for who comes late.
	KeptGroups int64 `json:"-"`
	KeptBytes  int64 `json:"-"`
	// Unsent counts objects that subscribers did not get.
	Unsent uint64 `json:"-"`
	// SendLag is how long objects stay until they are handed to the transport,
	// in 99 of 100 cases; nil if there were none of late.
	SendLag *time.Duration `json:"-"`
}

// Status returns how far the Streamer is. It may be called while Run runs, and
// after.
func (s *Streamer) Status() Status {
	s.mu.Lock()
	st := Status{Time: time.Now(), Media: s.elapsed.Seconds(), Lag: float64(s.pace.lag().Microseconds()) / 1000}
	st.Dropped = s.left
	input, outputs, session := s.input, s.outputs, s.session
	s.mu.Unlock()
	if input != nil {
		if part, ok := input.Progress(); ok {
			percent := 100 * part
			st.Percent = &percent
		}
	}
	st.Paused = s.gate.closed()
	if session != nil {
		x := session.Stats()
		st.Connected, st.Transport, st.Protocol = x.Connected, x.Transport, x.Protocol
	}
	last := map[media.Kind]time.Duration{}
	st.Tracks = make([]TrackStatus, 0, len(outputs))
	for _, o := range outputs {
		c := o.counts()
		st.Dropped += c.Dropped
		n := o.newest()
		if n.format != nil {
			last[o.kind] = n.dts
		}
		log := o.writer.Counters()
		t := TrackStatus{
			Name: o.name, Codec: c.Codec, Groups: c.Groups, Objects: c.Objects, Bytes: c.Bytes, Dropped: c.Dropped,
			Subscribers: int(log.Subscribers), Group: c.Group, Object: c.Object,
			Format: n.format, Every: n.every, KeptGroups: log.LogGroups, KeptBytes: log.LogBytes, Unsent: log.Dropped.Total(),
		}
		if lag := o.writer.Lag(); lag.Objects > 0 {
			t.SendLag = &lag.P99
		}
		st.Tracks = append(st.Tracks, t)
	}
	if video, ok := last[media.Video]; ok {
		if audio, both := last[media.Audio]; both {
			st.Skew = new(video - audio)
		}
	}
	return st
}

// since fills in what is counted from an earlier Status on.
func (st *Status) since(before Status) {
	took := st.Time.Sub(before.Time).Seconds()
	if took <= 0 {
		return
	}
	st.Pace = (st.Media - before.Media) / took
	for i := range st.Tracks {
		t := &st.Tracks[i]
		var bytes uint64
		for _, b := range before.Tracks {
			if b.Name == t.Name {
				bytes = b.Bytes
			}
		}
		t.BitRate = float64(t.Bytes-bytes) * 8 / took
	}
}

// JSON returns the Status as one line, without its end.
func (st *Status) JSON() string {
	b, err := json.Marshal(st)
	if err != nil { // of numbers and text it cannot fail, unless a rate is infinite
		return fmt.Sprintf(`{"error":%q}`, err)
	}
	return string(b)
}

// Line returns the Status in words, on one line.
func (st *Status) Line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s moqflvstreamer %s", st.Time.Format(time.TimeOnly), clockTime(st.Media))
	if st.Percent != nil {
		fmt.Fprintf(&b, " %.0f%%", *st.Percent)
	}
	for _, t := range st.Tracks {
		fmt.Fprintf(&b, " | %s groups=%d obj=%d %s subs=%d", t.Name, t.Groups, t.Object, rate(t.BitRate), t.Subscribers)
	}
	if len(st.Tracks) > 0 {
		fmt.Fprintf(&b, " | lag=%.0fms dropped=%d pace=%.2fx", st.Lag, st.Dropped, st.Pace)
	}
	if !st.Connected {
		b.WriteString(" not connected")
	}
	return b.String()
}

// Summary returns what was done in all.
func (st *Status) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "published %s", clockTime(st.Media))
	for i, t := range st.Tracks {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%s %d objects in %d groups, %.1f MB", sep, t.Name, t.Objects, t.Groups, float64(t.Bytes)/1e6)
	}
	fmt.Fprintf(&b, "; %d dropped", st.Dropped)
	return b.String()
}

// clockTime writes seconds as hours, minutes and seconds.
func clockTime(seconds float64) string {
	n := int(seconds)
	return fmt.Sprintf("%02d:%02d:%02d", n/3600, n/60%60, n%60)
}

// rate writes bits in a second.
func rate(bits float64) string {
	if bits >= 1e6 {
		return fmt.Sprintf("%.2fMb/s", bits/1e6)
	}
	return fmt.Sprintf("%.0fkb/s", bits/1e3)
}
