// Package transport is the smallest set of interfaces that a MoQT session needs
// from what carries it: streams, datagrams, priorities, close codes.
//
// It has no implementation. quictr is raw QUIC, wttr WebTransport, memtr an
// in-memory pair for tests on virtual time; listen serves several protocols on
// one UDP port.
//
// Rules that every implementation keeps:
//   - Accept, Read and Write block; a context, a deadline or a closed
//     connection ends them. Everything else returns at once.
//   - SendDatagram never blocks: a datagram that finds no room is dropped and
//     counted, because a late datagram is worth less than a stalled sender.
//   - Write may hold its argument until it returns, never longer.
//   - Errors that come from the peer or from closing are *StreamError and
//     *CloseError, whatever the library below calls them.
//   - A code that the carrier cannot express is clamped to the largest one.
//   - One goroutine writes a stream and one reads it; CancelRead, CancelWrite,
//     SetPriority and the deadlines may be called from any goroutine.
package transport
