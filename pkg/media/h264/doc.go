// Package h264 reads and writes what surrounds coded H.264 pictures: the
// decoder's configuration record, parameter sets, and the two ways in which NAL
// units stand in a row.
//
// The sources are ISO/IEC 14496-10 (H.264) for NAL units, Annex B and the
// sequence parameter set (SPS), and ISO/IEC 14496-15 section 5 for the
// AVCDecoderConfigurationRecord (avcC) and length-prefixed samples. Slices are
// not read beyond their type.
//
// What is read more leniently than the texts say: a record that ends where the
// fields of its high profile should begin, as older muxers wrote it; bytes after
// the record; an SPS whose VUI cannot be read, which has no frame rate then.
//
// All functions are pure: there are no goroutines and no locks. Results of Parse
// and Split alias their input; those of Append do not.
//
//	c, err := h264.ParseConfig(avcC)
//	sps, err := c.ParseSPS()
//	fmt.Println(c.Name(), sps.Width, sps.Height) // avc1.42c01e 640 360
package h264
