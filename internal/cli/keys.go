package cli

import (
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Key is the place of a flag in configuration files.
type Key struct {
	// Section and Name are the two steps to it; without a section it stands at the
	// top.
	Section, Name string
	// Flag is the name of the flag, Variable that of its environment variable.
	Flag, Variable string
	// Usage is the text of the help, without backquotes.
	Usage string
	// Live says that a running program takes up another value.
	Live bool
	// Origin is what set the flag, as in "-port", "MOQ_PORT" or "relay.yaml:3"; empty
	// if nothing did.
	Origin string
	// Value is what the flag is set to: a bool, a number, a time.Duration, a string or
	// a []string.
	Value any
}

// String returns the key in one word, as in "network.port".
func (k Key) String() string {
	if k.Section == "" {
		return k.Name
	}
	return k.Section + "." + k.Name
}

// notInFiles is the key of flags that have none.
const notInFiles = "-"

// Place gives a flag a key, as in "cache.memory", where the one is not good that is
// made of its group and its name.
func (f *FlagSet) Place(name, key string) {
	f.mustExist(name)
	f.places[name] = key
}

// CommandLineOnly keeps flags out of configuration files.
func (f *FlagSet) CommandLineOnly(names ...string) {
	for _, name := range names {
		f.Place(name, notInFiles)
	}
}

// Live says that the running program takes up other values of these flags when its
// configuration is read again.
func (f *FlagSet) Live(names ...string) {
	for _, name := range names {
		f.mustExist(name)
		f.live[name] = true
	}
}

// mustExist finds slips in programs, as the declaration of a flag twice does.
func (f *FlagSet) mustExist(name string) {
	if f.Lookup(name) == nil {
		panic(fmt.Sprintf("cli: there is no flag -%s", name))
	}
}

// Keys returns the keys of all flags that configuration files may set, section by
// section, in the order of the groups.
func (f *FlagSet) Keys() (keys []Key) {
	f.fileNew()
	for _, g := range f.inHelp() {
		f.VisitAll(func(fl *flag.Flag) {
			if k, ok := f.key(g, fl); ok && g.names[fl.Name] {
				keys = append(keys, k)
			}
		})
	}
	first := map[string]int{"": -1}
	for i, k := range keys {
		if _, ok := first[k.Section]; !ok {
			first[k.Section] = i
		}
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return first[a.Section] - first[b.Section] })
	return keys
}

// inHelp returns the groups in the order of the help: the first one, which every
// program has, goes last.
func (f *FlagSet) inHelp() []*group {
	return append(f.groups[1:len(f.groups):len(f.groups)], f.groups[0])
}

// key returns the key of a flag in its group.
func (f *FlagSet) key(g *group, fl *flag.Flag) (k Key, ok bool) {
	section, _, _ := strings.Cut(strings.ToLower(g.title), " ")
	name := strings.TrimPrefix(fl.Name, section+"_")
	if place, placed := f.places[fl.Name]; placed {
		if place == notInFiles {
			return Key{}, false
		}
		var nested bool
		if section, name, nested = strings.Cut(place, "."); !nested {
			section, name = "", place
		}
	}
	return Key{
		Section: section, Name: name, Flag: fl.Name, Variable: envName(fl.Name), Usage: strings.ReplaceAll(fl.Usage, "`", ""),
		Live: f.live[fl.Name], Origin: f.origins[fl.Name].what, Value: valueOf(fl),
	}, true
}

// valueOf returns what a flag is set to.
func valueOf(fl *flag.Flag) any {
	if g, ok := fl.Value.(flag.Getter); ok {
		return g.Get()
	}
	return fl.Value.String()
}

// Names returns the names of flags that stand for keys: by each, and by each other
// name of it, the key.
func (f *FlagSet) Names() map[string]Key {
	byFlag := make(map[string]Key)
	for _, k := range f.Keys() {
		byFlag[k.Flag] = k
	}
	for alias, target := range maps.All(f.aliases) {
		if k, ok := byFlag[target]; ok {
			byFlag[alias] = k
		}
	}
	return byFlag
}

// Values are what flags are set to, by name.
type Values map[string]string

func (f *FlagSet) values() Values {
	v := make(Values)
	f.VisitAll(func(fl *flag.Flag) { v[fl.Name] = fl.Value.String() })
	return v
}

var flagInText = regexp.MustCompile(`(?:^| )-([a-z][a-z0-9_]*)`)

// locate says where a configuration file sets the flag that a sentence names.
func (f *FlagSet) locate(sentence string) string {
	for _, m := range flagInText.FindAllStringSubmatch(sentence, -1) {
		if from := f.origins[m[1]]; from.file {
			return sentence + " (" + from.what + ": " + f.Names()[m[1]].String() + ")"
		}
	}
	return sentence
}
