// Package wire reads and writes the bytes of Media over QUIC Transport: control
// messages, subgroup and fetch streams, datagrams, properties and codes.
//
// There is one struct per message and one file per struct; the draft is an
// argument of encode and decode. What differs between drafts stands in tables
// (draft14.go, draft16.go, draft18.go, draft22.go): type numbers, parameter
// encodings and scopes, code numbers, and which fields there are. What draft 14
// has as fields and later ones as parameters and properties is converted in
// fields14.go. Places where the decoder accepts more than the text are all in
// lenient.go. Section numbers without a draft are those of draft 18.
//
// The package does not read streams, keep session state or choose what to
// answer. It never guesses: what the bytes alone do not tell (the stream, the
// request that is answered, the side that receives, the group order of a fetch)
// the caller states in a Context or an argument.
//
// What a draft has no words for is left out where the message means nearly the
// same without it (a timeout that is only a hint, the reason to come back later);
// otherwise AppendMessage fails.
//
// # Errors
//
// Input that breaks a rule gives a *ParseError with the code that the draft
// names. Two kinds of rule do not end the session: ParseError.Request refuses
// only the request, ParseError.Malformed says that the track is malformed. With
// those two the decoded value is returned beside the error. Functions that read
// from the front of a stream return varint.ErrTruncated, unwrapped, when they
// need more bytes; the caller repeats the call with more.
//
// # Memory
//
// Control messages are copied out of the input. Object headers, fetch items and
// datagrams alias it, and reading or writing them allocates nothing.
//
// The package starts no goroutines and has no locks. Encoders and decoders of
// fetch streams belong to one goroutine each; everything else is a pure
// function.
//
// # Example
//
//	ctx := wire.Context{Draft: model.Draft18, Stream: wire.RequestStream, Receiver: wire.Server}
//	b, err := wire.AppendMessage(nil, ctx, &wire.Subscribe{RequestID: 0, Track: name})
package wire
