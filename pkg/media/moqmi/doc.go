// Package moqmi maps samples to objects of MoQMi and back
// (draft-cenzano-moq-media-interop-03): what is known of a sample stands in
// properties of its object, and the payload is the sample.
//
//	0x0a  media type: 0 H.264, 1 Opus, 2 text, 3 AAC-LC, 4 see below
//	0x15  of H.264: sequence, PTS, DTS, timebase, duration, wallclock
//	0x0d  AVCDecoderConfigurationRecord, here on every key picture
//	0x0f  of Opus: sequence, PTS, timebase, hertz, channels, duration, wallclock
//	0x13  of AAC-LC: the same as of Opus
//	0x17  of HEVC as 0x15, and 0x19 its configuration record (a fork of the draft)
//
// A time is an integer by its timebase, wallclock the capture in milliseconds
// since 1970; 0 says that duration or wallclock is not known. The timebase that
// is written is 1000, which FLV and moxygen use: samples that came out of FLV
// keep their times exactly, and a receiver that truncates them to milliseconds
// truncates nothing. The AudioSpecificConfig of AAC is not carried but made of
// frequency and channels. AV1 has no media type: package loc has it.
//
// Implementations contradict each other in three points. Each is decided in one
// place:
//
//  1. Media type 4 is Opus in moxygen, which knows no other for it, and HEVC in
//     a fork of the draft. Read: the metadata beside it tells (fields.four).
//     Written: 1 for Opus, or 4 with Options.MoxygenOpus.
//  2. The metadata of H.264 had number 0x0b until 2025, when the transport gave
//     that number to IMMUTABLE_PROPERTIES. Read: 0x0b only if 0x15 is absent and
//     its bytes are exactly six integers (fields.videoProperty). Written: 0x15,
//     or 0x0b with Options.OldVideoProperty.
//  3. The integers inside metadata are QUIC's in moxygen and the transport's in
//     others. Read: whichever takes the bytes exactly, and where both do, the one
//     whose times can be (flavours.read). Written: QUIC's, or the transport's
//     with Options.TransportVarints.
//
// The package opens no streams and decides no groups: a video group begins at
// each IDR picture, and audio has one group a frame in the draft. It has no
// goroutines and no locks; an Unpacker belongs to one track.
//
//	props, payload, err := moqmi.NewPacker(moqmi.Options{}).Pack(sample)
//	sample, err := moqmi.NewUnpacker(media.Video, nil).Unpack(props, payload)
package moqmi
