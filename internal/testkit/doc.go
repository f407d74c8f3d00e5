// Package testkit is what the tests of oxymoq share: a few assertions, a
// virtual network for QUIC on virtual time, a check for leaked goroutines, and
// clips that ffmpeg makes and judges.
//
// It is imported by tests only. It knows nothing of MoQT: fixtures of a
// protocol belong to the package that owns the protocol.
//
// Network is built on quic-go's simnet and adds what simnet lacks: rate,
// queue, loss, jitter, reordering and cuts, all decided by one seed, so that a
// failing run can be repeated. Inside a testing/synctest bubble it runs on
// virtual time:
//
//	synctest.Test(t, func(t *testing.T) {
//		n := testkit.NewNetwork(t, 42)
//		server := n.Node("10.0.0.1:4433", testkit.Link{Rate: 8e6, Queue: 64 << 10}, testkit.Link{})
//		client := n.Node("10.0.0.2:1234", testkit.Link{Loss: 0.05}, testkit.Link{Delay: 20 * time.Millisecond})
//		...
//	})
//
// Goroutines: one per node and a timer per network; they end when the test does.
// Locks: one per network, never held while a packet is handed on.
package testkit
