// Package observe counts what happens in the other rooms of the house: objects,
// bytes, groups, streams, how long objects stayed, and what was dropped and why. It
// also says what windows see of it: a State, the details of a track, and Events.
//
// The counters are plain structs of atomics. Whoever does the work adds to
// them; whoever wants to look takes a Snapshot, which is a plain copy that
// nobody changes afterwards. A snapshot is not one instant: its fields are read
// one after the other, so that counting never waits for looking.
//
// A Ring keeps the newest events. Who writes to it never waits for readers, who are
// told how many they missed. A relay implements Source and Control; so does who
// asks one over the network.
//
// It does not decide, log or know what it counts. It starts no goroutine. Ring and
// Window have a lock each, which is a leaf: no other is taken and nothing is called
// under it, so everything here may be used under any lock.
//
// The zero value of every struct but Ring and Handler is ready for use:
//
//	var c observe.Subscriber
//	c.ObjectsOut.Add(1)
//	c.Drop(observe.DropTimeout, 3)
//	c.Delays.Add(20*time.Millisecond, 1)
//	fmt.Println(c.Snapshot().Dropped[observe.DropTimeout]) // 3
//	delays := c.Delays.Counts()
//	fmt.Println(delays.Lag().P99) // 20ms
package observe
