// Package observe counts what happens in the other rooms of the house: objects,
// bytes, groups, streams, and what was dropped and why.
//
// The counters are plain structs of atomics. Whoever does the work adds to
// them; whoever wants to look takes a Snapshot, which is a plain copy that
// nobody changes afterwards. A snapshot is not one instant: its fields are read
// one after the other, so that counting never waits for looking.
//
// It does not decide, log, keep time or know what it counts. It starts no
// goroutine and holds no lock, so it may be called under any lock.
//
// The zero value of every struct is ready for use:
//
//	var c observe.Subscriber
//	c.ObjectsOut.Add(1)
//	c.Drop(observe.DropTimeout, 3)
//	fmt.Println(c.Snapshot().Dropped[observe.DropTimeout]) // 3
package observe
