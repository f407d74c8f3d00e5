// Package cli is what every command shares: flags, help, logging, signals, the
// version and exit codes.
//
// Flags are written as users of moxygen know them from gflags: -port 4433,
// --port=4433, --connect_url or --connect-url, --quic and --noquic, before or
// after other arguments. Each can also be given by an environment variable,
// MOQ_CONNECT_URL for --connect_url; the command line outweighs it. A program that
// calls Configure reads configuration files too, whose keys are made of groups and
// names of the flags, and which command line and environment outweigh. Data goes to
// standard output, everything else to standard error.
//
// A program ends with code 0 if it did what was asked or was told to stop, 1 if
// it failed and 2 if it was called wrongly, and in the latter two cases it
// prints one sentence; CodeError is for programs of which others expect more. The
// package knows no form of configuration files, and nothing of MoQT.
//
// Context starts one goroutine, which ends with the context. Nothing else runs
// beside the caller; the log handler has one lock, around each write of a line.
//
//	func main() {
//		p := cli.New("moqdateserver", "publishes the date, one object a second")
//		var port int
//		p.Flags.Group("Listening")
//		p.Flags.IntVar(&port, "port", 9667, "UDP `port` to listen on")
//		p.Example("moqdateserver -port 4433", "listen on another port")
//		p.Main(func(ctx context.Context, env *cli.Env) error {
//			return serve(ctx, env.Log, port)
//		})
//	}
package cli
