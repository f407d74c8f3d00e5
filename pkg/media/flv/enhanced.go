package flv

import "fmt"

// What ExVideoTagHeader and ExAudioTagHeader have in common (E-RTMP v2 "Enhanced
// Video", "Enhanced Audio").

// Packet types on the wire. From the fourth on they differ between video and audio.
const (
	exSequenceStart = 0
	exCodedFrames   = 1
	exSequenceEnd   = 2
	exModEx         = 7

	exCodedFramesX    = 3 // video only
	exVideoMetadata   = 4
	exMPEG2TSStart    = 5
	exVideoMultitrack = 6

	exChannelConfig   = 4 // audio only
	exAudioMultitrack = 5
)

// Types of multitrack (AvMultitrackType).
const (
	oneTrack             = 0
	manyTracks           = 1
	manyTracksManyCodecs = 2
)

// modEx passes what extends a packet and returns the type of the packet behind it.
// The one extension that is defined moves the time by less than a millisecond,
// which is finer than anything else in a file; it is not used.
func (c *cursor) modEx(packet byte) byte {
	for packet == exModEx && c.err == nil {
		size := int(c.uint8("the size of an extension")) + 1
		if size == 256 {
			size = c.uint16("the long size of an extension") + 1
		}
		c.bytes(size, "an extension")
		packet = c.uint8("the packet behind an extension") & 0x0f
	}
	return packet
}

// fourCC reads the four characters of a codec.
func (c *cursor) fourCC() string { return string(c.bytes(4, "the FourCC")) }

// multitrack reads the header of a packet of several tracks, up to the body of the
// first, and makes that all that is left to read. The tracks behind it are left
// out.
func (c *cursor) multitrack(multi byte) (packet byte, fourCC string, track uint8) {
	begin := c.off
	b := c.uint8("the kind of multitrack")
	kind := b >> 4
	packet = b & 0x0f
	if c.err == nil && (packet == multi || packet == exModEx) {
		c.off = begin
		c.fail("packet type %d cannot be in a multitrack", packet)
	}
	if c.err == nil && kind > manyTracksManyCodecs {
		c.off = begin
		c.fail("multitrack of type %d is not defined", kind)
	}
	// With one codec for all its FourCC comes before the first track, with many
	// each track begins with its own: for the first track that is the same.
	fourCC = c.fourCC()
	track = c.uint8("the track's ID")
	if kind != oneTrack {
		size := int(c.uint24("the track's size"))
		if body := c.bytes(size, "the track"); c.err == nil {
			c.off -= len(body)
			c.b = c.b[:c.off+len(body)]
		}
	}
	return packet, fourCC, track
}

func unsupported(t TagType, format string, args ...any) error {
	return &UnsupportedError{t, fmt.Sprintf(format, args...)}
}
