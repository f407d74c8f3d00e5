package relay

import (
	"crypto/tls"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/wttr"
)

// TestLinkQuality: what QUIC measures of a path is shown, also below WebTransport.
func TestLinkQuality(t *testing.T) {
	onNetwork(t, Config{}, func(t *testing.T, w *world) {
		link := testkit.Link{Delay: 20 * time.Millisecond}
		quic := w.join(nil, link)
		via := w.listen("10.0.2.1:1234", link)
		conf := &tls.Config{InsecureSkipVerify: true}
		conn := testkit.Must(wttr.Dial(w.ctx, "https://"+relayAddr+"/", conf, session.Protocols(), quictr.Options{Via: via.Transport()}))(t)
		wt := testkit.Must(session.Start(w.ctx, conn, session.Config{}))(t)
		for _, s := range []*session.Session{quic, wt} {
			testkit.Must(s.PublishNamespace(w.ctx, model.Namespace{"x"}))(t)
		}
		pass(time.Second)
		st := testkit.Must(w.r.State(t.Context()))(t)
		if len(st.Sessions) != 2 || st.Sessions[0].Transport != "quic" || st.Sessions[1].Transport != "wt" {
			t.Fatalf("%+v", st.Sessions)
		}
		for _, s := range st.Sessions {
			if l := s.Link; l.RTT < 40*time.Millisecond || l.RTT > 100*time.Millisecond || l.CongestionWindow < 1000 ||
				l.PacketsSent == 0 || l.PacketsLost != 0 || l.BytesSent == 0 || l.BytesReceived == 0 || l.Loss() != 0 {
				t.Errorf("%s: %+v", s.Transport, l)
			}
		}
	})
}
