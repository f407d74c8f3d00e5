package clients

import "charm.land/bubbles/v2/key"

// keys are the bindings of all three screens; help is made from the same.
type keys struct {
	Up, Down, PageUp, PageDown, Top, Bottom key.Binding
	Pause, Freeze, Log, Help, Quit, Leave   key.Binding
	Unsubscribe, Fetch, Hex, Filter, Export key.Binding
	Open, Back, Follow                      key.Binding
	Yes, No                                 key.Binding
}

func bind(help, does string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(help, does))
}

func newKeys() keys {
	return keys{
		Up: bind("↑/k", "up", "up", "k"), Down: bind("↓/j", "down", "down", "j"),
		PageUp: bind("pgup", "page up", "pgup", "ctrl+b"), PageDown: bind("pgdn", "page down", "pgdown", "ctrl+f"),
		Top: bind("home", "first line", "home"), Bottom: bind("end/G", "last line, and follow", "end", "G"),
		Pause: bind("p", "pause, and go on", "p"), Freeze: bind("space", "freeze: stop the view and nothing else", "space"),
		Log: bind("l", "log of the program", "l"), Help: bind("?", "help", "?"),
		Quit: bind("q", "quit", "q"), Leave: bind("ctrl+c", "quit at once", "ctrl+c"),
		Unsubscribe: bind("u", "unsubscribe: leave the track", "u"), Fetch: bind("f", "fetch a range of the past", "f"),
		Hex: bind("v", "hex: bytes instead of text", "v"), Filter: bind("/", "filter: word, !without, ~fuzzy", "/"),
		Export: bind("x", "export what is shown as JSON", "x"),
		Open:   bind("⏎", "open the object", "enter"), Back: bind("esc", "back", "esc"), Follow: bind("F", "follow the newest", "F"),
		Yes: bind("y", "yes", "y", "Y"), No: bind("n", "no", "n", "N", "esc", "enter", "q"),
	}
}

// Section is a group of keys for help.
type Section struct {
	Title string
	Keys  []key.Binding
}

// TextKeys returns all bindings of a Text in the order of its help.
func TextKeys() []Section { return newKeys().text() }

// StreamerKeys returns all bindings of a Streamer, likewise.
func StreamerKeys() []Section { return newKeys().streamer() }

// ReceiverKeys returns all bindings of a Receiver, likewise.
func ReceiverKeys() []Section { return newKeys().receiver() }

func (k keys) text() []Section {
	return []Section{
		{"Track", []key.Binding{k.Pause, k.Unsubscribe, k.Fetch}},
		{"View", []key.Binding{k.Hex, k.Open, k.Back, k.Filter, k.Freeze, k.Follow, k.Export, k.Log}},
		k.moving(), k.ending(),
	}
}

func (k keys) streamer() []Section {
	return []Section{{"Stream", []key.Binding{k.Pause}}, {"View", []key.Binding{k.Freeze, k.Log}}, k.moving(), k.ending()}
}

func (k keys) receiver() []Section {
	return []Section{{"View", []key.Binding{k.Freeze, k.Log}}, k.moving(), k.ending()}
}

func (k keys) moving() Section {
	return Section{"Moving", []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}}
}

func (k keys) ending() Section { return Section{"Everywhere", []key.Binding{k.Help, k.Quit, k.Leave}} }
