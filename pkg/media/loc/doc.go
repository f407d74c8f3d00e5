// Package loc maps samples to objects of LOC and back (draft-ietf-moq-loc-04):
// the payload is what WebCodecs has in a chunk, and properties say the rest.
//
//	0x08  timescale: ticks of the timestamp in a second
//	0x09  frame marking of video: start, end, independent (RFC 9626)
//	0x0d  configuration of the video decoder, here on every key picture
//	0x0f  configuration of the audio decoder, here on every object
//	0x10  timestamp
//	0x11  codec string, which no draft has but the browser player needs
//
// Written is draft 04 with the codec string. Read are also the numbers that the
// timestamp had in drafts 02 and 03 (fields.earlier), objects without codec
// string or configuration, and properties inside the transport's immutable ones.
// A timestamp with a timescale is media time; one without is the wall clock in
// microseconds, which says when the sample was captured too.
//
// LOC has the time at which a picture is shown and not that of its decoding,
// which containers want. Objects stand in the order of decoding; an Unpacker
// makes decode times of that order and the timestamps (package elementary,
// Order): never after the PTS, never going back, and equal to the PTS where the
// stream says that nothing is reordered.
//
// NAL units come behind lengths where there is a configuration and behind start
// codes where there is none, by the convention of WebCodecs; both become samples
// with lengths. The codec is the one that the codec string names, else that of
// the configuration, else the one of the hint.
//
// Private properties (Secure Objects) are not read. The package has no
// goroutines and no locks; an Unpacker belongs to one track.
//
//	props, payload, err := loc.NewPacker().Pack(sample)
//	sample, err := loc.NewUnpacker(media.Video, nil).Unpack(props, payload)
package loc
