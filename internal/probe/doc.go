// Package probe looks at a server from outside: Probe tells what it speaks,
// Diagnose why it cannot be reached.
//
// Both make sessions with dial, as the other programs do, and watch them: the
// traces of QUIC and HTTP/3 have the server's parameters and settings, TLS has
// its certificate, the trace of the session its SETUP. What a server does not
// tell is left empty, never guessed.
//
// It is no test of conformance: a server that refuses every request passes. It
// publishes nothing that stays, and sends no tokens. Probe goes on where the
// certificate is not trusted, unless the URL has a query, which may be a secret;
// Diagnose stops there.
//
// Goroutines: one for each address that is asked over UDP, and those of the
// sessions; all have ended when Probe or Diagnose returns. Locks: seen.mu guards
// what was seen of one attempt; it is a leaf.
//
//	o := probe.Options{Target: target, Dial: dial.Options{TLS: conf, Timeout: time.Second}}
//	report, err := probe.Probe(ctx, o)
//	…
//	report.Text(os.Stdout)
package probe
