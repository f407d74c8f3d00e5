package aac

import (
	"fmt"
	"slices"
)

// Append writes the configuration behind b. It fails if there is no such
// configuration, if its channels need a program_config_element, and for types
// other than those of AAC without error resilience.
func (c *Config) Append(b []byte) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	w := &bitWriter{b: b}
	kind := c.Type
	if c.Signal == Hierarchical {
		kind = TypeSBR
		if c.PS {
			kind = TypePS
		}
	}
	w.u(uint32(kind), 5)
	w.frequency(c.Hertz)
	w.u(uint32(c.ChannelConfig), 4)
	if c.Signal == Hierarchical {
		w.frequency(c.SBRHertz)
		w.u(uint32(c.Type), 5)
	}
	w.flag(c.Short)
	w.flag(c.DependsOnCore)
	if c.DependsOnCore {
		w.u(uint32(c.CoreDelay), 14)
	}
	w.flag(false) // extensionFlag
	if c.Signal == Compatible {
		w.u(syncSBR, 11)
		w.u(TypeSBR, 5)
		w.flag(c.SBR)
		if c.SBR {
			w.frequency(c.SBRHertz)
			w.u(syncPS, 11)
			w.flag(c.PS)
		}
	}
	return w.b, nil
}

func (c *Config) check() error {
	switch {
	case c.Type < TypeMain || c.Type > TypeLTP:
		return fmt.Errorf("configurations of audio object type %d are not written", c.Type)
	case c.Hertz < 1 || c.Hertz > MaxHertz:
		return fmt.Errorf("a sampling frequency of %d hertz is not from 1 to %d", c.Hertz, MaxHertz)
	case c.ChannelConfig < 1 || c.ChannelConfig > 15 || channelCounts[c.ChannelConfig] == 0:
		return fmt.Errorf("%d channels have no channel configuration", c.Channels)
	case c.CoreDelay < 0 || c.CoreDelay >= 1<<14:
		return fmt.Errorf("a core delay of %d samples has not 14 bits", c.CoreDelay)
	case c.Signal == Hierarchical && !c.SBR, c.PS && !c.SBR, c.SBR && c.Signal == NotSignalled:
		return fmt.Errorf("SBR and PS are not what is signalled")
	case c.SBR && (c.SBRHertz < 1 || c.SBRHertz > MaxHertz):
		return fmt.Errorf("a sampling frequency of %d hertz is not from 1 to %d", c.SBRHertz, MaxHertz)
	}
	return nil
}

// bitWriter appends fields of bits to b, the first bit of a byte being its
// highest.
type bitWriter struct {
	b    []byte
	free int // bits of the last byte
}

func (w *bitWriter) u(v uint32, n int) {
	for n--; n >= 0; n-- {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>n&1) << w.free
	}
}

func (w *bitWriter) flag(set bool) {
	if set {
		w.u(1, 1)
	} else {
		w.u(0, 1)
	}
}

func (w *bitWriter) frequency(hertz int) {
	if i := slices.Index(frequencies[:], hertz); i >= 0 {
		w.u(uint32(i), 4)
		return
	}
	w.u(explicitFrequency, 4)
	w.u(uint32(hertz), 24)
}

// Name returns the codec string (RFC 6381 section 3.3): mp4a.40 and the audio
// object type that stands first, 5 or 29 only if SBR is signalled there.
func (c *Config) Name() string {
	kind := c.Type
	if c.Signal == Hierarchical {
		kind = TypeSBR
		if c.PS {
			kind = TypePS
		}
	}
	return fmt.Sprintf("mp4a.40.%d", kind)
}

// OutputHertz returns the rate of what is decoded: after SBR, if it is
// signalled.
func (c *Config) OutputHertz() int {
	if c.SBR {
		return c.SBRHertz
	}
	return c.Hertz
}

// OutputChannels returns how many channels are decoded: two, if mono has
// parametric stereo.
func (c *Config) OutputChannels() int {
	if c.PS && c.Channels == 1 {
		return 2
	}
	return c.Channels
}

// FrameSamples returns how many samples a frame has for each channel, at
// OutputHertz; 0 for codings that are no AAC.
func (c *Config) FrameSamples() int {
	n := 1024
	if c.Short {
		n = 960
	}
	switch {
	case c.Type == TypeLD || c.Type == TypeELD:
		n /= 2
	case !general(c.Type):
		return 0
	}
	if c.SBR && c.SBRHertz == 2*c.Hertz {
		n *= 2
	}
	return n
}
