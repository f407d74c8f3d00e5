// Package text is moqtextclient: it prints the objects of a track, one after
// the other, whatever happens on the way to them.
//
// A Client reads in one of three ways: it follows a track by SUBSCRIBE, joined
// with what was published before; it fetches a range of the past and is done;
// or it asks for every track of a namespace and takes the PUBLISHes. What it
// gets goes through a Format to an Output, which writes in one goroutine so that
// a reader that does not read never keeps the program from ending.
//
// A measure of each track notes when its objects came, and when they were captured
// if they say so (clock), for their lines and for a report at the end.
//
// Once it has worked the Client goes on: a lost session is made again, a
// subscription that ended is asked for again, each with growing pauses, and what
// was missed meanwhile is fetched. When the peer sends GOAWAY the next session is
// made before the old one is left.
//
// While a Client runs, a screen can ask for its Status, be told of the objects (as
// a Watcher), pause the subscription, leave it, and fetch something beside it.
//
// The package does not order objects or fetch what is missing (package moqt),
// does not know flags, and decides nothing about trust: package main does.
//
// # Goroutines and locks
//
// Run works in its caller's goroutine; beside it run one for the Output, one per
// session that waits for GOAWAY, and one per PUBLISH that was taken. Output.mu
// and publishes.mu are leaves, except that a publishes entry is locked, in that
// order, after it was found. A measure is locked below publishes.mu and
// measures.mu, and above its Recorder. live.mu is a leaf and locked below
// publishes.mu.
//
// # Example
//
//	c := &text.Client{
//		Target: target, Track: track, Start: moqt.FromGroupsBack(0), Out: os.Stdout,
//		Dial: dial.KeepOptions{Options: dial.Options{TLS: conf, Timeout: time.Second}},
//	}
//	err := c.Run(ctx) // nil when what was asked for is done
package text
