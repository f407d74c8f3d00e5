// Package interop is the test client of the public interop runner of MoQT: it
// plays publisher and subscriber at a relay and says, in TAP version 14, which
// of the runner's cases the relay passes.
//
// Cases lists the cases, Run performs some of them one after the other. A case
// is one function that opens sessions by package dial, does what the runner's
// specification of the case says, and returns what was expected and what came
// instead. Which draft is spoken, and how a draft says something, is the
// business of package session.
//
// It decides neither which relay is asked nor what is trusted, has no flags, and
// does not test what no case of the runner asks for.
//
// Goroutines: those of the sessions, and one for a request that a case lets wait
// while it does something else; all have ended when the result of the case is
// written. Locks: collector.mu and actor.mu are leaves.
//
//	cases, err := interop.Select([]string{"setup-only"})
//	…
//	err = interop.Run(ctx, interop.Config{Target: target, Dial: options, Out: os.Stdout}, cases)
package interop
