package text

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
)

func TestPlain(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    model.Object
		want string
	}{
		{"a payload", model.Object{Payload: []byte("12")}, "12\n"},
		{"an empty one", model.Object{}, "\n"},
		{"properties as moxygen shows them", model.Object{Properties: model.Properties{
			{Type: 0xdeadbeef, Bytes: []byte{1, 2, 3, 4, 5}}, {Type: 0xacedecade, Int: 1977},
		}, Payload: []byte("x")}, "data extension=AQIDBAU=\nint extension=1977\nx\n"},
		{"not those that do not change", model.Object{Properties: model.Properties{{Type: model.PropImmutable, Bytes: []byte{1}}}}, "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testkit.Equal(t, string(Plain(nil, &Arrival{Object: tt.o})), tt.want)
		})
	}
}

func TestFormats(t *testing.T) {
	came := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	full := &Arrival{Track: dateTrack, At: came, Since: model.Some(-1500 * time.Microsecond), Past: true, Object: model.Object{
		Location: model.Location{Group: 7, Object: 9}, Subgroup: 2, Priority: model.Some(uint8(4)),
		Properties: model.Properties{{Type: 1, Bytes: []byte{255}}, {Type: 2, Int: 3}}, Payload: []byte("a<\"\n"),
	}}
	sample := &Arrival{Track: dateTrack, At: came, times: times{came.Add(-time.Second), model.Some(40 * time.Millisecond), true}}
	binary := &Arrival{Track: dateTrack, At: came, Object: model.Object{Datagram: true, Payload: []byte{0xff, 0}}}
	marker := &Arrival{Track: dateTrack, At: came, Since: model.Some(time.Duration(0)), Object: model.Object{Status: model.StatusEndOfGroup}}
	for _, tt := range []struct {
		format string
		ids    bool
		a      *Arrival
		want   string
	}{
		{"text", false, full, "data extension=/w==\nint extension=3\na<\"\n\n"},
		{"text", true, full, "7 2 9 2026-01-02T03:04:05.0000006Z a<\"\n\n"},
		{"text", true, binary, "0 - 0 2026-01-02T03:04:05.0000006Z \xff\x00\n"},
		{"raw", false, full, "a<\"\n"},
		{"json", false, full, `{"namespace":["moq-date"],"track":"date","group":7,"subgroup":2,"object":9,"status":"normal","priority":4,` +
			`"arrival":"2026-01-02T03:04:05.0000006Z","since_ms":-1.5,"past":true,"size":4,"payload":"a<\"\n","properties":[{"type":1,"bytes":"/w=="},{"type":2,"value":3}]}` + "\n"},
		{"json", false, sample, `{"namespace":["moq-date"],"track":"date","group":0,"subgroup":0,"object":0,"status":"normal",` +
			`"arrival":"2026-01-02T03:04:05.0000006Z","captured":"2026-01-02T03:04:04.0000006Z","latency_ms":1000,"media_ms":40,"key":true,` +
			`"size":0,"payload":""}` + "\n"},
		{"json", false, binary, `{"namespace":["moq-date"],"track":"date","group":0,"object":0,"datagram":true,"status":"normal",` +
			`"arrival":"2026-01-02T03:04:05.0000006Z","size":2,"payload_base64":"/wA="}` + "\n"},
		{"json", false, marker, `{"namespace":["moq-date"],"track":"date","group":0,"subgroup":0,"object":0,"status":"end of group",` +
			`"arrival":"2026-01-02T03:04:05.0000006Z","since_ms":0,"size":0,"payload":""}` + "\n"},
		{"hex", false, full, "moq.2ddate--date group 7 subgroup 2 object 9 normal, 4 bytes, 2026-01-02T03:04:05.0000006Z\n" +
			"property 0x1: ff\nproperty 0x2: 3\n" +
			"00000000  61 3c 22 0a                                       |a<\".|\n"},
		{"hex", false, binary, "moq.2ddate--date group 0 datagram object 0 normal, 2 bytes, 2026-01-02T03:04:05.0000006Z\n" +
			"00000000  ff 00                                             |..|\n"},
	} {
		f, err := ParseFormat(tt.format, tt.ids)
		testkit.NoErr(t, err)
		testkit.Equal(t, string(f([]byte("before\n"), tt.a)), "before\n"+tt.want)
	}
}

func TestParseFormat(t *testing.T) {
	for _, tt := range []struct {
		name string
		ids  bool
		want string
	}{
		{"yaml", false, "text, json, raw or hex"},
		{"json", true, "-ids is for -format text"},
	} {
		if _, err := ParseFormat(tt.name, tt.ids); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseFormat(%q, %v): %v, want %q", tt.name, tt.ids, err, tt.want)
		}
	}
}

// FuzzJSON: whatever the payload and the names are, a line is one JSON object
// that gives the payload back.
func FuzzJSON(f *testing.F) {
	f.Add("ns", "name", []byte("payload"), []byte{1})
	f.Add("\xff", "\n", []byte{0xff}, []byte(nil))
	f.Fuzz(func(t *testing.T, ns, name string, payload, prop []byte) {
		a := &Arrival{Track: model.FullTrackName{Namespace: model.Namespace{ns}, Name: name}, Object: model.Object{
			Payload: payload, Properties: model.Properties{{Type: 1, Bytes: prop}},
		}}
		text := string(JSON(nil, a))
		if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
			t.Fatalf("not one line: %q", text)
		}
		var got line
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		back := string(got.Base64)
		if got.Payload != nil {
			back = *got.Payload
		}
		if back != string(payload) || (got.Payload != nil) != utf8.Valid(payload) {
			t.Errorf("%q comes back as %q", payload, back)
		}
	})
}
