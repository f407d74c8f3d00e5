// Package opus reads and writes the identification header of Opus streams and
// reads how long a packet is.
//
// The sources are RFC 7845 section 5.1 (OpusHead) and RFC 6716 section 3 (the
// packet's first byte, TOC, and its frames). Nothing is decoded.
//
// What is read more leniently than the texts say: bytes after the header.
//
// All functions are pure: there are no goroutines and no locks.
//
//	h, err := opus.ParseHead(config)
//	length, err := opus.Duration(packet)
//	fmt.Println(h.Channels, length) // 2 20ms
package opus
