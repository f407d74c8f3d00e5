package interop

import (
	"testing"
)

// TestRelayPasses: our relay passes every case by itself, and all of them one
// after the other.
func TestRelayPasses(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			inWorld(t, honest(), func(t *testing.T, w *world) {
				if err := Run(t.Context(), w.cfg, []Case{c}); err != nil {
					t.Errorf("%v\n%s", err, w.out.String())
				}
			})
		})
	}
	t.Run("all", func(t *testing.T) {
		inWorld(t, honest(), func(t *testing.T, w *world) {
			if err := Run(t.Context(), w.cfg, Cases()); err != nil {
				t.Errorf("%v\n%s", err, w.out.String())
			}
			for _, p := range ran(t, w).points {
				if !p.ok || p.skipped != "" || p.fields["expected"] != "" {
					t.Errorf("%+v", p)
				}
			}
		})
	})
}
