package timeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// message is an event of a control message.
func message(at float64, sent bool, stream int, typ string) string {
	form := "parsed"
	if sent {
		form = "created"
	}
	return fmt.Sprintf(`{"time":%g,"name":"moqt:control_message_%s","data":{"stream_id":%d,"message":{"type":%q}}}`, at, form, stream, typ)
}

// serverHead is the header of the server's file; began counts milliseconds from
// the client's.
func serverHead(began time.Duration) string {
	at := time.Date(2026, 11, 21, 19, 50, 26, 500e6, time.UTC).Add(began)
	return strings.NewReplacer(`"client"`, `"server"`, "2026-11-21T19:50:26.5Z", at.Format(time.RFC3339Nano)).Replace(head)
}

// shown are the rows of a story in short.
func shown(s *Story) []string {
	var all []string
	for _, r := range s.Rows {
		from, to := s.Between(r.Dir)
		text := fmt.Sprintf("%s %s>%s %s", clock(r.At), from, to, strings.Join(nonEmpty(r.What, r.Text), " "))
		switch {
		case r.Known:
			text += fmt.Sprintf(" +%s", clock(r.Delay))
		case r.Missing:
			text += " missing"
		}
		all = append(all, text)
	}
	return all
}

func TestMerge(t *testing.T) {
	// The server began 3 ms after the client, and its clock is 1000 ms ahead. It
	// takes 10 ms there and 10 ms back.
	client := parsed(t, file(head, message(5, true, 2, "setup"), message(28, false, 3, "setup"), message(30, true, 0, "subscribe"), message(60, false, 0, "subscribe_ok"), said(61, "x")))
	server := parsed(t, file(serverHead(1003*time.Millisecond), message(12, false, 2, "setup"), message(15, true, 3, "setup"), message(37, false, 0, "subscribe"), message(40, true, 0, "subscribe_ok"), said(45, "y")))
	for _, order := range [][2]*Trace{{client, server}, {server, client}} {
		s, err := Merge(order[0], order[1])
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"5.000 client>server SETUP +10.000", "18.000 server>client SETUP +10.000", "30.000 client>server SUBSCRIBE +10.000",
			"43.000 server>client SUBSCRIBE_OK +17.000", "48.000 server> y", "61.000 client> x",
		}
		if diff := cmp.Diff(want, shown(s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		c := s.Clocks
		if c.shift != 3*time.Millisecond || c.Ahead != time.Second || c.Pairs != 4 || !c.Both || c.Trip != 20*time.Millisecond || !c.Told {
			t.Errorf("clocks %+v", c)
		}
	}
}

// TestMergeClocks: what is known of clocks when there is less to go by.
func TestMergeClocks(t *testing.T) {
	noTime := func(h string) string {
		return strings.Replace(h, `"wall_clock_time"`, `"x"`, 1)
	}
	header := func(at float64, sent bool) string {
		return strings.Replace(strings.Replace(message(at, sent, 2, "x"), "control_message", "subgroup_header", 1), `"message"`, `"track_alias":1,"group_id":2,"m"`, 1)
	}
	for _, tt := range []struct {
		name          string
		client, right []string
		shift, ahead  time.Duration
		says          string
	}{
		{"one way", []string{head, message(5, true, 2, "setup")}, []string{serverHead(0), message(7, false, 2, "setup")}, -2 * time.Millisecond, 2 * time.Millisecond,
			"the server's is 2.00 ms ahead of the client's, by 1 messages that both traces have, in one direction only: the fastest counts as 0 ms"},
		{"the other way", []string{head, message(5, false, 3, "setup")}, []string{serverHead(0), message(7, true, 3, "setup")}, -2 * time.Millisecond, 2 * time.Millisecond, "in one direction only"},
		{"nothing in common", []string{head, message(5, true, 2, "setup")}, []string{serverHead(8 * time.Millisecond), said(1, "x")}, 8 * time.Millisecond, 0, "by the time of day only: no message is in both traces"},
		{"no messages, but objects", []string{head, header(5, true)}, []string{serverHead(0), header(9, false)}, -4 * time.Millisecond, 4 * time.Millisecond, "by 1 messages"},
		{"nobody tells the time", []string{noTime(head), message(5, true, 2, "setup")}, []string{noTime(serverHead(0)), message(7, false, 2, "setup")}, -2 * time.Millisecond, 0, "by 1 messages"},
		{"nothing at all", []string{noTime(head)}, []string{noTime(serverHead(0))}, 0, 0, "unknown: no message is in both traces, and they do not tell the time of day"},
		{"the client is ahead", []string{head, message(5, true, 2, "setup"), message(5, false, 3, "setup")}, []string{serverHead(-10 * time.Millisecond), message(5, false, 2, "setup"), message(5, true, 3, "setup")},
			0, -10 * time.Millisecond, "the client's is 10 ms ahead of the server's, by 2 messages that both traces have, there and back at least 0.00 ms"},
	} {
		s, err := Merge(parsed(t, file(tt.client...)), parsed(t, file(tt.right...)))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if says := s.Clocks.text("client", "server"); s.Clocks.shift != tt.shift || s.Clocks.Ahead != tt.ahead || !strings.Contains(says, tt.says) {
			t.Errorf("%s: %+v, %s", tt.name, s.Clocks, says)
		}
	}
}

// TestMergeMissing: what the other side should have and does not is marked,
// unless its trace ended before.
func TestMergeMissing(t *testing.T) {
	client := []string{head, message(1, true, 2, "setup"), message(2, true, 0, "subscribe"), message(8, true, 4, "fetch"), message(9, false, 5, "publish")}
	for _, tt := range []struct {
		name  string
		right []string
		want  []string
	}{
		{"lost", []string{serverHead(0), message(1, false, 2, "setup"), said(5, "x")}, []string{
			"1.000 client>server SETUP +0.000", "2.000 client>server SUBSCRIBE missing", "5.000 server> x", "8.000 client>server FETCH", "9.000 server>client PUBLISH",
		}},
		{"not written", []string{serverHead(0), message(1, false, 2, "setup"), `{"time":5,"name":"loglevel:warning","data":{"message":"x","limit":1}}`}, []string{
			"1.000 client>server SETUP +0.000", "2.000 client>server SUBSCRIBE", "5.000 server> x", "8.000 client>server FETCH", "9.000 server>client PUBLISH",
		}},
	} {
		s, err := Merge(parsed(t, file(client...)), parsed(t, file(tt.right...)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, shown(s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestMergeObjects: a subgroup is one row, and says what of it arrived.
func TestMergeObjects(t *testing.T) {
	object := func(at float64, form string, id int) string {
		return fmt.Sprintf(`{"time":%g,"name":"moqt:subgroup_object_%s","data":{"stream_id":3,"group_id":4,"object_id":%d,"object_payload_length":5}}`, at, form, id)
	}
	server := file(serverHead(0), message(0, false, 2, "setup"), message(0, true, 3, "setup"), object(1, "created", 0), object(2, "created", 1), object(3, "created", 2), said(9, "x"))
	client := file(head, message(0, true, 2, "setup"), message(0, false, 3, "setup"), object(1, "parsed", 0), object(3, "parsed", 1),
		`{"time":4,"name":"transport:packet_received","data":{"frames":[{"frame_type":"reset_stream","stream_id":3,"error_code":2}]}}`)
	s, err := Merge(parsed(t, client), parsed(t, server))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0.000 client>server SETUP +0.000", "0.000 server>client SETUP +0.000",
		"1.000 server>client SUBGROUP group 4/0, objects 0–2, 3 objects, 15 B, in 2.00 ms, 2 of them read, reset +0.000",
		"4.000 server>client RESET_STREAM DELIVERY_TIMEOUT  group 4/0 missing", "9.000 server> x",
	}
	if diff := cmp.Diff(want, shown(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMergeErrors(t *testing.T) {
	client := func() *Trace { return parsed(t, file(head)) }
	if _, err := Merge(client(), client()); !errors.Is(err, ErrSameSide) {
		t.Errorf("two clients: %v", err)
	}
	other := parsed(t, file(strings.Replace(serverHead(0), "c0ffee", "dec0de", 1)))
	if _, err := Merge(client(), other); !errors.Is(err, ErrOtherConnection) {
		t.Errorf("two connections: %v", err)
	}
	// Carriers without connection IDs name the two sides differently.
	if _, err := Merge(parsed(t, file(head, message(1, true, 2, "setup"))),
		parsed(t, file(strings.Replace(serverHead(0), "c0ffee", "dec0de", 1), message(1, false, 2, "setup")))); err != nil {
		t.Errorf("two names: %v", err)
	}
}

func TestFilter(t *testing.T) {
	rows := []Row{{Kind: Control, Stream: 2, What: "SETUP"}, {Kind: Control, Stream: 0, Track: "a/video"}, {Kind: Data, Stream: 3, Track: "a/video"}, {Kind: Data, Stream: 7, Track: "a/audio"}, {Kind: Loss, Stream: NoStream}}
	for _, tt := range []struct {
		name string
		f    Filter
		want []int
	}{
		{"all", Filter{}, []int{0, 1, 2, 3, 4}},
		{"a track", Filter{Track: "vid"}, []int{0, 1, 2, 4}},
		{"kinds", Filter{Kinds: []Kind{Data, Loss}}, []int{2, 3, 4}},
		{"streams", Filter{Streams: []int64{0, 7}}, []int{1, 3}},
		{"together", Filter{Streams: []int64{3, 7}, Track: "audio", Kinds: []Kind{Data}}, []int{3}},
	} {
		var want []Row
		for _, i := range tt.want {
			want = append(want, rows[i])
		}
		if diff := cmp.Diff(want, tt.f.Apply(rows)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestNames: a file that does not say whose it is.
func TestNames(t *testing.T) {
	unknown := func() *Trace { return parsed(t, file(strings.Replace(head, `"client"`, `"unknown"`, 1))) }
	for _, tt := range []struct {
		a, b        *Trace
		left, right string
	}{
		{unknown(), nil, "here", "peer"},
		{parsed(t, file(serverHead(0))), nil, "server", "client"},
		{unknown(), parsed(t, file(serverHead(0))), "client", "server"},
		{unknown(), unknown(), "here", "peer"},
	} {
		s, err := Merge(tt.a, tt.b)
		if err != nil {
			t.Fatal(err)
		}
		if left, right := s.names(); left != tt.left || right != tt.right {
			t.Errorf("%s and %s, want %s and %s", left, right, tt.left, tt.right)
		}
	}
}

// TestJSON has all that the rows have.
func TestJSON(t *testing.T) {
	client := parsed(t, file(head, message(5, true, 2, "setup"), message(30, false, 3, "setup"), said(31, "<x>")))
	server := parsed(t, file(serverHead(0), message(15, false, 2, "setup"), message(20, true, 3, "setup"), message(21, true, 3, "goaway"), said(40, "y")))
	s, err := Merge(client, server)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := JSON(&b, s, s.Rows); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`{"kind":"traces","sides":[{"side":"client","file":"test","id":"c0ffee","title":"test","began":"2026-11-21T19:50:26.5Z","length_ms":31},` +
			`{"side":"server","file":"test","id":"c0ffee","title":"test","began":"2026-11-21T19:50:26.5Z","length_ms":40}],"clocks":{"pairs":2,"right_ahead_ms":0,"round_trip_ms":20}}`,
		`{"time_ms":5,"kind":"control","from":"client","to":"server","stream":2,"what":"SETUP","delay_ms":10}`,
		`{"time_ms":20,"kind":"control","from":"server","to":"client","stream":3,"what":"SETUP","delay_ms":10}`,
		`{"time_ms":21,"kind":"control","from":"server","to":"client","stream":3,"what":"GOAWAY","missing":true}`,
		`{"time_ms":31,"kind":"note","from":"client","text":"<x>"}`,
		`{"time_ms":40,"kind":"note","from":"server","text":"y"}`,
	}, "\n") + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %q", line)
		}
	}
}
