package door_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// TestTraces: over every carrier both sides write a trace with what was said;
// over QUIC they are of one name, and have the packets too.
func TestTraces(t *testing.T) {
	home(t)
	for _, tt := range []struct {
		name string
		url  func(*door.Listener, string) string
		kind transport.Kind
		has  []string
	}{
		{"raw QUIC", door.URL, transport.QUIC, []string{"transport:packet_sent"}},
		{"WebTransport", door.WebURL, transport.WebTransport, []string{"transport:packet_sent", "http3:frame_parsed"}},
		{"QMux", door.URL, transport.QMUX, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			var d door.Port
			traces := testkit.Must(mlog.OpenDir(mlog.DirConfig{Path: dir, MaxBytes: 1 << 20}))(t)
			d.Trace = traces.Connection
			l, said, code := opened(t, &d, "-port", "0", "-qmux", "-insecure")
			if code != cli.ExitDone {
				t.Fatal(said)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			begun, served := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(served)
				conn, err := l.Accept(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				draft, _ := session.DraftOf(conn.Protocol())
				if s, err := session.Start(ctx, conn, session.Config{Role: wire.Server, Draft: draft, Trace: traces.Session}); err == nil {
					close(begun)
					s.Wait()
				}
			}()
			to := testkit.Must(dial.Parse(tt.url(l, "")))(t)
			conf, _, err := certs.ClientConfig(certs.ClientOptions{Host: to.Host})
			testkit.NoErr(t, err)
			s := testkit.Must(dial.Dial(ctx, to, dial.Options{TLS: conf, Transport: tt.kind, Trace: traces.Connection, Session: session.Config{Trace: traces.Session}}))(t)
			select {
			case <-begun:
			case <-served:
				t.Error("the server has no session")
			}
			s.Close(0, "over")
			s.Wait()
			<-served
			testkit.NoErr(t, l.Close())
			testkit.NoErr(t, traces.Close())

			names := testkit.Must(filepath.Glob(filepath.Join(dir, "*")))(t)
			if len(names) != 2 {
				t.Fatalf("files: %q", names)
			}
			var ids []string
			for _, name := range names {
				id, _, _ := strings.Cut(filepath.Base(name), "_")
				ids = append(ids, id)
				b := string(testkit.Must(os.ReadFile(name))(t))
				for _, want := range append([]string{"moqt:control_message_created", "moqt:control_message_parsed", "transport:connection_closed"}, tt.has...) {
					if !strings.Contains(b, `"`+want+`"`) {
						t.Errorf("%s has no %s", filepath.Base(name), want)
					}
				}
			}
			if alike := ids[0] == ids[1]; alike != (tt.has != nil) {
				t.Errorf("files %q", names)
			}
		})
	}
}
