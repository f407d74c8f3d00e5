package opus

import (
	"errors"
	"fmt"
	"time"
)

const (
	// MaxDuration is the longest packet (RFC 6716 section 3.4, requirement 5).
	MaxDuration = 120 * time.Millisecond
	// MaxFrames is the largest number of frames in a packet: of 2.5 ms each.
	MaxFrames = 48
	// maxFrameLen is the largest frame in bytes (requirement 2).
	maxFrameLen = 1275
)

// frameDurations are those of the 32 configurations (table 2).
var frameDurations = [32]time.Duration{
	0: 10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond, // SILK, narrow band
	4: 10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond, // medium band
	8: 10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 60 * time.Millisecond, // wide band
	12: 10 * time.Millisecond, 20 * time.Millisecond, // hybrid, super-wide band
	14: 10 * time.Millisecond, 20 * time.Millisecond, // full band
	16: 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, // CELT, narrow band
	20: 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, // wide band
	24: 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, // super-wide band
	28: 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, // full band
}

// Duration returns how long the sound of a packet is. It fails if the packet is
// none that a decoder may accept (section 3.4). The packets of several streams
// that a channel mapping asks for (RFC 7845 section 3) are not read.
func Duration(packet []byte) (time.Duration, error) {
	frame, n, rest, err := count(packet)
	if err != nil {
		return 0, fmt.Errorf("packet of Opus: %w", err)
	}
	if err := checkFrames(packet[0], n, rest); err != nil {
		return 0, fmt.Errorf("packet of Opus: %w", err)
	}
	return time.Duration(n) * frame, nil
}

// count reads how many frames there are, and returns how long one is and what
// follows the TOC byte.
//
//	configuration (5) stereo (1) code (2); code 3: VBR (1) padding (1) frames (6)
func count(b []byte) (frame time.Duration, n int, rest []byte, err error) {
	if len(b) == 0 {
		return 0, 0, nil, errTruncated
	}
	frame, rest = frameDurations[b[0]>>3], b[1:]
	switch b[0] & 3 {
	case 0:
		n = 1
	case 1, 2:
		n = 2
	case 3:
		if len(rest) == 0 {
			return 0, 0, nil, errTruncated
		}
		n = int(rest[0] & 0x3f)
	}
	if total := time.Duration(n) * frame; n == 0 || n > MaxFrames || total > MaxDuration {
		return 0, 0, nil, fmt.Errorf("%d frames of %v are not from one to %v", n, frame, MaxDuration)
	}
	return frame, n, rest, nil
}

// checkFrames fails if the frames do not fill the rest of a packet.
func checkFrames(toc byte, n int, b []byte) error {
	switch toc & 3 {
	case 1:
		return equal(b, n)
	case 2:
		size, b, err := frameLen(b)
		if err == nil && size > len(b) {
			err = errTruncated
		}
		if err != nil {
			return err
		}
		return equal(b[size:], 1)
	case 3:
		return checkMany(n, b)
	}
	return equal(b, 1)
}

// equal fails if b is not n frames of the same size.
func equal(b []byte, n int) error {
	if len(b)%n != 0 {
		return fmt.Errorf("%d bytes are not %d frames of the same size", len(b), n)
	}
	if len(b)/n > maxFrameLen {
		return errors.New("a frame has more than 1275 bytes")
	}
	return nil
}

// checkMany fails if the frames of a packet with code 3 do not fill it (section
// 3.2.5). b begins with the byte that has their number.
func checkMany(n int, b []byte) error {
	vbr, padded := b[0]&0x80 != 0, b[0]&0x40 != 0
	b = b[1:]
	padding := 0
	for padded {
		if len(b) == 0 {
			return errTruncated
		}
		// 255 stands for 254 bytes of padding and more of its length.
		padded = b[0] == 255
		if padding += int(b[0]); padded {
			padding--
		}
		b = b[1:]
	}
	if padding > len(b) {
		return errTruncated
	}
	b = b[:len(b)-padding]
	if !vbr {
		return equal(b, n)
	}
	total := 0
	for range n - 1 {
		size, rest, err := frameLen(b)
		if err != nil {
			return err
		}
		total, b = total+size, rest
	}
	if total > len(b) {
		return errTruncated
	}
	return equal(b[total:], 1)
}

// frameLen reads the length of a frame (section 3.2.1), at most 1275.
func frameLen(b []byte) (size int, rest []byte, err error) {
	if len(b) == 0 || b[0] >= 252 && len(b) == 1 {
		return 0, nil, errTruncated
	}
	if b[0] < 252 {
		return int(b[0]), b[1:], nil
	}
	return int(b[0]) + 4*int(b[1]), b[2:], nil
}
