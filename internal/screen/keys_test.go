package screen

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"

	"oxymoq/pkg/tui/clients"
	"oxymoq/pkg/tui/dashboard"
)

var update = flag.Bool("update", false, "write docs/keys.md anew")

// TestKeys holds docs/keys.md, which is made of the bindings that act.
func TestKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Keys\n\nMade of the bindings that act (`go test ./internal/screen -update`); `?` shows them on every screen.\n")
	table := func(title string, keys []key.Binding) {
		fmt.Fprintf(&b, "\n### %s\n\n| key | does |\n|---|---|\n", title)
		for _, k := range keys {
			fmt.Fprintf(&b, "| `%s` | %s |\n", k.Help().Key, k.Help().Desc)
		}
	}
	b.WriteString("\n## The dashboard: moqrelayserver and moqtop\n")
	for _, s := range dashboard.Keys() {
		table(s.Title, s.Keys)
	}
	for _, p := range []struct {
		name     string
		sections []clients.Section
	}{{"moqtextclient", clients.TextKeys()}, {"moqflvstreamer", clients.StreamerKeys()}, {"moqflvreceiver", clients.ReceiverKeys()}} {
		fmt.Fprintf(&b, "\n## %s\n", p.name)
		for _, s := range p.sections {
			table(s.Title, s.Keys)
		}
	}
	path := filepath.FromSlash("../../docs/keys.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != b.String() {
		t.Error("docs/keys.md is not what the bindings say: go test ./internal/screen -update")
	}
}
