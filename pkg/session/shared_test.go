package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// startShared is start for drafts whose requests share the control stream.
func startShared(t *testing.T, role wire.Role, cfg Config, f func(*testing.T, *Session, *peer), opts ...memtr.Option) {
	t.Helper()
	startEach(t, sharedDrafts, role, cfg, f, opts...)
}

// say sends a message that belongs to no request that the peer remembers.
func (p *peer) say(request wire.MessageKind, m wire.Message) {
	p.t.Helper()
	p.send(p.control, wire.ControlStream, request, request, m)
}

func TestSharedSetup(t *testing.T) {
	for _, role := range []wire.Role{wire.Client, wire.Server} {
		startShared(t, role, Config{Limits: Limits{Requests: 10}, Path: "/x", Implementation: "we"}, func(t *testing.T, s *Session, p *peer) {
			m := p.theirs
			if m.MaxRequestID.Value != 20+uint64(p.role) || m.Implementation.Value != "we" || m.Path.Set != (role == wire.Client) {
				t.Errorf("SETUP is %+v", m)
			}
			if p.draft == model.Draft14 && (len(m.Versions) != 1 || m.Versions[0] != 0xff00000e) {
				t.Errorf("versions %x", m.Versions)
			}
		})
	}
}

func TestVersionsThatDoNotFit(t *testing.T) {
	for _, tt := range []struct {
		name     string
		role     wire.Role // of the session
		versions []uint64
		ok       bool
	}{
		{"client of another draft", wire.Server, []uint64{0xff00000d, 0xff00000f}, false},
		{"client of several drafts", wire.Server, []uint64{0xff00000d, 0xff00000e}, true},
		{"server of another draft", wire.Client, []uint64{0xff00000d}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, srv := memtr.Pair()
				p := &peer{t: t, role: 1 - tt.role, conn: srv, draft: model.Draft14}
				ours := c
				if tt.role == wire.Server {
					p.conn, ours = c, srv
				}
				go p.setup(&wire.Setup{Versions: tt.versions})
				_, err := Start(t.Context(), ours, Config{Role: tt.role, Draft: model.Draft14})
				if tt.ok != (err == nil) || err != nil && !errors.Is(err, &model.SessionError{Code: model.VersionNegotiationFailed}) {
					t.Errorf("Start returned %v", err)
				}
				if !tt.ok {
					p.wantClose(tt.name, model.VersionNegotiationFailed)
				}
				p.conn.CloseWithError(0, "")
				synctest.Wait()
			})
		})
	}
}

// TestControlStreamViolations: in both drafts unless a draft is named.
func TestControlStreamViolations(t *testing.T) {
	for _, tt := range []struct {
		name  string
		draft model.Draft
		hex   string
		code  model.SessionCode
	}{
		{"unknown message", 0, "3f 0000", model.ProtocolViolation},
		{"second SETUP of 16", model.Draft16, "20 0001 00", model.ProtocolViolation},
		{"SETUP of the other side", model.Draft16, "21 0001 00", model.ProtocolViolation},
		{"answer to a request that was never made", 0, "04 0007 01 00 00 00 00 00 00", model.InvalidRequestID},
		{"answer to a request of the peer itself", 0, "18 0004 08 00 00 00", model.InvalidRequestID},
		{"UNSUBSCRIBE of nothing", 0, "0a 0001 00", model.InvalidRequestID},
		{"FETCH_CANCEL of nothing", 0, "17 0001 02", model.InvalidRequestID},
		{"update of nothing", 0, "02 0003 00 06 00", model.ProtocolViolation},
		{"end of no namespace", model.Draft16, "09 0001 00", model.InvalidRequestID},
		{"revocation of no namespace", model.Draft16, "0c 0003 01 00 00", model.InvalidRequestID},
		{"NAMESPACE", model.Draft16, "08 0001 00", model.ProtocolViolation},
		{"SUBSCRIBE_NAMESPACE", model.Draft16, "11 0004 00 00 00 00", model.ProtocolViolation},
		{"request with our parity", 0, "06 0005 01 01 01 61 00", model.InvalidRequestID},
		{"request beyond the limit", 0, "06 0008 80008000 01 01 61 00", model.TooManyRequests},
		{"request that leaves out too many", 0, "06 0006 4090 01 01 61 00", model.InvalidRequestID},
		{"lower MAX_REQUEST_ID", 0, "15 0001 05", model.ProtocolViolation},
		{"GOAWAY with a URI from a client", 0, "10 0002 01 61", model.ProtocolViolation},
		{"half a message", 0, "06 0005 00", model.ControlMessageTimeout},
	} {
		for _, d := range sharedDrafts {
			if tt.draft != 0 && tt.draft != d {
				continue
			}
			t.Run(tt.name+" "+d.String(), func(t *testing.T) {
				start(t, wire.Server, Config{Draft: d}, func(t *testing.T, _ *Session, p *peer) {
					p.write(p.control, unhex(t, tt.hex))
					if tt.code == model.ControlMessageTimeout {
						time.Sleep(DefaultMessageTimeout) // virtual
					}
					p.wantClose(tt.name, tt.code)
				})
			})
		}
	}
}

func TestControlStreamMustStay(t *testing.T) {
	for name, end := range map[string]func(*peer){
		"FIN":          func(p *peer) { p.control.Close() },
		"RESET_STREAM": func(p *peer) { p.control.CancelWrite(0) },
		"STOP_SENDING": func(p *peer) { p.shared.stream.CancelRead(0) },
	} {
		t.Run(name, func(t *testing.T) {
			startShared(t, wire.Client, Config{}, func(t *testing.T, _ *Session, p *peer) {
				end(p)
				time.Sleep(leaveTime) // virtual
				p.wantClose(name, model.ProtocolViolation)
			})
		})
	}
}

func TestFirstStreamOfSharedDrafts(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		draft     model.Draft
		code      model.SessionCode
	}{
		{"a request", "03 0008 00 01 01 61 01 61 00 00", model.Draft14, model.ProtocolViolation},
		{"GOAWAY", "10 0001 00", model.Draft14, model.ProtocolViolation},
		{"a message of the server", "21 0001 00", model.Draft16, model.ProtocolViolation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, srv := memtr.Pair()
				p := &peer{t: t, role: wire.Client, conn: c, draft: tt.draft}
				st, err := c.OpenStream(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				p.write(st, unhex(t, tt.hex))
				if _, err := Start(t.Context(), srv, Config{Role: wire.Server, Draft: tt.draft}); err == nil {
					t.Error("a session began")
				}
				p.wantClose(tt.name, tt.code)
			})
		})
	}
}

func TestSecondSharedControlStream(t *testing.T) {
	startShared(t, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
		st, err := p.conn.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := &wire.Setup{}
		if p.draft == model.Draft14 {
			m.Versions = []uint64{wire.VersionNumber(p.draft)}
		}
		p.send(st, wire.ControlStream, 0, 0, m)
		p.wantClose("second control stream", model.ProtocolViolation)
	})
}

// TestStreamsBeforeTheControlStream: they may come in any order (draft 16, section
// 3.3).
// Duties in drafts 16: 4.
func TestStreamsBeforeTheControlStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := memtr.Pair()
		h := newRecorder()
		h.init()
		p := &peer{t: t, role: wire.Client, conn: c, draft: model.Draft16}
		early, err := c.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.send(early, wire.RequestStream, 0, 0, &wire.SubscribeNamespace{RequestID: 0, Prefix: model.Namespace{"a"}, Options: wire.WantNamespaces})
		go func() {
			time.Sleep(time.Second) // virtual
			p.setup(&wire.Setup{})
		}()
		s, err := Start(t.Context(), srv, Config{Role: wire.Server, Draft: model.Draft16, Handler: h})
		if err != nil {
			t.Fatal(err)
		}
		if r := <-h.prefixes; !r.Prefix.Equal(model.Namespace{"a"}) {
			t.Errorf("asked for %v", r.Prefix)
		}
		s.Close(model.NoError, "")
		s.Wait()
	})
}
