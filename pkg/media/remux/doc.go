// Package remux turns the tags of FLV into samples and samples into tags.
//
// A Demuxer keeps the configurations of the decoders as formats, makes one growing
// clock of the 32-bit times of tags, and gives what a decoder takes: NAL units with
// lengths of four bytes, AV1 temporal units, raw AAC frames, Opus packets. A Muxer
// writes such samples, with a configuration where it changes.
//
// Neither decodes, waits, paces or reorders: samples come out and go in by their
// time of decoding, audio and video as they are interleaved. Of script data only
// onMetaData is kept; metadata about colours, commands of players, silence and the
// ends of sequences are passed over.
//
// # Clocks
//
// DTS is the time of a tag in whole milliseconds, and PTS that and the composition
// time, so a file's first sample has the time that the file says. When the 32 bits
// begin anew, the clock goes on. When a track goes back by more than MaxJitter, or
// a second file begins whose times do not continue those of the first, the source
// has started again: its first sample comes where the samples before it end.
//
// # Goroutines
//
// The package starts none and has no locks; a Demuxer and a Muxer belong to one
// goroutine each.
//
// # Example
//
//	from := remux.NewDemuxer(flv.NewReader(in))
//	to := remux.NewMuxer(out, remux.MuxerOptions{Video: true, Audio: true})
//	for {
//		sample, err := from.Next()
//		if err == io.EOF {
//			return to.Close()
//		}
//		if err != nil {
//			return err
//		}
//		if err := to.Write(sample); err != nil {
//			return err
//		}
//	}
package remux
