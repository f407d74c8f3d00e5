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
	all, numbers := session.Protocols(), spoken()
	best, last := numbers[0], numbers[len(numbers)-1]
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	upside := slices.Clone(numbers)
	slices.Reverse(upside)
	alone := func(token string) []string { return []string{token} }
	for _, tt := range []struct {
		name, args string
		env        map[string]string
		want       []string
		err        string // of the sentence
	}{
		{"all", "", nil, all, ""},
		{"an empty list is none", "-versions=", nil, all, ""},
		{"one", "-versions " + best, nil, alone(all[0]), ""},
		{"twice the same", "-versions " + best + "," + best, nil, alone(all[0]), ""},
		{"the order is the user's", "-versions " + strings.Join(upside, ","), nil, backwards, ""},
		{"as the interop tests have it", "-versions draft-" + best, nil, alone(all[0]), ""},
		{"by the protocol", "-versions " + all[len(all)-1], nil, alone(all[len(all)-1]), ""},
		{"one that is not spoken", "--versions 7," + best, nil, nil, "draft 7 is not spoken here, use " + strings.Join(numbers, ",")},
		{"no number", "--versions=latest", nil, nil, `"latest" is not the number of a draft`},

		{"the own variable", "", map[string]string{"MOQ_VERSIONS": last}, alone(all[len(all)-1]), ""},
		{"a list of the interop tests", "", map[string]string{"MOQT_VERSIONS": strings.Join(upside, ",")}, backwards, ""},
		{"one draft of the interop tests", "", map[string]string{"MOQT_DRAFT": "draft-" + best}, alone(all[0]), ""},
		{"a number there", "", map[string]string{"MOQT_DRAFT": best}, alone(all[0]), ""},
		{"one that is not spoken, there", "", map[string]string{"MOQT_DRAFT": "draft-07"}, nil, "draft 7 is not spoken here"},
		{"the flag outweighs all", "-versions " + best, map[string]string{"MOQ_VERSIONS": "7", "MOQT_DRAFT": "7", "MOQT_VERSIONS": "7"}, alone(all[0]), ""},
		{"the own variable outweighs others", "", map[string]string{"MOQ_VERSIONS": best, "MOQT_DRAFT": "7", "MOQT_VERSIONS": "7"}, alone(all[0]), ""},
		{"the one draft outweighs the list", "", map[string]string{"MOQT_DRAFT": best, "MOQT_VERSIONS": "7"}, alone(all[0]), ""},
		{"an empty variable is none", "", map[string]string{"MOQT_DRAFT": "", "MOQT_VERSIONS": best}, alone(all[0]), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Dialect
			p := cli.New("test", "tests")
			d.Declare(p)
			var got []string
			var said strings.Builder
			lookup := func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }
			code := p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &said}, strings.Fields(tt.args), lookup,
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

func TestStrict(t *testing.T) {
	for args, want := range map[string]bool{"": false, "-strict": true, "-nostrict": false} {
		var d Dialect
		p := cli.New("test", "tests")
		d.Declare(p)
		p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: io.Discard}, strings.Fields(args), func(string) (string, bool) { return "", false },
			func(context.Context, *cli.Env) error { return nil })
		if d.Strict() != want {
			t.Errorf("%q: %v", args, d.Strict())
		}
	}
}

func TestQuirks(t *testing.T) {
	for args, want := range map[string]string{"": "", "-quirks auto": "", "-quirks none": session.NoProfile, "-quirks moxygen-2026-08": "moxygen-2026-08", "-quirks nobody": "refused"} {
		var d Dialect
		var said strings.Builder
		p := cli.New("test", "tests")
		d.Declare(p)
		code := p.Exec(t.Context(), &cli.Env{Out: io.Discard, Err: &said}, strings.Fields(args), func(string) (string, bool) { return "", false },
			func(context.Context, *cli.Env) error { return nil })
		switch refused := code == cli.ExitUsage && strings.Contains(said.String(), "no peers are known as \"nobody\", only as none, moxygen"); {
		case refused != (want == "refused"):
			t.Errorf("%q: code %d, %q", args, code, said.String())
		case !refused && d.Profile() != want:
			t.Errorf("%q: %q, want %q", args, d.Profile(), want)
		}
	}
}

func TestDrafts(t *testing.T) {
	for _, token := range session.Protocols() {
		draft, _ := session.DraftOf(token)
		if got := Draft(token); got != draft.String() {
			t.Errorf("Draft(%q) = %q, want %v", token, got, draft)
		}
	}
	if got := Draft("moqt-99"); got != "moqt-99" {
		t.Errorf("a protocol that is not spoken is called %q", got)
	}
}
