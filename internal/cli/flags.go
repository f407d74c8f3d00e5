package cli

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"time"
)

// EnvPrefix begins the name of every environment variable that sets a flag.
const EnvPrefix = "MOQ_"

// FlagSet is a set of flags in groups. Flags are declared with the methods of
// the embedded set; their names have underscores between words. A word in
// backquotes in a usage names the value and its unit: "wait `ms` at most".
type FlagSet struct {
	*flag.FlagSet
	groups    []*group
	aliases   map[string]string
	variables map[string][]string // by flag: names of others for its environment variable
	origins   map[string]origin   // by flag that is set
	places    map[string]string   // by flag: its key, if that is not made of group and name
	live      map[string]bool     // flags whose values a running program takes up
}

type group struct {
	title string
	names map[string]bool
}

// NewFlagSet returns an empty set.
func NewFlagSet(name string) *FlagSet {
	std := flag.NewFlagSet(name, flag.ContinueOnError)
	std.SetOutput(io.Discard)
	return &FlagSet{
		FlagSet: std, aliases: make(map[string]string), variables: make(map[string][]string),
		origins: make(map[string]origin), places: make(map[string]string), live: make(map[string]bool),
	}
}

// Group begins a group: the flags that are declared next stand below the title
// in the help.
func (f *FlagSet) Group(title string) {
	f.fileNew()
	f.groups = append(f.groups, &group{title: title, names: make(map[string]bool)})
}

// fileNew puts the flags that no group has yet into the last one.
func (f *FlagSet) fileNew() {
	filed := make(map[string]bool)
	for _, g := range f.groups {
		for name := range g.names {
			filed[name] = true
		}
	}
	f.VisitAll(func(fl *flag.Flag) {
		if filed[fl.Name] {
			return
		}
		if len(f.groups) == 0 {
			f.groups = append(f.groups, &group{title: "Flags", names: make(map[string]bool)})
		}
		f.groups[len(f.groups)-1].names[fl.Name] = true
	})
}

// Alias makes the flag name known by another name, which the help leaves out. It
// has an environment variable too.
func (f *FlagSet) Alias(alias, name string) { f.aliases[alias] = name }

// Variable makes an environment variable set a flag too, for programs that others
// run and that have names for it. That of the flag outweighs it; of several, the
// first that was declared counts.
func (f *FlagSet) Variable(name, variable string) {
	f.variables[name] = append(f.variables[name], variable)
}

// variable returns the environment variable that sets a flag, by its own name or
// else by an alias or a name of Variable, and its value. An empty one counts as
// absent, so that a script can pass one on.
func (f *FlagSet) variable(fl *flag.Flag, lookup func(string) (string, bool)) (name, value string, ok bool) {
	names := []string{fl.Name}
	for alias, target := range f.aliases {
		if target == fl.Name {
			names = append(names, alias)
		}
	}
	slices.Sort(names[1:])
	for i, n := range names {
		names[i] = envName(n)
	}
	for _, n := range append(names, f.variables[fl.Name]...) {
		if value, ok := lookup(n); ok && value != "" {
			return n, value, true
		}
	}
	return "", "", false
}

// origin is what set a flag, as in "-port", "MOQ_PORT" or "relay.yaml:3".
type origin struct {
	what string
	file bool
}

// IsSet reports whether the command line, the environment or a configuration file
// set the flag. A file that gives it its default does not count.
func (f *FlagSet) IsSet(name string) bool { return f.origins[name].what != "" }

// Parse reads args, then, for flags that they do not set, the environment
// through lookup. It returns the arguments that are no flags; "--" makes all
// that follow such. The error is a *UsageError.
func (f *FlagSet) Parse(args []string, lookup func(string) (string, bool)) (rest []string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		fl, value, inline, negated := f.resolve(arg)
		switch {
		case fl == nil:
			return nil, f.unknown(arg)
		case negated && inline:
			return nil, Usagef("%s takes no value", name(arg))
		case negated:
			value = "false"
		case inline:
		case isBool(fl):
			value = "true"
		case i+1 == len(args):
			return nil, Usagef("-%s needs a value", fl.Name)
		default:
			i++
			value = args[i]
		}
		if err := f.Set(fl.Name, value); err != nil {
			return nil, invalid("-"+fl.Name, value, fl, err)
		}
		f.origins[fl.Name] = origin{what: "-" + fl.Name}
	}
	f.VisitAll(func(fl *flag.Flag) {
		if err != nil || f.IsSet(fl.Name) {
			return
		}
		if variable, value, ok := f.variable(fl, lookup); ok {
			if setErr := f.Set(fl.Name, value); setErr != nil {
				err = invalid("environment variable "+variable, value, fl, setErr)
			}
			f.origins[fl.Name] = origin{what: variable}
		}
	})
	if err != nil {
		return nil, err
	}
	return rest, nil
}

// name returns the flag of an argument as the user wrote it, without a value.
func name(arg string) string {
	n, _, _ := strings.Cut(arg, "=")
	return n
}

// resolve finds the flag that arg means. Inline says that arg has a value after
// "=", negated that it turns a switch off.
func (f *FlagSet) resolve(arg string) (fl *flag.Flag, value string, inline, negated bool) {
	body := strings.TrimPrefix(arg[1:], "-")
	n, value, inline := strings.Cut(body, "=")
	n = strings.ReplaceAll(n, "-", "_")
	if fl = f.find(n); fl != nil {
		return fl, value, inline, false
	}
	if n == "h" {
		return f.find("help"), value, inline, false
	}
	if off, ok := strings.CutPrefix(n, "no"); ok {
		if fl = f.find(strings.TrimPrefix(off, "_")); fl != nil && isBool(fl) {
			return fl, value, inline, true
		}
	}
	return nil, "", false, false
}

func (f *FlagSet) find(n string) *flag.Flag {
	if target, ok := f.aliases[n]; ok {
		n = target
	}
	return f.Lookup(n)
}

// on reports whether a switch is declared and on.
func (f *FlagSet) on(n string) bool {
	fl := f.Lookup(n)
	return fl != nil && fl.Value.String() == "true"
}

func isBool(fl *flag.Flag) bool {
	b, ok := fl.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func envName(name string) string { return EnvPrefix + strings.ToUpper(name) }

// invalid says what the value should have been; the standard errors of numbers
// say "parse error" only.
func invalid(where, value string, fl *flag.Flag, err error) error {
	want := ""
	if g, ok := fl.Value.(flag.Getter); ok {
		switch g.Get().(type) {
		case bool:
			want = "true or false"
		case int, int64:
			want = "a whole number in range"
		case uint, uint64:
			want = "a whole number, not negative and in range"
		case float64:
			want = "a number"
		case time.Duration:
			want = "a duration such as 1.5s"
		}
	}
	if want == "" {
		return Usagef("%s: %q: %v", where, value, err)
	}
	return Usagef("%s: %q is not %s", where, value, want)
}

// DurationVar declares a flag whose value is a duration such as 1.5s, or a plain
// number that counts units, as in moxygen's flags of milliseconds.
func (f *FlagSet) DurationVar(p *time.Duration, name string, value, unit time.Duration, usage string) {
	*p = value
	f.Var(&duration{p, unit}, name, usage)
}

type duration struct {
	p    *time.Duration
	unit time.Duration
}

// String returns the duration; the zero duration value must do so too.
func (d *duration) String() string {
	if d.p == nil {
		return ""
	}
	return d.p.String()
}

func (d *duration) Get() any { return *d.p }

func (d *duration) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		// A bare number is the same with the unit's name behind it.
		one := strings.TrimLeft(d.unit.String(), "0123456789.")
		switch d.unit {
		case time.Minute:
			one = "m"
		case time.Hour:
			one = "h"
		}
		v, err = time.ParseDuration(s + one)
	}
	if err != nil {
		return err
	}
	if v < 0 {
		return errors.New("is negative")
	}
	*d.p = v
	return nil
}

// ListVar declares a flag whose value is a list with commas. It replaces the
// default, and every further use of the flag adds to it.
func (f *FlagSet) ListVar(p *[]string, name string, value []string, usage string) {
	*p = value
	f.Var(&list{p: p}, name, usage)
}

type list struct {
	p   *[]string
	set bool
}

func (l *list) String() string {
	if l.p == nil {
		return ""
	}
	return strings.Join(*l.p, ",")
}

func (l *list) Get() any { return *l.p }

func (l *list) Set(s string) error {
	if !l.set {
		*l.p, l.set = nil, true
	}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l.p = append(*l.p, item)
		}
	}
	return nil
}
