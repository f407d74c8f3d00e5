// Package screen decides whether a program draws a screen of its own, and runs it.
//
// A screen needs a terminal on both sides. Otherwise, with TERM=dumb, or where
// flags say so, the program writes plain lines as if there were no screens. While
// one is shown nothing else may write to the terminal: Quiet sends the log into a
// ring of events instead.
//
// The package knows neither what is shown nor MoQT. Run starts the goroutines of
// Bubble Tea and waits for them; Flags have no locks.
//
//	var s screen.Flags
//	s.Declare(program)
//	on, err := s.Wanted(env)
//	err = s.Run(ctx, env, model)
package screen
