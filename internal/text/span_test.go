package text

import (
	"strings"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
)

func at(group, object uint64) model.Opt[model.Location] {
	return model.Some(model.Location{Group: group, Object: object})
}

func TestParseSpan(t *testing.T) {
	for _, tt := range []struct {
		sg, so, eg, eo string
		want           Span
		err            string
	}{
		{"", "", "", "", Span{}, ""},
		{"7", "", "", "", Span{Start: at(7, 0)}, ""},
		{"a7", "", "", "", Span{Start: at(7, 0)}, ""},
		{"7", "3", "9", "", Span{Start: at(7, 3), End: at(9, model.MaxID)}, ""},
		{"7", "", "7", "", Span{Start: at(7, 0), End: at(7, model.MaxID)}, ""},
		{"7", "3", "7", "3", Span{Start: at(7, 3), End: at(7, 3)}, ""},
		{"", "", "9", "5", Span{End: at(9, 5)}, ""},
		{"-2", "", "", "", Span{Start: at(0, 0), StartFrom: model.Some(int64(-2))}, ""},
		{"-0", "4", "+1", "6", Span{Start: at(0, 4), StartFrom: model.Some(int64(0)), End: at(0, 6), EndFrom: model.Some(int64(1))}, ""},
		{"7", "", "+0", "", Span{Start: at(7, 0), End: at(0, model.MaxID), EndFrom: model.Some(int64(0))}, ""},
		{"", "3", "", "", Span{}, "-sg"},
		{"", "", "", "3", Span{}, "-eg"},
		{"x", "", "", "", Span{}, "-sg"},
		{"-x", "", "", "", Span{}, "-sg"},
		{"+9223372036854775807", "", "", "", Span{}, "-sg"},
		{"7", "-1", "", "", Span{}, "counted from the beginning"},
		{"7", "", "8", "+1", Span{}, "counted from the beginning"},
		{"7", "", "18446744073709551616", "", Span{}, "-eg"},
		{"7", "", "6", "", Span{}, "-eg 6 lies before -sg 7"},
		{"7", "3", "7", "2", Span{}, "-eo 2 lies before -so 3"},
		{"-1", "", "-2", "", Span{}, "-eg -2 lies before -sg -1"},
		{"-1", "4", "-1", "3", Span{}, "before"},
	} {
		got, err := ParseSpan(tt.sg, tt.so, tt.eg, tt.eo)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("ParseSpan(%q, %q, %q, %q): %v; want %q", tt.sg, tt.so, tt.eg, tt.eo, err, tt.err)
			}
			continue
		}
		testkit.NoErr(t, err)
		testkit.Equal(t, got, tt.want)
	}
}

func TestResolveSpan(t *testing.T) {
	for _, tt := range []struct {
		sg, eg string
		want   Span
		err    string
	}{
		{"-3", "", Span{Start: at(7, 0)}, ""},
		{"-11", "", Span{Start: at(0, 0)}, ""},
		{"+0", "+2", Span{Start: at(10, 0), End: at(12, model.MaxID)}, ""},
		{"8", "-1", Span{Start: at(8, 0), End: at(9, model.MaxID)}, ""},
		{"10", "-1", Span{}, "before"},
		{"12", "", Span{Start: at(12, 0)}, ""},
	} {
		s, err := ParseSpan(tt.sg, "", tt.eg, "")
		testkit.NoErr(t, err)
		got, err := s.resolve(at(10, 4))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q to %q: %v; want %q", tt.sg, tt.eg, err, tt.err)
			}
			continue
		}
		testkit.NoErr(t, err)
		testkit.Equal(t, got, tt.want)
		if got.Relative() {
			t.Errorf("%q to %q is still relative", tt.sg, tt.eg)
		}
	}
	_, err := mustSpan("-1", "", "").resolve(model.Opt[model.Location]{})
	testkit.ErrIs(t, err, errNothingYet)
}

func FuzzParseSpan(f *testing.F) {
	f.Add("7", "3", "9", "")
	f.Add("", "", "18446744073709551615", "1")
	f.Add("-2", "", "+2", "5")
	f.Fuzz(func(t *testing.T, sg, so, eg, eo string) {
		s, err := ParseSpan(sg, so, eg, eo)
		if err != nil {
			return
		}
		if s.Start.Set != (sg != "") || s.End.Set != (eg != "") {
			t.Errorf("ParseSpan(%q, %q, %q, %q) = %+v", sg, so, eg, eo, s)
		}
		if s, err = s.resolve(at(1000, 3)); err == nil && (s.Relative() || s.Start.Set && s.End.Set && s.End.Value.Less(s.Start.Value)) {
			t.Errorf("ParseSpan(%q, %q, %q, %q) resolves to %+v", sg, so, eg, eo, s)
		}
	})
}
