// Package hang maps samples to frames of hang's container "legacy" and back, as
// npm's @moq/publish writes it and @moq/watch reads it:
//
//	timestamp (QUIC integer): the PTS in microseconds
//	payload: what WebCodecs has in a chunk
//
// There are no properties. What a decoder must know stands in the catalog
// (package catalog) or among the pictures: a rendition with a description has
// length-prefixed NAL units, one without has start codes and parameter sets
// before each key picture. Both are read. H.264 and HEVC are written with start
// codes as @moq/publish does it, so that a change of the configuration comes
// with the picture that needs it and not in another track; AAC and Opus are
// written raw, and the catalog describes AAC.
//
// A frame without payload says only that nothing comes up to its time; it is no
// sample. As LOC, the container has no decode times: they are made (package
// elementary, Order). A group begins at each key picture.
//
// The containers "cmaf" and "loc" of hang are not read. The package has no
// goroutines and no locks; an Unpacker belongs to one track.
//
//	props, payload, err := hang.NewPacker().Pack(sample)
//	sample, err := hang.NewUnpacker(media.Video, format).Unpack(nil, payload)
package hang
