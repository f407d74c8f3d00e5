package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const table = "# Flags\n\n## Every program\n\n| flag | default | what |\n|---|---|---|\n" +
	"| `help` | false | x |\n| `version` | false | x |\n| `logging` | INFO | x |\n\n" +
	"## moqdateserver\n\n| flag | default | what |\n|---|---|---|\n" +
	"| `port` | 9667 | x |\n| `udp` | = `port` | x |\n"

func TestCheckTable(t *testing.T) {
	const rest = "| `quic` | true | x |\n\n## other\n\n| `alien` | 1 | x |\n"
	for _, tt := range []struct {
		name, table string
		want        []string
	}{
		{"it is true", table + rest, nil},
		{"a flag that is left out", table, []string{"moqdateserver: -quic is not documented"}},
		{"a flag that does not exist", table + "| `qiuc` | | x |\n" + rest, []string{"moqdateserver: -qiuc is documented and does not exist"}},
		{"another default", table + "| `quic` | false | x |\n", []string{`moqdateserver: -quic has the default "true" and not "false"`}},
		{"a flag that stands there twice", table + rest + "## moqdateserver\n| `port` | 9667 | x |\n", []string{"moqdateserver: -port is documented twice"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := date()
			p.Flags.Alias("udp", "port")
			if diff := cmp.Diff(tt.want, p.CheckTable(tt.table)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
