package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"oxymoq/internal/cli"
)

// MaxFile is the most that a configuration file may have, in bytes. One with all
// keys and what they are for has some ten thousand.
const MaxFile = 1 << 20

// YAML is the form of configuration files. It is a cli.Format.
type YAML struct{}

// Read reads a file. Its errors name file and line; those that say that the file is
// no configuration of this program are *cli.UsageError.
func (YAML) Read(file string, f *cli.FlagSet) ([]cli.Setting, error) {
	content, err := load(file)
	if err != nil {
		return nil, err
	}
	return parse(file, content, f)
}

// load returns the content of a file.
func load(file string) ([]byte, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("-config: %w", err)
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, MaxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("-config: %w", err)
	case len(content) > MaxFile:
		return nil, cli.Usagef("-config: %s has more than %d bytes, which no configuration has", file, MaxFile)
	}
	return content, nil
}

// reader walks through one file.
type reader struct {
	file     string // as messages have it
	keys     map[string]cli.Key
	sections map[string]bool
	flags    map[string]cli.Key // by name of a flag, for those who write that
	seen     map[string]int     // lines of keys and sections that were there
	settings []cli.Setting
}

// parse reads the content of a file.
func parse(file string, content []byte, f *cli.FlagSet) ([]cli.Setting, error) {
	r := &reader{
		file: file, keys: make(map[string]cli.Key), sections: make(map[string]bool), flags: f.Names(), seen: make(map[string]int),
	}
	for _, k := range f.Keys() {
		r.keys[k.String()] = k
		if k.Section != "" {
			r.sections[k.Section] = true
		}
	}
	document := yaml.NewDecoder(bytes.NewReader(content))
	var root yaml.Node
	switch err := document.Decode(&root); {
	case errors.Is(err, io.EOF):
		return nil, nil // nothing, or comments only
	case err != nil:
		return nil, r.syntax(err, content)
	}
	var second yaml.Node
	if err := document.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, r.syntax(err, content)
		}
		return nil, r.wrong(&second, "a second document; a configuration has one")
	}
	for _, n := range root.Content {
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Value == "" {
			return nil, nil // "---" alone
		}
		if err := r.mapping(n, ""); err != nil {
			return nil, err
		}
	}
	return r.settings, nil
}

// wrong says what is wrong at a node.
func (r *reader) wrong(n *yaml.Node, format string, args ...any) error {
	return cli.Usagef("%s:%d: %s", r.file, n.Line, fmt.Sprintf(format, args...))
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax says in which line the YAML breaks off.
func (r *reader) syntax(err error, content []byte) error {
	for i, line := range bytes.Split(content, []byte("\n")) {
		if indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; bytes.IndexByte(indent, '\t') >= 0 && len(indent) < len(line) {
			return cli.Usagef("%s:%d: the line is indented with a tab; YAML wants spaces", r.file, i+1)
		}
	}
	m := syntaxLine.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		return cli.Usagef("%s: %s", r.file, shown(err.Error()))
	case m[1] == "":
		return cli.Usagef("%s: not YAML: %s", r.file, shown(m[2]))
	}
	return cli.Usagef("%s:%s: not YAML: %s", r.file, m[1], shown(m[2]))
}

// plain refuses what configurations do without.
func (r *reader) plain(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		return r.wrong(n, "aliases and anchors are not taken here; write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		return r.wrong(n, "tags such as %s are not taken here", shown(n.Tag))
	}
	return nil
}

// mapping reads the whole file, or a section of it.
func (r *reader) mapping(n *yaml.Node, section string) error {
	if err := r.plain(n); err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode {
		if section == "" {
			return r.wrong(n, "a configuration has sections, as in \"%s:\"", slices.Min(slices.Collect(maps.Keys(r.sections))))
		}
		return r.wrong(n, "%s is a section: its keys stand below it, indented", section)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := r.entry(n.Content[i], n.Content[i+1], section); err != nil {
			return err
		}
	}
	return nil
}

// entry reads a key and what belongs to it.
func (r *reader) entry(key, value *yaml.Node, section string) error {
	if err := r.plain(key); err != nil {
		return err
	}
	if key.Kind != yaml.ScalarNode {
		return r.wrong(key, "a key is a word")
	}
	path := key.Value
	if section != "" {
		path = section + "." + key.Value
	}
	if line, twice := r.seen[path]; twice {
		return r.wrong(key, "%s is there twice, in line %d too", shown(path), line)
	}
	k, known := r.keys[path]
	switch {
	case section == "" && r.sections[path]:
		r.seen[path] = key.Line
		if value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" {
			return nil // a section of which all is commented out
		}
		return r.mapping(value, path)
	case !known || k.Section != section:
		return r.unknown(key, path, section)
	}
	r.seen[path] = key.Line
	values, err := r.values(k, value)
	if err != nil {
		return err
	}
	r.settings = append(r.settings, cli.Setting{Key: k, Values: values, Where: r.file + ":" + strconv.Itoa(key.Line)})
	return nil
}

// values reads what a key is set to.
func (r *reader) values(k cli.Key, n *yaml.Node) ([]string, error) {
	if err := r.plain(n); err != nil {
		return nil, err
	}
	_, list := k.Value.([]string)
	switch {
	case n.Kind == yaml.SequenceNode && list:
		var all []string
		for _, item := range n.Content {
			v, err := r.scalar(k, item)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	case n.Kind == yaml.SequenceNode:
		return nil, r.wrong(n, "%s has one value, and this is a list", k)
	case n.Kind == yaml.MappingNode:
		return nil, r.wrong(n, "%s has a value, and these are keys of their own", k)
	}
	v, err := r.scalar(k, n)
	return []string{v}, err
}

// scalar reads one value.
func (r *reader) scalar(k cli.Key, n *yaml.Node) (string, error) {
	if err := r.plain(n); err != nil {
		return "", err
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", r.wrong(n, "an entry of %s is a value of its own", k)
	case n.ShortTag() == "!!null":
		return "", r.wrong(n, "%s has no value; leave the key out for its default, or write \"\" for nothing", k)
	}
	return n.Value, nil
}

// unknown says which key was probably meant.
func (r *reader) unknown(key *yaml.Node, path, section string) error {
	meant, separate := "", false
	if k, ok := r.keys[path]; ok && k.Section != section {
		meant, separate = k.String(), true // written with the dot
	} else {
		meant = r.guess(key.Value, path, section)
	}
	switch {
	case separate:
		return r.wrong(key, "unknown key %s; write the section in one line and the key below it, indented", shown(path))
	case meant == "":
		return r.wrong(key, "unknown key %s", shown(path))
	}
	return r.wrong(key, "unknown key %s, did you mean %s", shown(path), meant)
}

// guess returns what was probably meant by a key or section that does not exist.
func (r *reader) guess(word, path, section string) string {
	word = strings.ReplaceAll(word, "-", "_")
	if k, ok := r.flags[word]; ok {
		return k.String() // the name of the flag
	}
	all := slices.Sorted(maps.Keys(r.keys))
	for _, name := range all {
		if r.keys[name].Name == word {
			return name // of another section
		}
	}
	if section == "" {
		if s := cli.Nearest(word, slices.Sorted(maps.Keys(r.sections))); s != "" {
			return s
		}
	}
	if near := cli.Nearest(path, all); near != "" {
		return near
	}
	if near := cli.Nearest(word, slices.Sorted(maps.Keys(r.flags))); near != "" {
		return r.flags[near].String()
	}
	return ""
}

// maxShown is how much of a word of the file is repeated, in bytes.
const maxShown = 80

// shown makes a word of the file fit for a message.
func shown(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	if q := strconv.Quote(s); q != `"`+s+`"` || s == "" {
		return q
	}
	return s
}
