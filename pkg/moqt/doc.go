// Package moqt is what a Go program imports to speak MoQT: publish tracks,
// subscribe to them, in order and without duplicates. It is a thin face over
// the rooms below and adds no state of its own to the data path.
//
// A Sequencer puts what arrives into order. A Subscriber keeps one track
// flowing from a session: subscription, backlog, and what was missed while the
// connection was away. A TrackMux serves local tracks to whoever asks.
//
// # Goroutines and locks
//
// A Sequencer has neither. A Subscriber runs in its caller's goroutine and in
// those of the streams that it reads; Subscriber.mu guards its Sequencer. A
// TrackMux starts goroutines per request only, through its session.
//
// # Example
//
//	sub := moqt.Subscriber{Track: name, Emit: func(o model.Object) { … }}
//	err := sub.Run(ctx, session)
package moqt
