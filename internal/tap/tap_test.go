package tap

import (
	"errors"
	"strings"
	"testing"

	"oxymoq/internal/tap/taptest"
	"oxymoq/internal/testkit"
)

func TestWriter(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	w.Version()
	w.Comment("%s %s", "moqinterop", "v1")
	w.Plan(3)
	w.Point(true, "first", "", nil)
	w.Point(false, `odd # name \`, "", []Field{
		{"duration_ms", int64(12)}, {"received", "a \"reason\"\nok 3 - lies"},
		{"sessions", []Field{{"client", []Field{{"alpn", "h3"}}}}}, {"message", "12e3"},
	})
	w.Point(true, "third", "not in\nthis draft", nil)
	const want = `TAP version 14
# moqinterop v1
1..3
ok 1 - first
not ok 2 - odd \# name \\
  ---
  duration_ms: 12
  received: "a \"reason\"\nok 3 - lies"
  sessions:
    client:
      alpn: "h3"
  message: "12e3"
  ...
ok 3 - third # SKIP not in this draft
`
	if b.String() != want {
		t.Errorf("got %s", b.String())
	}
	d := testkit.Must(taptest.Parse(b.String()))(t)
	if len(d.Points) != 3 || d.Points[1].OK || d.Points[1].Name != `odd # name \` || d.Points[2].Skipped != "not in this draft" ||
		d.Points[1].Fields["sessions.client.alpn"] != "h3" || d.Points[1].Fields["received"] != "a \"reason\"\nok 3 - lies" {
		t.Errorf("read as %+v", d)
	}
	w.BailOut("the relay\nhas gone")
	if !strings.HasSuffix(b.String(), "\nBail out! the relay has gone\n") {
		t.Errorf("it ends with %q", b.String())
	}
}

var errFull = errors.New("disk full")

type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestErrorsAreKept: what could not be written is told once and for all.
func TestErrorsAreKept(t *testing.T) {
	w := NewWriter(&full{left: 20})
	w.Version()
	w.Plan(12)
	w.Point(true, "a", "", nil)
	testkit.ErrIs(t, w.Err(), errFull)
}

// FuzzWriter: whatever a relay says stays within its field.
func FuzzWriter(f *testing.F) {
	f.Add("setup-only", "REQUEST_ERROR", "it says # SKIP", "")
	f.Add("a\\#b", "\n  ...\nok 2 - b", "\x00\u2028\xff", "no\rsuch\nthing")
	f.Fuzz(func(t *testing.T, name, expected, got, skipped string) {
		var b strings.Builder
		w := NewWriter(&b)
		w.Version()
		w.Comment("%s", got)
		w.Plan(1)
		w.Point(false, "x"+name, oneLine(skipped), []Field{{"expected", expected}, {"sessions", []Field{{"received", got}}}})
		d, err := taptest.Parse(b.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		p := d.Points[0]
		if p.OK || p.Name != oneLine("x"+name) || p.Fields["expected"] != expected || p.Fields["sessions.received"] != got || p.Skipped != oneLine(skipped) {
			t.Errorf("read as %+v from\n%s", p, b.String())
		}
	})
}
