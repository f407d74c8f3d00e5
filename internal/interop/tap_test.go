package interop

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
)

// document is a document of TAP version 14, as far as a client of the runner may
// write one.
type document struct {
	comments []string
	plan     int
	points   []point
	bailOut  string
}

type point struct {
	ok      bool
	name    string
	skipped string
	fields  map[string]string // those of blocks within with their path, as in sessions.client.alpn
}

var (
	planLine    = regexp.MustCompile(`^1\.\.(\d+)$`)
	pointLine   = regexp.MustCompile(`^(ok|not ok) (\d+) - ((?:[^#\\]|\\[#\\])*?)(?: # SKIP (.*))?$`)
	commentLine = regexp.MustCompile(`^# (.*)$`)
	fieldLine   = regexp.MustCompile(`^((?:  )+)([a-z_]+):(?: (.+))?$`)
)

// parseTAP reads a document, and fails where a strict reader would.
func parseTAP(text string) (d document, err error) {
	text, whole := strings.CutSuffix(text, "\n")
	if !whole {
		return d, errors.New("the last line has no end")
	}
	lines := strings.Split(text, "\n")
	if lines[0] != "TAP version 14" {
		return d, fmt.Errorf("it begins with %q", lines[0])
	}
	planned := false
	for i := 1; i < len(lines); i++ {
		line := lines[i]
		switch {
		case d.bailOut != "":
			return d, fmt.Errorf("%q stands behind the end", line)
		case strings.HasPrefix(line, "Bail out!"):
			d.bailOut = strings.TrimPrefix(line, "Bail out! ")
		case commentLine.MatchString(line):
			d.comments = append(d.comments, commentLine.FindStringSubmatch(line)[1])
		case planLine.MatchString(line) && !planned:
			planned = true
			d.plan, _ = strconv.Atoi(planLine.FindStringSubmatch(line)[1])
		case pointLine.MatchString(line) && planned:
			m := pointLine.FindStringSubmatch(line)
			p := point{ok: m[1] == "ok", name: strings.NewReplacer(`\\`, `\`, `\#`, `#`).Replace(m[3]), skipped: m[4], fields: map[string]string{}}
			if n, _ := strconv.Atoi(m[2]); n != len(d.points)+1 || n > d.plan {
				return d, fmt.Errorf("%q is point %d of %d", line, len(d.points)+1, d.plan)
			}
			if i+1 < len(lines) && lines[i+1] == "  ---" {
				end := i + 2
				for end < len(lines) && lines[end] != "  ..." {
					end++
				}
				if end == len(lines) {
					return d, errors.New("a block has no end")
				}
				if err := p.parseBlock(lines[i+2 : end]); err != nil {
					return d, err
				}
				i = end
			}
			d.points = append(d.points, p)
		default:
			return d, fmt.Errorf("%q is no line of TAP here", line)
		}
	}
	if d.bailOut == "" && len(d.points) != d.plan {
		return d, fmt.Errorf("%d points of %d", len(d.points), d.plan)
	}
	return d, nil
}

// parseBlock reads a block of YAML.
func (p *point) parseBlock(lines []string) error {
	var path []string
	for _, line := range lines {
		m := fieldLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%q is no line of a block", line)
		}
		depth := len(m[1])/2 - 1
		if depth > len(path) {
			return fmt.Errorf("%q is too deep", line)
		}
		path = append(path[:depth], m[2])
		key, value := strings.Join(path, "."), m[3]
		switch {
		case value == "":
			continue
		case value[0] == '"':
			var err error
			if value, err = strconv.Unquote(value); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
		default:
			if _, err := strconv.ParseInt(value, 10, 64); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
		}
		if _, twice := p.fields[key]; twice {
			return fmt.Errorf("%s stands there twice", key)
		}
		p.fields[key] = value
		path = path[:depth]
	}
	return nil
}

func TestTAP(t *testing.T) {
	var b strings.Builder
	w := &tap{w: &b}
	w.version()
	w.comment("%s %s", "moqinterop", "v1")
	w.plan(3)
	w.point(true, "first", "", nil)
	w.point(false, `odd # name \`, "", []field{
		{"duration_ms", int64(12)}, {"received", "a \"reason\"\nok 3 - lies"},
		{"sessions", []field{{"client", []field{{"alpn", "h3"}}}}}, {"message", "12e3"},
	})
	w.point(true, "third", "not in\nthis draft", nil)
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
	d := testkit.Must(parseTAP(b.String()))(t)
	if len(d.points) != 3 || d.points[1].ok || d.points[1].name != `odd # name \` || d.points[2].skipped != "not in this draft" ||
		d.points[1].fields["sessions.client.alpn"] != "h3" || d.points[1].fields["received"] != "a \"reason\"\nok 3 - lies" {
		t.Errorf("read as %+v", d)
	}
	w.bailOut("the relay\nhas gone")
	if !strings.HasSuffix(b.String(), "\nBail out! the relay has gone\n") {
		t.Errorf("it ends with %q", b.String())
	}
}

// TestTAPReaderIsStrict: or the tests that use it would show nothing.
func TestTAPReaderIsStrict(t *testing.T) {
	const head = "TAP version 14\n"
	for _, text := range []string{
		"", "TAP version 13\n1..0\n", "1..0\n", head + "1..0", head + "1..1\n", head + "1..1\nok 2 - a\n", head + "ok 1 - a\n1..1\n",
		head + "1..1\nok 1 - a\nok 2 - b\n", head + "1..1\nok 1 - a\n  ---\n  x: 1\n", head + "1..1\nok 1 - a\n  ---\n x: 1\n  ...\n",
		head + "1..1\nok 1 - a\n  ---\n  x: text\n  ...\n", head + "1..1\nok 1 - a\n  ---\n      x: 1\n  ...\n",
		head + "1..1\nok 1 - a # b\n", head + "1..1\nnews\n", head + "Bail out! x\nok 1 - a\n",
	} {
		if _, err := parseTAP(text); err == nil {
			t.Errorf("%q passes", text)
		}
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

// TestTAPKeepsErrors: what could not be written is told once and for all.
func TestTAPKeepsErrors(t *testing.T) {
	w := &tap{w: &full{left: 20}}
	w.version()
	w.plan(12)
	w.point(true, "a", "", nil)
	testkit.ErrIs(t, w.err, errFull)
}

// FuzzTAP: whatever a relay says stays within its field.
func FuzzTAP(f *testing.F) {
	f.Add("setup-only", "REQUEST_ERROR", "it says # SKIP", "")
	f.Add("a\\#b", "\n  ...\nok 2 - b", "\x00\u2028\xff", "no\rsuch\nthing")
	f.Fuzz(func(t *testing.T, name, expected, got, skipped string) {
		var b strings.Builder
		w := &tap{w: &b}
		w.version()
		w.comment("%s", got)
		w.plan(1)
		w.point(false, "x"+name, oneLine(skipped), []field{{"expected", expected}, {"sessions", []field{{"received", got}}}})
		d, err := parseTAP(b.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		p := d.points[0]
		if p.ok || p.name != oneLine("x"+name) || p.fields["expected"] != expected || p.fields["sessions.received"] != got || p.skipped != oneLine(skipped) {
			t.Errorf("read as %+v from\n%s", p, b.String())
		}
	})
}
