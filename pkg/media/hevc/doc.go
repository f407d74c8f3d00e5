// Package hevc reads and writes what surrounds coded HEVC pictures: the
// decoder's configuration record, parameter sets, and the two ways in which NAL
// units stand in a row.
//
// The sources are ISO/IEC 23008-2 (H.265) for NAL units, Annex B and the sequence
// parameter set (SPS), and ISO/IEC 14496-15 section 8 for the
// HEVCDecoderConfigurationRecord (hvcC) and length-prefixed samples. Slices are
// not read beyond their type, nor layers above the base layer.
//
// What is read more leniently than the texts say: bytes after the record; an SPS
// that cannot be read behind its buffer sizes, which has no frame rate then.
//
// All functions are pure: there are no goroutines and no locks. Results of Parse
// and Split alias their input; those of Append do not.
//
//	c, err := hevc.ParseConfig(hvcC)
//	sps, err := c.ParseSPS()
//	fmt.Println(c.Name(), sps.Width, sps.Height) // hvc1.1.6.L63.90 640 360
package hevc
