package tap

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Field is one entry of a YAML block.
type Field struct {
	Key   string
	Value any // int64, string, or []Field for a block within
}

// Writer writes a document. The first error of what is written to is kept, and
// nothing is written after it.
type Writer struct {
	w      io.Writer
	points int
	err    error
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Err returns why not everything was written, nil if it was.
func (t *Writer) Err() error { return t.err }

func (t *Writer) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// Version begins the document.
func (t *Writer) Version() { t.line("TAP version 14") }

// Comment adds a line for people.
func (t *Writer) Comment(format string, args ...any) {
	t.line("# %s", oneLine(fmt.Sprintf(format, args...)))
}

// Plan says how many points there are.
func (t *Writer) Plan(n int) { t.line("1..%d", n) }

// Point is one result. A skipped one says why, and is ok.
func (t *Writer) Point(ok bool, name, skipped string, block []Field) {
	t.points++
	text := "ok"
	if !ok {
		text = "not ok"
	}
	text += fmt.Sprintf(" %d - %s", t.points, description(name))
	if skipped != "" {
		text += " # SKIP " + oneLine(skipped)
	}
	t.line("%s", text)
	if len(block) > 0 {
		t.line("  ---")
		t.block(block, "  ")
		t.line("  ...")
	}
}

func (t *Writer) block(block []Field, indent string) {
	for _, f := range block {
		switch v := f.Value.(type) {
		case []Field:
			t.line("%s%s:", indent, f.Key)
			t.block(v, indent+"  ")
		case string:
			// What Go escapes in a string, YAML does too.
			t.line("%s%s: %s", indent, f.Key, strconv.QuoteToASCII(v))
		default:
			t.line("%s%s: %v", indent, f.Key, v)
		}
	}
}

// BailOut ends the document before its plan is fulfilled.
func (t *Writer) BailOut(reason string) { t.line("Bail out! %s", oneLine(reason)) }

// oneLine puts text onto one line without what steers terminals, so that no peer
// can write lines of TAP.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}

// description escapes what would begin a directive.
func description(name string) string {
	return strings.NewReplacer(`\`, `\\`, `#`, `\#`).Replace(oneLine(name))
}
