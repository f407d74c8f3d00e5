package receiver

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"oxymoq/pkg/media"
)

// Status is how far a Receiver is. Times are milliseconds.
type Status struct {
	Time     time.Time     `json:"time"`
	Tracks   []TrackStatus `json:"tracks"`
	Buffer   int64         `json:"buffer_ms"` // how long the oldest sample has waited
	Hold     int64         `json:"dejitter_ms"`
	Bytes    int64         `json:"written_bytes"`
	Written  int64         `json:"written_ms"` // of media
	Skew     *int64        `json:"av_skew_ms"` // from the last picture's time to the last audio's; nil: not both
	Dropped  uint64        `json:"dropped"`    // because writing was too slow
	Refused  uint64        `json:"refused"`    // samples that FLV cannot have
	Restarts uint64        `json:"restarts"`   // of the publisher

	// The rest is for screens only.

	Connected bool `json:"-"`
	// Transport and Protocol are what carries the session: "quic", "moqt-18".
	Transport    string         `json:"-"`
	Protocol     string         `json:"-"`
	FirstPicture *time.Duration `json:"-"` // from the SUBSCRIBE of the video; nil: none yet
}

// TrackStatus is how far it is with one track.
type TrackStatus struct {
	Name      string `json:"track"`
	Kind      string `json:"kind"`
	Packaging string `json:"packaging,omitempty"`
	State     string `json:"state"`
	Group     uint64 `json:"group"`
	Object    uint64 `json:"object"`
	Lag       *int64 `json:"lag_ms"` // from capture to arrival; nil: nobody says
	Objects   uint64 `json:"objects"`
	Broken    uint64 `json:"broken"` // objects that are no samples
	Counts

	// The rest is for screens only.

	Receiving bool          `json:"-"` // State is that
	In        uint64        `json:"-"` // bytes of the samples that came
	Held      time.Duration `json:"-"` // for how long objects were held back in all, for the sake of order
	Freezes   uint64        `json:"-"` // times without an object that were too long
	Longest   time.Duration `json:"-"` // of those
}

var stateNames = map[state]string{
	asking: "asked for", had: "receiving", absent: "absent", ending: "ending", ended: "ended",
}

// status takes a Status.
func (r *Receiver) status(now time.Time) *Status {
	st := &Status{
		Time: now, Hold: r.Hold.Milliseconds(), Bytes: r.sink.Written(),
		Buffer: r.timeline.Waiting(now).Milliseconds(), Restarts: r.timeline.Restarts(),
	}
	st.Dropped, st.Refused = r.out.Dropped()
	if r.firstPicture != nil {
		st.FirstPicture = new(*r.firstPicture)
	}
	if r.session != nil {
		x := r.session.Stats()
		st.Connected, st.Transport, st.Protocol = x.Connected, x.Transport, x.Protocol
	}
	for _, s := range r.sources {
		t := TrackStatus{
			Name: s.name(), Kind: s.kind.String(), State: stateNames[s.state], Group: s.last.at.Group, Object: s.last.at.Object,
			Objects: s.objects, Broken: s.broken, Counts: r.timeline.Counts(s.kind), Receiving: s.state == had, Held: s.held,
		}
		b := s.recorder.Brief()
		t.In, t.Freezes = b.Bytes, b.Freezes.Count
		t.Longest = time.Duration(b.Freezes.Longest * float64(time.Millisecond))
		if s.detector != nil {
			t.Packaging = string(s.detector.Name())
		}
		if s.last.captured {
			lag := s.last.lag.Milliseconds()
			t.Lag = &lag
		}
		st.Tracks = append(st.Tracks, t)
	}
	video, some := r.timeline.At(media.Video)
	audio, too := r.timeline.At(media.Audio)
	if some && too {
		skew := (video - audio).Milliseconds()
		st.Skew = &skew
	}
	st.Written = max(video, audio).Milliseconds()
	return st
}

// Line is the status for people.
func (st *Status) Line() string {
	var b strings.Builder
	b.WriteString(st.Time.Format("15:04:05"))
	b.WriteString(" moqflvreceiver")
	for _, t := range st.Tracks {
		fmt.Fprintf(&b, "  %s", t.Name)
		if t.Objects == 0 {
			fmt.Fprintf(&b, " %s", t.State)
			continue
		}
		fmt.Fprintf(&b, " group=%d obj=%d", t.Group, t.Object)
		if t.Lag != nil {
			fmt.Fprintf(&b, " lag=%dms", *t.Lag)
		}
		fmt.Fprintf(&b, " gaps=%d late=%d", t.Gaps, t.Late+t.Behind)
		if t.State != stateNames[had] {
			fmt.Fprintf(&b, " (%s)", t.State)
		}
	}
	fmt.Fprintf(&b, "  buffer=%d/%dms written=%s time=%s", st.Buffer, st.Hold, size(st.Bytes), clock(st.Written))
	if st.Skew != nil {
		fmt.Fprintf(&b, " skew=%+dms", *st.Skew)
	}
	if n := st.Dropped + st.Refused; n > 0 {
		fmt.Fprintf(&b, " dropped=%d", n)
	}
	return b.String()
}

// JSON is the status for programs, in one line.
func (st *Status) JSON() []byte {
	b, err := json.Marshal(st)
	if err != nil {
		panic(err) // it has nothing that JSON has no form for
	}
	return append(b, '\n')
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%dB", n)
	case n < 10<<20:
		return fmt.Sprintf("%.1fKiB", float64(n)/(1<<10))
	case n < 10<<30:
		return fmt.Sprintf("%.1fMiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1fGiB", float64(n)/(1<<30))
}

// clock writes milliseconds as hours, minutes and seconds.
func clock(ms int64) string {
	s := ms / 1000
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
