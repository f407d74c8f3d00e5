// Package relay is the office of the house: it knows who publishes what and who
// wants it, and joins the two. Objects do not pass through it; ingress writes
// them into the log of their track and egress reads them from there.
//
// A Relay serves sessions. Each peer may publish and subscribe. A SUBSCRIBE is
// routed to the publishers whose namespace covers the track, one upstream
// subscription feeds all subscribers of a track, and it ends when the last
// leaves, or later if the policy of the track says so.
//
// # The life of a track
//
//	idle      nobody needs it; the log is kept for fetches within the limits
//	opening   somebody does, and publishers are being asked
//	live      at least one publisher sends
//	orphaned  the last publisher went without a word; subscribers stay, for
//	          Config.Grace, in case it comes back
//
// Subscribers that wait for a publisher follow the log from before its first
// object, however late they are answered.
//
// When a publisher comes back behind the largest location that was seen, a new
// epoch begins: the log is purged and subscribers get PUBLISH_DONE.
//
// # Fetches
//
// A FETCH is answered from the log as far as that knows. What is missing is asked
// for once: who wants it meanwhile, or a part of it, reads the same upstream FETCH,
// which goes at the pace of the fastest reader and is cancelled when the last has
// left. One that falls too far behind asks again for what it lacks. A log that was
// filled by fetches alone is good for as long as its publisher is there.
//
// # Links
//
// A link is a session that the relay makes itself, to another relay, and makes
// anew when it is lost. Relays of this kind tell each other over which relays a
// namespace is reached, others are told and asked as the draft has it
// (docs/adr/0014-links.md). Who publishes by itself is asked for a track first,
// then the other relays one by one, the best way first: one subscription per track
// and hop.
//
// # Windows
//
// A Relay is an observe.Source and an observe.Control. State takes pointers under
// Relay.mu, which is then held for as long as it takes to copy a list, and reads
// all else without it. What happens is written to Config.Events and to the log;
// what happens under Relay.mu to the events alone, because a log may be slow.
//
// # Goroutines and locks
//
// One goroutine per upstream request while it is being made, one per upstream FETCH
// while anybody reads it, one per PUBLISH that is fanned out while it waits for its
// answer, one per prefix that another relay is asked for, and those of the sessions.
// Link runs in the caller's, with one more for each session of the link.
// Relay.mu guards everything in the package but what an upstream FETCH has at hand.
// It comes before the lock of that and those of logs and schedulers, and is never
// held while a session is called.
//
// # Example
//
//	r := relay.New(relay.Config{})
//	for {
//		conn, err := listener.Accept(ctx)
//		…
//		go r.Serve(ctx, conn)
//	}
package relay
