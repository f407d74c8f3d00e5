// Package av1 reads and writes what surrounds coded AV1 pictures: the decoder's
// configuration record, the sequence header, and the row of open bitstream units
// (OBU) that a sample is.
//
// The sources are the AV1 Bitstream & Decoding Process Specification (sections
// 5.3 to 5.5 and 5.9.2) and the AV1 Codec ISO Media File Format Binding (section
// 2.3, av1C). Samples are temporal units in the low-overhead format; the format
// of the specification's Annex B, with lengths, is not read. Frame headers are
// not read beyond their type.
//
// Nothing is read more leniently than the texts say, but for reserved bits, which
// are ignored.
//
// All functions are pure: there are no goroutines and no locks. Results of Parse
// alias their input; those of Append do not.
//
//	c, err := av1.ParseConfig(av1C)
//	seq, err := c.ParseSequence()
//	fmt.Println(c.Name(), seq.Width, seq.Height) // av01.0.01M.08 640 360
package av1
