package interop

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// field is one entry of a YAML block.
type field struct {
	key   string
	value any // int64, string, or []field for a block within
}

// tap writes TAP version 14 (testanything.org/tap-version-14-specification.html).
// The first error of the writer is kept and nothing is written after it.
type tap struct {
	w      io.Writer
	points int
	err    error
}

func (t *tap) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// version begins the document.
func (t *tap) version() { t.line("TAP version 14") }

// comment adds a line for people.
func (t *tap) comment(format string, args ...any) {
	t.line("# %s", oneLine(fmt.Sprintf(format, args...)))
}

// plan says how many points there are.
func (t *tap) plan(n int) { t.line("1..%d", n) }

// point is one result. A skipped one says why, and is ok.
func (t *tap) point(ok bool, name, skipped string, block []field) {
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

func (t *tap) block(block []field, indent string) {
	for _, f := range block {
		switch v := f.value.(type) {
		case []field:
			t.line("%s%s:", indent, f.key)
			t.block(v, indent+"  ")
		case string:
			// What Go escapes in a string, YAML does too.
			t.line("%s%s: %s", indent, f.key, strconv.QuoteToASCII(v))
		default:
			t.line("%s%s: %v", indent, f.key, v)
		}
	}
}

// bailOut ends the document before its plan is fulfilled.
func (t *tap) bailOut(reason string) { t.line("Bail out! %s", oneLine(reason)) }

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
