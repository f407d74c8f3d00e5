package remux

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/nal"
	"oxymoq/pkg/media/opus"
)

// tags reads all tags of a file.
func tags(t testing.TB, b []byte) []flv.Tag {
	t.Helper()
	r := flv.NewReader(bytes.NewReader(b))
	var all []flv.Tag
	for {
		tag, err := r.Next()
		if err == io.EOF {
			return all
		}
		testkit.NoErr(t, err)
		all = append(all, tag)
	}
}

// A sample of each codec, whose configuration no one looks into.
func picture(c media.Codec, dts, pts time.Duration, key bool) *media.Sample {
	return &media.Sample{Format: &media.Format{Codec: c, Config: []byte{1, 2}}, DTS: dts, PTS: pts, Key: key, Data: []byte{0xaa, 0xbb}}
}

func sound(c media.Codec, at time.Duration) *media.Sample {
	return &media.Sample{Format: &media.Format{Codec: c, Config: []byte{0x11, 0x90}}, DTS: at, PTS: at, Key: true, Data: []byte{0xcc}}
}

// TestTagsOfCodecs: what is written of each codec, without the metadata.
func TestTagsOfCodecs(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name    string
		samples []*media.Sample
		want    []flv.Tag
	}{
		{"H.264", []*media.Sample{picture(media.H264, 0, 66*ms, true), picture(media.H264, 33*ms, 0, false)}, []flv.Tag{
			{Type: flv.Video, Data: []byte{0x17, 0, 0, 0, 0, 1, 2}},
			{Type: flv.Video, Data: []byte{0x17, 1, 0, 0, 66, 0xaa, 0xbb}},
			{Type: flv.Video, Time: 33, Data: []byte{0x27, 1, 0xff, 0xff, 0xdf, 0xaa, 0xbb}},
			{Type: flv.Video, Time: 33, Data: []byte{0x17, 2, 0, 0, 0}},
		}},
		{"HEVC", []*media.Sample{picture(media.HEVC, 0, 0, true), picture(media.HEVC, 33*ms, 35*ms, false)}, []flv.Tag{
			{Type: flv.Video, Data: []byte("\x90hvc1\x01\x02")},
			{Type: flv.Video, Data: []byte("\x93hvc1\xaa\xbb")},
			{Type: flv.Video, Time: 33, Data: []byte("\xa1hvc1\x00\x00\x02\xaa\xbb")},
			{Type: flv.Video, Time: 33, Data: []byte("\x92hvc1")},
		}},
		{"AV1", []*media.Sample{picture(media.AV1, 0, 0, true), picture(media.AV1, 33*ms, 33*ms, false)}, []flv.Tag{
			{Type: flv.Video, Data: []byte("\x90av01\x01\x02")},
			{Type: flv.Video, Data: []byte("\x91av01\xaa\xbb")},
			{Type: flv.Video, Time: 33, Data: []byte("\xa1av01\xaa\xbb")},
			{Type: flv.Video, Time: 33, Data: []byte("\x92av01")},
		}},
		{"AAC", []*media.Sample{sound(media.AAC, 0), sound(media.AAC, 21333*time.Microsecond)}, []flv.Tag{
			{Type: flv.Audio, Data: []byte{0xaf, 0, 0x11, 0x90}},
			{Type: flv.Audio, Data: []byte{0xaf, 1, 0xcc}},
			{Type: flv.Audio, Time: 21, Data: []byte{0xaf, 1, 0xcc}},
		}},
		{"Opus", []*media.Sample{sound(media.Opus, 20*ms)}, []flv.Tag{
			{Type: flv.Audio, Time: 20, Data: []byte("\x90Opus\x11\x90")},
			{Type: flv.Audio, Time: 20, Data: []byte("\x91Opus\xcc")},
		}},
		{"over the wrap", []*media.Sample{sound(media.AAC, (1<<32-1)*ms), sound(media.AAC, (1<<32+20)*ms)}, []flv.Tag{
			{Type: flv.Audio, Time: 1<<32 - 1, Data: []byte{0xaf, 0, 0x11, 0x90}},
			{Type: flv.Audio, Time: 1<<32 - 1, Data: []byte{0xaf, 1, 0xcc}},
			{Type: flv.Audio, Time: 20, Data: []byte{0xaf, 1, 0xcc}},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			m := NewMuxer(&out, MuxerOptions{Video: true, Audio: true})
			for _, s := range row.samples {
				testkit.NoErr(t, m.Write(s))
			}
			testkit.NoErr(t, m.Close())
			testkit.NoErr(t, m.Close())
			testkit.Equal(t, m.Written(), int64(out.Len()))
			testkit.Equal(t, tags(t, out.Bytes())[1:], row.want)
		})
	}
}

// TestOpusWithoutHeader: one is made of the number of channels.
func TestOpusWithoutHeader(t *testing.T) {
	var out bytes.Buffer
	m := NewMuxer(&out, MuxerOptions{Audio: true})
	s := sound(media.Opus, 0)
	s.Format = &media.Format{Codec: media.Opus, Channels: 2}
	testkit.NoErr(t, m.Write(s))
	head := tags(t, out.Bytes())[1].Data
	testkit.Equal(t, testkit.Must(opus.ParseHead(head[5:]))(t).Channels, 2)
}

// TestConfigurations: one is written where it differs, not where only the pointer
// does.
func TestConfigurations(t *testing.T) {
	var out bytes.Buffer
	m := NewMuxer(&out, MuxerOptions{Video: true})
	for i, config := range []string{"a", "a", "b", "a"} {
		s := picture(media.H264, time.Duration(i)*time.Second, time.Duration(i)*time.Second, true)
		s.Format.Config = []byte(config)
		testkit.NoErr(t, m.Write(s))
	}
	var kinds []byte
	for _, tag := range tags(t, out.Bytes())[1:] {
		kinds = append(kinds, tag.Data[1])
	}
	testkit.Equal(t, kinds, []byte{0, 1, 1, 0, 1, 0, 1})
}

// TestParameterSets: a key picture with another format gets the parameter sets if it
// has none, behind a delimiter.
func TestParameterSets(t *testing.T) {
	c := testkit.Must(h264.ParseConfig(avcC(t, 4, 7)))(t)
	delimiter, idr := []byte{0x09, 0xf0}, []byte{0x65, 1}
	hvcC := hevc.Config{LengthSize: 4, BitDepthLuma: 8, BitDepthChroma: 8, Arrays: []hevc.Array{
		{Type: hevc.TypeVPS, Units: [][]byte{{0x40, 1, 1}}}, {Type: hevc.TypeSPS, Units: [][]byte{{0x42, 1, 2}}},
		{Type: hevc.TypePPS, Units: [][]byte{{0x44, 1, 3}}}, {Type: hevc.TypePrefixSEI, Units: [][]byte{{0x4e, 1, 4}}},
	}}
	hidr := []byte{0x26, 1, 0xaa}
	for _, row := range []struct {
		name       string
		codec      media.Codec
		config     []byte
		data, want [][]byte
	}{
		{"H.264", media.H264, avcC(t, 4, 7), [][]byte{idr}, [][]byte{c.SPS[0], c.PPS[0], idr}},
		{"behind a delimiter", media.H264, avcC(t, 4, 7), [][]byte{delimiter, idr}, [][]byte{delimiter, c.SPS[0], c.PPS[0], idr}},
		{"there already", media.H264, avcC(t, 4, 7), [][]byte{c.SPS[0], idr}, [][]byte{c.SPS[0], idr}},
		{"HEVC", media.HEVC, testkit.Must(hvcC.Append(nil))(t), [][]byte{hidr}, [][]byte{{0x40, 1, 1}, {0x42, 1, 2}, {0x44, 1, 3}, hidr}},
		{"AV1", media.AV1, []byte{0x81, 0, 0, 0}, [][]byte{idr}, [][]byte{idr}},
		{"a configuration that cannot be read", media.H264, []byte{1}, [][]byte{idr}, [][]byte{idr}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			m := NewMuxer(&out, MuxerOptions{Video: true})
			first := picture(row.codec, 0, 0, true)
			second := picture(row.codec, 0, 0, true)
			second.Format.Config, second.Data = row.config, nal.AppendLengths(nil, row.data...)
			testkit.NoErr(t, m.Write(first))
			testkit.NoErr(t, m.Write(second))
			all := tags(t, out.Bytes())
			v := testkit.Must(flv.ParseVideo(all[len(all)-1].Data))(t)
			testkit.Equal(t, v.Data, nal.AppendLengths(nil, row.want...))
		})
	}
	broken := &media.Sample{Format: &media.Format{Codec: media.H264, Config: avcC(t, 4, 7)}, Data: []byte{0, 0, 0, 9, 1}}
	testkit.Equal(t, withSets(broken), broken.Data)
}

func TestMuxerRefuses(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name   string
		change func(*media.Sample)
		want   error
	}{
		{"backwards", func(s *media.Sample) { s.DTS = 999 * ms }, ErrBackwards},
		{"first a new format without a key", func(s *media.Sample) { s.Key = false; s.Format.Config = []byte{3} }, ErrNotKey},
		{"no format", func(s *media.Sample) { s.Format = nil }, ErrUnwritable},
		{"no codec", func(s *media.Sample) { s.Format.Codec = 0 }, ErrUnwritable},
		{"no configuration", func(s *media.Sample) { s.Format.Config = nil }, ErrUnwritable},
		{"no data", func(s *media.Sample) { s.Data = nil }, ErrUnwritable},
		{"not announced", func(s *media.Sample) { s.Format.Codec = media.AAC }, ErrUnwritable},
		{"shown too late", func(s *media.Sample) { s.PTS = s.DTS + (flv.MaxCompositionTime+1)*ms }, ErrUnwritable},
		{"shown too early", func(s *media.Sample) { s.PTS = s.DTS + (flv.MinCompositionTime-1)*ms }, ErrUnwritable},
		{"AV1 out of order", func(s *media.Sample) { s.Format.Codec = media.AV1; s.PTS++; s.PTS += ms }, ErrUnwritable},
		{"too large", func(s *media.Sample) { s.Data = make([]byte, flv.MaxTagData) }, ErrUnwritable},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			m := NewMuxer(&out, MuxerOptions{Video: true})
			testkit.NoErr(t, m.Write(picture(media.H264, time.Second, time.Second, true)))
			before := out.Len()
			bad := picture(media.H264, 2*time.Second, 2*time.Second, true)
			row.change(bad)
			testkit.ErrIs(t, m.Write(bad), row.want)
			testkit.Equal(t, out.Len(), before)
			testkit.NoErr(t, m.Write(picture(media.H264, time.Second, time.Second, false)))
			if row.want == ErrBackwards {
				return
			}
			fresh := NewMuxer(io.Discard, MuxerOptions{Video: true})
			bad = picture(media.H264, 0, 0, true)
			row.change(bad)
			testkit.ErrIs(t, fresh.Write(bad), row.want)
		})
	}
	m := NewMuxer(io.Discard, MuxerOptions{Video: true, Audio: true})
	testkit.ErrIs(t, m.Write(picture(media.H264, -time.Millisecond, 0, true)), ErrUnwritable)
	testkit.ErrIs(t, m.Write(picture(media.H264, 0, 0, false)), ErrNotKey)
	testkit.NoErr(t, m.Close())
	if err := m.Write(sound(media.AAC, 0)); err == nil {
		t.Error("a closed file is written")
	}
}

var errFull = errors.New("full")

// disk takes so many bytes.
type disk struct{ room int }

func (d *disk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestOutputFails: wherever it does, the error is that of every later call.
func TestOutputFails(t *testing.T) {
	write := func(room int) error {
		m := NewMuxer(&disk{room}, MuxerOptions{Video: true, Audio: true})
		first := m.Write(picture(media.H264, 0, 0, true))
		second := m.Write(sound(media.AAC, 0))
		end := m.Close()
		if first != nil && second != first || second != nil && end != second || end != m.Close() {
			t.Errorf("room for %d bytes: %v, %v, %v", room, first, second, end)
		}
		return end
	}
	room := 0
	for ; room < 1000 && write(room) != nil; room++ {
		testkit.ErrIs(t, write(room), errFull)
	}
	if room < 100 || room == 1000 {
		t.Errorf("%d bytes are room enough", room)
	}
}

// TestMetadataOfFiles: what can be known is said at once, the rest where it can be
// written again, and neither is it longer then.
func TestMetadataOfFiles(t *testing.T) {
	video := picture(media.H264, time.Second, time.Second, true)
	video.Format.Width, video.Format.Height, video.Format.FrameRate, video.Duration = 320, 180, 30, 40*time.Millisecond
	audio := sound(media.Opus, 1500*time.Millisecond)
	audio.Format.SampleRate, audio.Format.Channels, audio.Duration = 48000, 2, 20*time.Millisecond
	given := flv.Metadata{
		{Name: "title", Value: "a clip"}, {Name: "width", Value: "wide"}, {Name: "audiochannels", Value: true},
		{Name: "duration", Value: 99.0}, {Name: "filesize", Value: "large"},
	}
	write := func(w io.Writer, seekable bool) {
		m := NewMuxer(w, MuxerOptions{Video: true, Audio: true, Metadata: given, Seekable: seekable})
		testkit.NoErr(t, m.Write(video))
		testkit.NoErr(t, m.Write(audio))
		testkit.NoErr(t, m.Close())
	}
	meta := func(b []byte) flv.Metadata {
		m, _, err := flv.ParseMetadata(tags(t, b)[0].Data)
		testkit.NoErr(t, err)
		return m
	}

	var out bytes.Buffer
	write(&out, true) // which it cannot
	testkit.Equal(t, meta(out.Bytes()), flv.Metadata{
		{Name: "title", Value: "a clip"}, {Name: "width", Value: 320.0}, {Name: "audiochannels", Value: true},
		{Name: "height", Value: 180.0}, {Name: "framerate", Value: 30.0}, {Name: "videocodecid", Value: 7.0},
		{Name: "encoder", Value: "oxymoq"},
	})

	f := testkit.Must(os.Create(t.TempDir() + "/seekable.flv"))(t)
	before := "what was there before"
	testkit.Must(f.WriteString(before))(t)
	write(f, true)
	testkit.Must(f.WriteString("and behind"))(t)
	testkit.NoErr(t, f.Close())
	b := bytes.TrimSuffix(bytes.TrimPrefix(read(t, f.Name()), []byte(before)), []byte("and behind"))
	testkit.Equal(t, meta(b), flv.Metadata{
		{Name: "duration", Value: 0.52}, {Name: "filesize", Value: float64(len(b))},
		{Name: "title", Value: "a clip"}, {Name: "width", Value: 320.0}, {Name: "audiochannels", Value: 2.0},
		{Name: "height", Value: 180.0}, {Name: "framerate", Value: 30.0}, {Name: "videocodecid", Value: 7.0},
		{Name: "audiosamplerate", Value: 48000.0}, {Name: "stereo", Value: true},
		{Name: "audiocodecid", Value: 1332770163.0}, {Name: "encoder", Value: "oxymoq"},
	})
}

// TestEmptyFile: a file without samples is one.
func TestEmptyFile(t *testing.T) {
	var out bytes.Buffer
	testkit.NoErr(t, NewMuxer(&out, MuxerOptions{Audio: true}).Close())
	r := flv.NewReader(bytes.NewReader(out.Bytes()))
	testkit.Equal(t, testkit.Must(r.Header())(t), flv.Header{Audio: true})
	testkit.Equal(t, len(tags(t, out.Bytes())), 1)
}

// TestPipe: a pipe is no output that can seek, though it is an io.WriteSeeker.
func TestPipe(t *testing.T) {
	in, out, err := os.Pipe()
	testkit.NoErr(t, err)
	defer in.Close()
	defer out.Close()
	m := NewMuxer(out, MuxerOptions{Audio: true, Seekable: true})
	testkit.NoErr(t, m.Write(sound(media.AAC, 0)))
	testkit.NoErr(t, m.Close())
}
