package wttr_test

import (
	"net/http"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/wttr"
)

func TestParseProtocols(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, row := range []struct {
		field string
		want  []string
		fails string // part of the error
	}{
		{`"moqt-18"`, []string{"moqt-18"}, ""},
		{`"moqt-18", "moqt-16"`, []string{"moqt-18", "moqt-16"}, ""},
		{"  \"a\"\t,\t\"b\"  ", []string{"a", "b"}, ""},
		{`"a","b"`, []string{"a", "b"}, ""},
		{`moqt-16`, []string{"moqt-16"}, ""},
		{`moqt-16, "moqt-18"`, []string{"moqt-16", "moqt-18"}, ""},
		{`"a\"b\\c"`, []string{`a"b\c`}, ""},
		{`"a";q=1;x;y="z", b;q=?1`, []string{"a", "b"}, ""},
		{`"` + long + `"`, []string{long}, ""},
		{``, nil, ""},
		{`   `, nil, ""},
		{`"a`, nil, " "},
		{`"a\`, nil, " "},
		{`"a\x"`, nil, " "},
		{"\"a\x01\"", nil, " "},
		{`"é"`, nil, " "},
		{`"a",`, nil, " "},
		{`,"a"`, nil, " "},
		{`"a" "b"`, nil, " "},
		{`("a" "b")`, nil, "neither"},
		{`"a";`, nil, " "},
		{`"a";q=`, nil, " "},
		{`""`, nil, "1 to 255"},
		{`"` + long + `x"`, nil, "1 to 255"},
		{strings.Repeat(`"a",`, wttr.MaxOffered-1) + `"a"`, strings.Split(strings.Repeat("a ", wttr.MaxOffered-1)+"a", " "), ""},
		{strings.Repeat(`"a",`, wttr.MaxOffered) + `"a"`, nil, "more than 64"},
	} {
		got, err := wttr.ParseProtocols([]string{row.field})
		if row.fails == "" {
			testkit.NoErr(t, err)
			testkit.Equal(t, got, row.want)
		} else if err == nil || !strings.Contains(err.Error(), row.fails) {
			t.Errorf("%q: got %v and error %v, want an error that says %q", row.field, got, err, row.fails)
		}
	}
}

func TestFormatProtocols(t *testing.T) {
	got := testkit.Must(wttr.FormatProtocols("moqt-18", `a"b\c`))(t)
	testkit.Equal(t, got, `"moqt-18", "a\"b\\c"`)
	for _, bad := range []string{"", "é", "a\n", strings.Repeat("x", 256)} {
		if got, err := wttr.FormatProtocols(bad); err == nil {
			t.Errorf("%q was written as %s", bad, got)
		}
	}
}

func TestChosen(t *testing.T) {
	for _, row := range []struct {
		values []string
		want   string
		fails  bool
	}{
		{nil, "", false},
		{[]string{`"moqt-18"`}, "moqt-18", false},
		{[]string{`moqt-18`}, "moqt-18", false},
		{[]string{`"moqt-18", "moqt-16"`}, "", true},
		{[]string{`"moqt-18"`, `"moqt-16"`}, "", true},
		{[]string{``}, "", true},
		{[]string{`"moqt`}, "", true},
	} {
		got, err := wttr.Chosen(http.Header{wttr.ChoiceField: row.values})
		testkit.Equal(t, err != nil, row.fails)
		testkit.Equal(t, got, row.want)
	}
}

func FuzzProtocols(f *testing.F) {
	for _, s := range []string{`"moqt-18", "moqt-16"`, `a;q=1, b`, `"\"\\"`, `"a`, `,`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		list, err := wttr.ParseProtocols([]string{field})
		if err != nil {
			return
		}
		if len(list) > wttr.MaxOffered {
			t.Fatalf("%d protocols", len(list))
		}
		if len(list) == 0 {
			return
		}
		// What was understood can be said strictly, and is the same then.
		again, err := wttr.ParseProtocols([]string{testkit.Must(wttr.FormatProtocols(list...))(t)})
		testkit.NoErr(t, err)
		testkit.Equal(t, again, list)
	})
}
