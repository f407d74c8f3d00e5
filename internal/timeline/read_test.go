package timeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/tui/draw"
)

// head is the header of a file.
const head = `{"qlog_version":"0.3","qlog_format":"JSON-SEQ","title":"test","trace":{"vantage_point":{"type":"client"},"common_fields":{"group_id":"c0ffee",` +
	`"reference_time":{"clock_type":"monotonic","epoch":"unknown","wall_clock_time":"2026-11-21T19:50:26.5Z"}}}}`

// file is a file of records.
func file(records ...string) string {
	return "\x1e" + strings.Join(records, "\n\x1e") + "\n"
}

// parsed reads a file, which must be good.
func parsed(t *testing.T, text string) *Trace {
	t.Helper()
	tr, err := Read(strings.NewReader(text), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// lines are the items of a trace.
func lines(tr *Trace) []string {
	var all []string
	for _, it := range tr.items {
		way := "·"
		switch {
		case !it.local && it.sent:
			way = ">"
		case !it.local:
			way = "<"
		}
		all = append(all, strings.Join(nonEmpty(clock(it.at), way, streamName(it.stream), it.what, it.track, it.text), " "))
	}
	return all
}

// said is an event in which a trace says something of itself.
func said(at float64, what string) string {
	return fmt.Sprintf(`{"time":%g,"name":"loglevel:info","data":{"message":%q}}`, at, what)
}

func TestReadHeader(t *testing.T) {
	began := time.Date(2026, 11, 21, 19, 50, 26, 500e6, time.UTC)
	for _, tt := range []struct {
		name, head string
		want       Trace
	}{
		{"ours and quic-go's", head, Trace{Title: "test", Role: Client, ID: "c0ffee", Began: began}},
		{"a file of many sessions", `{"file_schema":"s","title":"t","trace":{"common_fields":{"reference_time":{"epoch":"2026-11-21T19:50:26.5Z"}},"vantage_point":{"type":"unknown"}}}`,
			Trace{Title: "t", Began: began}},
		{"an older one", `{"qlog_format":"NDJSON","trace":{"vantage_point":{"name":"x","type":"server"},"common_fields":{"ODCID":"01","reference_time":1.5,"time_format":"delta"}}}`,
			Trace{Role: Server, ID: "01", deltas: true}},
		{"nothing but a version", `{"qlog_version":"0.4"}`, Trace{}},
	} {
		got := parsed(t, file(tt.head))
		tt.want.Name = "test"
		if diff := cmp.Diff(tt.want, *got, cmp.AllowUnexported(Trace{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestReadForms: with separators or without, with empty lines and breaks in
// records, in whatever pieces it comes.
func TestReadForms(t *testing.T) {
	want := []string{"1.000 · a", "2.000 · b"}
	a, b := said(1, "a"), said(2, "b")
	for _, text := range []string{
		file(head, a, b),
		head + "\n" + a + "\n" + b + "\n",
		head + "\r\n\r\n" + a + "\r\n" + b,
		"\x1e" + head + "\x1e" + strings.ReplaceAll(a, ",", ",\n") + "\n\x1e\n\x1e" + b,
	} {
		tr, err := Read(iotest.OneByteReader(strings.NewReader(text)), "test", "")
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, lines(tr)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		if tr.Unfinished || tr.Length != 2*time.Millisecond {
			t.Errorf("%q: unfinished %v, length %v", text, tr.Unfinished, tr.Length)
		}
	}
}

// TestReadUnfinished: a record that is cut off is left out at the end of a file.
func TestReadUnfinished(t *testing.T) {
	whole := file(head, said(1, "a"), said(2, "b"))
	for cut := len(file(head, said(1, "a"))) + 2; cut < len(whole)-2; cut++ {
		tr := parsed(t, whole[:cut])
		if !tr.Unfinished || len(tr.items) != 1 {
			t.Fatalf("cut at %d: unfinished %v, %q", cut, tr.Unfinished, lines(tr))
		}
	}
}

func TestReadErrors(t *testing.T) {
	long := `{"time":1,"name":"x:y","data":"` + strings.Repeat("x", MaxRecord) + `"}`
	for _, tt := range []struct {
		name, text, want string
	}{
		{"empty", "", "test, line 1: the file is empty"},
		{"only a separator", "\x1e", "line 1: the file is empty"},
		{"no JSON", "hello\n", "line 1: no JSON"},
		{"no object", file(`[1]`), "line 1: a JSON array where there should be an object"},
		{"other JSON", file(`{"a":1}`), "line 1: this is no header of a qlog file"},
		{"one piece of JSON", `{"qlog_version":"0.3","traces":[]}`, "only JSON-SEQ"},
		{"a record that is none", file(head, said(1, "a"), `{"time":`, said(2, "b")), "line 3: no JSON"},
		{"the line is counted", "\x1e" + head + "\n\n\n\x1e{\n}\n", "line 4: an event without a time"},
		{"no time", file(head, `{"name":"a:b"}`), "line 2: an event without a time"},
		{"no name", file(head, `{"time":1}`), "line 2: an event without a name"},
		{"time is text", file(head, `{"time":"1","name":"a:b"}`), "line 2: time is a string"},
		{"time beyond all", file(head, `{"time":1e300,"name":"a:b"}`), "line 2: an event at 1e+300 ms"},
		{"times that add up", file(strings.Replace(head, `"common_fields":{`, `"common_fields":{"time_format":"delta",`, 1), `{"time":3e12,"name":"a:b"}`, `{"time":3e12,"name":"a:b"}`), "line 3: the times of the events add up"},
		{"no data", file(head, `{"time":1,"name":"moqt:control_message_parsed"}`), "line 2: moqt:control_message_parsed: it has no data"},
		{"wrong data", file(head, `{"time":1,"name":"moqt:subgroup_header_parsed","data":{"group_id":"x"}}`), "line 2: moqt:subgroup_header_parsed: group_id is a string"},
		{"negative ID", file(head, `{"time":1,"name":"moqt:subgroup_object_parsed","data":{"stream_id":-1}}`), "stream_id is a number -1"},
		{"a record that is too long", file(head, long, said(1, "a")), fmt.Sprintf("line 2: a record has more than %d bytes", MaxRecord)},
	} {
		_, err := Read(strings.NewReader(tt.text), "test", "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if at, ok := errors.AsType[*ReadError](err); !ok || at.Name != "test" {
			t.Errorf("%s: a %T", tt.name, err)
		}
	}
	if _, err := Read(iotest.ErrReader(errors.New("gone")), "test", ""); err == nil || !strings.Contains(err.Error(), "test: gone") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// TestReadSessions: of a file with several sessions one must be named.
func TestReadSessions(t *testing.T) {
	of := func(group string, at float64) string {
		return strings.Replace(said(at, group), `"name"`, `"group_id":"`+group+`","name"`, 1)
	}
	text := file(`{"file_schema":"s","trace":{}}`, of("x-1_client", 1), of("x-2_server", 2), said(3, "none"), of("x-1_client", 4))
	_, err := Read(strings.NewReader(text), "test", "")
	if several, ok := errors.AsType[*SessionsError](err); !ok || err.Error() != "test has 2 sessions, name one with -session: x-1_client, x-2_server" {
		t.Errorf("without a name: %v (%+v)", err, several)
	}
	tr, err := Read(strings.NewReader(text), "test", "x-1_client")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1.000 · x-1_client", "4.000 · x-1_client"}, lines(tr)); diff != "" || tr.Role != Client || tr.ID != "x-1_client" {
		t.Errorf("role %q, ID %q (-want +got):\n%s", tr.Role, tr.ID, diff)
	}
	if _, err := Read(strings.NewReader(text), "test", "x-3"); err == nil || !strings.Contains(err.Error(), "there are x-1_client, x-2_server") {
		t.Errorf("another name: %v", err)
	}
	if _, err := Read(strings.NewReader(file(head, said(1, "a"))), "test", "x"); err == nil || !strings.Contains(err.Error(), "none with a group_id") {
		t.Errorf("a name where there is none: %v", err)
	}
	many := []string{`{"file_schema":"s","trace":{}}`}
	for i := range 2 * maxSessions {
		many = append(many, of(fmt.Sprintf("%02d", i), 1))
	}
	if _, err := Read(strings.NewReader(file(many...)), "test", ""); err == nil || !strings.HasSuffix(err.Error(), "19 and 20 more") {
		t.Errorf("many: %v", err)
	}
}

// endless is a file with an event in each line, without end.
type endless struct{ rest []byte }

func (e *endless) Read(b []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = []byte(said(1, "a") + "\n")
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestMaxItems: even a file without end comes to one, and the story says so.
func TestMaxItems(t *testing.T) {
	const most = 100
	tr, err := read(&endless{[]byte(head + "\n")}, "test", "", most)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tr.items); n != most+1 || !strings.Contains(tr.items[n-1].text, "more than 100 lines") {
		t.Errorf("%d items, the last %q", n, tr.items[n-1].text)
	}
}

// FuzzRead: whatever a file has, it is an error or a story that can be written
// within the width, in one line a row.
func FuzzRead(f *testing.F) {
	f.Add([]byte(file(head, said(1, "a"))))
	f.Add([]byte(file(append([]string{head}, everything...)...)))
	f.Add([]byte(head + "\n" + strings.Join(everything, "\n")))
	f.Add([]byte(file(head, `{"time":-5,"name":"recovery:packet_lost","data":{}}`, `{"time":-5e-9,"group_id":7,"name":"quic:packet_sent","data":{"frames":[{"frame_type":"stop_sending","stream_id":18446744073709551615,"error_code":null}]}}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := Read(bytes.NewReader(b), "test", "")
		if err != nil {
			return
		}
		other, err := Read(bytes.NewReader(b), "test", "")
		if err != nil {
			t.Fatal(err)
		}
		if other.Role = Server; tr.Role == Server {
			other.Role = Client
		}
		for _, right := range []*Trace{nil, other} {
			s, err := Merge(tr, right)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := Text(&out, s, s.Rows, Layout{Width: 60}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if w := draw.Width(strings.TrimSuffix(line, "\n")); w > 60 {
					t.Errorf("%d cells: %q", w, line)
				}
			}
			out.Reset()
			if err := JSON(&out, s, s.Rows); err != nil {
				t.Fatal(err)
			}
			n := 0
			for line := range strings.Lines(out.String()) {
				if n++; !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %q", line)
				}
			}
			if n != len(s.Rows)+1 {
				t.Errorf("%d lines for %d rows", n, len(s.Rows))
			}
		}
	})
}
