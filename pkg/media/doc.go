// Package media holds the nouns of coded media: codecs, formats and samples.
//
// A Sample is one coded picture or one frame of audio, a Format what a decoder
// must know before the first one. They are what the byte formats below this
// package are turned into and made of:
//
//	flv, h264, hevc, av1, aac, opus   bytes, without MoQ and without this package
//	nal                               what H.264 and HEVC have in common
//	remux                             FLV tags to samples and back
//	elementary                        what encoders hand out, as samples have it
//	moqmi, loc, hang                  a sample to an object of MoQT and back
//	packaging                         which of the three a track is
//	catalog                           what tracks there are
//
// A sample is the same whatever it came in and goes out by. Its times are
// durations from the origin of the track's media time, its data is what every
// packaging and ISO container has: length-prefixed NAL units (four bytes),
// low-overhead AV1 temporal units, raw AAC frames, Opus packets.
//
// The package reads no stream and knows no object. It has no goroutines and no
// locks; a Format is never changed once a Sample refers to it.
//
//	format, err := media.ParseFormat(media.H264, avcC)
//	sample := &media.Sample{Format: format, PTS: 40 * time.Millisecond, Key: true, Data: data}
package media
