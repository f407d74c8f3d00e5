package catalog

import (
	"errors"
	"fmt"
	"math"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// The names of the tracks that hold catalogs, in the namespace of what they
// describe.
const (
	NameMSF            = "catalog"
	NameHang           = "catalog.json"
	NameHangCompressed = "catalog.json.z"
)

// Limits of what is read.
const (
	// MaxSize is the largest size of a catalog, decompressed, with all its delta
	// updates applied; in bytes.
	MaxSize = 1 << 20
	// MaxTracks is the largest number of tracks.
	MaxTracks = 1024
	// MaxConfig is the largest configuration of a decoder, in bytes.
	MaxConfig = 1 << 16
)

var (
	errSize   = fmt.Errorf("catalog of more than %d bytes", MaxSize)
	errTracks = fmt.Errorf("catalog of more than %d tracks", MaxTracks)
	errName   = errors.New("track without a name")
)

// Catalog is what tracks a publisher has.
type Catalog struct {
	Generated time.Time // zero: not said
	// Complete says that no track will change and none will come (MSF only).
	Complete bool
	Tracks   []Track
}

// Track is one of them.
type Track struct {
	Name      string
	Namespace model.Namespace // nil: that of the catalog
	Packaging string          // see the package's doc
	Role      string          // of MSF, as "video", "audio", "caption"
	Codec     string          // codec string; empty: that of Format, or none
	// Kind is 0 for what is neither video nor audio.
	Kind media.Kind
	// Format is nil where the codec is not one of package media. What the catalog
	// does not say is zero in it, also Config.
	Format      *media.Format
	Bitrate     int64 // the largest, in bits a second; 0: not said
	Live        bool  // objects will still come
	Label       string
	Language    string // as "en" (RFC 5646)
	RenderGroup int    // tracks to be shown together; 0: not said
	AltGroup    int    // tracks of which one is chosen; 0: not said
}

// Find returns the first track of a kind whose packaging is one of those given,
// or nil.
func (c *Catalog) Find(kind media.Kind, packagings ...string) *Track {
	for i := range c.Tracks {
		t := &c.Tracks[i]
		for _, p := range packagings {
			if t.Kind == kind && t.Packaging == p {
				return t
			}
		}
	}
	return nil
}

// Named returns the track of a name in the catalog's own namespace, or nil.
func (c *Catalog) Named(name string) *Track {
	for i := range c.Tracks {
		if t := &c.Tracks[i]; t.Name == name && t.Namespace == nil {
			return t
		}
	}
	return nil
}

// kind tells what a track is by its role, or by its codec where there is none.
func kind(role string, f *media.Format) media.Kind {
	switch {
	case role == "video" || role == "signlanguage":
		return media.Video
	case role == "audio" || role == "audiodescription":
		return media.Audio
	case role == "" && f != nil:
		return f.Codec.Kind()
	}
	return 0
}

// details are what a catalog says of how a track is coded.
type details struct {
	codec         string
	config        []byte
	width, height float64
	frameRate     float64
	sampleRate    float64
	channels      int
}

// format makes a format of what a catalog says; nil if the codec is not known.
// What the configuration says itself is believed rather than the catalog. A
// configuration that cannot be read counts as none (a leniency: the media
// brings it again).
func (d details) format() *media.Format {
	codec, err := media.ParseName(d.codec)
	if err != nil {
		return nil
	}
	f := &media.Format{Codec: codec}
	if n := len(d.config); n > 0 && n <= MaxConfig {
		if g, err := media.ParseFormat(codec, d.config); err == nil {
			f = g
		}
	}
	if f.Name == "" {
		f.Name = d.codec
	}
	if f.Width == 0 && f.Height == 0 {
		f.Width, f.Height = whole(d.width), whole(d.height)
	}
	if f.FrameRate == 0 {
		f.FrameRate = max(d.frameRate, 0)
	}
	if f.SampleRate == 0 {
		f.SampleRate = whole(d.sampleRate)
	}
	if f.Channels == 0 {
		f.Channels = max(d.channels, 0)
	}
	return f
}

// whole returns a number that counts something, 0 if it cannot.
func whole(v float64) int {
	if v >= 0 && v <= math.MaxInt32 {
		return int(v)
	}
	return 0
}

// bits returns a bitrate, 0 if it cannot be one.
func bits(v float64) int64 {
	if v >= 0 && v <= 1<<53 {
		return int64(v)
	}
	return 0
}
