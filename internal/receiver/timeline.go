package receiver

import (
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// Limits of a Timeline.
const (
	// DefaultHold is how long a sample waits for one of the other track that
	// may come before it.
	DefaultHold = 300 * time.Millisecond
	// KeyPatience is how long audio waits for the first key picture of a video
	// track that exists. Groups of pictures are rarely longer.
	KeyPatience = 5 * time.Second
	// MaxHeld and MaxHeldBytes are how many samples, and bytes of them, wait at
	// most. Beyond that the first goes out, whatever may come.
	MaxHeld      = 4096
	MaxHeldBytes = 64 << 20
	// MaxJump is how far the times of a track may run ahead of the clock from
	// one sample to the next. Beyond it the publisher has begun anew.
	MaxJump = 30 * time.Second
	// MaxBend is how far a time may go back in a new group without meaning that
	// the publisher has begun anew. Such a sample is moved behind the one before.
	MaxBend = 100 * time.Millisecond
	// defaultStep stands for the distance between samples where there was only
	// one, and maxStep is the longest that is believed.
	defaultStep = 20 * time.Millisecond
	maxStep     = time.Second
)

const (
	// tick is the unit of the output's times: FLV counts milliseconds.
	tick = time.Millisecond
	// wrap is where times end that are milliseconds in 32 bits, as in FLV.
	wrap = (1 << 32) * time.Millisecond
)

// Timeline merges the video and the audio of a publisher into one sequence that
// begins at 0. Within a track the order is that of the objects; between tracks
// that of the decoding times.
//
// A sample goes out as soon as no earlier one can come. If the other track may
// bring one it waits for that, no longer than Hold. Video begins at a key
// picture, and audio from before that is dropped. After a loss video goes on at
// the next key picture; what is lost stays a hole.
//
// When the times go back or jump the publisher has begun anew. Both tracks then go
// on right after the last time, moved by the same amount, so that they stay in
// step. An epoch is what lies between two such beginnings.
//
// A Timeline is pure: it has no goroutine and no clock, and is for one goroutine
// at a time.
type Timeline struct {
	hold time.Duration
	emit func(*media.Sample)

	lanes    [2]lane
	newest   int           // epoch of which a sample has come
	epoch    int           // that goes out; 0: none yet
	start    time.Duration // where it began in the output
	shift    time.Duration // from the times of the epoch to those of the output
	deadline time.Time
	restarts uint64
}

// NewTimeline returns one that gives emit copies of the samples, with their new
// times, in order. A sample waits at most hold for the other track.
func NewTimeline(hold time.Duration, emit func(*media.Sample)) *Timeline {
	t := &Timeline{hold: hold, emit: emit}
	t.lane(media.Video).broken = true
	return t
}

func (t *Timeline) lane(k media.Kind) *lane { return &t.lanes[k-media.Video] }

// other returns the lane that is not l.
func (t *Timeline) other(l *lane) *lane {
	if l == &t.lanes[0] {
		return &t.lanes[1]
	}
	return &t.lanes[0]
}

// Open says that samples of a track may come from now on, also if that was so before
// and nothing has come for a while.
func (t *Timeline) Open(k media.Kind, now time.Time) {
	l := t.lane(k)
	l.live, l.since = true, now
	t.pump(now, false)
}

// Close says that no samples of a track come for now. Nothing waits for it.
func (t *Timeline) Close(k media.Kind, now time.Time) {
	t.lane(k).live = false
	t.pump(now, false)
}

// Beyond reports whether a sample of a later location than that has come.
func (t *Timeline) Beyond(k media.Kind, at model.Location) bool {
	last, ok := t.lane(k).at.Get()
	return ok && at.Less(last)
}

// Lose says that something of a track may be missing before its next sample. If the
// samples have numbers, those tell.
func (t *Timeline) Lose(k media.Kind) { t.lane(k).lost = true }

// Renew says that the next sample of a track may have any location: the track
// began anew.
func (t *Timeline) Renew(k media.Kind) {
	l := t.lane(k)
	l.lost = true
	l.at, l.seq = model.Opt[model.Location]{}, model.Opt[uint64]{}
}

// Add takes a sample of a track, where it was there, and when it came, from when
// on it waits. It reports whether something is missing before it.
func (t *Timeline) Add(k media.Kind, at model.Location, s *media.Sample, came, now time.Time) (gap bool) {
	l := t.lane(k)
	if !l.fresh(at, s) {
		return false
	}
	gap = l.lost
	dts := l.unwrap(s.DTS)
	switch {
	case l.epoch == 0:
		t.newest = max(t.newest, 1)
		l.epoch = t.newest
	case l.restarted(at, s, dts, came):
		dts = s.DTS
		t.restart(l, dts)
	}
	l.push(at, s, dts, came)
	for t.heldTooMuch() && t.step(now, true) { //nolint:revive // the condition does the work
	}
	t.pump(now, false)
	return gap
}

func (t *Timeline) heldTooMuch() bool {
	a, b := &t.lanes[0], &t.lanes[1]
	return len(a.queue)+len(b.queue) > MaxHeld || a.bytes+b.bytes > MaxHeldBytes
}

// restart puts a lane into the newest epoch if its times fit there, and otherwise
// into a new one.
func (t *Timeline) restart(l *lane, dts time.Duration) {
	o := t.other(l)
	if l.epoch == t.newest || o.epoch != t.newest || (dts-o.dts).Abs() > MaxJump {
		t.newest++
		t.restarts++
	}
	l.epoch, l.offset = t.newest, 0
}

// Expire gives out what has waited long enough at the time now.
func (t *Timeline) Expire(now time.Time) { t.pump(now, false) }

// Deadline returns when Expire has something to do; zero means never.
func (t *Timeline) Deadline() time.Time { return t.deadline }

// Flush gives out all that waits. Nothing more is awaited for it.
func (t *Timeline) Flush(now time.Time) { t.pump(now, true) }

// Counts returns what became of the samples of a track so far.
func (t *Timeline) Counts(k media.Kind) Counts { return t.lane(k).counts }

// Restarts returns how often the publisher began anew.
func (t *Timeline) Restarts() uint64 { return t.restarts }

// At returns the time of the last sample of a track that went out; ok is false
// if none has.
func (t *Timeline) At(k media.Kind) (at time.Duration, ok bool) {
	l := t.lane(k)
	return l.out, l.began
}

// Waiting returns since when the sample that came first of those that wait has
// waited at the time now; 0 if none waits.
func (t *Timeline) Waiting(now time.Time) (d time.Duration) {
	for i := range t.lanes {
		if h := t.lanes[i].head(); h != nil {
			d = max(d, now.Sub(h.came))
		}
	}
	return d
}

func (t *Timeline) pump(now time.Time, force bool) {
	t.deadline = time.Time{}
	for t.step(now, force) { //nolint:revive // the condition does the work
	}
}

// wait notes when to look again, and reports whether that lies ahead.
func (t *Timeline) wait(now, until time.Time, force bool) bool {
	if force || !until.After(now) {
		return false
	}
	if t.deadline.IsZero() || until.Before(t.deadline) {
		t.deadline = until
	}
	return true
}

// first returns the lane whose head is next, nil if nothing waits.
func (t *Timeline) first() *lane {
	a, b := &t.lanes[0], &t.lanes[1]
	x, y := a.head(), b.head()
	switch {
	case x == nil && y == nil:
		return nil
	case y == nil, x != nil && (x.epoch < y.epoch || x.epoch == y.epoch && x.dts <= y.dts):
		return a
	}
	return b
}

// step lets one sample go, out or away, or an epoch begin, and reports whether it
// did.
func (t *Timeline) step(now time.Time, force bool) bool {
	l := t.first()
	if l == nil {
		return false
	}
	h, o := l.head(), t.other(l)
	switch {
	case h.epoch > t.epoch:
		return t.begin(l, now, force)
	case h.dts+t.shift <= t.start: // what lies before it is not wanted
	case o.head() == nil && o.live && t.wait(now, o.awaited(h, t.hold), force):
		return false
	}
	t.release(l)
	return true
}

// begin begins the epoch of the head of l, which comes after the present one, or
// drops what cannot begin it.
func (t *Timeline) begin(l *lane, now time.Time, force bool) bool {
	video, audio := t.lane(media.Video), t.lane(media.Audio)
	first, o := l.head(), t.other(l)
	epoch := first.epoch
	v := video.head()
	if v != nil && v.epoch != epoch {
		v = nil
	}
	switch {
	case v != nil && !v.Key:
		video.drop()
		return true
	case o.live && o.began && o.epoch < epoch && t.wait(now, first.came.Add(t.hold), force):
		return false // the end of the epoch before may still come
	case v != nil:
		for a := audio.head(); a != nil && a.epoch == epoch && a.dts < v.dts; a = audio.head() {
			audio.pop()
			audio.counts.Skipped++
		}
		first = v
	case video.live && video.epoch <= epoch && t.wait(now, first.came.Add(KeyPatience), force):
		return false
	}
	t.start = 0
	for i := range t.lanes {
		if l := &t.lanes[i]; l.began {
			// What was cut off may be shown later than it is decoded.
			t.start = max(t.start, l.out+l.step, l.shown+l.step-max(0, first.delay))
		}
	}
	t.epoch, t.shift = epoch, t.start-first.dts
	video.broken = true
	return true
}

// release gives out the head of a lane, unless it cannot be decoded or its time
// has passed.
func (t *Timeline) release(l *lane) {
	h, video := *l.head(), l == t.lane(media.Video)
	if l.broken = video && (l.broken || h.lost) && !h.Key; l.broken {
		l.drop()
		return
	}
	l.pop()
	dts := h.dts + t.shift
	floor := t.start
	if l.began {
		floor = l.out.Round(tick) + tick
	}
	if dts < floor {
		if floor-dts > MaxBend || !video && !l.began {
			l.broken = video
			l.late()
			return
		}
		dts, h.delay = floor, max(0, dts+h.delay-floor)
	}
	s := *h.Sample
	s.DTS, s.PTS = dts, max(0, dts+h.delay)
	if !video {
		s.PTS = dts
	}
	if o := t.other(l); o.began && dts < o.out {
		l.counts.Behind++
	}
	l.counts.Written++
	l.advance(&s)
	t.emit(&s)
}
