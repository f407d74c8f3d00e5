package interop

import (
	"testing"

	"oxymoq/pkg/session"
)

// TestRelayPasses: our relay passes every case by itself, and all of them one
// after the other, on every draft. Cases are left out only where the draft cannot
// say what they are about.
func TestRelayPasses(t *testing.T) {
	for i, protocol := range session.Protocols() {
		passes := func(t *testing.T, cases []Case) {
			inWorld(t, honest(), func(t *testing.T, w *world) {
				w.protocol = protocol
				if err := Run(t.Context(), w.cfg, cases); err != nil {
					t.Fatalf("%v\n%s", err, w.out.String())
				}
				for _, p := range ran(t, w).Points {
					if !p.OK || p.Fields["expected"] != "" || p.Skipped != "" && (i == 0 || p.Skipped != errNoRendezvous.why) {
						t.Errorf("%+v", p)
					}
				}
			})
		}
		t.Run(protocol, func(t *testing.T) { passes(t, Cases()) })
		for _, c := range Cases() {
			t.Run(protocol+", "+c.Name, func(t *testing.T) { passes(t, []Case{c}) })
		}
	}
}
