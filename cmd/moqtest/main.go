// Command moqtest speaks the test protocol moq-test-00: it publishes its tracks,
// asks for them, and performs moxygen's conformance suites at a relay.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"oxymoq/internal/cli"
)

// mode is one of the programs that this command is.
type mode interface {
	// program declares the flags.
	program() *cli.Program
	run(ctx context.Context, env *cli.Env) error
}

// modes are all of them, by the first argument.
func modes() []named {
	return []named{
		{"conformance", &conformance{}}, {"server", &server{}}, {"publisher", &publisher{}}, {"client", &client{}},
	}
}

type named struct {
	name string
	mode mode
}

// name is that of the command.
const name = "moqtest"

// aliases are names of moxygen's programs, under which this command may be called.
var aliases = map[string]string{"moqtest_server": "server", "moqtest_client": "client"}

func main() {
	ctx, stop := cli.Context(context.Background())
	code := execute(ctx, &cli.Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args, os.LookupEnv)
	stop()
	os.Exit(code)
}

// execute runs what the arguments name; the first is how the command was called.
func execute(ctx context.Context, env *cli.Env, args []string, lookup func(string) (string, bool)) int {
	called, rest := filepath.Base(args[0]), args[1:]
	if alias, ok := aliases[called]; ok {
		rest = append([]string{alias}, rest...)
	}
	if len(rest) > 0 {
		for _, m := range modes() {
			if m.name == rest[0] {
				return m.mode.program().Exec(ctx, env, rest[1:], lookup, m.mode.run)
			}
		}
	}
	return overview().Exec(ctx, env, rest, lookup, func(_ context.Context, env *cli.Env) error {
		var names []string
		for _, m := range modes() {
			names = append(names, m.name)
		}
		what := "what to do is missing"
		if len(env.Args) > 0 {
			what = fmt.Sprintf("%q is not what this command does", env.Args[0])
		}
		return cli.Usagef("%s; it is one of %s", what, strings.Join(names, ", "))
	})
}

// overview is the program without a mode, for its help and version.
func overview() *cli.Program {
	p := cli.New(name, "speaks the test protocol moq-test-00; its first argument says as what")
	for _, m := range modes() {
		p.Example(name+" "+m.name+" -help", m.mode.program().Summary)
	}
	return p
}
