// Package track is the object log: what was published on a track and is still
// held, in the form in which it came, with cursors for those who read it.
//
// A Track is data, not an actor. Writers (one per inbound subgroup stream)
// append; readers hold a Cursor, which discovers runs and datagrams in the order
// in which they began, and one Reader per Run, which is an offset into its bytes.
// Who finds nothing to do is parked and woken by the next append. Joining late,
// fetching, skipping to a newer group and falling too far behind are all moves
// of a cursor; a slow reader never delays a writer or another reader.
//
// A Run holds the objects of one subgroup that travel on one stream, as encoded
// bytes in chunks that never move. To a reader that wants the form in which they
// came it hands out slices, which may hold many objects; for another form there
// are other headers around the same payload, written once for all its readers. Several publishers may
// write the same subgroup: each object is kept once, and the first copy wins.
// When a publisher dies within an object, the object is cut from the log, the
// run ends as reset, and another publisher's copy opens a further run.
//
// The package does not parse or choose an encoding (a Form does), read streams
// (package ingress), write them (package egress), know sessions or policies, or
// ask anybody for what it lacks: Covered tells whether a range can be served
// from the log alone.
//
// # Memory
//
// All tracks share one Budget. Each pays for what it appends by evicting its own
// oldest groups, but never a group that is being written or the newest; if those
// alone exceed the hard limit they are cut at the front. Bytes that a blocked
// Write still holds count until Reader.Release.
//
// Objects older than Config.MaxAge, or than the publisher allows by
// MAX_CACHE_DURATION, are not begun to be sent, and their state is unknown. They leave
// memory when the track is next written or read.
//
// Purge empties the log at somebody's wish, without ending anything: readers go on
// with what comes.
//
// # Looking
//
// Glance, Look and Latest show a window what is there. They copy a little at a
// time and give the lock to others in between, so that what they return need not
// be of one moment.
//
// # Concurrency
//
// There are no goroutines. One mutex per track guards everything below it (runs,
// groups, writers, cursors, readers) and is held briefly, never across a call to
// other code except Form. Waiters are woken without it. No lock is taken under
// it. A Writer, a Cursor and a Reader are each for one goroutine at a time.
//
// # Example
//
//	t := track.New(track.Config{Budget: track.NewBudget(512 << 20)})
//	w, _ := t.OpenSubgroup(track.SubgroupKey{Group: 7}, track.SubgroupInfo{Form: form})
//	w.Append(track.ObjectHeader{ID: 0}, []byte("key frame"))
//
//	c := t.NewCursor(waiter)
//	for {
//		e := c.Next() // EventNone: parked until waiter.Wake is called
//		if e.Kind == track.EventRun {
//			var r track.Reader
//			r.Init(e.Run, track.ReaderOptions{Form: form, Waiter: waiter})
//			span, state := r.Read(buf)
//			…
//		}
//	}
package track
