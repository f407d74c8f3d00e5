package remux

import (
	"encoding/binary"
	"fmt"
	"io"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
)

// What the Muxer says of a file in onMetaData (annex E.5 of the specification of
// FLV, and E-RTMP "Enhancing onMetaData" for codecs with a FourCC).

// begin writes the header and the metadata, if they are not written.
func (m *Muxer) begin() error {
	if m.begun {
		return nil
	}
	m.begun = true
	if err := m.out.WriteHeader(flv.Header{Audio: m.opts.Audio, Video: m.opts.Video}); err != nil {
		return err
	}
	m.metaAt = m.out.Written()
	if m.seek != nil {
		// First, and there at once, so that their places do not change.
		m.meta.Set("duration", 0.0)
		m.meta.Set("filesize", 0.0)
	}
	for _, p := range m.opts.Metadata {
		if p.Name != "duration" && p.Name != "filesize" {
			m.meta.Set(p.Name, p.Value)
		}
	}
	m.describe()
	tag, err := m.metadata()
	if err != nil {
		return err
	}
	return m.out.WriteTag(tag)
}

func (m *Muxer) metadata() (flv.Tag, error) {
	data, err := flv.AppendMetadata(nil, m.meta)
	return flv.Tag{Type: flv.Script, Data: data}, err
}

// describe puts what is known of the formats into the metadata. If it can be
// written again, it has numbers for what is not known yet, which are 0: they have
// the length of any other.
func (m *Muxer) describe() {
	number := func(name string, n float64) {
		if _, has := m.meta.Get(name).(float64); n > 0 || m.seek != nil && !has {
			m.meta.Set(name, n)
		}
	}
	if m.opts.Video {
		f := m.video.first
		if f == nil {
			f = &media.Format{}
		}
		number("width", float64(f.Width))
		number("height", float64(f.Height))
		number("framerate", f.FrameRate)
		number("videocodecid", codecID(f.Codec))
	}
	if m.opts.Audio {
		f := m.audio.first
		if f == nil {
			f = &media.Format{}
		}
		number("audiosamplerate", float64(f.SampleRate))
		number("audiochannels", float64(f.Channels))
		if f.Channels > 0 || m.seek != nil {
			m.meta.Set("stereo", f.Channels > 1)
		}
		number("audiocodecid", codecID(f.Codec))
	}
	if m.meta.Get("encoder") == nil {
		m.meta.Set("encoder", "oxymoq")
	}
}

// codecID is the number of a codec in the metadata: that of its tags, or its FourCC
// as a number. It is 0 for none.
func codecID(c media.Codec) float64 {
	fourCC := ""
	switch c {
	case media.H264:
		return 7
	case media.AAC:
		return 10
	case media.HEVC:
		fourCC = "hvc1"
	case media.AV1:
		fourCC = "av01"
	case media.Opus:
		fourCC = "Opus"
	default:
		return 0
	}
	return float64(binary.BigEndian.Uint32([]byte(fourCC)))
}

// rewrite writes the metadata again, in its place.
func (m *Muxer) rewrite() error {
	if m.seek == nil {
		return nil
	}
	before, err := m.metadata()
	if err != nil {
		return err
	}
	m.describe()
	m.meta.Set("duration", (m.end - m.first).Seconds())
	m.meta.Set("filesize", float64(m.out.Written()))
	after, err := m.metadata()
	if err != nil {
		return err
	}
	if len(after.Data) != len(before.Data) {
		return fmt.Errorf("FLV: the metadata has %d bytes, must have %d as before", len(after.Data), len(before.Data))
	}
	end, err := m.seek.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := m.seek.Seek(m.start+m.metaAt, io.SeekStart); err != nil {
		return err
	}
	if _, err := m.seek.Write(flv.AppendTag(nil, after)); err != nil {
		return err
	}
	_, err = m.seek.Seek(end, io.SeekStart)
	return err
}
