// Package receiver turns the media tracks of a publisher into FLV: it is what
// moqflvreceiver does.
//
// A Receiver subscribes to the video, the audio and the catalogs of a namespace.
// Package moqt brings the objects of each track in order, package packaging makes
// samples of them. A Timeline merges the tracks by time, and an Output has package
// remux write them to a file, a fifo or standard output. Whatever is lost on the
// way, what is written can be decoded.
//
// The package parses no bytes of a packaging and knows no flags. It keeps no more
// in memory than the limits of Timeline, Output and moqt.Sequencer allow.
//
// Goroutines: Receiver.Run decides everything in the caller's; each track has one
// that subscribes, and hands what comes to the first; the Output has one that
// writes, and so has what is told beside it. All have ended when Run returns, except
// writers whose readers have stopped reading. Locks: Output and spool have one mutex
// each and a source one for its names, all leaves.
//
//	r := &receiver.Receiver{
//		Target: target, Dial: opts, Namespace: model.Namespace{"flvstreamer"},
//		Video: receiver.Choice{Name: "video0"}, Audio: receiver.Choice{Name: "audio0"},
//		Path: "out.flv",
//	}
//	err := r.Run(ctx)
package receiver
