package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

func TestSetupExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair()
		var server *Session
		done := make(chan struct{})
		go func() {
			defer close(done)
			var err error
			server, err = Start(t.Context(), s, Config{Role: wire.Server, Implementation: "server/1"})
			if err != nil {
				t.Error(err)
			}
		}()
		client, err := Start(t.Context(), c, Config{Role: wire.Client, Implementation: "client/1", Path: "/live?x=1", Authority: "h:1"})
		if err != nil {
			t.Fatal(err)
		}
		<-done
		if got := server.Path() + " " + server.Authority() + " " + server.PeerImplementation(); got != "/live?x=1 h:1 client/1" {
			t.Errorf("the server learnt %q", got)
		}
		if client.PeerImplementation() != "server/1" {
			t.Errorf("the client learnt %q", client.PeerImplementation())
		}
		client.Close(model.NoError, "bye")
		server.Wait()
		client.Wait()
		if err := server.Err(); !errors.Is(err, &model.SessionError{Code: model.NoError, Remote: true}) {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// Duties: 77.
func TestSetupTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair()
		began := time.Now()
		_, err := Start(t.Context(), c, Config{})
		if err == nil || time.Since(began) != DefaultSetupTimeout {
			t.Errorf("Start returned %v after %v", err, time.Since(began))
		}
		(&peer{t: t, conn: s}).wantClose("no SETUP", model.ControlMessageTimeout)
	})
}

func TestSetupGivesUpWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := memtr.Pair()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := Start(ctx, c, Config{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start returned %v", err)
		}
	})
}

// TestSetupRefusals sends what a peer may not send at the start.
func TestSetupRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		role wire.Role // ours
		hex  string    // what the peer's first stream carries
		fin  bool
		code model.SessionCode
	}{
		{"unknown stream type", wire.Server, "07", false, model.ProtocolViolation},
		{"control stream ends", wire.Server, "af00 0000", true, model.ProtocolViolation},
		{"control stream ends in a message", wire.Server, "af00 0005 04", true, model.ProtocolViolation},
		{"length does not fit", wire.Server, "af00 0001 04", false, model.ProtocolViolation},
		{"server names a path", wire.Client, "af00 0006 01 04 2f6d6f71", false, model.InvalidPath},
		{"second SETUP", wire.Server, "af00 0000 af00 0000", false, model.ProtocolViolation},
		{"SUBSCRIBE on the control stream", wire.Server, "af00 0000 03 000e 00 01 04 6c697665 05 766964656f 00", false, model.ProtocolViolation},
		{"token deleted by a client", wire.Server, "af00 0004 03 02 00 05", false, model.ProtocolViolation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := memtr.Pair()
				ours, p := c, &peer{t: t, conn: s}
				if tt.role == wire.Server {
					ours, p.conn = s, c
				}
				st := p.uni(unhex(t, tt.hex))
				if tt.fin {
					st.Close()
				}
				s2, err := Start(t.Context(), ours, Config{Role: tt.role})
				time.Sleep(leaveTime) // virtual
				p.wantClose(tt.name, tt.code)
				if err == nil {
					s2.Wait()
				}
			})
		})
	}
}

func TestSecondControlStream(t *testing.T) {
	start(t, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
		p.uni(unhex(t, "af00 0000"))
		p.wantClose("second control stream", model.ProtocolViolation)
	})
}

func TestControlStreamReset(t *testing.T) {
	start(t, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
		p.control.CancelWrite(0)
		p.wantClose("control stream reset", model.ProtocolViolation)
	})
}

// TestControlStreamClosedBeforeTheSession: who says that it leaves may close its
// streams first.
func TestControlStreamClosedBeforeTheSession(t *testing.T) {
	start(t, wire.Server, Config{}, func(t *testing.T, s *Session, p *peer) {
		p.control.Close()
		time.Sleep(leaveTime - 1) // virtual
		p.wantOpen("it may still leave")
		p.conn.CloseWithError(uint64(model.NoError), "")
		s.Wait()
		if err := s.Err(); !errors.Is(err, &model.SessionError{Code: model.NoError, Remote: true}) {
			t.Errorf("the session ended by %v", err)
		}
	})
}

func TestUnknownSetupOptionsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair()
		p := &peer{t: t, conn: c}
		p.uni(unhex(t, "af00 0005 809d 00 7f 01 ff")) // grease of both parities
		if _, err := Start(t.Context(), s, Config{Role: wire.Server}); err != nil {
			t.Fatal(err)
		}
		p.conn.CloseWithError(0, "")
	})
}

func TestScopeIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair()
		p := &peer{t: t, conn: c}
		p.uni(unhex(t, "af00 0006 01 04 2f6d6f71"))
		_, err := Start(t.Context(), s, Config{Role: wire.Server, CheckScope: func(path, _ string) error {
			if path != "/moq" {
				t.Errorf("path %q", path)
			}
			return &model.SessionError{Code: model.InvalidPath, Reason: "nothing here"}
		}})
		if !errors.Is(err, &model.SessionError{Code: model.InvalidPath}) {
			t.Errorf("Start returned %v", err)
		}
		p.wantClose("unknown path", model.InvalidPath)
	})
}

// requested is a connection as WebTransport gives it.
type requested struct{ transport.Conn }

func (requested) Requested() (authority, path string) { return "relay.example:4433", "/moq?x=1" }

// Section 10.3.1: over WebTransport the CONNECT request has path and authority.
func TestScopeComesWithTheCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair(memtr.WithKind(transport.WebTransport))
		var seen string
		client, server := make(chan *Session, 1), make(chan *Session, 1)
		start := func(to chan *Session, c transport.Conn, cfg Config) {
			got, err := Start(t.Context(), c, cfg)
			if err != nil {
				t.Error(err)
			}
			to <- got
		}
		go start(client, requested{c}, Config{Role: wire.Client, Path: "/moq?x=1", Authority: "relay.example:4433"})
		go start(server, requested{s}, Config{Role: wire.Server, CheckScope: func(path, authority string) error {
			seen = authority + path
			return nil
		}})
		got := <-server
		if want := "relay.example:4433/moq?x=1"; seen != want || got.Authority()+got.Path() != want {
			t.Errorf("the server was asked about %q and says %q, want %q", seen, got.Authority()+got.Path(), want)
		}
		(<-client).Close(model.NoError, "")
		got.Wait()
	})
}

func TestSetupIsAuthorized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := memtr.Pair()
		p := &peer{t: t, role: wire.Client, conn: c}
		go p.setup(&wire.Setup{Tokens: []wire.Token{{Action: wire.TokenUseValue, Type: 7, Value: []byte("secret")}}})
		_, err := Start(t.Context(), s, Config{Role: wire.Server, Authorizer: auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
			if r.Action != auth.Setup || len(r.Session.Tokens) != 1 || string(r.Session.Tokens[0].Value) != "secret" {
				t.Errorf("asked about %+v", r)
			}
			return auth.Grant{}, auth.Deny("no")
		})})
		if !errors.Is(err, &model.SessionError{Code: model.Unauthorized}) {
			t.Errorf("Start returned %v", err)
		}
		p.wantClose("denied", model.Unauthorized)
	})
}

// Duties: 74.
func TestGoawayFromPeer(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		p.send(p.control, wire.ControlStream, 0, 0, &wire.Goaway{NewSessionURI: "moqt://b/", Timeout: 1500, RequestID: model.Some(uint64(0))})
		<-s.GoawayReceived()
		if g := s.PeerGoaway(); g.URI != "moqt://b/" || g.Timeout != 1500*time.Millisecond {
			t.Errorf("PeerGoaway = %+v", g)
		}
		if _, err := s.PublishNamespace(t.Context(), model.Namespace{"a"}); !errors.Is(err, ErrGoingAway) {
			t.Errorf("a new request: %v", err)
		}
		p.send(p.control, wire.ControlStream, 0, 0, &wire.Goaway{RequestID: model.Some(uint64(0))})
		p.wantClose("second GOAWAY", model.ProtocolViolation)
	})
}

// Duties: 73, 75.
func TestGoawayToPeer(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		first := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}})
		_ = (<-h.namespaces).Accept()
		want[*wire.RequestOK](t, "before GOAWAY", first.next())
		if err := s.Goaway("moqt://b/", 3*time.Second); err != nil {
			t.Fatal(err)
		}
		late := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"b"}})
		if e := want[*wire.RequestError](t, "after GOAWAY", late.next()); e.Code != model.RequestGoingAway {
			t.Errorf("refused with %v", e.Code)
		}
		time.Sleep(3 * time.Second) // virtual: the time that the peer was given
		p.wantClose("peer stays", model.GoawayTimeout)
	})
}

func TestGoawayOfClientNamesNoURI(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, _ *peer) {
		if err := s.Goaway("moqt://b/", 0); err == nil {
			t.Error("a client named a URI")
		}
	})
}

// slowToClose is a connection whose end is known at once, and told later, as over
// WebTransport.
type slowToClose struct {
	transport.Conn
	told *bool
}

func (c slowToClose) CloseWithError(code uint64, reason string) error {
	err := c.Conn.CloseWithError(code, reason)
	time.Sleep(time.Second)
	*c.told = true
	return err
}

func TestWaitUntilThePeerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := memtr.Pair()
		p := &peer{t: t, role: wire.Server, conn: srv}
		go p.setup(&wire.Setup{})
		told := false
		s, err := Start(t.Context(), slowToClose{c, &told}, Config{Role: wire.Client})
		if err != nil {
			t.Fatal(err)
		}
		go s.Close(model.NoError, "first")
		synctest.Wait()
		s.Close(model.NoError, "second")
		if s.Wait(); !told {
			t.Error("Wait returned before the peer was told")
		}
	})
}
