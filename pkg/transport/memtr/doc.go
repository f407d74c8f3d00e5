// Package memtr is an in-memory pair of transport.Conn for tests, most of all
// for tests on the virtual time of testing/synctest.
//
// It keeps the promises that QUIC makes and none that it does not: windows
// make Write block, stream credit runs out, a stream is unknown to the peer
// until something was sent on it, a reset loses what was not read beyond the
// reliable boundary, closing a connection loses everything in flight, and the
// last bytes may come together with io.EOF. Code that passes here does not
// lean on luck.
//
// It has no bandwidth, no loss and no reordering: internal/testkit has a
// network for those. Priorities are recorded, not acted upon; read them with
// Inspect. The connection-wide flow-control window of QUIC is not modelled.
//
// Goroutines: none. With a delay, timers deliver; every wait is on channels,
// so it counts as durably blocked in a synctest bubble. Create a pair inside
// the bubble that uses it.
//
// Locks: one mutex for the whole pair, never held while waiting.
//
//	client, server := memtr.Pair(memtr.WithDelay(20 * time.Millisecond))
//	stream, err := client.OpenStream(ctx)
//	...
//	client.CloseWithError(0, "done")
package memtr
