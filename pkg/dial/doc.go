// Package dial turns a URL into a session: scheme and transport, the drafts on
// offer, path and authority, trust, and, for those who stay, reconnection.
//
// Dial makes one attempt. Keep runs a function for as long as it wants a
// session, and gives it a new one with growing pauses whenever the old one is
// lost. Neither knows what the session is for.
//
// Keep runs the function in the caller's goroutine and starts none itself.
//
// # Example
//
//	target, err := dial.Parse("https://relay.example:4433/live")
//	…
//	s, err := dial.Dial(ctx, target, dial.Options{TLS: tlsConfig})
package dial
