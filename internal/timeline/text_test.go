package timeline

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/tui/draw"
)

// written is a story as text.
func written(t *testing.T, s *Story, l Layout) string {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, s, s.Rows, l); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hostile has names that would move the cursor, end the line or take two cells.
var hostile = []string{
	head,
	`{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"subscribe","request_id":1,"track_namespace":["a\u001b[2J","b\nc"],"track_name":"漢字\u202e"}}}`,
	`{"time":2,"name":"loglevel:info","data":{"message":"x\r\ny\u0007"}}`,
	`{"time":3,"name":"transport:connection_closed","data":{"initiator":"remote","reason":"\u001b]0;x\u0007"}}`,
}

// TestTextWidths: no line is wider than it may be, and none is broken.
func TestTextWidths(t *testing.T) {
	for name, records := range map[string][]string{"everything": append([]string{head}, everything...), "hostile": hostile} {
		client := parsed(t, file(records...))
		server := parsed(t, file(serverHead(0), message(4, false, 0, "subscribe"), message(3, true, 3, "setup")))
		both, err := Merge(client, server)
		if err != nil {
			t.Fatal(err)
		}
		one, err := Merge(parsed(t, file(records...)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Story{one, both} {
			for width := MinWidth; width <= 200; width += 1 + width/30 {
				for _, ascii := range []bool{false, true} {
					out := written(t, s, Layout{Width: width, ASCII: ascii})
					if n, want := strings.Count(out, "\n"), len(s.Rows)+len(s.head())+1; n != want {
						t.Fatalf("%s, width %d: %d lines, want %d", name, width, n, want)
					}
					for line := range strings.Lines(out) {
						line = strings.TrimSuffix(line, "\n")
						if draw.Width(line) > width || strings.HasSuffix(line, " ") || draw.Clean(line) != line {
							t.Fatalf("%s, width %d: %q", name, width, line)
						}
						if ascii && strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
							t.Fatalf("%s, width %d: not ASCII: %q", name, width, line)
						}
					}
				}
			}
		}
	}
}

func TestTextColour(t *testing.T) {
	s, err := Merge(parsed(t, file(append([]string{head}, everything...)...)), nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, coloured := written(t, s, Layout{Width: 80}), written(t, s, Layout{Width: 80, Colour: true})
	for _, code := range colours {
		if !strings.Contains(coloured, "\x1b["+code+"m") {
			t.Errorf("no colour %s", code)
		}
		coloured = strings.ReplaceAll(coloured, "\x1b["+code+"m", "")
	}
	if got := strings.ReplaceAll(coloured, "\x1b[0m", ""); got != plain {
		t.Errorf("the text is another (-plain +coloured):\n%s", cmp.Diff(plain, got))
	}
	if strings.Contains(plain, "\x1b") {
		t.Error("colour where none is wanted")
	}
}

// TestTextNarrow: less than the least width is the least, and nothing is a story
// too.
func TestTextNarrow(t *testing.T) {
	s, err := Merge(parsed(t, file(head)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := written(t, s, Layout{Width: 3}), written(t, s, Layout{Width: MinWidth}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := written(t, s, Layout{}), "client  test, test, 2026-11-21 19:50:26.500 UTC, 0.00 ms\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errClosed }

var errClosed = errors.New("closed")

func TestWriteFails(t *testing.T) {
	s, err := Merge(parsed(t, file(append([]string{head}, everything...)...)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Text(closed{}, s, s.Rows, Layout{}); !errors.Is(err, errClosed) {
		t.Errorf("Text: %v", err)
	}
	if err := JSON(closed{}, s, s.Rows); !errors.Is(err, errClosed) {
		t.Errorf("JSON: %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0.00 ms"}, {9_994 * time.Microsecond, "9.99 ms"}, {-time.Millisecond, "-1.00 ms"},
		{980 * time.Millisecond, "980 ms"}, {12_345 * time.Millisecond, "12.3 s"},
	} {
		if got := milliseconds(tt.d); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.d, got, tt.want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 9_999: "9999 B", 10_000: "10 kB", 12_345_678: "12 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
