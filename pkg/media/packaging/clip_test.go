package packaging_test

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
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/media/remux"
)

// TestClip: what ffmpeg encoded, with B-pictures, goes through every packaging
// and becomes a file again that decodes. The times at which pictures are shown,
// and the data, are the same; MoQMi keeps the times of decoding too, the others
// make some that fit.
func TestClip(t *testing.T) {
	path := testkit.Clip{Seconds: 1, BFrames: 2, GOP: 12, Offset: 5 * time.Second}.File(t)
	file := testkit.Must(os.ReadFile(path))(t)
	demuxer := remux.NewDemuxer(flv.NewReader(bytes.NewReader(file)))
	var all []*media.Sample
	for {
		s, err := demuxer.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		testkit.NoErr(t, err)
		all = append(all, s)
	}
	if len(all) < 60 {
		t.Fatalf("%d samples", len(all))
	}
	for _, name := range packaging.Names() {
		t.Run(string(name), func(t *testing.T) {
			out := testkit.Must(os.Create(t.TempDir() + "/out.flv"))(t)
			muxer := remux.NewMuxer(out, remux.MuxerOptions{Video: true, Audio: true})
			for _, s := range roundTrip(t, name, all) {
				testkit.NoErr(t, muxer.Write(s))
			}
			testkit.NoErr(t, muxer.Close())
			testkit.NoErr(t, out.Close())
			testkit.Decodes(t, out.Name())
			was, is := testkit.Packets(t, path), testkit.Packets(t, out.Name())
			if len(was) != len(is) {
				t.Errorf("%d packets became %d", len(was), len(is))
			}
		})
	}
}

// roundTrip packs and unpacks samples.
func roundTrip(t *testing.T, name packaging.Name, all []*media.Sample) (back []*media.Sample) {
	t.Helper()
	packers, detectors := map[media.Kind]packaging.Packer{}, map[media.Kind]*packaging.Detector{}
	last := map[media.Kind]time.Duration{}
	for i, s := range all {
		kind := s.Format.Codec.Kind()
		if packers[kind] == nil {
			packers[kind] = testkit.Must(packaging.NewPacker(name, kind, packaging.Options{}))(t)
			var hint *media.Format
			if name == packaging.Hang {
				hint = &media.Format{Codec: s.Format.Codec}
				if kind == media.Audio {
					hint = s.Format // AAC is described by the catalog
				}
			}
			detectors[kind] = packaging.NewDetector(kind, hint)
		}
		props, payload, err := packers[kind].Pack(s)
		testkit.NoErr(t, err)
		got := testkit.Must(detectors[kind].Unpack(props, payload))(t)
		if got.PTS != s.PTS || got.Key != s.Key || got.Format.Codec != s.Format.Codec || !bytes.Equal(got.Data, s.Data) {
			t.Fatalf("sample %d: got\n%+v\nwant\n%+v", i, got, s)
		}
		if name == packaging.MoQMi && (got.DTS != s.DTS || got.Seq != s.Seq) {
			t.Fatalf("sample %d: DTS %v number %d, want %v %d", i, got.DTS, got.Seq, s.DTS, s.Seq)
		}
		if before, ok := last[kind]; ok && got.DTS < before || got.DTS > got.PTS || got.PTS-got.DTS > time.Second/2 {
			t.Fatalf("sample %d: PTS %v, DTS %v after %v", i, got.PTS, got.DTS, before)
		}
		last[kind] = got.DTS
		back = append(back, got)
	}
	for kind, d := range detectors {
		if d.Name() != name {
			t.Errorf("%v was found to be %q", kind, d.Name())
		}
	}
	return back
}
