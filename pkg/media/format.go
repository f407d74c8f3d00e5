package media

import (
	"bytes"
	"fmt"
	"strings"

	"oxymoq/pkg/media/aac"
	"oxymoq/pkg/media/av1"
	"oxymoq/pkg/media/h264"
	"oxymoq/pkg/media/hevc"
	"oxymoq/pkg/media/opus"
)

// MaxFrameRate is the largest number of pictures in a second that is believed.
// Some encoders put the ticks of their clock there, as 90000.
const MaxFrameRate = 1000

// ParseFormat returns the format of a codec's configuration, of which it keeps a
// copy. What the configuration does not say is left zero, as the size of a
// picture if it has no parameter sets; a rate above MaxFrameRate says nothing.
// Opus may have an empty one, which is stereo.
func ParseFormat(c Codec, config []byte) (*Format, error) {
	f := &Format{Codec: c, Config: bytes.Clone(config)}
	var err error
	switch c {
	case H264:
		err = f.parseH264()
	case HEVC:
		err = f.parseHEVC()
	case AV1:
		err = f.parseAV1()
	case AAC:
		err = f.parseAAC()
	case Opus:
		err = f.parseOpus()
	default:
		return nil, fmt.Errorf("codec %d is not known", c)
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration of %v: %w", c, err)
	}
	if f.FrameRate > MaxFrameRate {
		f.FrameRate = 0
	}
	return f, nil
}

func (f *Format) parseH264() error {
	c, err := h264.ParseConfig(f.Config)
	if err != nil {
		return err
	}
	f.Name = c.Name()
	sps, err := c.ParseSPS()
	if sps == nil || err != nil {
		return err
	}
	f.Width, f.Height, f.FrameRate = sps.Width, sps.Height, sps.FrameRate
	return nil
}

func (f *Format) parseHEVC() error {
	c, err := hevc.ParseConfig(f.Config)
	if err != nil {
		return err
	}
	f.Name, f.FrameRate = c.Name(), float64(c.AvgFrameRate)/256
	sps, err := c.ParseSPS()
	if sps == nil || err != nil {
		return err
	}
	f.Width, f.Height = sps.Width, sps.Height
	if f.FrameRate == 0 {
		f.FrameRate = sps.FrameRate
	}
	return nil
}

func (f *Format) parseAV1() error {
	c, err := av1.ParseConfig(f.Config)
	if err != nil {
		return err
	}
	f.Name = c.Name()
	seq, err := c.ParseSequence()
	if seq == nil || err != nil {
		return err
	}
	f.Width, f.Height, f.FrameRate = seq.Width, seq.Height, seq.FrameRate
	return nil
}

func (f *Format) parseAAC() error {
	c, err := aac.ParseConfig(f.Config)
	if err != nil {
		return err
	}
	f.Name, f.SampleRate, f.Channels = c.Name(), c.OutputHertz(), c.OutputChannels()
	return nil
}

func (f *Format) parseOpus() error {
	f.Name, f.SampleRate, f.Channels = opus.Name, opus.Hertz, 2
	if len(f.Config) == 0 {
		return nil
	}
	h, err := opus.ParseHead(f.Config)
	if err != nil {
		return err
	}
	f.Channels = h.Channels
	return nil
}

// Same reports whether a decoder that was set up for f can go on with samples of
// o: codec and configuration are equal. A nil format is the same as no other.
func (f *Format) Same(o *Format) bool {
	return f == o || f != nil && o != nil && f.Codec == o.Codec && bytes.Equal(f.Config, o.Config)
}

// KeyFrame reports whether decoding can begin at a sample, whose NAL units have
// lengths of four bytes. That is so for all audio; a broken picture is no such
// sample.
func KeyFrame(c Codec, data []byte) bool {
	switch c {
	case H264:
		return h264.IsIDR(data)
	case HEVC:
		return hevc.IsKey(data)
	case AV1:
		return av1.IsKey(data)
	case AAC, Opus:
		return true
	}
	return false
}

// ParseName returns the codec that a codec string of WebCodecs and of catalogs
// names, as avc1.42c01e, hev1.1.6.L93.B0, av01.0.04M.08, mp4a.40.2 or opus. Of
// MPEG-4 audio only AAC is known. The case of letters does not count.
func ParseName(s string) (Codec, error) {
	name := strings.ToLower(s)
	first, rest, _ := strings.Cut(name, ".")
	switch first {
	case "avc1", "avc3":
		return H264, nil
	case "hvc1", "hev1":
		return HEVC, nil
	case "av01":
		return AV1, nil
	case "opus":
		return Opus, nil
	case "mp4a":
		switch rest {
		// AAC Main, LC, SSR, LTP, with SBR and with PS; older writers have 02 and 05.
		case "40.1", "40.2", "40.3", "40.4", "40.5", "40.29", "40.02", "40.05":
			return AAC, nil
		}
	}
	return 0, fmt.Errorf("codec %q is not known", s)
}
