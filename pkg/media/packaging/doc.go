// Package packaging packs samples by the name of a packaging and unpacks objects
// of whichever packaging they turn out to be.
//
//	moqmi  draft-cenzano-moq-media-interop (package moqmi)
//	loc    draft-ietf-moq-loc (package loc)
//	hang   the container of moq-dev (package hang)
//
// A Detector looks at the first object: a media type with its metadata is MoQMi,
// a timestamp is LOC, and an object without either is hang's, if a catalog has
// said what codec it is. What it has found it keeps.
//
// The package has no goroutines and no locks; packers and detectors belong to
// one track.
//
//	packer, err := packaging.NewPacker(packaging.LOC, media.Video, packaging.Options{})
//	props, payload, err := packer.Pack(sample)
//	sample, err := packaging.NewDetector(media.Video, nil).Unpack(props, payload)
package packaging
