// Package elementary turns the elementary streams of codecs, as WebCodecs has
// them in its chunks, into the data and formats of samples.
//
// Chunks come as encoders made them: NAL units behind start codes or lengths,
// parameter sets in the configuration or among the pictures, AAC with or
// without ADTS, and with one time only. A sample has one form. A Stream makes
// it, and remembers what a decoder must know; an Order makes decode times; and
// Duration and Ticks convert times of any clock. The packagings that carry
// chunks (moqmi, loc, hang) share this.
//
// Of the video codecs H.264 and HEVC change: NAL units get lengths of four
// bytes, and parameter sets that came with a key picture move into the
// configuration record, unless one came from outside.
//
// The package reads no properties and no containers. It has no goroutines and
// no locks; a Stream and an Order belong to one track.
//
//	stream := elementary.NewStream(media.Video, nil)
//	frame, err := stream.Frame(elementary.Chunk{Name: "avc1.42001e", Data: annexB})
//	dts, err := order.DTS(pts, frame)
package elementary
