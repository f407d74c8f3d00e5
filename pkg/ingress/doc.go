// Package ingress brings what a publisher sends into the log of a track: one
// inbound subgroup stream becomes one track.Writer, one datagram one object.
//
// Objects of up to track.CutThrough bytes are read whole before they enter the
// log, so that a publisher that dies within one leaves no trace; larger ones
// flow through as they arrive. The end of the stream ends the writer: FIN closes
// it, a reset or an error aborts it.
//
// The package does not parse (the Stream that its user provides does), answer
// requests, or decide what becomes of a publisher whose track is malformed: it
// returns the *track.MalformedError.
//
// It starts no goroutine: Subgroup runs on the goroutine of its caller, one for
// each stream, until the stream ends. It holds no lock.
//
// # Example
//
//	err := ingress.Subgroup(stream, log, counters)
//	if bad, ok := errors.AsType[*track.MalformedError](err); ok {
//		cancelUpstream(bad)
//	}
package ingress
