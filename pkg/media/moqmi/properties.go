package moqmi

import (
	"errors"
	"fmt"
	"math"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/media/opus"
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// The properties of an object (draft-cenzano-moq-media-interop-03, section 2;
// those of HEVC stand in a fork of it).
const (
	propMediaType  uint64 = 0x0A
	propOldVideo   uint64 = 0x0B // until 2025; the transport's IMMUTABLE_PROPERTIES since
	propAVCConfig  uint64 = 0x0D // AVCDecoderConfigurationRecord
	propOpus       uint64 = 0x0F
	propText       uint64 = 0x11
	propAAC        uint64 = 0x13
	propVideo      uint64 = 0x15
	propHEVC       uint64 = 0x17
	propHEVCConfig uint64 = 0x19 // HEVCDecoderConfigurationRecord
)

// The values of the media type.
const (
	typeH264 uint64 = 0
	typeOpus uint64 = 1
	typeText uint64 = 2
	typeAAC  uint64 = 3
	typeFour uint64 = 4 // HEVC in the fork, Opus in moxygen
)

// audioInts is the largest number of integers that metadata has.
const audioInts = 7

// MaxMetadata is the number of bytes that metadata can have: as many as its
// integers, each in the longest form.
const MaxMetadata = audioInts * varint.MaxLen

var (
	// ErrNotMoQMi says that an object is not one of MoQMi: it has no media type.
	ErrNotMoQMi = errors.New("not MoQMi: no media type (property 0x0a)")

	errTwice = errors.New("given twice")
)

// A PropertyError is a property of MoQMi that breaks its rules.
type PropertyError struct {
	Type uint64 // of the property
	Err  error
}

func (e *PropertyError) Error() string {
	return fmt.Sprintf("MoQMi property 0x%02x: %v", e.Type, e.Err)
}

func (e *PropertyError) Unwrap() error { return e.Err }

// fields are the properties of one object, by type. What is absent is nil.
type fields struct {
	mediaType model.Opt[uint64]
	values    [propHEVCConfig + 1][]byte
}

// gather sorts a list by type. Types of other specifications are left out.
func gather(props model.Properties) (*fields, error) {
	f := new(fields)
	for _, p := range props {
		switch p.Type {
		case propMediaType:
			if f.mediaType.Set {
				return nil, &PropertyError{p.Type, errTwice}
			}
			f.mediaType = model.Some(p.Int)
		case propOldVideo, propAVCConfig, propOpus, propText, propAAC, propVideo, propHEVC, propHEVCConfig:
			if f.values[p.Type] != nil {
				return nil, &PropertyError{p.Type, errTwice}
			}
			f.values[p.Type] = p.Bytes
			if p.Bytes == nil {
				f.values[p.Type] = []byte{}
			}
		}
	}
	if !f.mediaType.Set {
		return nil, ErrNotMoQMi
	}
	return f, nil
}

// codec says what the object is coded in, and which property has its metadata.
func (f *fields) codec() (c media.Codec, metadata uint64, err error) {
	switch f.mediaType.Value {
	case typeH264:
		c, metadata = media.H264, f.videoProperty()
	case typeOpus:
		c, metadata = media.Opus, propOpus
	case typeAAC:
		c, metadata = media.AAC, propAAC
	case typeFour:
		return f.four()
	case typeText:
		return 0, 0, &PropertyError{propMediaType, errors.New("media type 2 is text")}
	default:
		return 0, 0, &PropertyError{propMediaType, fmt.Errorf("media type %d is not known", f.mediaType.Value)}
	}
	if f.values[metadata] == nil {
		return 0, 0, &PropertyError{metadata, fmt.Errorf("absent, but media type %d needs it", f.mediaType.Value)}
	}
	return c, metadata, nil
}

// four decides what media type 4 is, in which two implementations differ: the
// metadata beside it tells (incompatibility 1 of the package's doc).
func (f *fields) four() (media.Codec, uint64, error) {
	opus, hevc := f.values[propOpus] != nil, f.values[propHEVC] != nil
	switch {
	case opus && !hevc:
		return media.Opus, propOpus, nil
	case hevc && !opus:
		return media.HEVC, propHEVC, nil
	}
	return 0, 0, &PropertyError{propMediaType, errors.New("media type 4 needs the metadata of either Opus (0x0f) or HEVC (0x17)")}
}

// videoProperty decides where the metadata of H.264 stands: at its old number
// only if the new one is absent, for the old one is the transport's own by now
// (incompatibility 2 of the package's doc). Whether its bytes are six integers
// is seen when they are read.
func (f *fields) videoProperty() uint64 {
	if f.values[propVideo] == nil && f.values[propOldVideo] != nil {
		return propOldVideo
	}
	return propVideo
}

// integers reads exactly n integers that take all of b.
func integers(kind varint.Kind, b []byte, n int) ([]uint64, bool) {
	if len(b) > MaxMetadata {
		return nil, false
	}
	r := varint.NewReader(kind, b)
	v := make([]uint64, n)
	for i := range v {
		v[i] = r.Uint()
	}
	return v, r.Err() == nil && r.Len() == 0
}

// layout says where in metadata its integers stand.
type layout struct {
	n         int   // how many there are
	timebase  int   // never 0
	times     []int // counted in timebase
	wallclock int
	// Of audio; 0: none.
	hertz, channels int
}

// The layouts of video (sequence, PTS, DTS, timebase, duration, wallclock) and
// audio (sequence, PTS, timebase, hertz, channels, duration, wallclock).
var (
	videoLayout = layout{n: 6, timebase: 3, times: []int{1, 2, 4}, wallclock: 5}
	audioLayout = layout{n: audioInts, timebase: 2, times: []int{1, 5}, wallclock: 6, hertz: 3, channels: 4}
)

// plausible reports whether all times can be: of a clock no finer than
// nanoseconds, none too large, and each picture decoded near when it is shown;
// and the sound one that can be.
func (l layout) plausible(v []uint64) bool {
	var times []time.Duration
	for _, i := range l.times {
		d, err := elementary.Duration(v[i], v[l.timebase])
		if err != nil {
			return false
		}
		times = append(times, d)
	}
	if l.hertz == 0 && (times[0]-times[1]).Abs() > maxReorder {
		return false
	}
	if l.hertz != 0 && (v[l.hertz] > aac.MaxHertz || v[l.channels] > opus.MaxChannels) {
		return false
	}
	if w := v[l.wallclock]; w != 0 && (w < minWallclock || w > maxWallclock) {
		return false
	}
	return v[l.timebase] <= uint64(time.Second)
}

// minWallclock is the first millisecond of our years, in 2001.
const minWallclock = 1e12

// maxReorder is how far PTS and DTS of a picture may be apart to be believed.
const maxReorder = time.Minute

// maxWallclock is the last millisecond since 1970 that is read, in 2262.
const maxWallclock = math.MaxInt64 / uint64(time.Millisecond)

// flavours reads metadata in which implementations differ about the encoding of
// integers (incompatibility 3 of the package's doc): QUIC's as most write it,
// or the transport's. Values below 64 are alike, and larger ones seldom end at
// the same byte, so mostly one reading takes all bytes. Where both do and differ,
// the one counts that was the only possible one in an earlier object, else the
// one whose times can be, else QUIC's.
type flavours struct {
	known     bool // one was the only possible one
	transport bool
}

// read returns the integers of b.
func (f *flavours) read(b []byte, l layout) ([]uint64, error) {
	quic, isQUIC := integers(varint.QUIC, b, l.n)
	moq, isMoQ := integers(varint.MoQ, b, l.n)
	if !isQUIC && !isMoQ {
		return nil, fmt.Errorf("%d bytes are not %d integers", len(b), l.n)
	}
	isQUIC = isQUIC && quic[l.timebase] != 0
	isMoQ = isMoQ && moq[l.timebase] != 0
	transport := f.transport
	switch {
	case !isQUIC && !isMoQ:
		return nil, errors.New("timebase is 0")
	case isQUIC != isMoQ:
		transport = isMoQ
		f.known, f.transport = true, transport
	case !f.known:
		transport = l.plausible(moq) && !l.plausible(quic)
	}
	if transport {
		return moq, nil
	}
	return quic, nil
}
