package catalog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/elementary"
	"oxymoq/pkg/model"
)

// Version is the version of MSF that is written.
const Version = "draft-01"

// A VersionError is a catalog of a version of MSF that is not understood.
type VersionError struct{ Version string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("MSF catalog of version %s; draft-00 and draft-01 are understood", e.Version)
}

// fields are a JSON object of which some fields are read.
type fields map[string]json.RawMessage

// root is the root of a catalog that is complete (section 5.1).
type root struct {
	Version      json.RawMessage `json:"version"`
	GeneratedAt  float64         `json:"generatedAt"`
	IsComplete   bool            `json:"isComplete"`
	Tracks       []fields        `json:"tracks"`
	InitDataList []initData      `json:"initDataList"`
}

// initData is an entry of the initialization data list (section 5.1.7).
type initData struct {
	ID   string `json:"id"`
	Type string `json:"type"` // inline: Data is base64
	Data string `json:"data"`
}

// msfTrack is a track object (section 5.2), as far as it is understood. Field
// order is that of writing.
type msfTrack struct {
	Name          string   `json:"name"`
	Namespace     string   `json:"namespace,omitempty"`
	Packaging     string   `json:"packaging"`
	IsLive        *bool    `json:"isLive,omitempty"`
	Role          string   `json:"role,omitempty"`
	Label         string   `json:"label,omitempty"`
	RenderGroup   int      `json:"renderGroup,omitempty"`
	AltGroup      int      `json:"altGroup,omitempty"`
	InitRef       string   `json:"initRef,omitempty"`
	InitData      string   `json:"initData,omitempty"` // before draft 01
	Codec         string   `json:"codec,omitempty"`
	FrameRate     float64  `json:"framerate,omitempty"`
	Bitrate       float64  `json:"bitrate,omitempty"`
	Width         float64  `json:"width,omitempty"`
	Height        float64  `json:"height,omitempty"`
	SampleRate    float64  `json:"samplerate,omitempty"`
	ChannelConfig channels `json:"channelConfig,omitempty"`
	Language      string   `json:"lang,omitempty"`
}

// channels is a channel configuration: a string, or a number as some write it.
type channels string

// UnmarshalJSON accepts both (a leniency).
func (c *channels) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*c = channels(s)
		return nil
	}
	var n float64
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*c = channels(strconv.Itoa(whole(n)))
	return nil
}

// count returns how many channels there are, 0 if the string does not say a
// number.
func (c channels) count() int {
	n, err := strconv.Atoi(string(c))
	if err != nil || n < 0 || n > 255 {
		return 0
	}
	return n
}

// state is a catalog of MSF that delta updates are applied to.
type state struct {
	generated time.Time
	complete  bool
	tracks    []entry
	inits     map[string][]byte
}

// ParseMSF reads a complete catalog. It fails with *VersionError for versions
// that are not understood, and for a delta update.
func ParseMSF(b []byte) (*Catalog, error) {
	s, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("MSF catalog: %w", err)
	}
	c, err := s.catalog()
	if err != nil {
		return nil, fmt.Errorf("MSF catalog: %w", err)
	}
	return c, nil
}

func parseState(b []byte) (*state, error) {
	if len(b) > MaxSize {
		return nil, errSize
	}
	var r root
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	if err := checkVersion(r.Version); err != nil {
		return nil, err
	}
	if len(r.Tracks) > MaxTracks || len(r.InitDataList) > MaxTracks {
		return nil, errTracks
	}
	s := &state{generated: wallclock(r.GeneratedAt), complete: r.IsComplete, inits: map[string][]byte{}}
	for _, t := range r.Tracks {
		s.tracks = append(s.tracks, newEntry(t))
	}
	for _, d := range r.InitDataList {
		if d.Type == "inline" {
			s.inits[d.ID] = decode(d.Data)
		}
	}
	return s, nil
}

// checkVersion knows the versions that are understood.
func checkVersion(raw json.RawMessage) error {
	switch v := string(bytes.TrimSpace(raw)); v {
	case `"draft-01"`, `"draft-00"`, `1`, `"1"`:
		return nil
	case "":
		return &VersionError{"(none)"}
	default:
		return &VersionError{v[:min(len(v), 64)]}
	}
}

// decode reads base64, with padding or without; what is none is nothing (see
// details.format).
func decode(s string) []byte {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil
	}
	return b
}

func wallclock(ms float64) time.Time {
	if ms <= 0 || ms > 1<<53 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// catalog returns the tracks as they stand.
func (s *state) catalog() (*Catalog, error) {
	c := &Catalog{Generated: s.generated, Complete: s.complete, Tracks: make([]Track, 0, len(s.tracks))}
	seen := map[trackID]bool{}
	for _, t := range s.tracks {
		w, err := t.fields.track()
		if err != nil {
			return nil, err
		}
		if seen[t.id] {
			return nil, fmt.Errorf("two tracks %q", w.Name)
		}
		seen[t.id] = true
		c.Tracks = append(c.Tracks, s.track(w))
	}
	return c, nil
}

func (f fields) track() (*msfTrack, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	w := new(msfTrack)
	if err := json.Unmarshal(raw, w); err != nil {
		return nil, err
	}
	if w.Name == "" {
		return nil, errName
	}
	return w, nil
}

func (s *state) track(w *msfTrack) Track {
	config := s.inits[w.InitRef]
	if w.InitData != "" {
		config = decode(w.InitData)
	}
	if w.Packaging == "cmaf" {
		config = nil // an initialization segment, not a configuration
	}
	t := Track{
		Name: w.Name, Namespace: model.ParseNamespace(w.Namespace, "/"), Packaging: w.Packaging, Role: w.Role, Codec: w.Codec,
		Bitrate: bits(w.Bitrate), Live: !s.complete, Label: w.Label, Language: w.Language,
		RenderGroup: w.RenderGroup, AltGroup: w.AltGroup,
		Format: details{
			codec: w.Codec, config: config, width: w.Width, height: w.Height, frameRate: w.FrameRate,
			sampleRate: w.SampleRate, channels: w.ChannelConfig.count(),
		}.format(),
	}
	if w.IsLive != nil {
		t.Live = *w.IsLive && !s.complete
	}
	if t.Packaging == legacy {
		t.Packaging = hang
	}
	t.Kind = kind(t.Role, t.Format)
	return t
}

// legacy is what MSF catalogs call hang's own container.
const (
	legacy = "legacy"
	hang   = "hang"
)

var errNoFormat = errors.New("video or audio without a codec")

// AppendMSF writes a complete catalog behind b. Configurations are written
// inline, each once. It fails for a track without name or packaging, for video
// or audio without codec, and where audio has no rate or channels, which the
// draft demands. It demands the bitrate too; a live source may not know it, so
// it is left out if it is 0.
func AppendMSF(b []byte, c *Catalog) ([]byte, error) {
	out := struct {
		Version      string     `json:"version"`
		GeneratedAt  int64      `json:"generatedAt,omitempty"`
		IsComplete   bool       `json:"isComplete,omitempty"`
		Tracks       []msfTrack `json:"tracks"`
		InitDataList []initData `json:"initDataList,omitempty"`
	}{Version: Version, IsComplete: c.Complete, Tracks: make([]msfTrack, 0, len(c.Tracks))}
	live := false
	refs := map[string]string{} // from data to id
	for _, t := range c.Tracks {
		w, config, err := t.msf()
		if err != nil {
			return b, fmt.Errorf("MSF catalog, track %q: %w", t.Name, err)
		}
		live = live || t.Live
		if len(config) > 0 {
			data := base64.StdEncoding.EncodeToString(config)
			if refs[data] == "" {
				refs[data] = "init" + strconv.Itoa(len(refs))
				out.InitDataList = append(out.InitDataList, initData{refs[data], "inline", data})
			}
			w.InitRef = refs[data]
		}
		out.Tracks = append(out.Tracks, *w)
	}
	if live && !c.Generated.IsZero() { // section 5.1.2: not if nothing is live
		out.GeneratedAt = c.Generated.UnixMilli()
	}
	return appendJSON(b, out)
}

// msf returns what is written of a track, and its decoder's configuration.
func (t *Track) msf() (w *msfTrack, config []byte, err error) {
	if t.Name == "" {
		return nil, nil, errName
	}
	if t.Packaging == "" {
		return nil, nil, errors.New("no packaging")
	}
	live := t.Live
	w = &msfTrack{
		Name: t.Name, Namespace: strings.Join(t.Namespace, "/"), Packaging: t.Packaging, IsLive: &live, Role: t.role(),
		Label: t.Label, RenderGroup: t.RenderGroup, AltGroup: t.AltGroup,
		Codec: t.Codec, Bitrate: float64(t.Bitrate), Language: t.Language,
	}
	if t.Packaging == hang {
		w.Packaging = legacy
	}
	f := t.Format
	if f == nil {
		if t.Kind != 0 && t.Codec == "" {
			return nil, nil, errNoFormat
		}
		return w, nil, nil
	}
	name, config, err := elementary.Describe(f)
	if err != nil {
		return nil, nil, err
	}
	if w.Codec == "" {
		w.Codec = name
	}
	w.Width, w.Height, w.FrameRate = float64(f.Width), float64(f.Height), f.FrameRate
	w.SampleRate = float64(f.SampleRate)
	if f.Codec.Kind() == media.Audio {
		if f.SampleRate <= 0 || f.Channels <= 0 {
			return nil, nil, fmt.Errorf("%v with %d Hz and %d channels", f.Codec, f.SampleRate, f.Channels)
		}
		w.ChannelConfig = channels(strconv.Itoa(f.Channels))
	}
	if t.Packaging == hang && f.Codec.Kind() == media.Video && f.Codec != media.AV1 {
		config, w.Codec = nil, inBand(w.Codec) // parameter sets come with the pictures (package hang)
	}
	return w, config, nil
}

// role returns the role of a track, that of its kind where none is said.
func (t *Track) role() string {
	switch {
	case t.Role != "":
		return t.Role
	case t.Kind != 0:
		return t.Kind.String()
	case t.Format != nil:
		return t.Format.Codec.Kind().String()
	}
	return ""
}

// appendJSON writes a value as one line, without the escapes that HTML needs.
func appendJSON(b []byte, v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return b, err
	}
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...), nil
}
