// Package streamer publishes media: FLV from a file, a fifo or a pipe becomes
// tracks of MoQ, one for video, one for audio, and a catalog.
//
// A Streamer reads samples, lets each pass when it is due, and writes it as an
// object. A group of video is a GOP and begins with its key; a group of audio is
// as long as the user likes. Tracks appear when their first sample does. Group
// IDs begin with the Unix time in milliseconds, so that a Streamer that is started
// again uses none twice. What is not published, because nothing can be decoded
// from it, is counted.
//
// Nothing waits for subscribers or for the relay: what nobody takes falls out of
// the logs of the tracks, which are bounded, and the input is read on while the
// connection is made again.
//
// The package does not parse flags, parse codecs (package remux does), or choose
// how a sample becomes an object (package packaging).
//
// Run has a goroutine for the registration at the relay and one that watches the
// connection, and reads the input in its own; all have ended when it returns. A
// read of standard input that no system call can end is the exception: it ends
// with the process. Streamer.mu guards what Status reads, output.mu the counts of
// a track, roster.mu the list of tracks, gate.mu whether it is paused; none is held while another is taken, or
// while anything waits.
//
//	s := &streamer.Streamer{
//		Target: target, Dial: opts, Namespace: model.Namespace{"live"},
//		Tracks: streamer.Tracks{Video: "video0", Audio: "audio0"}, Packaging: packaging.MoQMi,
//		Open: func(ctx context.Context) (*streamer.Input, error) { return streamer.Open(ctx, "in.flv", os.Stdin, log) },
//	}
//	err := s.Run(ctx)
package streamer
