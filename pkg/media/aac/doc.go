// Package aac reads and writes what surrounds coded AAC frames: the
// AudioSpecificConfig and the header of ADTS.
//
// The source is ISO/IEC 14496-3, sections 1.6.2 (AudioSpecificConfig), 1.6.5 (how
// SBR and PS are signalled), 4.4.1 (GASpecificConfig) and 1.A.3 (ADTS). Frames
// are not read. The layout of channels in a program_config_element is read for
// the number of channels, and not written.
//
// What is read more leniently than the text says: bits after the configuration,
// such as ffmpeg's padding; a backward compatible signal of SBR that is cut off.
//
// All functions are pure: there are no goroutines and no locks.
//
//	c, err := aac.ParseConfig([]byte{0x11, 0x90})
//	fmt.Println(c.Name(), c.OutputHertz(), c.OutputChannels()) // mp4a.40.2 48000 2
package aac
