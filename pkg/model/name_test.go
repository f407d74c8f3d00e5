package model

import (
	"strings"
	"testing"
)

func TestPrintableNames(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    FullTrackName
		want string
	}{
		{"letters", FullTrackName{Namespace{"live", "cam_1"}, "video"}, "live-cam_1--video"},
		{"everything else is escaped", FullTrackName{Namespace{"a-b", "é"}, "x/y."}, "a.2db-.c3.a9--x.2fy.2e"},
		{"an empty track name", FullTrackName{Namespace{"a"}, ""}, "a--"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f.String(); got != tt.want {
				t.Errorf("String = %q, want %q", got, tt.want)
			}
			back, err := ParseFullTrackName(tt.want)
			if err != nil || !back.Equal(tt.f) {
				t.Errorf("ParseFullTrackName = %v, %v", back, err)
			}
		})
	}
	for _, bad := range []string{"", "a", "a-b", "a--.2", "a--.2F", "a--.61", "--x", "a-é--x", "a--.zz"} {
		if f, err := ParseFullTrackName(bad); err == nil {
			t.Errorf("ParseFullTrackName(%q) = %v", bad, f)
		}
	}
}

func FuzzParseFullTrackName(f *testing.F) {
	f.Add("live-cam_1--video")
	f.Add("a.2db--x.2fy")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseFullTrackName(s); err == nil && n.String() != s {
			t.Errorf("%q is read as %q", s, n)
		}
	})
}

func TestNameLimits(t *testing.T) {
	long := strings.Repeat("x", MaxFullTrackNameLen)
	many := make(Namespace, MaxNamespaceFields)
	for i := range many {
		many[i] = "f"
	}
	for _, tt := range []struct {
		name string
		f    FullTrackName
		ok   bool
	}{
		{"as many fields as are allowed", FullTrackName{many, ""}, true},
		{"one more", FullTrackName{append(many, "f"), ""}, false},
		{"as many bytes as are allowed", FullTrackName{Namespace{long[1:]}, "n"}, true},
		{"one more", FullTrackName{Namespace{long}, "n"}, false},
		{"an empty field", FullTrackName{Namespace{"a", ""}, "n"}, false},
		{"no field", FullTrackName{nil, "n"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.f.Validate(); (err == nil) != tt.ok {
				t.Errorf("Validate = %v", err)
			}
		})
	}
}

// TestKeysDiffer: fields must not run into each other, nor into the name.
func TestKeysDiffer(t *testing.T) {
	names := []FullTrackName{
		{Namespace{"ab"}, "c"}, {Namespace{"a", "b"}, "c"}, {Namespace{"a"}, "bc"}, {Namespace{"a", "b", "c"}, ""},
		{Namespace{"ab", "c"}, ""}, {Namespace{"a"}, "\x00\x01b"},
	}
	seen := map[string]FullTrackName{}
	for _, n := range names {
		if other, dup := seen[n.Key()]; dup {
			t.Errorf("%v and %v have the same key", n, other)
		}
		seen[n.Key()] = n
	}
}

func TestLocationOrder(t *testing.T) {
	a, b, c := Location{1, 9}, Location{2, 0}, Location{2, 1}
	if !a.Less(b) || !b.Less(c) || c.Less(a) || a.Less(a) {
		t.Error("locations are not in order of group, then object")
	}
	if got := (Location{1, MaxID}).Next(); got != b {
		t.Errorf("after the last object of a group comes %v", got)
	}
}
