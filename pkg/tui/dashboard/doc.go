// Package dashboard shows a relay in a terminal: its tracks, sessions, namespaces,
// cache, log and links, and one track with all that is in it.
//
// A Model is a tea.Model. It asks an observe.Source for the state, some times a
// second, and draws what it got; the relay never waits for it. Where an
// observe.Control is given it can kick a session, purge a track and drain the
// relay, after asking.
//
// What is shown can be frozen, filtered, sorted and exported; when the source
// fails, the last values stay, marked as stale, and it is asked again.
//
// The package does not know where the state comes from, and starts no goroutine:
// Bubble Tea runs its commands. A Model is for one goroutine.
//
//	m := dashboard.New(ctx, dashboard.Options{Source: relay, Control: relay, Theme: theme})
//	_, err := tea.NewProgram(m).Run()
package dashboard
