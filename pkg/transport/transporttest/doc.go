// Package transporttest says what every implementation of package transport
// does, as a table of cases to run against a fresh pair of connections.
//
// It is for tests. The cases wait for events and deadlines only, so they run
// on real sockets as well as in a testing/synctest bubble.
//
//	for _, c := range transporttest.Cases() {
//		t.Run(c.Name, func(t *testing.T) {
//			client, server := connect(t)
//			c.Run(t, client, server)
//		})
//	}
//
// The benchmarks measure every carrier in the same way, so that their results
// can be laid side by side.
package transporttest
