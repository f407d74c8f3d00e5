// Package door has the flags by which the commands meet the network: those of
// a port that serves, and those of a relay to connect to.
//
// Its types are filled by a cli.Program and then asked for what they describe.
// It decides nothing that a flag does not say, keeps no state and starts no
// goroutine.
//
//	var port door.Port
//	port.Declare(program, 9668)
//	program.Main(func(ctx context.Context, env *cli.Env) error {
//		l, err := port.Listen(env)
//		…
//	})
package door
