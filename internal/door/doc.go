// Package door has the flags by which the commands meet the network: those of
// a port that serves, and those of a relay to connect to.
//
// Its types are filled by a cli.Program and then asked for what they describe.
// It decides nothing that a flag does not say.
//
// Goroutines: an open Port has one that keeps its certificate fresh and those of
// its side port; all have ended when Listener.Close returns. Locks: none.
//
//	var port door.Port
//	port.Declare(program, 9668)
//	program.Main(func(ctx context.Context, env *cli.Env) error {
//		l, err := port.Listen(env)
//		…
//		defer l.Close()
//		fmt.Fprintln(env.Err, "ready:", door.URL(l, "/moq"), door.WebURL(l, "/moq"))
//		…
//	})
package door
