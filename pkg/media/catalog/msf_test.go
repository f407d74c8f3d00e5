package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// The first example of the draft (section 5.6.1), and what it says.
const example = `{
  "version": "draft-01",
  "generatedAt": 1746104606044,
  "tracks": [
    {"name": "1080p-video", "namespace": "conference.example.com/conference123/alice", "packaging": "loc", "isLive": true,
     "targetLatency": 2000, "role": "video", "renderGroup": 1, "codec":"av01.0.08M.10.0.110.09", "width":1920, "height":1080,
     "framerate":30, "bitrate":1500000},
    {"name": "audio", "namespace": "conference.example.com/conference123/alice", "packaging": "loc", "isLive": true,
     "targetLatency": 2000, "role": "audio", "renderGroup": 1, "codec":"opus", "samplerate":48000, "channelConfig":"2",
     "bitrate":32000}
   ]
}`

func TestParseMSFExample(t *testing.T) {
	got, err := ParseMSF([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	ns := model.Namespace{"conference.example.com", "conference123", "alice"}
	want := &Catalog{Generated: time.UnixMilli(1746104606044), Tracks: []Track{
		{
			Name: "1080p-video", Namespace: ns, Packaging: "loc", Role: "video", Codec: "av01.0.08M.10.0.110.09", Kind: media.Video,
			Format:  &media.Format{Codec: media.AV1, Name: "av01.0.08M.10.0.110.09", Width: 1920, Height: 1080, FrameRate: 30},
			Bitrate: 1500000, Live: true, RenderGroup: 1,
		},
		{
			Name: "audio", Namespace: ns, Packaging: "loc", Role: "audio", Codec: "opus", Kind: media.Audio,
			Format:  &media.Format{Codec: media.Opus, Name: "opus", SampleRate: 48000, Channels: 2},
			Bitrate: 32000, Live: true, RenderGroup: 1,
		},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// What ours publishes, in MSF; the bytes are written by hand.
func TestAppendMSF(t *testing.T) {
	c := &Catalog{Generated: time.UnixMilli(1746104606044), Tracks: []Track{
		{Name: "video0", Packaging: "moqmi", Format: format(t, media.H264, avcC), Bitrate: 300000, Live: true, RenderGroup: 1},
		{Name: "audio0", Packaging: "loc", Format: format(t, media.AAC, asc), Live: true, RenderGroup: 1, Language: "en"},
		{Name: "audio1", Packaging: "hang", Format: format(t, media.AAC, asc)},
		{Name: "chat", Packaging: "text", Role: "data", Label: "<chat>"},
	}}
	want := `{"version":"draft-01","generatedAt":1746104606044,"tracks":[` +
		`{"name":"video0","packaging":"moqmi","isLive":true,"role":"video","renderGroup":1,"initRef":"init0","codec":"avc1.42c00d",` +
		`"framerate":30,"bitrate":300000,"width":320,"height":180},` +
		`{"name":"audio0","packaging":"loc","isLive":true,"role":"audio","renderGroup":1,"initRef":"init1","codec":"mp4a.40.2",` +
		`"samplerate":48000,"channelConfig":"2","lang":"en"},` +
		`{"name":"audio1","packaging":"legacy","isLive":false,"role":"audio","initRef":"init1","codec":"mp4a.40.2",` +
		`"samplerate":48000,"channelConfig":"2"},` +
		`{"name":"chat","packaging":"text","isLive":false,"role":"data","label":"<chat>"}],` +
		`"initDataList":[{"id":"init0","type":"inline","data":"AULADf/hABdnQsAN2gUGfnwEQAAAAwBAAAAPA8UKqAEABGjOD8g="},` +
		`{"id":"init1","type":"inline","data":"EZA="}]}`
	got, err := AppendMSF([]byte("x"), c)
	if err != nil || string(got) != "x"+want {
		t.Fatalf("AppendMSF: %v\n got %s\nwant x%s", err, got, want)
	}
	back, err := ParseMSF([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Tracks) != 4 || !back.Tracks[0].Format.Same(c.Tracks[0].Format) || !back.Tracks[2].Format.Same(c.Tracks[2].Format) {
		t.Errorf("read back %+v", back)
	}
	if v := back.Find(media.Video, "loc", "moqmi"); v == nil || v.Name != "video0" {
		t.Errorf("Find = %+v", v)
	}
	if back.Find(media.Video, "hang") != nil {
		t.Error("found video of hang, where there is none")
	}
	if a := back.Named("audio1"); a == nil || a.Packaging != "hang" || a.Live {
		t.Errorf("Named = %+v", a)
	}
	if back.Named("audio2") != nil {
		t.Error("found a track that is not there")
	}
}

// Every codec keeps its format over a catalog.
func TestMSFRoundTrip(t *testing.T) {
	for codec, config := range map[media.Codec]string{
		media.H264: avcC, media.HEVC: hvcC, media.AV1: av1C, media.AAC: asc, media.Opus: head,
	} {
		f := format(t, codec, config)
		for _, packaging := range []string{"moqmi", "loc", "hang"} {
			b, err := AppendMSF(nil, &Catalog{Complete: true, Tracks: []Track{{Name: "a", Packaging: packaging, Format: f}}})
			if err != nil {
				t.Fatal(err)
			}
			c, err := ParseMSF(b)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Tracks[0]
			inBand := packaging == "hang" && (codec == media.H264 || codec == media.HEVC)
			if same := got.Format.Same(f); same == inBand || got.Format.Codec != codec || got.Kind != codec.Kind() || got.Packaging != packaging || got.Live {
				t.Errorf("%v in %s: got %+v", codec, packaging, got)
			}
			if g := got.Format; g.Width != f.Width || g.Height != f.Height || g.FrameRate != f.FrameRate || g.Channels != f.Channels {
				t.Errorf("%v in %s: got %+v, want %+v", codec, packaging, got.Format, f)
			}
		}
	}
}

func TestAppendMSFRefuses(t *testing.T) {
	for name, track := range map[string]Track{
		"no name":      {Packaging: "loc", Codec: "opus"},
		"no packaging": {Name: "a", Codec: "opus"},
		"no codec":     {Name: "a", Packaging: "loc", Kind: media.Video},
		"no rate":      {Name: "a", Packaging: "loc", Format: &media.Format{Codec: media.AAC, Name: "mp4a.40.2", Channels: 2}},
		"no channels":  {Name: "a", Packaging: "loc", Format: &media.Format{Codec: media.AAC, Name: "mp4a.40.2", SampleRate: 48000}},
		"bad head":     {Name: "a", Packaging: "loc", Format: &media.Format{Codec: media.Opus, Config: []byte("Opus")}},
	} {
		if b, err := AppendMSF([]byte("x"), &Catalog{Tracks: []Track{track}}); err == nil || string(b) != "x" {
			t.Errorf("%s: wrote %q, %v", name, b, err)
		}
	}
}

func TestParseMSFForms(t *testing.T) {
	video := `{"name":"v","packaging":"loc","codec":"avc1.42c00d","role":"video"`
	tests := []struct {
		name, json string
		check      func(*Track) bool
	}{
		{
			"WARP: version 1 and initData in the track",
			`{"version":1,"tracks":[` + video + `,"initData":"AULADf/hABdnQsAN2gUGfnwEQAAAAwBAAAAPA8UKqAEABGjOD8g="}]}`,
			func(t *Track) bool { return t.Format.Width == 320 && len(t.Format.Config) > 0 && t.Live },
		},
		{"version as a string", `{"version":"1","tracks":[` + video + `}]}`, func(t *Track) bool { return t.Live }},
		{"draft 00", `{"version":"draft-00","tracks":[` + video + `}]}`, func(t *Track) bool { return t.Live }},
		{"not live", `{"version":1,"tracks":[` + video + `,"isLive":false}]}`, func(t *Track) bool { return !t.Live }},
		{
			"complete, so not live", `{"version":1,"isComplete":true,"tracks":[` + video + `,"isLive":true}]}`,
			func(t *Track) bool { return !t.Live },
		},
		{
			"kind without a role", `{"version":1,"tracks":[{"name":"a","packaging":"loc","codec":"mp4a.40.2"}]}`,
			func(t *Track) bool { return t.Kind == media.Audio },
		},
		{
			"neither video nor audio", `{"version":1,"tracks":[{"name":"a","packaging":"eventtimeline","role":"eventtimeline"}]}`,
			func(t *Track) bool { return t.Kind == 0 && t.Format == nil },
		},
		{
			"a codec of others", `{"version":1,"tracks":[{"name":"v","packaging":"loc","role":"video","codec":"vp8"}]}`,
			func(t *Track) bool { return t.Kind == media.Video && t.Format == nil && t.Codec == "vp8" },
		},
		{
			"an initialization segment is no configuration", `{"version":1,"tracks":[{"name":"v","packaging":"cmaf","codec":"avc1.42c00d","initData":"AULADQ=="}]}`,
			func(t *Track) bool { return t.Format.Config == nil && t.Packaging == "cmaf" },
		},
		{
			"a configuration that cannot be read is none", `{"version":1,"tracks":[` + video + `,"initData":"AAAA"}]}`,
			func(t *Track) bool {
				return t.Format != nil && t.Format.Config == nil && t.Format.Name == "avc1.42c00d"
			},
		},
		{
			"base64 that is none is nothing", `{"version":1,"tracks":[` + video + `,"initData":"%"}]}`,
			func(t *Track) bool { return t.Format.Config == nil },
		},
		{
			"initialization data elsewhere", `{"version":1,"tracks":[` + video + `,"initRef":"a"}],"initDataList":[{"id":"a","type":"track-property","data":"0x79"}]}`,
			func(t *Track) bool { return t.Format.Config == nil },
		},
		{
			"channels as a number", `{"version":1,"tracks":[{"name":"a","packaging":"loc","codec":"opus","samplerate":48000,"channelConfig":1}]}`,
			func(t *Track) bool { return t.Format.Channels == 1 },
		},
		{
			"numbers that count nothing", `{"version":1,"tracks":[` + video + `,"width":-1,"height":1e300,"framerate":-5,"bitrate":1e300}]}`,
			func(t *Track) bool {
				return t.Format.Width == 0 && t.Format.Height == 0 && t.Format.FrameRate == 0 && t.Bitrate == 0
			},
		},
		{"unknown fields", `{"version":1,"a":[1],"tracks":[` + video + `,"b":{"c":1}}]}`, func(t *Track) bool { return t.Name == "v" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseMSF([]byte(tt.json))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Tracks) != 1 || !tt.check(&c.Tracks[0]) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestParseMSFRefuses(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{},`, MaxTracks+1), ",")
	tests := map[string]string{
		"nothing":            ``,
		"no JSON":            `version`,
		"no version":         `{"tracks":[]}`,
		"version 2":          `{"version":2,"tracks":[]}`,
		"draft 99":           `{"version":"draft-99","tracks":[]}`,
		"a delta update":     `{"deltaUpdate":[{"op":"add","tracks":[]}],"generatedAt":1}`,
		"no name":            `{"version":1,"tracks":[{"packaging":"loc"}]}`,
		"name of a number":   `{"version":1,"tracks":[{"name":1}]}`,
		"two of one name":    `{"version":1,"tracks":[{"name":"a"},{"name":"a"}]}`,
		"too many tracks":    `{"version":1,"tracks":[` + many + `]}`,
		"too many init data": `{"version":1,"initDataList":[` + many + `]}`,
		"too large":          `{"version":1,"tracks":[],"x":"` + strings.Repeat("x", MaxSize) + `"}`,
	}
	for name, in := range tests {
		if c, err := ParseMSF([]byte(in)); err == nil {
			t.Errorf("%s: got %+v", name, c)
		}
	}
	_, err := ParseMSF([]byte(`{"version":"draft-99"}`))
	var version *VersionError
	if !errors.As(err, &version) || version.Version != `"draft-99"` {
		t.Errorf("got %v, want a VersionError", err)
	}
}

// Limits are as they say: one more is refused.
func TestMSFLimits(t *testing.T) {
	c := &Catalog{}
	for i := range MaxTracks {
		c.Tracks = append(c.Tracks, Track{Name: fmt.Sprint(i), Packaging: "x"})
	}
	b, err := AppendMSF(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseMSF(b)
	if err != nil || len(got.Tracks) != MaxTracks {
		t.Fatalf("got %v", err)
	}
	config := make([]byte, MaxConfig+1)
	copy(config, unhex(t, avcC))
	if f := (details{codec: "avc1.42c00d", config: config[:MaxConfig]}).format(); f.Config == nil {
		t.Error("a configuration of MaxConfig bytes was not read")
	}
	if f := (details{codec: "avc1.42c00d", config: config}).format(); f.Config != nil {
		t.Error("a configuration of more than MaxConfig bytes was read")
	}
}

// What can be read can be written and read again alike.
func FuzzParseMSF(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"version":1,"tracks":[{"name":"v","packaging":"loc","codec":"avc1.42c00d","initData":"AULADf/hABdnQsAN2gUGfnwEQAAAAwBAAAAPA8UKqAEABGjOD8g="}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := ParseMSF(in)
		if err != nil {
			return
		}
		b, err := AppendMSF(nil, c)
		if err != nil || len(b) > MaxSize {
			return // reading is more lenient than writing
		}
		again, err := ParseMSF(b)
		if err != nil {
			t.Fatalf("cannot read what was written: %v\n%s", err, b)
		}
		if len(again.Tracks) != len(c.Tracks) {
			t.Fatalf("%d tracks became %d", len(c.Tracks), len(again.Tracks))
		}
		if !json.Valid(b) {
			t.Fatal("wrote no JSON")
		}
	})
}
