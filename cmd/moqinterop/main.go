// Command moqinterop is the test client of the public interop runner of MoQT.
package main

import (
	"context"
	"fmt"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/interop"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// Of the runner's contract.
const (
	defaultRelay = "https://localhost:4443"
	exitUnable   = 127 // a case or a draft that this client has not
	timeout      = 2 * time.Second
)

// flags are the settings as the command line has them.
type flags struct {
	url           string
	cases         []string
	list, verbose bool
	probe, doctor string
	json          bool
	target        door.Target
	dialect       door.Dialect
	events        door.Events
}

func main() {
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
}

// program declares the flags. Those of the runner's contract have the variables
// of that too.
func (f *flags) program() *cli.Program {
	p := cli.New("moqinterop", "tells which cases of the public interop runner a relay passes, in TAP version 14")
	p.Flags.Group("Cases")
	p.Flags.StringVar(&f.url, "relay", defaultRelay, "`URL` of the relay, https:// for WebTransport, moqt:// for raw QUIC (RELAY_URL)")
	p.Flags.ListVar(&f.cases, "test", nil, "`cases` to perform; without it all (TESTCASE)")
	p.Flags.BoolVar(&f.list, "list", false, "print the names of the cases and exit")
	p.Flags.BoolVar(&f.verbose, "verbose", false, "log every message that is sent and read (VERBOSE)")
	p.Flags.Group("Looking at a server, instead of cases")
	p.Flags.StringVar(&f.probe, "probe", "", "tell what the server at this `URL` speaks: transports, drafts, settings, limits, certificate, round trips")
	p.Flags.StringVar(&f.doctor, "doctor", "", "tell, step by step, why there is no session with the server at this `URL`, or that there is one")
	p.Flags.BoolVar(&f.json, "json", false, "tell that in JSON: an object for -probe, one a line for -doctor")
	p.Flags.Group("Connection")
	f.target.Timeout = timeout
	f.target.Declare(p, "timeout")
	p.Flags.Group("Protocol")
	f.dialect.Declare(p)
	f.events.Declare(p)
	for alias, name := range map[string]string{"r": "relay", "t": "test", "l": "list", "v": "verbose", "tls_disable_verify": "insecure"} {
		p.Flags.Alias(alias, name)
	}
	for name, variable := range map[string]string{"relay": "RELAY_URL", "test": "TESTCASE", "verbose": "VERBOSE", "insecure": "TLS_DISABLE_VERIFY"} {
		p.Flags.Variable(name, variable)
	}
	p.Example("moqinterop -r moqt://localhost:9668", "all cases over raw QUIC")
	p.Example("moqinterop -r https://relay.example:4443 -t setup-only -v --tls-disable-verify", "one case over WebTransport, with its messages on standard error")
	p.Example("moqinterop -probe https://relay.example", "what a server speaks")
	p.Example("moqinterop -doctor moqt://relay.example/live", "why it cannot be reached")
	return p
}

func run(ctx context.Context, env *cli.Env, f *flags, set *cli.FlagSet) error {
	if f.list {
		for _, c := range interop.Cases() {
			fmt.Fprintln(env.Out, c.Name)
		}
		return nil
	}
	if !f.verbose && !set.IsSet("logging") {
		if err := env.Levels.Set("WARN"); err != nil { // each case has sessions, and what came of them is on standard output
			return err
		}
	}
	if f.probe != "" || f.doctor != "" || f.json {
		return look(ctx, env, f, set)
	}
	return perform(ctx, env, f)
}

// perform performs the cases.
func perform(ctx context.Context, env *cli.Env, f *flags) (err error) {
	if len(env.Args) > 0 {
		return cli.Usagef("%q was not expected; -t names a case", env.Args[0])
	}
	cases, err := interop.Select(f.cases)
	if err != nil {
		return &cli.CodeError{Code: exitUnable, Err: err}
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return &cli.CodeError{Code: exitUnable, Err: err}
	}
	cfg := session.Config{Implementation: "oxymoq-interop/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile(), Log: env.Log}
	target, options, err := f.target.Options(env, f.url, cfg)
	if err != nil {
		return err
	}
	options.Protocols = protocols
	end, err := f.events.Trace(env, mlog.Client, "moqinterop", &options.Session, &options.Trace)
	if err != nil {
		return err
	}
	defer end(&err)
	job := interop.Config{
		Target: target, Dial: options.Options, Retry: options.RetryFirst,
		Out: env.Out, Name: "moqinterop", Version: cli.Release(),
	}
	if f.verbose {
		job.Log = env.Log
	}
	return interop.Run(ctx, job, cases)
}
