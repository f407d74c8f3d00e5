package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Format is a form of configuration files. Package config has one.
type Format interface {
	// Read returns what a file says, in its order. Its errors name the file and, where
	// there is one, the line.
	Read(file string, f *FlagSet) ([]Setting, error)
	// Write writes a file with every key: what it is for, and its value.
	Write(w io.Writer, p *Program) error
}

// Setting is what a configuration file says of one flag.
type Setting struct {
	Key Key
	// Values are set one after the other; more than one, or none, are for lists.
	Values []string
	Where  string // as in "relay.yaml:3"
}

// files are the configuration files of a program.
type files struct {
	format          Format
	check           func(*Env) error
	name            string
	validate, print bool
}

// Configure gives the program flags for configuration files: to read one, to print
// one, and to check what is set. The check opens and changes nothing, and returns
// what run would.
func (p *Program) Configure(format Format, check func(*Env) error) {
	p.files = &files{format: format, check: check}
	p.Flags.Group("Configuration")
	p.Flags.StringVar(&p.files.name, "config", "", "configuration `file` in YAML; the command line and the environment outweigh it")
	p.Flags.BoolVar(&p.files.validate, "validate_config", false, "check what is set and exit: code 0 if it can be used")
	p.Flags.BoolVar(&p.files.print, "print_config", false, "print a configuration file of what is set, with every key, and exit")
	p.Flags.CommandLineOnly("help", "version", "config", "validate_config", "print_config")
	p.Flags.Group("")
}

// file is the configuration file that is set, or "".
func (p *Program) file() string {
	if p.files == nil {
		return ""
	}
	return p.files.name
}

// readFile sets what neither command line nor environment did.
func (p *Program) readFile() error {
	if p.file() == "" {
		return nil
	}
	settings, err := p.files.format.Read(p.files.name, p.Flags)
	if err != nil {
		return err
	}
	for _, s := range settings {
		if err := p.Flags.take(s); err != nil {
			return err
		}
	}
	return nil
}

// take sets a flag from a file, unless it is set.
func (f *FlagSet) take(s Setting) error {
	fl := f.Lookup(s.Key.Flag)
	values := s.Values
	if len(values) == 0 {
		values = []string{""} // an empty list
	}
	if f.IsSet(fl.Name) {
		return nil
	}
	for _, v := range values {
		if err := f.Set(fl.Name, v); err != nil {
			return invalid(s.Where+": "+s.Key.String(), v, fl, err)
		}
	}
	if fl.Value.String() != fl.DefValue {
		f.origins[fl.Name] = origin{what: s.Where, file: true}
	}
	return nil
}

// look is run instead of the program by the flags that only look at its settings.
func (p *Program) look(_ context.Context, env *Env) error {
	if p.files.validate {
		if err := p.files.check(env); err != nil {
			return err
		}
		fmt.Fprintf(env.Err, "%s: what is set can be used.\n", p.Name)
	}
	if p.files.print {
		return p.files.format.Write(env.Out, p)
	}
	return nil
}

// loader returns what Env.Load is.
func (p *Program) loader(env *Env, args []string, lookup func(string) (string, bool)) func(*Program) (Values, error) {
	return func(other *Program) (Values, error) {
		rest, err := other.Flags.Parse(args, lookup)
		if err == nil {
			err = other.readFile()
		}
		if err != nil {
			return nil, err
		}
		now := other.Flags.values()
		if other.files != nil {
			// What is only worth a warning is said when it is taken up.
			quiet := &Env{
				In: env.In, Out: env.Out, Err: io.Discard, Log: slog.New(slog.DiscardHandler), Levels: &other.logging,
				Args: rest, File: other.file(), Start: now,
			}
			err = other.files.check(quiet)
		}
		if err != nil {
			return nil, errors.New(other.sentence(err))
		}
		return now, nil
	}
}
