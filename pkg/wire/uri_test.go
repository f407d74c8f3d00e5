package wire

import "testing"

func TestPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "/": true, "/moq-relay": true, "/a/b?token=%2Fx&y=1": true, "/a:b@c;d=e,f": true, "?q": true, "/a?b?c/d": true, "//": true,
		"moq": false, "/a b": false, "/a#b": false, "/%2": false, "/%zz": false, "/é": false, "/a?b#c": false, "/\x00": false, "/[a]": false,
	} {
		if got := validPath(path); got != want {
			t.Errorf("path %q: %v, want %v", path, got, want)
		}
	}
}

func TestAuthorities(t *testing.T) {
	for authority, want := range map[string]bool{
		"": true, "relay.example.com": true, "relay.example.com:4433": true, "[::1]:4433": true, "user:pw@host": true, "10.0.0.1": true, "a%20b": true,
		"a/b": false, "a b": false, "a?b": false, "a@b@c": false, "a%2": false, "[u]@host": false, "hóst": false,
	} {
		if got := validAuthority(authority); got != want {
			t.Errorf("authority %q: %v, want %v", authority, got, want)
		}
	}
}
