package catalog

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"oxymoq/pkg/media"
)

// rendition is one track in a catalog of hang: what WebCodecs configures its
// decoder with, and the container.
type rendition struct {
	Codec     string `json:"codec"`
	Container struct {
		Kind string `json:"kind"`
	} `json:"container"`
	Description string  `json:"description,omitempty"` // hexadecimal
	CodedWidth  float64 `json:"codedWidth,omitempty"`
	CodedHeight float64 `json:"codedHeight,omitempty"`
	FrameRate   float64 `json:"framerate,omitempty"`
	SampleRate  float64 `json:"sampleRate,omitempty"`
	Channels    float64 `json:"numberOfChannels,omitempty"`
	Bitrate     float64 `json:"bitrate,omitempty"`
}

// section is the video or the audio of a catalog, by the names of the tracks.
type section struct {
	Renditions map[string]rendition `json:"renditions"`
}

// old is how a section named one track before renditions.
type old struct {
	Track struct {
		Name string `json:"name"`
	} `json:"track"`
	Config *rendition `json:"config"`
}

// UnmarshalJSON accepts the forms that @moq/watch does: renditions, one track,
// or a list of tracks (a leniency: the last two are no longer written).
func (s *section) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		var list []old
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		s.add(list...)
		return nil
	}
	var both struct {
		old
		Renditions map[string]rendition `json:"renditions"`
	}
	if err := json.Unmarshal(b, &both); err != nil {
		return err
	}
	s.Renditions = both.Renditions
	s.add(both.old)
	return nil
}

func (s *section) add(list ...old) {
	if s.Renditions == nil {
		s.Renditions = map[string]rendition{}
	}
	for _, o := range list {
		if o.Config != nil {
			s.Renditions[o.Track.Name] = *o.Config
		}
	}
}

// hangRoot is the root of a catalog.
type hangRoot struct {
	Video *section `json:"video,omitempty"`
	Audio *section `json:"audio,omitempty"`
}

// ParseHang reads a complete catalog of hang. Video comes before audio, each by
// name.
func ParseHang(b []byte) (*Catalog, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("hang catalog: %w", errSize)
	}
	var r hangRoot
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("hang catalog: %w", err)
	}
	c := new(Catalog)
	for _, part := range []struct {
		kind media.Kind
		*section
	}{{media.Video, r.Video}, {media.Audio, r.Audio}} {
		if part.section == nil {
			continue
		}
		if len(c.Tracks)+len(part.Renditions) > MaxTracks {
			return nil, fmt.Errorf("hang catalog: %w", errTracks)
		}
		for _, name := range slices.Sorted(maps.Keys(part.Renditions)) {
			if name == "" {
				return nil, fmt.Errorf("hang catalog: %w", errName)
			}
			c.Tracks = append(c.Tracks, part.Renditions[name].track(name, part.kind))
		}
	}
	return c, nil
}

func (r rendition) track(name string, kind media.Kind) Track {
	config, err := hex.DecodeString(r.Description)
	if err != nil {
		config = nil // a leniency, see details.format
	}
	t := Track{
		Name: name, Packaging: hang, Role: kind.String(), Codec: r.Codec, Kind: kind, Bitrate: bits(r.Bitrate), Live: true,
		Format: details{
			codec: r.Codec, config: config, width: r.CodedWidth, height: r.CodedHeight, frameRate: r.FrameRate,
			sampleRate: r.SampleRate, channels: whole(r.Channels),
		}.format(),
	}
	if k := r.Container.Kind; k != "" && k != legacy {
		t.Packaging = hang + "/" + k
	}
	return t
}

// AppendHang writes a catalog of hang behind b. It fails for tracks of another
// packaging or namespace, of no known codec, and for audio without rate or
// channels.
func AppendHang(b []byte, c *Catalog) ([]byte, error) {
	var r hangRoot
	for i := range c.Tracks {
		t := &c.Tracks[i]
		entry, err := t.rendition()
		if err != nil {
			return b, fmt.Errorf("hang catalog, track %q: %w", t.Name, err)
		}
		part := &r.Audio
		if t.Format.Codec.Kind() == media.Video {
			part = &r.Video
		}
		if *part == nil {
			*part = &section{Renditions: map[string]rendition{}}
		}
		if _, twice := (*part).Renditions[t.Name]; twice {
			return b, fmt.Errorf("hang catalog: two tracks %q", t.Name)
		}
		(*part).Renditions[t.Name] = *entry
	}
	return appendJSON(b, r)
}

func (t *Track) rendition() (*rendition, error) {
	f := t.Format
	switch {
	case t.Name == "":
		return nil, errName
	case t.Packaging != hang:
		return nil, fmt.Errorf("packaging %q is not hang's", t.Packaging)
	case t.Namespace != nil:
		return nil, errors.New("hang knows one namespace only")
	case f == nil:
		return nil, errNoFormat
	}
	r := &rendition{
		Codec: t.Codec, CodedWidth: float64(f.Width), CodedHeight: float64(f.Height), FrameRate: f.FrameRate, Bitrate: float64(t.Bitrate),
	}
	r.Container.Kind = legacy
	if r.Codec == "" {
		r.Codec = f.Name
	}
	r.Codec = inBand(r.Codec)
	if f.Codec == media.AAC {
		r.Description = hex.EncodeToString(f.Config)
	}
	if r.Codec == "" {
		return nil, errNoFormat
	}
	if f.Codec.Kind() == media.Audio {
		if f.SampleRate <= 0 || f.Channels <= 0 {
			return nil, fmt.Errorf("%v with %d Hz and %d channels", f.Codec, f.SampleRate, f.Channels)
		}
		r.SampleRate, r.Channels = float64(f.SampleRate), float64(f.Channels)
	}
	return r, nil
}

// inBand returns the codec string of a track of hang, whose parameter sets come
// with the pictures: hvc1 forbids them there. For H.264 @moq/publish says avc1
// all the same.
func inBand(codec string) string {
	if rest, ok := strings.CutPrefix(codec, "hvc1."); ok {
		return "hev1." + rest
	}
	return codec
}
