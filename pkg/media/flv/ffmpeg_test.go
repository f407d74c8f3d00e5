package flv_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media/flv"
)

// TestFilesOfFFmpeg: what ffmpeg wrote is read strictly, and each part of it is
// written again as the same bytes.
func TestFilesOfFFmpeg(t *testing.T) {
	read := func(t *testing.T, c testkit.Clip) []byte {
		return testkit.Must(os.ReadFile(c.File(t)))(t)
	}
	piped := func(t *testing.T, c testkit.Clip) []byte { return c.Piped(t) }
	for _, row := range []struct {
		name  string
		clip  testkit.Clip
		bytes func(*testing.T, testkit.Clip) []byte
		late  bool // pictures are shown after they are decoded
	}{
		{"baseline and stereo", testkit.Clip{Seconds: 1}, read, false},
		{"B-frames and mono", testkit.Clip{Seconds: 1, BFrames: 2, Channels: 1, Hertz: 44100}, read, true},
		{"from a pipe", testkit.Clip{Seconds: 0.5, Args: []string{"-flvflags", "no_duration_filesize"}}, piped, false},
		{"far from 0", testkit.Clip{Seconds: 0.5, Offset: 4_294_967_000_000_000}, read, false}, // 2^32 - 296 ms
	} {
		t.Run(row.name, func(t *testing.T) {
			in := row.bytes(t, row.clip)
			out, counts := again(t, in)
			if !bytes.Equal(out, in) {
				t.Errorf("%d bytes were written again as %d others", len(in), len(out))
			}
			if counts.pictures == 0 || counts.frames == 0 || counts.configs != 2 || counts.metadata != 1 {
				t.Errorf("%+v", counts)
			}
			if counts.late != row.late {
				t.Errorf("pictures are shown after they are decoded: %v", counts.late)
			}
		})
	}
}

type counts struct {
	pictures, frames, configs, metadata int
	late                                bool
}

// again writes a file from what its tags were parsed as.
func again(t *testing.T, in []byte) (out []byte, n counts) {
	r := flv.NewReader(bytes.NewReader(in))
	var buf bytes.Buffer
	w := flv.NewWriter(&buf)
	testkit.NoErr(t, w.WriteHeader(testkit.Must(r.Header())(t)))
	for {
		tag, err := r.Next()
		if err == io.EOF {
			testkit.Equal(t, r.Repairs(), flv.Repairs{})
			return buf.Bytes(), n
		}
		testkit.NoErr(t, err)
		switch tag.Type {
		case flv.Video:
			v := testkit.Must(flv.ParseVideo(tag.Data))(t)
			switch v.Packet {
			case flv.Frames:
				n.pictures++
				n.late = n.late || v.CompositionTime > 0
			case flv.SequenceStart:
				n.configs++
			}
			tag.Data = testkit.Must(flv.AppendVideo(nil, v))(t)
		case flv.Audio:
			a := testkit.Must(flv.ParseAudio(tag.Data))(t)
			if a.Packet == flv.SequenceStart {
				n.configs++
			} else {
				n.frames++
			}
			tag.Data = testkit.Must(flv.AppendAudio(nil, a))(t)
		case flv.Script:
			m, ok, err := flv.ParseMetadata(tag.Data)
			testkit.NoErr(t, err)
			if ok {
				n.metadata++
			}
			tag.Data = testkit.Must(flv.AppendMetadata(nil, m))(t)
		}
		testkit.NoErr(t, w.WriteTag(tag))
	}
}
