package session

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// TestRequestStreamViolations sends a first message that may not be one.
func TestRequestStreamViolations(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		fin       bool
		code      model.SessionCode
	}{
		{"unknown message", "3f 0000", false, model.ProtocolViolation},
		{"an answer", "07 0001 00", false, model.ProtocolViolation},
		{"an update", "02 0002 00 00", false, model.ProtocolViolation},
		{"SETUP", "af00 0000", false, model.ProtocolViolation},
		{"nothing at all", "", true, model.ProtocolViolation},
		{"half a header", "03 00", true, model.ProtocolViolation},
		{"half a body", "03 000e 00 01", true, model.ProtocolViolation},
		{"request ID of the other side", "06 0004 01 01 01 61 00", false, model.ProtocolViolation},
		{"parity", "06 0005 01 01 01 61 00", false, model.InvalidRequestID},
		{"empty namespace field", "06 0004 00 01 00 00", false, model.ProtocolViolation},
		{"33 namespace fields", "06 0003 00 21 00", false, model.ProtocolViolation},
		{"parameter of another message", "06 0007 00 01 01 61 01 20 05", false, model.ProtocolViolation},
		{"trailing byte", "06 0006 00 01 01 61 00 00", false, model.ProtocolViolation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start(t, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
				st, err := p.conn.OpenStream(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				p.write(st, unhex(t, tt.hex))
				if tt.fin {
					st.Close()
				}
				p.wantClose(tt.name, tt.code)
			})
		})
	}
}

func TestDuplicateRequestID(t *testing.T) {
	startEach(t, allDrafts, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
		first := p.request(&wire.PublishNamespace{RequestID: 4, Namespace: model.Namespace{"a"}})
		want[*wire.RequestError](t, "IDs may come in any order", first.next())
		p.request(&wire.PublishNamespace{RequestID: 0, Namespace: model.Namespace{"a"}}).next()
		p.wantOpen("IDs may come in any order")
		p.request(&wire.PublishNamespace{RequestID: 4, Namespace: model.Namespace{"a"}})
		p.wantClose("ID used twice", model.InvalidRequestID)
	})
}

func TestRefusingHandlerAnswersEveryKind(t *testing.T) {
	ns := model.Namespace{"a"}
	track := model.FullTrackName{Namespace: ns, Name: "t"}
	start(t, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
		for _, m := range []wire.Message{
			&wire.Subscribe{RequestID: p.id(), Track: track},
			&wire.Publish{RequestID: p.id(), Track: track, TrackAlias: 1},
			&wire.Fetch{RequestID: p.id(), FetchKind: wire.FetchStandalone, Track: track},
			&wire.TrackStatus{RequestID: p.id(), Track: track},
			&wire.PublishNamespace{RequestID: p.id(), Namespace: ns},
			&wire.SubscribeNamespace{RequestID: p.id(), Prefix: ns},
			&wire.SubscribeTracks{RequestID: p.id(), Prefix: ns},
		} {
			e := want[*wire.RequestError](t, requestName(m.Kind()), p.request(m).next())
			if e.Code != model.NotSupported {
				t.Errorf("%s refused with %v", requestName(m.Kind()), e.Code)
			}
		}
	})
}

func TestUnansweredRequestIsRefused(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		close(h.hold)
		st := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}})
		if e := want[*wire.RequestError](t, "handler forgot", st.next()); e.Code != model.RequestInternalError {
			t.Errorf("refused with %v", e.Code)
		}
	})
}

// Duties in drafts 18, 16, 14: 5.
func TestReservedNamespaces(t *testing.T) {
	startEach(t, allDrafts, wire.Server, Config{Handler: newRecorder()}, func(t *testing.T, _ *Session, p *peer) {
		for _, first := range []string{".", ".session"} {
			st := p.request(&wire.Subscribe{RequestID: p.id(), Track: model.FullTrackName{Namespace: model.Namespace{first, "x"}, Name: "t"}})
			if e := want[*wire.RequestError](t, first, st.next()); e.Code != model.DoesNotExist {
				t.Errorf("%q refused with %v", first, e.Code)
			}
		}
	})
}

// Duties: 78.
func TestRequestLimit(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h, Limits: Limits{Requests: 2}}, func(t *testing.T, _ *Session, p *peer) {
		var open []*peerStream
		for _, name := range []string{"a", "b"} {
			open = append(open, p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{name}}))
			_ = (<-h.namespaces).Accept()
		}
		over := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"c"}})
		if e := want[*wire.RequestError](t, "third of two", over.next()); e.Code != model.RequestExcessiveLoad {
			t.Errorf("refused with %v", e.Code)
		}
		open[0].CancelWrite(1)
		open[0].CancelRead(1)
		synctest.Wait()
		close(h.hold)
		synctest.Wait()
		again := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"d"}})
		if e, ok := again.next().(*wire.RequestError); ok && e.Code == model.RequestExcessiveLoad {
			t.Error("a cancelled request keeps its place")
		}
	})
}

// Duties: 77.
func TestSlowFirstMessageCostsTheStreamOnly(t *testing.T) {
	startEach(t, allDrafts, wire.Server, Config{}, func(t *testing.T, _ *Session, p *peer) {
		st, err := p.conn.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.write(st, []byte{0x03})
		time.Sleep(DefaultMessageTimeout + time.Second) // virtual: longer than a message may take
		synctest.Wait()
		if st.Context().Err() == nil {
			t.Error("the stream is still open")
		}
		p.wantOpen("slow request")
	})
}

func TestMissingFINAfterTheEndCostsNothing(t *testing.T) {
	startEach(t, allDrafts, wire.Server, Config{Handler: newRecorder()}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: model.FullTrackName{Namespace: model.Namespace{"."}, Name: "t"}})
		want[*wire.RequestError](t, "refused", st.next())
		time.Sleep(DefaultMessageTimeout + time.Second) // virtual: longer than the FIN is awaited
		p.wantOpen("no FIN after a refusal")
	})
}

func TestKeepAliveUpdateIsAnswered(t *testing.T) {
	h := newRecorder()
	startEach(t, answeringDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}})
		_ = (<-h.namespaces).Accept()
		want[*wire.RequestOK](t, "request", st.next())
		for range 3 {
			st.answer(&wire.RequestUpdate{RequestID: p.id()})
			want[*wire.RequestOK](t, "keep-alive", st.nextUpdateAnswer())
		}
	})
}

func TestUnexpectedAnswers(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    wire.Message
	}{
		{"update answered that was not sent", &wire.RequestOK{}},
		{"NAMESPACE on another kind", &wire.Namespace{Suffix: model.Namespace{"x"}}},
		{"PUBLISH_DONE on another kind", &wire.PublishDone{}},
		{"SUBSCRIBE_OK on another kind", &wire.SubscribeOK{}},
		{"update by the responder", &wire.RequestUpdate{RequestID: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
				go func() {
					st, _ := p.accept()
					st.answer(&wire.RequestOK{})
					st.answerUpdate(tt.m)
				}()
				_, _ = s.PublishNamespace(t.Context(), model.Namespace{"a"}) // the session may close first
				p.wantClose(tt.name, model.ProtocolViolation)
			})
		})
	}
}

func TestRefusalReachesTheCaller(t *testing.T) {
	startEach(t, answeringDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		go func() {
			st, _ := p.accept()
			st.answer(&wire.RequestError{Code: model.Uninterested, Reason: "full", RetryInterval: model.Some(uint64(250))})
			st.Close()
		}()
		_, err := s.PublishNamespace(t.Context(), model.Namespace{"a"})
		re, ok := errors.AsType[*model.RequestError](err)
		if !ok || re.Code != model.Uninterested || re.Reason != "full" || re.RetryAfter.Value != 250*time.Millisecond || !re.Remote {
			t.Errorf("got %v", err)
		}
		p.wantOpen("a refusal")
	})
}

func TestRequestsWaitForCredit(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { st, _ := p.accept(); st.answer(&wire.RequestOK{}) }()
		if _, err := s.PublishNamespace(ctx, model.Namespace{"a"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PublishNamespace(ctx, model.Namespace{"b"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without credit: %v", err)
		}
		p.wantOpen("no credit")
	}, memtr.WithStreams(1, 100))
}

// Duties: 8.
func TestGrantThatExpires(t *testing.T) {
	h := newRecorder()
	a := auth.Func(func(context.Context, auth.Request) (auth.Grant, error) {
		return auth.Grant{Expires: time.Now().Add(time.Minute)}, nil
	})
	a2 := auth.Func(func(ctx context.Context, r auth.Request) (auth.Grant, error) {
		if r.Action == auth.Setup {
			return auth.Grant{}, nil
		}
		return a(ctx, r)
	})
	start(t, wire.Server, Config{Handler: h, Authorizer: a2}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}})
		r := <-h.namespaces
		_ = r.Accept()
		want[*wire.RequestOK](t, "granted", st.next())
		time.Sleep(time.Minute) // virtual: the life of the grant
		synctest.Wait()
		if r.Context().Err() == nil {
			t.Error("the request outlives its grant")
		}
		se, ok := errors.AsType[*transport.StreamError](readErr(st))
		if !ok || se.Code != uint64(model.ResetExpiredAuthToken) {
			t.Errorf("the peer sees %v", readErr(st))
		}
	})
}

func readErr(st transport.ReceiveStream) error {
	_, err := st.Read(make([]byte, 1))
	return err
}

// Duties: 78.
func TestTokenCache(t *testing.T) {
	h := newRecorder()
	ns := func(p *peer, tokens ...wire.Token) *peerStream {
		return p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a"}, Params: wire.Params{Tokens: tokens}})
	}
	startEach(t, allDrafts, wire.Server, Config{Handler: h, Limits: Limits{TokenCache: 20}}, func(t *testing.T, _ *Session, p *peer) {
		ns(p, wire.Token{Action: wire.TokenRegister, Alias: 1, Type: 9, Value: []byte("abcd")})
		if got := (<-h.namespaces).Tokens(); len(got) != 1 || string(got[0].Value) != "abcd" || got[0].Type != 9 {
			t.Errorf("registered: %v", got)
		}
		ns(p, wire.Token{Action: wire.TokenUseAlias, Alias: 1})
		if got := (<-h.namespaces).Tokens(); len(got) != 1 || string(got[0].Value) != "abcd" {
			t.Errorf("by alias: %v", got)
		}
		e := want[*wire.RequestError](t, "unknown alias", ns(p, wire.Token{Action: wire.TokenUseAlias, Alias: 2}).next())
		if e.Code != model.RequestUnauthorized {
			t.Errorf("unknown alias refused with %v", e.Code)
		}
		ns(p, wire.Token{Action: wire.TokenRegister, Alias: 2})
		p.wantClose("cache is full", model.AuthTokenCacheOverflow)
	})
	startEach(t, allDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		ns(p, wire.Token{Action: wire.TokenRegister, Alias: 1})
		ns(p, wire.Token{Action: wire.TokenRegister, Alias: 1})
		p.wantClose("alias registered twice", model.DuplicateAuthTokenAlias)
	})
}

func TestTokenCacheFreesDeleted(t *testing.T) {
	c := tokenCache{limit: 20}
	reg := []wire.Token{{Action: wire.TokenRegister, Alias: 1, Value: []byte("abcd")}}
	if _, err := c.resolve(reg, false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.resolve([]wire.Token{{Action: wire.TokenDelete, Alias: 1}}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.resolve(reg, false); err != nil {
		t.Errorf("after DELETE: %v", err)
	}
	over := []wire.Token{{Action: wire.TokenRegister, Alias: 2, Value: []byte("x")}}
	if got, err := c.resolve(over, true); err != nil || len(got) != 1 || len(c.byAlias) != 1 {
		t.Errorf("in SETUP a token that does not fit is used once: %v, %v", got, err)
	}
}

// A request may be made on behalf of another session, whose end is no end of
// this one.
func TestRequestForASessionThatEnds(t *testing.T) {
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, _ *peer) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&transport.CloseError{Reason: "another session", Remote: true})
		began := time.Now()
		_, err := s.Subscribe(ctx, SubscribeOptions{Track: dateTrack}, newRecorder())
		if !errors.Is(err, net.ErrClosed) || s.Err() != nil || time.Since(began) != 0 {
			t.Errorf("Subscribe returned %v after %v, and the session %v", err, time.Since(began), s.Err())
		}
	}, memtr.WithStreams(0, 10))
}
