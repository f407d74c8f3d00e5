package catalog

import (
	"strings"
	"testing"

	"oxymoq/pkg/media"
)

// What @moq/publish 0.2.17 writes for a camera and a microphone.
const published = `{"video":{"renditions":{"video/hd":{"codec":"avc1.640028","container":{"kind":"legacy"},"codedWidth":1280,"codedHeight":720,` +
	`"framerate":30,"bitrate":2000000,"optimizeForLatency":true,"jitter":34}},"display":{"width":1280,"height":720},"flip":false},` +
	`"audio":{"renditions":{"audio/data":{"codec":"opus","container":{"kind":"legacy"},"sampleRate":48000,"numberOfChannels":1,"bitrate":32000,"jitter":20}}}}`

func TestParseHang(t *testing.T) {
	c, err := ParseHang([]byte(published))
	if err != nil || len(c.Tracks) != 2 {
		t.Fatalf("got %+v, %v", c, err)
	}
	v, a := c.Tracks[0], c.Tracks[1]
	if v.Name != "video/hd" || v.Packaging != "hang" || v.Kind != media.Video || v.Bitrate != 2000000 || !v.Live {
		t.Errorf("got %+v", v)
	}
	if f := v.Format; f.Codec != media.H264 || f.Name != "avc1.640028" || f.Width != 1280 || f.Height != 720 || f.FrameRate != 30 || f.Config != nil {
		t.Errorf("got %+v", f)
	}
	if a.Name != "audio/data" || a.Kind != media.Audio {
		t.Errorf("got %+v", a)
	}
	if f := a.Format; f.Codec != media.Opus || f.SampleRate != 48000 || f.Channels != 1 {
		t.Errorf("got %+v", f)
	}
}

func TestParseHangForms(t *testing.T) {
	tests := []struct {
		name, json string
		check      func(*Track) bool
	}{
		{
			"a description", `{"video":{"renditions":{"v":{"codec":"avc1.42c00d","description":"` + avcC + `"}}}}`,
			func(t *Track) bool { return t.Format.Width == 320 && t.Packaging == "hang" },
		},
		{
			"a description that is none", `{"video":{"renditions":{"v":{"codec":"avc1.42c00d","description":"xyz"}}}}`,
			func(t *Track) bool { return t.Format.Config == nil },
		},
		{
			"another container", `{"video":{"renditions":{"v":{"codec":"avc1.42c00d","container":{"kind":"cmaf","init":""}}}}}`,
			func(t *Track) bool { return t.Packaging == "hang/cmaf" },
		},
		{
			"audio as one track", `{"audio":{"track":{"name":"v"},"config":{"codec":"opus","sampleRate":48000,"numberOfChannels":2}}}`,
			func(t *Track) bool { return t.Name == "v" && t.Kind == media.Audio && t.Format.Channels == 2 },
		},
		{
			"video as a list", `{"video":[{"track":{"name":"v"},"config":{"codec":"avc1.42c00d"}},{"track":{"name":"w"}}]}`,
			func(t *Track) bool { return t.Name == "v" && t.Kind == media.Video },
		},
		{
			"a codec of others", `{"video":{"renditions":{"v":{"codec":"vp09.00.10.08"}}}}`,
			func(t *Track) bool { return t.Format == nil && t.Kind == media.Video },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseHang([]byte(tt.json))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Tracks) != 1 || !tt.check(&c.Tracks[0]) {
				t.Errorf("got %+v", c)
			}
		})
	}
	if c, err := ParseHang([]byte(`{"video":null,"chat":{}}`)); err != nil || len(c.Tracks) != 0 {
		t.Errorf("an empty catalog: %+v, %v", c, err)
	}
}

func TestParseHangRefuses(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{"track":{"name":"a"},"config":{}},`, 2), ",")
	for name, in := range map[string]string{
		"nothing":        ``,
		"no JSON":        `x`,
		"a number":       `{"video":1}`,
		"no name":        `{"video":{"renditions":{"":{"codec":"opus"}}}}`,
		"a list of what": `{"video":[` + many + `,1]}`,
		"too large":      `{"x":"` + strings.Repeat("x", MaxSize) + `"}`,
	} {
		if c, err := ParseHang([]byte(in)); err == nil {
			t.Errorf("%s: got %+v", name, c)
		}
	}
	names := new(strings.Builder)
	for i := range MaxTracks + 1 {
		names.WriteString(`,"` + strings.Repeat("a", i+1) + `":{}`)
	}
	if _, err := ParseHang([]byte(`{"audio":{"renditions":{` + names.String()[1:] + `}}}`)); err == nil {
		t.Error("too many tracks were read")
	}
}

// What ours publishes; the bytes are written by hand.
func TestAppendHang(t *testing.T) {
	c := &Catalog{Tracks: []Track{
		{Name: "video0", Packaging: "hang", Format: format(t, media.H264, avcC), Bitrate: 300000},
		{Name: "video1", Packaging: "hang", Format: format(t, media.HEVC, hvcC)},
		{Name: "audio0", Packaging: "hang", Format: format(t, media.AAC, asc)},
	}}
	hevc := c.Tracks[1].Format.Name
	want := `{"video":{"renditions":{` +
		`"video0":{"codec":"avc1.42c00d","container":{"kind":"legacy"},"codedWidth":320,"codedHeight":180,"framerate":30,"bitrate":300000},` +
		`"video1":{"codec":"hev1` + strings.TrimPrefix(hevc, "hvc1") + `","container":{"kind":"legacy"},"codedWidth":320,"codedHeight":180,"framerate":30}}},` +
		`"audio":{"renditions":{"audio0":{"codec":"mp4a.40.2","container":{"kind":"legacy"},"description":"1190","sampleRate":48000,"numberOfChannels":2}}}}`
	got, err := AppendHang([]byte("x"), c)
	if err != nil || string(got) != "x"+want {
		t.Fatalf("AppendHang: %v\n got %s\nwant x%s", err, got, want)
	}
	back, err := ParseHang([]byte(want))
	if err != nil || len(back.Tracks) != 3 || !back.Named("audio0").Format.Same(c.Tracks[2].Format) {
		t.Errorf("read back %+v, %v", back, err)
	}
	opus := format(t, media.Opus, head)
	for name, tracks := range map[string][]Track{
		"no name":           {{Packaging: "hang", Format: opus}},
		"another packaging": {{Name: "a", Packaging: "loc", Format: opus}},
		"a namespace":       {{Name: "a", Packaging: "hang", Format: opus, Namespace: []string{"b"}}},
		"no format":         {{Name: "a", Packaging: "hang", Codec: "vp8"}},
		"no rate":           {{Name: "a", Packaging: "hang", Format: &media.Format{Codec: media.Opus, Name: "opus"}}},
		"no codec string":   {{Name: "a", Packaging: "hang", Format: &media.Format{Codec: media.AV1}}},
		"two of one name":   {{Name: "a", Packaging: "hang", Format: opus}, {Name: "a", Packaging: "hang", Format: opus}},
	} {
		if b, err := AppendHang([]byte("x"), &Catalog{Tracks: tracks}); err == nil || string(b) != "x" {
			t.Errorf("%s: wrote %q, %v", name, b, err)
		}
	}
}

// What can be read can be written and read again alike.
func FuzzParseHang(f *testing.F) {
	f.Add([]byte(published))
	f.Add([]byte(`{"video":[{"track":{"name":"v"},"config":{"codec":"avc1.42c00d","description":"` + avcC + `"}}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := ParseHang(in)
		if err != nil {
			return
		}
		b, err := AppendHang(nil, c)
		if err != nil || len(b) > MaxSize {
			return // reading is more lenient than writing
		}
		again, err := ParseHang(b)
		if err != nil {
			t.Fatalf("cannot read what was written: %v\n%s", err, b)
		}
		if len(again.Tracks) != len(c.Tracks) {
			t.Fatalf("%d tracks became %d", len(c.Tracks), len(again.Tracks))
		}
	})
}
