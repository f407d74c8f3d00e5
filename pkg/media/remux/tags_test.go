package remux

import (
	"bytes"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/opus"
)

// Files by tags, as no program writes them.

// avcC returns a configuration of 320x180 at 30 pictures a second, with a PPS that
// tells it from others.
func avcC(t testing.TB, lengthSize int, mark byte) []byte {
	t.Helper()
	sps := []byte{0x67, 0x42, 0xc0, 0x0d, 0xd9, 0x01, 0x41, 0x9f, 0x9e, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0xc0, 0xf1, 0x42, 0x99, 0x20}
	c := h264.Config{Profile: 0x42, Constraints: 0xc0, Level: 0x0d, LengthSize: lengthSize, SPS: [][]byte{sps}, PPS: [][]byte{{0x68, mark}}}
	return testkit.Must(c.Append(nil))(t)
}

func asc(t testing.TB, hertz, channels int) []byte {
	t.Helper()
	return testkit.Must(testkit.Must(aac.LC(hertz, channels))(t).Append(nil))(t)
}

// file puts tags together.
type file struct {
	testing.TB
	bytes.Buffer
	w *flv.Writer
}

func newFile(t testing.TB) *file {
	f := &file{TB: t}
	f.begin()
	return f
}

// begin begins another file behind the one before.
func (f *file) begin() {
	f.w = flv.NewWriter(&f.Buffer)
	testkit.NoErr(f, f.w.WriteHeader(flv.Header{Audio: true, Video: true}))
}

func (f *file) tag(t flv.TagType, time uint32, data []byte) {
	testkit.NoErr(f, f.w.WriteTag(flv.Tag{Type: t, Time: time, Data: data}))
}

func (f *file) video(time uint32, v flv.VideoTag) {
	f.tag(flv.Video, time, testkit.Must(flv.AppendVideo(nil, v))(f))
}

func (f *file) audio(time uint32, a flv.AudioTag) {
	f.tag(flv.Audio, time, testkit.Must(flv.AppendAudio(nil, a))(f))
}

func (f *file) avcC(data []byte) {
	f.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.H264, Packet: flv.SequenceStart, Data: data})
}

func (f *file) asc(data []byte) {
	f.audio(0, flv.AudioTag{Codec: flv.AAC, Packet: flv.SequenceStart, Data: data})
}

// picture is one slice, an IDR if it is a key.
func (f *file) picture(time uint32, key bool, composition int32) {
	v := flv.VideoTag{FrameType: flv.InterFrame, Codec: flv.H264, Packet: flv.Frames, CompositionTime: composition, Data: []byte{0, 0, 0, 2, 0x41, 1}}
	if key {
		v.FrameType, v.Data = flv.KeyFrame, []byte{0, 0, 0, 2, 0x65, 1}
	}
	f.video(time, v)
}

func (f *file) sound(time uint32) {
	f.audio(time, flv.AudioTag{Codec: flv.AAC, Packet: flv.Frames, Data: []byte{0x21, 0x10}})
}

func (f *file) demuxer(opts ...flv.Option) *Demuxer {
	return NewDemuxer(flv.NewReader(&f.Buffer, opts...))
}

// times are those of samples in milliseconds, as DTS and PTS.
func times(all []*media.Sample, kind media.Kind) [][2]int64 {
	var list [][2]int64
	for _, s := range all {
		if s.Format.Codec.Kind() == kind {
			list = append(list, [2]int64{s.DTS.Milliseconds(), s.PTS.Milliseconds()})
		}
	}
	return list
}

func TestSamples(t *testing.T) {
	f := newFile(t)
	f.avcC(avcC(t, 4, 1))
	f.asc(asc(t, 48000, 2))
	f.picture(100, true, 66)
	f.sound(100)
	f.sound(121)
	f.picture(133, false, -33)
	all := samples(t, f.demuxer())
	video := all[0].Format
	testkit.Equal(t, video, &media.Format{
		Codec: media.H264, Config: avcC(t, 4, 1), Name: "avc1.42c00d", Width: 320, Height: 180, FrameRate: 30,
	})
	audio := &media.Format{Codec: media.AAC, Config: []byte{0x11, 0x90}, Name: "mp4a.40.2", SampleRate: 48000, Channels: 2}
	ms, frame := time.Millisecond, 1024*time.Second/48000
	testkit.Equal(t, all, []*media.Sample{
		{Format: video, PTS: 166 * ms, DTS: 100 * ms, Duration: time.Second / 30, Key: true, HasSeq: true, Data: []byte{0, 0, 0, 2, 0x65, 1}},
		{Format: audio, PTS: 100 * ms, DTS: 100 * ms, Duration: frame, Key: true, HasSeq: true, Data: []byte{0x21, 0x10}},
		{Format: audio, PTS: 121 * ms, DTS: 121 * ms, Duration: frame, Key: true, Seq: 1, HasSeq: true, Data: []byte{0x21, 0x10}},
		{Format: video, PTS: 100 * ms, DTS: 133 * ms, Duration: 33 * ms, Seq: 1, HasSeq: true, Data: []byte{0, 0, 0, 2, 0x41, 1}},
	})
	if all[0].Format != all[3].Format || all[1].Format != all[2].Format {
		t.Error("samples of one format have several")
	}
}

// TestTimes: the times of samples where those of the tags do not simply grow.
func TestTimes(t *testing.T) {
	type pairs = [][2]int64
	for _, row := range []struct {
		name         string
		write        func(*file)
		video, audio pairs
		counts       Counts
	}{
		{"over the wrap", func(f *file) {
			f.picture(0xffffffe0, true, 40)
			f.sound(0xffffffff)
			f.picture(0x00000008, false, 40)
			f.sound(0xfffffffe) // backwards by one
			f.sound(0x00000014)
		}, pairs{{4294967264, 4294967304}, {4294967304, 4294967344}},
			pairs{{4294967295, 4294967295}, {4294967295, 4294967295}, {4294967316, 4294967316}}, Counts{Backwards: 1}},
		{"a track that lags behind", func(f *file) {
			f.picture(0, true, 0)
			f.picture(10_000, false, 0)
			f.sound(0)
			f.sound(10_000)
		}, pairs{{0, 0}, {10_000, 10_000}}, pairs{{0, 0}, {10_000, 10_000}}, Counts{}},
		{"the source starts again", func(f *file) {
			f.picture(60_000, true, 40)
			f.sound(60_000)
			f.picture(60_040, false, 0)
			f.picture(0, true, 40)
			f.sound(0)
			f.picture(40, false, 0)
			f.sound(21)
		}, pairs{{60_000, 60_040}, {60_040, 60_040}, {60_080, 60_120}, {60_120, 60_120}},
			pairs{{60_000, 60_000}, {60_080, 60_080}, {60_101, 60_101}}, Counts{Restarts: 1}},
		{"jitter is no start", func(f *file) {
			f.sound(3000)
			f.sound(0)
			f.sound(3021)
		}, nil, pairs{{3000, 3000}, {3000, 3000}, {3021, 3021}}, Counts{Backwards: 1}},
		{"more than jitter is one", func(f *file) {
			f.sound(3001)
			f.sound(0)
			f.sound(21)
		}, nil, pairs{{3001, 3001}, {3023, 3023}, {3044, 3044}}, Counts{Restarts: 1}},
		{"a short file and another", func(f *file) {
			f.picture(0, true, 0)
			f.sound(20)
			f.begin()
			f.picture(0, true, 0)
			f.sound(20)
		}, pairs{{0, 0}, {42, 42}}, pairs{{20, 20}, {62, 62}}, Counts{Restarts: 1}},
		{"a file and one that begins far ahead", func(f *file) {
			f.sound(0)
			f.begin()
			f.sound(3_600_000)
		}, nil, pairs{{0, 0}, {22, 22}}, Counts{Restarts: 1}},
		{"a file and one that continues it", func(f *file) {
			f.sound(0)
			f.begin()
			f.sound(21)
		}, nil, pairs{{0, 0}, {21, 21}}, Counts{}},
		{"a file of pictures and one of sound", func(f *file) {
			f.picture(0, true, 0)
			f.picture(40, false, 0)
			f.begin()
			f.sound(0)
		}, pairs{{0, 0}, {40, 40}}, pairs{{80, 80}}, Counts{Restarts: 1}},
		{"below zero", func(f *file) {
			f.picture(10, true, -20)
			f.sound(0xfffffff0)
		}, pairs{{10, 0}}, pairs{{0, 0}}, Counts{Backwards: 1}},
		{"a configuration in between has no time", func(f *file) {
			f.picture(60_000, true, 0)
			f.asc(asc(f, 48000, 2))
			f.picture(60_040, false, 0)
		}, pairs{{60_000, 60_000}, {60_040, 60_040}}, nil, Counts{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFile(t)
			f.avcC(avcC(t, 4, 1))
			f.asc(asc(t, 48000, 2))
			row.write(f)
			d := f.demuxer()
			all := samples(t, d)
			testkit.Equal(t, times(all, media.Video), row.video)
			testkit.Equal(t, times(all, media.Audio), row.audio)
			testkit.Equal(t, d.Counts(), row.counts)
		})
	}
}

// TestFormatChanges: a new configuration counts from the next key picture on, and a
// repeated one changes nothing.
func TestFormatChanges(t *testing.T) {
	f := newFile(t)
	f.avcC(avcC(t, 4, 1))
	f.picture(0, true, 0)
	f.avcC(avcC(t, 4, 1))
	f.picture(40, true, 0)
	f.avcC(avcC(t, 4, 2))
	f.picture(80, false, 0)
	f.picture(120, true, 0)
	f.avcC(avcC(t, 4, 1)) // and back before a key picture comes
	f.avcC(avcC(t, 4, 2))
	f.picture(160, true, 0)
	f.asc(asc(t, 48000, 2))
	f.sound(160)
	f.asc(asc(t, 44100, 1))
	f.sound(181)
	d := f.demuxer()
	all := samples(t, d)
	var got []string
	formats := map[*media.Format]string{}
	for _, s := range all {
		if formats[s.Format] == "" {
			formats[s.Format] = string(rune('A' + len(formats)))
		}
		got = append(got, formats[s.Format])
	}
	testkit.Equal(t, got, []string{"A", "A", "A", "B", "B", "C", "D"})
	testkit.Equal(t, all[3].Format.Config, avcC(t, 4, 2))
	testkit.Equal(t, all[6].Format.SampleRate, 44100)
	testkit.Equal(t, d.Counts(), Counts{})
}

// TestShortLengths: NAL units with lengths of two bytes get such of four.
func TestShortLengths(t *testing.T) {
	f := newFile(t)
	f.avcC(avcC(t, 2, 1))
	f.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.H264, Packet: flv.Frames, Data: []byte{0, 1, 0x65, 0, 2, 0x65, 9}})
	f.video(40, flv.VideoTag{FrameType: flv.InterFrame, Codec: flv.H264, Packet: flv.Frames, Data: []byte{0, 5, 0x41}})
	d := f.demuxer()
	var warnings []error
	d.Warn = func(err error) { warnings = append(warnings, err) }
	all := samples(t, d)
	testkit.Equal(t, len(all), 1)
	testkit.Equal(t, all[0].Data, []byte{0, 0, 0, 1, 0x65, 0, 0, 0, 2, 0x65, 9})
	testkit.Equal(t, all[0].Format.Config, avcC(t, 4, 1))
	testkit.Equal(t, d.Counts(), Counts{Broken: 1})
	testkit.Equal(t, len(warnings), 1)
}

// TestShortLengthsOfHEVC is the same for HEVC, in a tag with codec ID 12 as some
// write it.
func TestShortLengthsOfHEVC(t *testing.T) {
	c := hevc.Config{LengthSize: 2, BitDepthLuma: 8, BitDepthChroma: 8}
	f := newFile(t)
	f.tag(flv.Video, 0, append([]byte{0x1c, 0, 0, 0, 0}, testkit.Must(c.Append(nil))(t)...))
	f.tag(flv.Video, 0, []byte{0x1c, 1, 0, 0, 40, 0, 3, 0x26, 1, 0xaa})
	all := samples(t, f.demuxer())
	testkit.Equal(t, times(all, media.Video), [][2]int64{{0, 40}})
	testkit.Equal(t, all[0].Data, []byte{0, 0, 0, 3, 0x26, 1, 0xaa})
	c.LengthSize = 4
	testkit.Equal(t, all[0].Format.Config, testkit.Must(c.Append(nil))(t))
}

// TestEnhancedCodecs: what is written by FourCC is read as it was.
func TestEnhancedCodecs(t *testing.T) {
	const ms = time.Millisecond
	hvcC := testkit.Must((&hevc.Config{LengthSize: 4, BitDepthLuma: 8, BitDepthChroma: 8}).Append(nil))(t)
	for codec, config := range map[media.Codec][]byte{
		media.HEVC: hvcC,
		media.AV1:  {0x81, 4, 12, 0},
		media.Opus: testkit.Must(opus.NewHead(2).Append(nil))(t),
	} {
		format := testkit.Must(media.ParseFormat(codec, config))(t)
		want := []*media.Sample{
			{Format: format, DTS: 20 * ms, PTS: 20 * ms, Key: true, HasSeq: true, Data: []byte{0xfc, 1}},
			{Format: format, DTS: 40 * ms, PTS: 40 * ms, Duration: 20 * ms, Key: codec == media.Opus, Seq: 1, HasSeq: true, Data: []byte{0xfc, 2}},
		}
		switch codec {
		case media.HEVC:
			want[0].PTS, want[1].PTS = 60*ms, 30*ms
		case media.Opus:
			want[0].Duration = 20 * ms // the packets say so
		}
		var out bytes.Buffer
		m := NewMuxer(&out, MuxerOptions{Video: true, Audio: true})
		for _, s := range want {
			testkit.NoErr(t, m.Write(s))
		}
		testkit.NoErr(t, m.Close())
		testkit.Equal(t, samples(t, NewDemuxer(flv.NewReader(&out))), want)
	}
}

// TestLeftOut: what cannot be used is counted, and told once, and the rest goes on.
func TestLeftOut(t *testing.T) {
	f := newFile(t)
	f.picture(0, true, 0)
	f.sound(0)
	f.tag(flv.Video, 0, []byte{0x22, 0})
	f.tag(flv.Video, 0, []byte{0x14, 0})
	f.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.VP9, Packet: flv.SequenceStart, Data: []byte{1}})
	f.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.VP9, Packet: flv.Frames, Data: []byte{1}})
	f.tag(flv.Audio, 0, []byte{0x2f, 0})
	f.tag(flv.Audio, 70, []byte{0xaf, 7})
	f.tag(flv.Audio, 70, []byte{0xaf})
	f.tag(flv.Script, 0, []byte{1})
	f.tag(flv.ScriptAMF3, 0, []byte{0})
	f.tag(flv.Audio, 0, nil) // silence
	f.avcC([]byte{9})
	f.picture(0, true, 0)
	f.avcC(avcC(t, 4, 1))
	f.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.H264, Packet: flv.Frames})
	f.picture(0, true, 0)
	f.video(0, flv.VideoTag{FrameType: flv.KeyFrame, Codec: flv.H264, Packet: flv.SequenceEnd})
	f.video(0, flv.VideoTag{Codec: flv.H264, Packet: flv.VideoMetadata, Data: []byte{5}})
	f.tag(flv.Video, 0, []byte{0x57, 0}) // seeking
	f.asc(asc(t, 48000, 2))
	f.tag(flv.Audio, 0, append([]byte{0x95, 0x01}, "mp4a\x01\x21"...)) // of another track
	f.tag(flv.Audio, 0, append([]byte{0x95, 0x00}, "mp4a\x01\x11\x90"...))
	f.sound(5)

	d := f.demuxer()
	var warnings []string
	d.Warn = func(err error) { warnings = append(warnings, err.Error()) }
	all := samples(t, d)
	testkit.Equal(t, times(all, media.Video), [][2]int64{{0, 0}})
	testkit.Equal(t, times(all, media.Audio), [][2]int64{{5, 5}})
	testkit.Equal(t, d.Counts(), Counts{NoConfig: 3, Unsupported: 5, Broken: 5, OtherTracks: 2})
	testkit.Equal(t, warnings, []string{
		"FLV: codec Sorenson H.263 in a tag of video is not supported",
		"FLV: codec MP3 in a tag of audio is not supported",
		"a tag of audio at 70ms: FLV: byte 1: packet type 7 is not defined",
		"a tag of script at 0s: FLV: byte 0: the name has type 1, must be a string",
		"a tag of video at 0s: " + brokenConfig(t),
	})
}

// brokenConfig is what is said of a configuration of one byte.
func brokenConfig(t *testing.T) string {
	_, err := parseConfig(media.H264, []byte{9})
	if err == nil {
		t.Fatal("it was parsed")
	}
	return err.Error()
}

// TestEncryption: a strict reader's tags that are encrypted are left out too.
func TestEncryption(t *testing.T) {
	f := newFile(t)
	f.asc(asc(t, 48000, 2))
	f.sound(0)
	at := f.Len()
	f.sound(21)
	f.sound(43)
	f.Bytes()[at] |= 0x20
	d := f.demuxer()
	var warned error
	d.Warn = func(err error) { warned = err }
	testkit.Equal(t, len(samples(t, d)), 2)
	testkit.ErrAs[*flv.UnsupportedError](t, warned)
	testkit.Equal(t, d.Counts(), Counts{Unsupported: 1})
}

func TestMetadataHints(t *testing.T) {
	f := newFile(t)
	meta := flv.Metadata{{Name: "width", Value: 640.0}, {Name: "height", Value: 360.0}, {Name: "framerate", Value: 25.0}}
	f.tag(flv.Script, 0, testkit.Must(flv.AppendMetadata(nil, meta))(t))
	c := h264.Config{Profile: 0x42, Level: 0x0d, LengthSize: 4} // the parameter sets come with the pictures
	f.avcC(testkit.Must(c.Append(nil))(t))
	f.picture(0, true, 0)
	d := f.demuxer()
	all := samples(t, d)
	got := all[0].Format
	if got.Width != 640 || got.Height != 360 || got.FrameRate != 25 || all[0].Duration != 40*time.Millisecond {
		t.Errorf("%+v, %v", got, all[0].Duration)
	}
	testkit.Equal(t, d.Metadata(), meta)

	f = newFile(t)
	f.tag(flv.Script, 0, testkit.Must(flv.AppendMetadata(nil, flv.Metadata{{Name: "width", Value: -1.0}, {Name: "height", Value: 1e300}, {Name: "framerate", Value: 1e300}}))(t))
	f.avcC(testkit.Must(c.Append(nil))(t))
	f.picture(0, true, 0)
	got = samples(t, f.demuxer())[0].Format
	if got.Width != 0 || got.Height != 0 || got.FrameRate != 0 {
		t.Errorf("%+v", got)
	}
}
