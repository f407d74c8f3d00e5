// Package session is the porch of the house: it speaks MoQT with one peer and
// shows the rest of the program requests and objects. Drafts end here.
//
// A Session performs SETUP, carries every request on a stream of its own,
// checks each message against the state table of its request kind, finds the
// subscription of an incoming data stream by its track alias, resolves
// authorization tokens, obeys GOAWAY in both directions, and closes with the
// code that the draft names when the peer breaks a rule.
//
// It does not store objects (package track), decide what to send first
// (package egress), or know other sessions (package relay).
//
// # The two sides of a subscription
//
// Outbound is a subscription through which we send: the peer subscribed to us,
// or accepted our PUBLISH. Inbound is one through which we receive: we
// subscribed, or accepted the peer's PUBLISH. Requests of the peer reach the
// program through Handler; each method runs in a goroutine of its own and must
// answer by Accept or Reject.
//
// # Goroutines
//
// Four per session: accepting request streams, accepting data streams,
// receiving datagrams, reading the control stream. One per open incoming
// stream, which ends with the stream. All end when the connection ends, and
// Session.Wait returns when they have.
//
// # Lock order
//
// Session.mu before request.mu; Outbound.mu and Inbound.mu are leaves. No lock
// is held while writing to a stream except request.write, whose only purpose
// is to keep messages whole, and none while calling a Handler or Receiver.
//
// # Example
//
//	s, err := session.Start(ctx, conn, session.Config{Role: wire.Client})
//	if err != nil { … }
//	in, err := s.Subscribe(ctx, session.SubscribeOptions{Track: name}, receiver)
//	…
//	<-in.Context().Done() // cause: *model.DoneError, *model.SessionError, …
package session
