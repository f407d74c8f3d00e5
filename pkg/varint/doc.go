// Package varint reads and writes the two integer encodings of MoQT and holds
// the one bounds-checked reader of the project.
//
// Drafts up to 16 use QUIC's 62-bit integers (RFC 9000, section 16); later
// drafts use an encoding of their own, of up to nine bytes and 64 bits
// (draft-ietf-moq-transport-18, section 1.4.1). Which one is in force is an
// attribute of the codec, here a Kind.
//
// Reader is the only code in the project that slices input by a length that
// came from outside. It compares lengths as uint64, never as int, because a
// careless conversion of 2^64-1 turns negative and panics.
//
// The package allocates nothing and starts no goroutines.
package varint
