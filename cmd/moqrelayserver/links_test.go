package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
)

func TestUpstreams(t *testing.T) {
	f := flags{upstream: []string{
		"moqt://a:1", "news=moqt://b:2/x?y=z", "*=eager", "sport/ball=moqt://b:2/x?y=z", "=https://c",
	}}
	f.other.DeclareUpstream(cli.New("test", "tests"))
	links := testkit.Must(f.links(&cli.Env{Out: io.Discard, Err: io.Discard, Log: slog.New(slog.DiscardHandler)}))(t)
	var got []string
	for _, l := range links {
		s := l.Target.String()
		for _, p := range l.Prefixes {
			s += " " + strings.Join(p, "/")
		}
		got = append(got, s)
	}
	testkit.Equal(t, got, []string{"moqt://a:1 ", "moqt://b:2/x?y=z news sport/ball", "https://c "})
	prefix, url := splitUpstream("a=b/c=moqt://x")
	testkit.Equal(t, prefix, model.Namespace{"a=b", "c"})
	testkit.Equal(t, url, "moqt://x")
}
