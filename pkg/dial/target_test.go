package dial

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, in        string
		addr, path, out string
	}{
		{"port and path", "moqt://relay.example:4433/live", "relay.example:4433", "/live", "moqt://relay.example:4433/live"},
		{"default port", "moqt://relay.example", "relay.example:443", "", "moqt://relay.example"},
		{"query belongs to the path", "moqt://h:1/a?b=c&d", "h:1", "/a?b=c&d", "moqt://h:1/a?b=c&d"},
		{"query without path", "moqt://h:1?b", "h:1", "?b", "moqt://h:1?b"},
		{"IPv6", "moqt://[::1]:4433/x", "[::1]:4433", "/x", "moqt://[::1]:4433/x"},
		{"fragment stays here", "moqt://h:1/x#msf:1", "h:1", "/x", "moqt://h:1/x"},
		{"WebTransport", "https://relay.example:4433/moq?x", "relay.example:4433", "/moq?x", "https://relay.example:4433/moq?x"},
		{"WebTransport by default port", "https://relay.example", "relay.example:443", "", "https://relay.example"},
		{"escapes are kept", "moqt://h:1/a%2Fb", "h:1", "/a%2Fb", "moqt://h:1/a%2Fb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.Addr() != tt.addr || got.Path != tt.path || got.String() != tt.out {
				t.Errorf("Parse(%q) = addr %q, path %q, URL %q", tt.in, got.Addr(), got.Path, got)
			}
		})
	}
}

// Section 3.1.1: the scheme changes, path and query stay.
func TestRequestOfWebTransport(t *testing.T) {
	for in, want := range map[string]string{
		"moqt://h:1/a?b=c":  "https://h:1/a?b=c",
		"https://h:1/a%2Fb": "https://h:1/a%2Fb",
		"moqt://h":          "https://h/",
		"https://h?x":       "https://h/?x",
		"moqt://[::1]:2/":   "https://[::1]:2/",
	} {
		got, err := Parse(in)
		if err != nil || got.request() != want {
			t.Errorf("Parse(%q).request() = %q, %v, want %q", in, got.request(), err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "no URL"},
		{"no scheme", "localhost:4433", "unknown scheme"},
		{"only a path", "/x", "no scheme"},
		{"plain HTTP", "http://h/", "unknown scheme"},
		{"no host", "moqt:///x", "no host"},
		{"port zero", "moqt://h:0/", "port"},
		{"port too large", "moqt://h:65536/", "port"},
		{"user", "moqt://u@h/", "user name"},
		{"not a URL", "moqt://h:1/%zz", "not a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse(%q) = %v, want an error with %q", tt.in, err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("moqt://relay.example:4433/live?x=y")
	f.Add("moqt://[::1]:1")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := Parse(in)
		if err != nil {
			return
		}
		again, err := Parse(got.String())
		if err != nil || again != got {
			t.Errorf("Parse(%q) = %+v, whose URL parses as %+v, %v", in, got, again, err)
		}
	})
}
