// Package session is the porch of the house: it speaks MoQT with one peer and
// shows the rest of the program requests and objects. Drafts end here.
//
// A Session performs SETUP, carries every request on a lane of its own, checks
// each message against the state table of its request kind, finds the
// subscription of an incoming data stream by its track alias, resolves
// authorization tokens, obeys GOAWAY in both directions, and closes with the
// code that the draft names when the peer breaks a rule.
//
// It does not store objects (package track), decide what to send first
// (package egress), or know other sessions (package relay).
//
// # Lanes
//
// A lane carries the messages of one request. Since draft 17 it is a stream; up
// to draft 16 it is a share of the one control stream, where messages name their
// request and giving one up is a message (docs/adr/0013-older-drafts.md). What
// else those drafts do differently above the bytes stands in dialect.go, what is
// accepted beyond the texts in quirks.go and profiles.go.
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
// receiving datagrams, reading the control stream; up to draft 16 a fifth that
// writes it. One per open incoming stream and per request, which ends with that.
// All end when the connection ends, and Session.Wait returns when they have.
//
// # Lock order
//
// joint.mu before Session.mu before request.mu before sharedControl.mu;
// Outbound.mu and Inbound.mu are leaves. sharedControl.granting, the lock of
// MAX_REQUEST_ID, comes before Session.mu, and askedPrefix.telling does too. No
// lock is held while writing to a stream but those whose only purpose is an order:
// messageWriter.mu keeps messages whole, joint.mu answers before what follows. None
// is held while calling a Handler or Receiver; askedPrefix.telling is while
// namespaces are reported.
//
// # Example
//
//	s, err := session.Start(ctx, conn, session.Config{Role: wire.Client})
//	if err != nil { … }
//	in, err := s.Subscribe(ctx, session.SubscribeOptions{Track: name}, receiver)
//	…
//	<-in.Context().Done() // cause: *model.DoneError, *model.SessionError, …
package session
