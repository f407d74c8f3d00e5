package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Exit codes of every command.
const (
	ExitDone   = 0 // did what was asked, or stopped when told to
	ExitFailed = 1
	ExitUsage  = 2 // called wrongly
)

// CodeError ends a program with a code of its own, where a contract with who runs
// it asks for that. Err is the sentence.
type CodeError struct {
	Code int
	Err  error
}

// Error returns the sentence.
func (e *CodeError) Error() string { return e.Err.Error() }
func (e *CodeError) Unwrap() error { return e.Err }

// Program is one command: its flags, its help, and how it ends.
type Program struct {
	Name string
	// Summary continues the name to a sentence: "publishes the date".
	Summary string
	Flags   *FlagSet

	examples []example
	logging  Levels
	files    *files // nil: it has no configuration files
}

type example struct{ command, explanation string }

// Env is what a running program may use of its surroundings.
type Env struct {
	In  io.Reader
	Out io.Writer // data, and nothing else
	Err io.Writer
	Log *slog.Logger // writes to Err
	// Levels say what is logged, and may be changed at any time.
	Levels *Levels
	// Args are the arguments that are no flags.
	Args []string
	// File is the configuration file, or "".
	File string
	// Start is what the flags were set to when the program began.
	Start Values
	// Load gives the flags of another program, declared alike, what command line,
	// environment and configuration file say now, and checks it.
	Load func(*Program) (Values, error)
}

// UsageError says that a program was called wrongly; it leads to ExitUsage.
type UsageError struct{ Reason string }

// Error returns the reason.
func (e *UsageError) Error() string { return e.Reason }

// Usagef returns a *UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{Reason: fmt.Sprintf(format, args...)}
}

// New returns a program with the flags that all have: -help, -version and
// -logging.
func New(name, summary string) *Program {
	p := &Program{Name: name, Summary: summary, Flags: NewFlagSet(name)}
	p.Flags.Group("Everywhere")
	p.Flags.BoolVar(new(bool), "help", false, "explain the flags and exit")
	p.Flags.BoolVar(new(bool), "version", false, "print the version and exit")
	p.Flags.Var(&p.logging, "logging",
		"`levels` of the log, as in INFO or DBG4 or WARN,session=DBG; ERR, WARN, INFO, DBG1 to DBG9, DBG for all")
	p.Flags.Group("")
	return p
}

// Example adds a command line to the help, with what it does.
func (p *Program) Example(command, explanation string) {
	p.examples = append(p.examples, example{command, explanation})
}

// Main parses the command line, calls run with a context that the first SIGINT
// or SIGTERM ends, and exits with the code that befits its result.
func (p *Program) Main(run func(context.Context, *Env) error) {
	ctx, stop := Context(context.Background())
	code := p.Exec(ctx, &Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:], os.LookupEnv, run)
	stop()
	os.Exit(code)
}

// Exec is Main without the process: it takes arguments and environment, fills
// in env.Log, env.Levels and env.Args, and returns the exit code.
func (p *Program) Exec(ctx context.Context, env *Env, args []string, lookup func(string) (string, bool), run func(context.Context, *Env) error) int {
	rest, err := p.Flags.Parse(args, lookup)
	switch {
	case err != nil:
		return p.end(ctx, env, err)
	case p.Flags.on("help"):
		p.help(env.Out)
		return ExitDone
	case p.Flags.on("version"):
		fmt.Fprintf(env.Out, "%s of oxymoq %s\n", p.Name, Version())
		return ExitDone
	}
	if err := p.readFile(); err != nil {
		return p.end(ctx, env, err)
	}
	env.Args, env.File, env.Start, env.Load = rest, p.file(), p.Flags.values(), p.loader(env, args, lookup)
	env.Levels = &p.logging
	env.Log = slog.New(NewHandler(env.Err, &p.logging, colourful(env.Err, lookup)))
	if p.files != nil && (p.files.print || p.files.validate) {
		run = p.look
	}
	return p.end(ctx, env, run(ctx, env))
}

// end turns a result into an exit code and prints the sentence that goes with it.
func (p *Program) end(ctx context.Context, env *Env, err error) int {
	var stopped *SignalError
	var usage *UsageError
	var coded *CodeError
	switch {
	case err == nil, errors.As(err, &stopped):
		return ExitDone
	case errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &stopped):
		return ExitDone
	case errors.As(err, &coded):
		fmt.Fprintf(env.Err, "%s: %s.\n", p.Name, p.sentence(err))
		return coded.Code
	case errors.As(err, &usage):
		fmt.Fprintf(env.Err, "%s: %s; %s -help explains.\n", p.Name, p.sentence(err), p.Name)
		return ExitUsage
	}
	fmt.Fprintf(env.Err, "%s: %s.\n", p.Name, p.sentence(err))
	return ExitFailed
}

// sentence puts an error on one line, without the full stop that the caller adds,
// and with the place in a configuration file that it is about.
func (p *Program) sentence(err error) string {
	return p.Flags.locate(strings.TrimRight(strings.Join(strings.Fields(err.Error()), " "), ". "))
}
