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
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") }
	list := func(names ...string) []string { return names }
	for _, row := range []struct {
		field string
		want  []string
		fails string   // part of the error, of both ways of reading
		loose []string // what is understood unless strict, where that fails
	}{
		{field: `"moqt-18"`, want: list("moqt-18")},
		{field: `"moqt-18", "moqt-16"`, want: list("moqt-18", "moqt-16")},
		{field: "  \"a\"\t,\t\"b\"  ", want: list("a", "b")},
		{field: `"a","b"`, want: list("a", "b")},
		{field: `"a\"b\\c"`, want: list(`a"b\c`)},
		{field: `"a";q=1;x;y="z"`, want: list("a")},
		{field: `"` + long + `"`, want: list(long)},
		{field: many(wttr.MaxOffered), want: strings.Split(strings.Repeat("a ", wttr.MaxOffered-1)+"a", " ")},
		{field: ``},
		{field: `   `},

		{field: `""`, fails: "1 to 255"},
		{field: `"` + long + `x"`, fails: "1 to 255"},
		{field: long + `x`, fails: " "},
		{field: many(wttr.MaxOffered + 1), fails: "more than 64"},
		{field: strings.Repeat("a b,", wttr.MaxOffered+1), fails: " "},
		{field: `"a\x"`, fails: " "},
		{field: "\"a\x01\"", fails: " "},
		{field: `"é"`, fails: " "},
		{field: `"a" "b"`, fails: " "},
		{field: `("a" "b")`, fails: "not a string"},

		// What is understood unless strict.
		{field: `moqt-16`, loose: list("moqt-16")},
		{field: `moqt-16, "moqt-18"`, loose: list("moqt-16", "moqt-18")},
		{field: `moqt-16;q=1, b;q=?1`, loose: list("moqt-16", "b")},
		{field: `'moqt-18', 'moqt-16'`, loose: list("moqt-18", "moqt-16")},
		{field: `"moqt-18`, loose: list("moqt-18")},
		{field: `moqt-18"`, loose: list("moqt-18")},
		{field: `"a",`, loose: list("a")},
		{field: `,"a",, "b"`, loose: list("a", "b")},
		{field: `"a";`, loose: list("a")},
		{field: `"a";q=`, loose: list("a")},
		{field: `18`, loose: list("18")},
		{field: "\t\"a\"", loose: list("a")},
	} {
		for _, strict := range []bool{false, true} {
			got, err := wttr.ParseProtocols([]string{row.field}, strict)
			want, fails := row.want, row.fails
			if row.loose != nil {
				if want = row.loose; strict {
					fails = " "
				}
			}
			if fails == "" {
				if err != nil {
					t.Errorf("%q, strict %v: %v", row.field, strict, err)
				}
				testkit.Equal(t, got, want)
			} else if err == nil || !strings.Contains(err.Error(), fails) {
				t.Errorf("%q, strict %v: got %v and error %v, want an error that says %q", row.field, strict, got, err, fails)
			}
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
		strict string // what is read strictly, if not the same; "-": nothing
		fails  bool
	}{
		{values: nil},
		{values: []string{``}, fails: true},
		{values: []string{`"moqt-18"`}, want: "moqt-18"},
		{values: []string{`moqt-18`}, want: "moqt-18", strict: "-"},
		{values: []string{`"moqt-18`}, want: "moqt-18", strict: "-"},
		{values: []string{`"moqt-18", "moqt-16"`}, fails: true},
		{values: []string{`"moqt-18"`, `"moqt-16"`}, fails: true},
		{values: []string{`"a b`}, fails: true},
	} {
		for _, strict := range []bool{false, true} {
			fails, want := row.fails, row.want
			if strict && row.strict == "-" {
				fails, want = true, ""
			}
			got, err := wttr.Chosen(http.Header{wttr.ChoiceField: row.values}, strict)
			if (err != nil) != fails || got != want {
				t.Errorf("%q, strict %v: got %q, %v", row.values, strict, got, err)
			}
		}
	}
}

func FuzzProtocols(f *testing.F) {
	for _, s := range []string{`"moqt-18", "moqt-16"`, `a;q=1, b`, `"\"\\"`, `"a`, `,`, "\x00", `'moqt-18',moq-00`, `("a")`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		strictly, strictErr := wttr.ParseProtocols([]string{field}, true)
		list, err := wttr.ParseProtocols([]string{field}, false)
		if strictErr == nil {
			testkit.NoErr(t, err)
			testkit.Equal(t, list, strictly) // leniency changes nothing that is right
		}
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
		again, err := wttr.ParseProtocols([]string{testkit.Must(wttr.FormatProtocols(list...))(t)}, true)
		testkit.NoErr(t, err)
		testkit.Equal(t, again, list)
	})
}
