package moqtest

import (
	"testing"

	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// TestSuites: our relay passes all cases of both suites in every draft, those of the
// newer one as raw QUIC and as WebTransport.
func TestSuites(t *testing.T) {
	for _, protocol := range session.Protocols() {
		for _, kind := range []transport.Kind{transport.QUIC, transport.WebTransport} {
			suites := []Suite{Suite80}
			if kind == transport.QUIC {
				suites = append(suites, Suite50)
			}
			for _, suite := range suites {
				t.Run(protocol+"/"+string(kind)+"/"+suite.String(), func(t *testing.T) {
					inWorld(t, func(t *testing.T, w *world) {
						w.protocol, w.kind = protocol, kind
						cases := Cases(suite)
						if len(cases) != int(suite) {
							t.Errorf("there are %d cases", len(cases))
						}
						if err := Run(t.Context(), w.cfg, cases); err != nil {
							t.Error(err)
						}
						for _, r := range w.results {
							if r.Err != nil {
								t.Errorf("%s %s: %v", r.Case.ID(), r.Case.Name, r.Err)
							}
						}
					})
				})
			}
		}
	}
}
