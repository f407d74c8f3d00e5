package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTextClientIsStartedAsTheRelayWas(t *testing.T) {
	dir := t.TempDir() + string(filepath.Separator)
	if err := os.WriteFile(dir+"moqtextclient", nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for arg0, want := range map[string]string{
		"moqrelayserver":       "moqtextclient",
		dir + "moqrelayserver": dir + "moqtextclient",
		dir + "elsewhere" + string(filepath.Separator) + "moqrelayserver": "moqtextclient",
		"/cache/go-build/ab/cd-d/moqrelayserver":                          "go run ./cmd/moqtextclient",
		"/var/tmp/go-build123/b001/exe/moqrelayserver":                    "go run ./cmd/moqtextclient",
	} {
		if got := textClient(arg0); got != want {
			t.Errorf("as %s: %q, want %q", arg0, got, want)
		}
	}
}
