// Package model holds the nouns of Media over QUIC Transport: namespaces, track
// names, locations, objects, priorities, filters, drafts, codes and errors.
//
// It knows no bytes and no network: how a noun is written on the wire is the
// business of package wire, and which draft is spoken that of package session.
// Every other package may import it; it imports the standard library only.
//
// All types are plain values and safe to copy. Slices inside them (namespace
// fields, properties, payloads) are never modified after construction, so that
// they may be shared between goroutines without a lock.
//
// Section numbers in comments refer to draft-ietf-moq-transport-18 unless they
// name another draft.
package model
