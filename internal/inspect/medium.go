package inspect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
)

const (
	// maxTries is how many objects are tried to find out what the track carries.
	maxTries = 256
	// rateOf is how many steps of media time the frame rate is the mean of.
	rateOf = 64
	// leastSteps are known before there is a frame rate.
	leastSteps = 8
	// longestStep is the longest step of media time that is one.
	longestStep = 10 * time.Second
)

// medium is what is known of the media that a track carries.
type medium struct {
	kinds  []media.Kind // to be tried, the likeliest first
	listed *catalog.Track
	found  *packaging.Detector
	name   packaging.Name // also if nothing says how to decode
	format *media.Format
	tried  int

	last        *media.Sample
	key         *media.Sample
	keyInterval time.Duration
	steps       [rateOf]time.Duration
	stepped     int
	total       time.Duration
}

func newMedium(track string) medium {
	kinds := []media.Kind{media.Video, media.Audio}
	if strings.Contains(strings.ToLower(track), "audio") {
		kinds = []media.Kind{media.Audio, media.Video}
	}
	return medium{kinds: kinds}
}

// hint takes what a catalog says.
func (m *medium) hint(t *catalog.Track) {
	m.listed = t
	if m.found == nil {
		m.tried = 0
	}
	if t.Kind != 0 {
		m.kinds = []media.Kind{t.Kind}
	}
}

// rejoin forgets the sample before, because some are missing.
func (m *medium) rejoin() { m.last, m.key = nil, nil }

// take returns the sample of an object, nil if it is none that can be read.
func (m *medium) take(props model.Properties, payload []byte) *media.Sample {
	if m.found == nil && m.tried < maxTries {
		m.tried++
		m.detect(props, payload)
	}
	if m.found == nil {
		return nil
	}
	s, err := m.found.Unpack(props, payload)
	if err != nil {
		return nil
	}
	m.format = s.Format
	m.step(s)
	return s
}

// detect tries the kinds. One that understands an object but not how to decode it
// says the packaging, and may be the wrong one.
func (m *medium) detect(props model.Properties, payload []byte) {
	var hint *media.Format
	if m.listed != nil {
		hint = m.listed.Format
	}
	for _, k := range m.kinds {
		d := packaging.NewDetector(k, hint)
		if _, err := d.Unpack(props, payload); err == nil {
			m.found, m.name = d, d.Name()
			return
		}
		if n := d.Name(); n != "" && m.name == "" {
			m.name = n
		}
	}
}

// step notes the media time of a sample.
func (m *medium) step(s *media.Sample) {
	if before := m.last; before != nil {
		if d := s.DTS - before.DTS; d > 0 && d < longestStep {
			at := &m.steps[m.stepped%rateOf]
			m.total += d - *at
			*at = d
			m.stepped++
		}
	}
	if s.Key && s.Format.Codec.Kind() == media.Video {
		if before := m.key; before != nil && s.DTS > before.DTS {
			m.keyInterval = s.DTS - before.DTS
		}
		m.key = &media.Sample{DTS: s.DTS}
	}
	m.last = &media.Sample{DTS: s.DTS}
}

// rate returns pictures, or frames of audio, in a second of media time; 0 if it is
// not known yet.
func (m *medium) rate() float64 {
	if m.stepped < leastSteps || m.total <= 0 {
		return 0
	}
	mean := m.total.Seconds() / float64(min(m.stepped, rateOf))
	return math.Round(100/mean) / 100
}

// text says for people what is carried: what the objects say, or else the catalog.
func (m *medium) text() string {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	format, name := m.format, string(m.name)
	if m.listed != nil {
		if format == nil {
			format = m.listed.Format
		}
		if name == "" {
			name = m.listed.Packaging
		}
	}
	add(packagingName(name))
	if format == nil {
		if m.listed != nil {
			add(m.listed.Codec)
		}
		return strings.Join(parts, " ")
	}
	add(format.Codec.String())
	if format.Codec.Kind() == media.Audio {
		if format.SampleRate > 0 {
			add(strconv.FormatFloat(float64(format.SampleRate)/1000, 'f', -1, 64) + " kHz")
		}
		switch format.Channels {
		case 0:
		case 1:
			add("mono")
		case 2:
			add("stereo")
		default:
			add(fmt.Sprintf("%d channels", format.Channels))
		}
		return strings.Join(parts, " ")
	}
	if format.Width > 0 {
		add(fmt.Sprintf("%dx%d", format.Width, format.Height))
	}
	rate := format.FrameRate
	if seen := m.rate(); seen > 0 {
		rate = seen
	}
	if rate > 0 {
		add(strconv.FormatFloat(math.Round(rate*100)/100, 'f', -1, 64) + " fps")
	}
	return strings.Join(parts, " ")
}

// packagingName is a packaging as people write it.
func packagingName(name string) string {
	switch packaging.Name(name) {
	case packaging.MoQMi:
		return "MoQMi"
	case packaging.LOC:
		return "LOC"
	}
	return name
}
