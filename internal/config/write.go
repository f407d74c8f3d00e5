package config

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"oxymoq/internal/cli"
)

// width is the column at which comments are wrapped.
const width = 100

// Write writes a file with every key of the program, what it is for, and the value
// that it has; one that was set somewhere also has a comment that says where. Read
// gives the same values again.
func (YAML) Write(w io.Writer, p *cli.Program) error {
	var b bytes.Buffer
	comment(&b, "", fmt.Sprintf("Every key of %[1]s. -config FILE reads such a file; all keys may be left out. "+
		"-print_config prints it with what is set, and -validate_config checks that.", p.Name))
	comment(&b, "", "\nEach key is a flag too, and a variable of the environment, which are named below it. The command line outweighs "+
		"the environment, that outweighs the file, and that the defaults. Keys marked \"live\" are taken up when the file changes, "+
		"or on SIGHUP; all others when the program starts again.")
	section := ""
	for _, k := range p.Flags.Keys() {
		indent := ""
		if k.Section != "" {
			indent = "  "
		}
		if k.Section != section {
			section = k.Section
			fmt.Fprintf(&b, "\n%s:", section)
		}
		text, err := value(k)
		if err != nil {
			return err
		}
		names := "-" + k.Flag + ", " + k.Variable
		if k.Live {
			names += ", live"
		}
		b.WriteByte('\n')
		comment(&b, indent, k.Usage)
		comment(&b, indent, names)
		fmt.Fprintf(&b, "%s%s: %s", indent, k.Name, text)
		if k.Origin != "" {
			fmt.Fprintf(&b, " # set by %s", strings.Map(printable, k.Origin))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printable keeps the name of a file within its line.
func printable(r rune) rune {
	if r < ' ' {
		return '?'
	}
	return r
}

// value returns what follows the colon.
func value(k cli.Key) (string, error) {
	var n yaml.Node
	v := k.Value
	if d, ok := v.(time.Duration); ok {
		v = d.String()
	}
	for _, s := range texts(v) {
		if !utf8.ValidString(s) {
			return "", fmt.Errorf("-%s is set to %q, which YAML cannot hold", k.Flag, s)
		}
	}
	if err := n.Encode(v); err != nil {
		return "", fmt.Errorf("-%s cannot be written as YAML: %w", k.Flag, err)
	}
	oneLine(&n)
	out, err := yaml.Marshal(&n)
	if err != nil {
		return "", fmt.Errorf("-%s cannot be written as YAML: %w", k.Flag, err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// texts returns what is text of a value.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	}
	return nil
}

// oneLine makes a value stand behind its key.
func oneLine(n *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		n.Style |= yaml.FlowStyle
	}
	if n.Kind == yaml.ScalarNode && strings.ContainsFunc(n.Value, func(r rune) bool { return r < ' ' || r == 0x85 || r == 0x2028 || r == 0x2029 }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		oneLine(c)
	}
}

// comment writes words in lines of at most width columns; a line break before them
// is an empty line.
func comment(b *bytes.Buffer, indent, text string) {
	if strings.HasPrefix(text, "\n") {
		b.WriteString(indent + "#\n")
	}
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && line != indent+"#" {
			b.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
