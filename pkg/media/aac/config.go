package aac

import (
	"errors"
	"fmt"
	"slices"
)

// Audio object types (ISO/IEC 14496-3 table 1.17).
const (
	TypeMain = 1
	TypeLC   = 2
	TypeSSR  = 3
	TypeLTP  = 4
	TypeSBR  = 5 // spectral band replication, HE-AAC
	TypeLD   = 23
	TypePS   = 29 // parametric stereo, HE-AAC v2
	TypeELD  = 39

	typeScalable   = 6
	typeBSAC       = 22
	typeERScalable = 20
	typeEscape     = 31
	maxType        = 32 + 1<<6 - 1
)

// MaxHertz is the largest sampling frequency, which has 24 bits.
const MaxHertz = 1<<24 - 1

// frequencies are those with an index (table 1.18).
var frequencies = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// explicitFrequency is the index that is followed by the frequency.
const explicitFrequency = 15

// channelCounts are how many channels a channelConfiguration means (table 1.19);
// 0 is none.
var channelCounts = [16]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 13: 24, 14: 8}

// The types of the extension that follows a backward compatible configuration
// (section 1.6.2.1).
const (
	syncSBR = 0x2b7
	syncPS  = 0x548
)

// Signal is how a configuration says that there is SBR (section 1.6.5).
type Signal uint8

// The signals.
const (
	// NotSignalled says nothing; a decoder may find SBR in the frames.
	NotSignalled Signal = iota
	// Hierarchical puts SBR first, which only those who know it can read.
	Hierarchical
	// Compatible puts it behind what every reader knows.
	Compatible
)

// Config is an AudioSpecificConfig (section 1.6.2.1).
type Config struct {
	Type  int // audio object type of the core, 2 for AAC-LC
	Hertz int // of the core
	// ChannelConfig is 1 to 15, or 0 if a program_config_element says what the
	// channels are, or the codec in its own way. Channels is how many the core has, 0
	// if that is not known.
	ChannelConfig int
	Channels      int
	// Short says that a frame has 960 samples and not 1024 (for LD and ELD, 480
	// and not 512): frameLengthFlag.
	Short bool
	// CoreDelay is coreCoderDelay, which is there if DependsOnCore.
	DependsOnCore bool
	CoreDelay     int

	Signal   Signal
	SBR, PS  bool
	SBRHertz int // after SBR, if SBR
}

// LC returns the configuration of AAC-LC, or an error if it has none with so many
// channels. Those are 1 to 8, except 7.
func LC(hertz, channels int) (*Config, error) {
	c := &Config{Type: TypeLC, Hertz: hertz, Channels: channels}
	c.ChannelConfig = max(0, slices.Index(channelCounts[:8], channels))
	_, err := c.Append(nil)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ParseConfig reads a configuration.
//
//	type (5; 31 and 6 bits from 32 on), frequency (4; 15 and 24 bits), channels (4),
//	for type 5 or 29: frequency after SBR (4; 24), type (5; 6) of the core,
//	frameLengthFlag (1), dependsOnCoreCoder (1), delay (14), extensionFlag (1), layout of channels if that was 0,
//	behind it: 2b7 (11), type 5 (5), sbrPresent (1), frequency (4; 24), 548 (11), psPresent (1)
func ParseConfig(b []byte) (*Config, error) {
	r := &bitReader{b: b}
	c := &Config{}
	c.parse(r)
	if r.err != nil {
		return nil, fmt.Errorf("AudioSpecificConfig: %w", r.err)
	}
	return c, nil
}

func (c *Config) parse(r *bitReader) {
	c.Type, c.Hertz, c.ChannelConfig = objectType(r), frequency(r), int(r.u(4))
	c.Channels = channelCounts[c.ChannelConfig]
	if r.err == nil && c.ChannelConfig != 0 && c.Channels == 0 {
		r.err = fmt.Errorf("channel configuration %d is reserved", c.ChannelConfig)
	}
	if c.Type == TypeSBR || c.Type == TypePS {
		c.Signal, c.SBR, c.PS = Hierarchical, true, c.Type == TypePS
		c.SBRHertz, c.Type = frequency(r), objectType(r)
		if c.Type == typeBSAC {
			r.u(4) // extensionChannelConfiguration
		}
	}
	switch {
	case r.err == nil && (c.Type == 0 || c.Type == TypeSBR || c.Type == TypePS):
		r.err = fmt.Errorf("audio object type %d is no core", c.Type)
	case c.Type == TypeELD:
		c.Short = r.flag() // the first bit of ELDSpecificConfig; what follows is for its decoder
		return
	case !general(c.Type):
		return // what follows is for its decoder
	}
	c.parseGeneral(r)
	if c.Type >= 17 {
		r.u(2) // epConfig
	}
	if r.err == nil && c.Signal == NotSignalled {
		c.parseCompatible(*r)
	}
}

// general reports whether a type has a GASpecificConfig.
func general(t int) bool {
	return t == TypeMain || t == TypeLC || t == TypeSSR || t == TypeLTP || t == typeScalable || t == 7 ||
		t == 17 || t >= 19 && t <= TypeLD
}

// parseGeneral reads a GASpecificConfig (section 4.4.1).
func (c *Config) parseGeneral(r *bitReader) {
	c.Short = r.flag()
	if c.DependsOnCore = r.flag(); c.DependsOnCore {
		c.CoreDelay = int(r.u(14))
	}
	extended := r.flag()
	if c.ChannelConfig == 0 {
		c.Channels = parseLayout(r)
	}
	if c.Type == typeScalable || c.Type == typeERScalable {
		r.u(3) // layerNr
	}
	if !extended {
		return
	}
	if c.Type == typeBSAC {
		r.u(16) // numOfSubFrame, layer_length
	}
	if c.Type == 17 || c.Type == 19 || c.Type == typeERScalable || c.Type == TypeLD {
		r.u(3) // resilience of section data, scalefactors and spectral data
	}
	r.flag() // extensionFlag3
}

// parseLayout reads a program_config_element (section 4.4.1.1) and returns the
// number of channels.
func parseLayout(r *bitReader) int {
	r.u(10) // element_instance_tag, object_type, sampling_frequency_index
	front, side, back := r.u(4), r.u(4), r.u(4)
	lfe, data, coupling := r.u(2), r.u(3), r.u(4)
	for _, bits := range [3]int{4, 4, 3} { // mono, stereo and matrix mixdown
		if r.flag() {
			r.u(bits)
		}
	}
	channels := int(lfe)
	for range front + side + back {
		channels++
		if r.flag() { // a channel pair
			channels++
		}
		r.u(4)
	}
	for range lfe + data {
		r.u(4)
	}
	for range coupling {
		r.u(5)
	}
	r.u(-r.at & 7) // byte_alignment
	for range r.u(8) {
		r.u(8) // comment
	}
	if r.err == nil && channels == 0 {
		r.err = errors.New("the layout has no channels")
	}
	return channels
}

// parseCompatible reads what may follow a configuration to say that there is
// SBR. If that is cut off nothing was said: r is a copy.
func (c *Config) parseCompatible(r bitReader) {
	if r.u(11) != syncSBR || objectType(&r) != TypeSBR {
		return
	}
	sbr, hertz, ps := r.flag(), 0, false
	if sbr {
		hertz = frequency(&r)
	}
	if r.err != nil {
		return
	}
	c.Signal, c.SBR, c.SBRHertz = Compatible, sbr, hertz
	if sbr && r.u(11) == syncPS {
		ps = r.flag()
	}
	c.PS = ps && r.err == nil
}

func objectType(r *bitReader) int {
	t := int(r.u(5))
	if t == typeEscape {
		t = 32 + int(r.u(6))
	}
	return t
}

func frequency(r *bitReader) int {
	i := int(r.u(4))
	if i == explicitFrequency {
		hertz := int(r.u(24))
		if r.err == nil && hertz == 0 {
			r.err = errors.New("a sampling frequency of 0")
		}
		return hertz
	}
	if r.err == nil && i >= len(frequencies) {
		r.err = fmt.Errorf("sampling frequency index %d is reserved", i)
	}
	if r.err != nil {
		return 0
	}
	return frequencies[i]
}
