package elementary

import (
	"fmt"
	"slices"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/h264"
)

// The limits of what is assumed of reordering.
const (
	// MaxReorder is the largest number of pictures that may come before one that
	// is shown earlier: what the buffers of H.264 and HEVC can hold.
	MaxReorder = 16
	// UnknownReorder is what is assumed of a stream that may reorder and does not
	// say how far: enough for two levels of B-pictures.
	UnknownReorder = 4
	// UnknownPicture is how long a picture is shown if nobody says: 1/30 s.
	UnknownPicture = time.Second / 30
)

// An OrderError is a picture that is shown before one that was decoded earlier,
// further back than the stream said it would be. The next ones are given more
// room.
type OrderError struct{ PTS, DTS time.Duration }

func (e *OrderError) Error() string {
	return fmt.Sprintf("picture at %v comes after one decoded at %v: it is reordered further than the stream says", e.PTS, e.DTS)
}

// Order makes decode times of the times at which pictures are shown, given in
// the order of decoding. The zero value is ready.
//
// Where at most d pictures come before one that is shown earlier, the order of
// showing is settled but for the last d+1, so the decode time of a picture is
// the least of the last d+1 times: never after its own, and never going back.
// The first d pictures have no settled time and are put one picture apart before
// it, which may be before the origin. d is num_reorder_frames of the SPS, 0 for
// the baseline profile, AV1 and audio, else UnknownReorder.
//
// At a key picture after a hole all begins anew: times of before the hole would
// put its decoding far too early. A key picture that is shown before what was
// decoded is a new start of the publisher; only there do decode times go back.
type Order struct {
	format  *media.Format // of which depth and picture are
	depth   int
	picture time.Duration   // how long one is shown
	window  []time.Duration // ascending: the times that are not settled, at most depth
	last    time.Duration   // DTS of the picture before
	begun   bool            // last is set
}

// DTS returns when the next picture in the order of decoding is decoded, at or
// before its pts. It fails with *OrderError if no time fits. Times are at most
// MaxTime.
func (o *Order) DTS(pts time.Duration, f Frame) (time.Duration, error) {
	if f.Format.Codec.Kind() != media.Video {
		return pts, nil
	}
	o.adopt(f.Format)
	if f.Key && o.begun {
		o.continues(pts)
	}
	if o.begun && pts < o.last {
		err := &OrderError{PTS: pts, DTS: o.last}
		o.deepen(pts)
		return 0, err
	}
	at, _ := slices.BinarySearch(o.window, pts)
	o.window = slices.Insert(o.window, at, pts)
	dts := o.window[0]
	if missing := o.depth + 1 - len(o.window); missing > 0 {
		dts = o.before(dts, missing)
	} else {
		o.window = slices.Delete(o.window, 0, 1)
	}
	o.begun, o.last = true, dts
	return dts, nil
}

// before returns the time n pictures before the first that is to be shown, or
// what room there is after the last decode time, shared with those to come.
func (o *Order) before(first time.Duration, n int) time.Duration {
	dts := first - time.Duration(n)*o.picture
	if o.begun && dts < o.last {
		dts = o.last + (first-o.last)/time.Duration(n+1)
	}
	return dts
}

// adopt takes the depth of a new format.
func (o *Order) adopt(f *media.Format) {
	if o.format == f {
		return
	}
	o.picture = UnknownPicture
	if f.FrameRate > 1/maxPicture.Seconds() {
		o.picture = max(time.Duration(float64(time.Second)/f.FrameRate), time.Microsecond)
	}
	if o.format == nil || !o.format.Same(f) {
		o.settle(reorder(f))
	}
	o.format = f
}

// settle changes the depth: the least of the times that are then too many are
// forgotten.
func (o *Order) settle(depth int) {
	o.depth = depth
	if n := len(o.window) - depth; n > 0 {
		o.window = slices.Delete(o.window, 0, n)
	}
}

// continues asks whether a key picture goes on from the pictures before, and
// forgets them if not.
func (o *Order) continues(pts time.Duration) {
	switch {
	case pts < o.last: // a new start
		o.window, o.begun = o.window[:0], false
		o.settle(reorder(o.format))
	case pts-o.last > 2*time.Duration(o.depth+1)*o.picture: // a hole
		o.window = o.window[:0]
	}
}

// deepen gives the stream room for one picture more, if it can be that a picture
// was reordered so far.
func (o *Order) deepen(pts time.Duration) {
	if o.depth < MaxReorder && o.last-pts < MaxReorder*o.picture {
		o.depth++
	}
}

// maxPicture is the longest that a picture is believed to be shown.
const maxPicture = 10 * time.Second

// reorder returns how many pictures of a format may come before one that is
// shown earlier.
func reorder(f *media.Format) int {
	switch f.Codec {
	case media.H264:
		c, err := h264.ParseConfig(f.Config)
		if err != nil {
			return UnknownReorder
		}
		sps, err := c.ParseSPS()
		switch {
		case err != nil || sps == nil:
			return UnknownReorder
		case sps.ReorderFrames >= 0:
			return min(sps.ReorderFrames, MaxReorder)
		case sps.Profile == baseline:
			return 0
		}
		return UnknownReorder
	case media.HEVC:
		return UnknownReorder
	}
	return 0
}

// baseline is the profile_idc without B-pictures (ISO/IEC 14496-10 annex A.2.1).
const baseline = 66
