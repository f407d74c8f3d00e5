// Package flv reads and writes FLV: the file with its tags, and what is in a tag
// of video, audio or script data.
//
// The sources are Adobe's "Video File Format Specification" version 10.1, annex E,
// and Enhanced RTMP versions 1 and 2 (Veovera), which adds codecs by their FourCC,
// several tracks in a tag and extensions. Sections named in comments are of the
// former unless they say E-RTMP.
//
// A Reader gives tags, a Writer takes them; both keep the data of a tag as it is.
// ParseVideo, ParseAudio and ParseScript say what the data is, AppendVideo,
// AppendAudio and AppendScript make it. What a codec's data means (NAL units, the
// decoder's configuration) is not looked at, times are not changed, and tags are
// not put into another order: that is for package remux and those above it.
//
// # Strict and tolerant
//
// A Reader is strict unless it is given Tolerant. Strict, it refuses whatever the
// specification does not allow, with the offset. Tolerant, it reads on past the
// mistakes that files are known to have, and Repairs counts them. All leniencies
// are in lenient.go.
//
// # Errors
//
// A *FormatError says what is wrong and where, a *TruncatedError that the input
// ended in the middle of something, an *UnsupportedError that the data is as it
// should be but of a kind that this package leaves out. No input makes it panic,
// and none makes it hold more memory than twice what was read of one tag.
//
// # Memory and goroutines
//
// The data of a tag belongs to the caller. What the parsers return aliases what
// they were given. The package starts no goroutines and has no locks; a Reader and
// a Writer belong to one goroutine each, everything else is a pure function.
//
// # Example
//
//	r := flv.NewReader(file, flv.Tolerant())
//	for {
//		tag, err := r.Next()
//		if err != nil {
//			return err // io.EOF at the end
//		}
//		if tag.Type == flv.Video {
//			picture, err := flv.ParseVideo(tag.Data)
//			...
//		}
//	}
package flv
