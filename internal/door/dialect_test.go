package door

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/pkg/session"
)

func TestDialect(t *testing.T) {
	best := spoken()[0]
	for _, tt := range []struct {
		name, args string
		want       []string
		err        string // of the sentence
	}{
		{"all", "", session.Protocols(), ""},
		{"an empty list is none", "-versions=", session.Protocols(), ""},
		{"one", "-versions " + best, session.Protocols()[:1], ""},
		{"twice the same", "-versions " + best + "," + best, session.Protocols()[:1], ""},
		{"one that is not spoken", "--versions 7," + best, nil, "draft 7 is not spoken here, use " + best},
		{"no number", "--versions=latest", nil, `"latest" is not the number of a draft`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Dialect
			p := cli.New("test", "tests")
			d.Declare(p)
			var got []string
			var said strings.Builder
			code := p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &said}, strings.Fields(tt.args), func(string) (string, bool) { return "", false },
				func(context.Context, *cli.Env) (err error) {
					got, err = d.Protocols()
					return err
				})
			want := cli.ExitDone
			if tt.err != "" {
				want = cli.ExitUsage
			}
			if code != want || !slices.Equal(got, tt.want) || !strings.Contains(said.String(), tt.err) {
				t.Errorf("code %d, %v, %q; want %d, %v, %q", code, got, said.String(), want, tt.want, tt.err)
			}
		})
	}
}
