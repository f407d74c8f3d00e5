package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// helpWidth is the column at which help is wrapped.
const helpWidth = 78

// help explains the program on w.
func (p *Program) help(w io.Writer) {
	p.Flags.fileNew()
	fmt.Fprintf(w, "%s %s.\n\nUsage: %s [flags]\n", p.Name, strings.TrimSuffix(p.Summary, "."), p.Name)
	for _, g := range p.Flags.inHelp() {
		if len(g.names) == 0 {
			continue
		}
		title := g.title
		if title == "" {
			title = "Flags"
		}
		fmt.Fprintf(w, "\n%s\n", title)
		p.Flags.VisitAll(func(fl *flag.Flag) {
			if g.names[fl.Name] {
				helpFlag(w, fl)
			}
		})
	}
	if len(p.examples) > 0 {
		fmt.Fprintln(w, "\nExamples")
		for _, e := range p.examples {
			fmt.Fprintf(w, "  %s\n        %s\n", e.command, e.explanation)
		}
	}
	fmt.Fprintln(w)
	wrap(w, "", "-name and --name are the same, and so are -connect_url and -connect-url. "+
		"-noname turns a switch off. A flag outweighs its environment variable. "+
		"Data goes to standard output, everything else to standard error. "+
		"Exit codes: 0 done, 1 failed, 2 wrong usage.")
}

func helpFlag(w io.Writer, fl *flag.Flag) {
	unit, usage := flag.UnquoteUsage(fl)
	if isBool(fl) {
		unit = ""
	}
	head := "-" + fl.Name
	if unit != "" {
		head += " " + unit
	}
	set := envName(fl.Name)
	switch {
	case fl.Name == "help" || fl.Name == "version" || fl.Name == "validate_config" || fl.Name == "print_config":
		set = ""
	case fl.DefValue != "":
		set = "default " + fl.DefValue + ", " + set
	}
	if set != "" {
		head += "  [" + set + "]"
	}
	fmt.Fprintf(w, "  %s\n", head)
	wrap(w, "        ", usage)
}

// wrap writes words in lines of at most helpWidth columns.
func wrap(w io.Writer, indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) >= helpWidth && line != indent {
			fmt.Fprintln(w, strings.TrimRight(line, " "))
			line = indent
		}
		line += word + " "
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}
