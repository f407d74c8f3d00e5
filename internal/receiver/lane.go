package receiver

import (
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// lane is one track in a Timeline.
type lane struct {
	live  bool // samples may come
	since time.Time
	queue []held
	bytes int

	// Of the last sample that came.
	epoch  int // 0: none has come
	at     model.Opt[model.Location]
	seq    model.Opt[uint64]
	dts    time.Duration
	offset time.Duration // of dts from the time that the sample says
	came   time.Time

	lost bool // something may be missing before the next sample

	// Of the last sample that went out.
	began  bool
	out    time.Duration
	shown  time.Duration // when the last one is shown that went out
	step   time.Duration // to the next, as far as is known
	broken bool          // nothing can be decoded before the next key picture

	counts Counts
}

// held is a sample that waits.
type held struct {
	*media.Sample
	epoch int
	dts   time.Duration // in its epoch
	delay time.Duration // from dts to when it is shown
	came  time.Time
	lost  bool // something is missing before it
}

// Counts is what became of the samples of a track.
type Counts struct {
	Written     uint64 `json:"written"`     // went out
	Gaps        uint64 `json:"gaps"`        // places where something is missing
	Late        uint64 `json:"late"`        // dropped: the track had gone on
	Behind      uint64 `json:"behind"`      // went out after later ones of the other track
	Duplicates  uint64 `json:"duplicates"`  // came twice
	Skipped     uint64 `json:"skipped"`     // from before the first key picture
	Undecodable uint64 `json:"undecodable"` // dropped after a loss, up to the next key picture
}

// Dropped is how many samples came and are not in the output, without those
// from before its beginning.
func (c Counts) Dropped() uint64 { return c.Late + c.Undecodable }

// fresh reports whether the sample is one that has not come yet, and notes whether
// something is missing before it, which numbers tell best.
func (l *lane) fresh(at model.Location, s *media.Sample) bool {
	if before, ok := l.at.Get(); ok && at == before {
		l.counts.Duplicates++
		return false
	} else if ok && at.Less(before) {
		l.counts.Late++
		return false
	}
	if seq, ok := l.seq.Get(); ok && s.HasSeq {
		if s.Seq == seq && s.DTS+l.offset == l.dts {
			l.counts.Duplicates++
			return false
		}
		if s.Seq > seq {
			l.lost = s.Seq > seq+1
		}
	}
	if l.lost = l.lost && l.epoch > 0; l.lost {
		l.counts.Gaps++
	}
	return true
}

// unwrap returns the time of the next sample beyond the end of 32 bits.
func (l *lane) unwrap(dts time.Duration) time.Duration {
	if l.epoch > 0 && (dts+l.offset+wrap-l.dts).Abs() <= MaxJump {
		l.offset += wrap
	}
	return dts + l.offset
}

// restarted reports whether the publisher began anew before this sample, which is
// the next of the lane.
func (l *lane) restarted(at model.Location, s *media.Sample, dts time.Duration, came time.Time) bool {
	if before, ok := l.at.Get(); ok && at.Group == before.Group {
		return false // a publisher begins anew with a group
	}
	ahead := dts - l.dts
	seq, ok := l.seq.Get()
	again := ok && s.HasSeq && s.Seq < seq
	return ahead < -MaxBend || again && ahead <= 0 || ahead > MaxJump+max(0, came.Sub(l.came))
}

// push queues the sample.
func (l *lane) push(at model.Location, s *media.Sample, dts time.Duration, came time.Time) {
	delay := s.PTS - s.DTS
	if delay < -wrap/2 { // it is shown after the end of 32 bits and decoded before
		delay += wrap
	}
	l.queue = append(l.queue, held{Sample: s, epoch: l.epoch, dts: dts, delay: delay, came: came, lost: l.lost})
	l.bytes += len(s.Data)
	l.at, l.dts, l.came, l.lost = model.Some(at), dts, came, false
	l.seq = model.Opt[uint64]{}
	if s.HasSeq {
		l.seq = model.Some(s.Seq)
	}
}

func (l *lane) head() *held {
	if len(l.queue) == 0 {
		return nil
	}
	return &l.queue[0]
}

func (l *lane) pop() {
	l.bytes -= len(l.queue[0].Data)
	l.queue[0] = held{}
	l.queue = l.queue[1:]
}

// awaited returns until when a sample that waits should wait for this lane to
// bring an earlier one.
func (l *lane) awaited(h *held, hold time.Duration) time.Time {
	if l.epoch > h.epoch || l.epoch == h.epoch && l.dts >= h.dts {
		return time.Time{} // it cannot
	}
	since := h.came
	if heard := latest(l.since, l.came); heard.Before(since) {
		since = heard // who is silent is not awaited again each time
	}
	return since.Add(hold)
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// drop lets the head go, which cannot be decoded.
func (l *lane) drop() {
	if l.pop(); l.began {
		l.counts.Undecodable++
	} else {
		l.counts.Skipped++
	}
}

// late counts a sample whose time has passed, or lies before the beginning.
func (l *lane) late() {
	if l.began {
		l.counts.Late++
	} else {
		l.counts.Skipped++
	}
}

// advance notes a sample that goes out.
func (l *lane) advance(s *media.Sample) {
	switch {
	case s.Duration > 0:
		l.step = min(s.Duration, maxStep)
	case l.began:
		l.step = min(s.DTS-l.out, maxStep)
	default:
		l.step = defaultStep
	}
	l.began, l.out, l.shown = true, s.DTS, max(l.shown, s.PTS)
}
