package dashboard

import (
	"charm.land/bubbles/v2/key"
)

// keys are the bindings; help and docs/keys.md are made from the same.
type keys struct {
	Up, Down, PageUp, PageDown, Top, Bottom key.Binding
	Open, Back, Pane                        key.Binding
	Screens                                 [screens]key.Binding
	Filter, Command, Sort, Reverse          key.Binding
	Freeze, Follow, Faster, Slower          key.Binding
	Export, Copy, Kick, Purge, Drain        key.Binding
	Level                                   key.Binding
	Group, Hex                              key.Binding
	Help, Quit                              key.Binding
	Yes, No                                 key.Binding
}

func bind(help, does string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(help, does))
}

func newKeys() keys {
	k := keys{
		Up: bind("↑/k", "up", "up", "k"), Down: bind("↓/j", "down", "down", "j"),
		PageUp: bind("pgup", "page up", "pgup", "ctrl+b"), PageDown: bind("pgdn", "page down", "pgdown", "ctrl+f"),
		Top: bind("home", "first line", "home"), Bottom: bind("end/G", "last line", "end", "G"),
		Open: bind("⏎", "open", "enter", "right"), Back: bind("esc", "back", "esc", "left"), Pane: bind("tab", "pane: the next one", "tab"),
		Filter: bind("/", "filter: word, !without, ~fuzzy", "/"), Command: bind(":", "command", ":"),
		Sort: bind("s", "sort by the next column", "s"), Reverse: bind("r", "reverse the order", "r"),
		Freeze: bind("space", "freeze the view", "space"), Follow: bind("f", "follow the newest", "f"),
		Faster: bind("+", "ask more often", "+", "="), Slower: bind("-", "ask less often", "-"),
		Export: bind("x", "export what is shown as JSON", "x"), Copy: bind("y", "copy the name", "y"),
		Kick: bind("K", "kick the session", "K"), Purge: bind("P", "purge the track's cache", "P"), Drain: bind("D", "drain the relay", "D"),
		Level: bind("e w i d", "level: the lowest that the log shows", "e", "w", "i", "d"),
		Group: bind("g", "group: go to one", "g"), Hex: bind("⏎", "bytes of the object", "enter"),
		Help: bind("?", "help", "?"), Quit: bind("q", "quit", "q", "ctrl+c"),
		Yes: bind("y", "yes", "y", "Y"), No: bind("n", "no", "n", "N", "esc", "enter", "q", "ctrl+c"),
	}
	for s := range screens {
		n := string(rune('1' + s))
		k.Screens[s] = bind(n, s.String(), n)
	}
	return k
}

// Section is a group of keys for help.
type Section struct {
	Title string
	Keys  []key.Binding
}

// Keys returns all bindings in the order of the help.
func Keys() []Section {
	k := newKeys()
	return k.sections()
}

func (k *keys) sections() []Section {
	return []Section{
		{"Everywhere", []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom, k.Open, k.Back, k.Filter, k.Command,
			k.Sort, k.Reverse, k.Freeze, k.Faster, k.Slower, k.Export, k.Copy, k.Help, k.Quit}},
		{"Screens", k.Screens[:]},
		{"Track", []key.Binding{k.Pane, k.Hex, k.Follow, k.Group, k.Kick, k.Purge}},
		{"Sessions and relay", []key.Binding{k.Kick, k.Drain}},
		{"Log", []key.Binding{k.Level, k.Follow}},
	}
}
