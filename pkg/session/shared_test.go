package session

import (
	"context"
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

// TestWeGiveUp: what the peer reads instead of a reset stream.
func TestWeGiveUp(t *testing.T) {
	ns := model.Namespace{"a"}
	answered := func(m wire.Message) func(*peerStream) { return func(st *peerStream) { st.answer(m) } }
	pending := func(*peerStream) {}
	for _, tt := range []struct {
		name string
		ask  func(context.Context, *Session, *recorder) (giveUp func())
		then func(*peerStream)
		want wire.MessageKind // 0: nothing
	}{
		{"SUBSCRIBE", func(ctx context.Context, s *Session, h *recorder) func() {
			in, err := s.Subscribe(ctx, SubscribeOptions{Track: dateTrack}, h)
			if err != nil {
				return nil
			}
			return func() { in.Cancel(model.ResetCancelled) }
		}, answered(&wire.SubscribeOK{TrackAlias: 1}), wire.KindUnsubscribe},
		{"SUBSCRIBE, pending", func(ctx context.Context, s *Session, h *recorder) func() {
			_, _ = s.Subscribe(ctx, SubscribeOptions{Track: dateTrack}, h)
			return nil
		}, pending, wire.KindUnsubscribe},
		{"PUBLISH, pending", func(ctx context.Context, s *Session, _ *recorder) func() {
			_, _ = s.Publish(ctx, PublishOptions{Track: dateTrack})
			return nil
		}, pending, wire.KindPublishDone},
		{"FETCH", func(ctx context.Context, s *Session, _ *recorder) func() {
			f, err := s.Fetch(ctx, FetchOptions{Track: dateTrack, Range: allOfGroup9})
			if err != nil {
				return nil
			}
			return f.Cancel
		}, pending, wire.KindFetchCancel},
		{"TRACK_STATUS", func(ctx context.Context, s *Session, _ *recorder) func() {
			_, _ = s.TrackStatus(ctx, dateTrack)
			return nil
		}, pending, 0},
		{"PUBLISH_NAMESPACE", func(ctx context.Context, s *Session, _ *recorder) func() {
			n, err := s.PublishNamespace(ctx, ns)
			if err != nil {
				return nil
			}
			return n.Withdraw
		}, answered(&wire.RequestOK{}), wire.KindPublishNamespaceDone},
		{"PUBLISH_NAMESPACE, pending", func(ctx context.Context, s *Session, _ *recorder) func() {
			_, _ = s.PublishNamespace(ctx, ns)
			return nil
		}, pending, wire.KindPublishNamespaceDone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newRecorder()
			startShared(t, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				up := make(chan func(), 1)
				go func() { up <- tt.ask(ctx, s, h) }()
				st, _ := p.accept()
				tt.then(st)
				if f := <-up; f != nil {
					f()
				}
				synctest.Wait()
				got := wire.MessageKind(0)
				share := st.Stream.(*sharedStream)
				select {
				case m, ok := <-share.in:
					if ok {
						got = m.Kind()
					} else {
						got = share.farewell.Kind()
					}
				default:
				}
				if got != tt.want {
					t.Errorf("it was given up by %v, want %v", got, tt.want)
				}
				// What crosses that is dropped, whatever it is.
				for _, m := range []wire.Message{&wire.SubscribeOK{TrackAlias: 3}, &wire.PublishDone{}, &wire.RequestError{}} {
					if e, ok := m.(*wire.RequestError); ok && p.draft == model.Draft14 {
						e.RequestID = 0
						p.send(p.control, wire.ControlStream, st.kind, st.kind, e)
						continue
					}
					stamp(m, 0, reply{})
					p.say(st.kind, m)
				}
				p.wantOpen("late messages")
			})
		})
	}
}

// TestWeGiveUpAsResponder: a responder that has not answered refuses, one that has
// says what the draft has for it.
func TestWeGiveUpAsResponder(t *testing.T) {
	ns := model.Namespace{"a"}
	for _, tt := range []struct {
		m        wire.Message
		pending  wire.MessageKind
		accepted wire.MessageKind // 0: nothing
	}{
		{&wire.Subscribe{Track: dateTrack}, wire.KindRequestError, wire.KindPublishDone},
		{&wire.Publish{Track: dateTrack, TrackAlias: 1}, wire.KindRequestError, wire.KindUnsubscribe},
		{&wire.Fetch{FetchKind: wire.FetchStandalone, Track: dateTrack, Range: allOfGroup9}, wire.KindRequestError, 0},
		{&wire.PublishNamespace{Namespace: ns}, wire.KindRequestError, wire.KindPublishNamespaceCancel},
	} {
		for _, accept := range []bool{false, true} {
			t.Run(requestName(tt.m.Kind()), func(t *testing.T) {
				h := newRecorder()
				startShared(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
					st := p.request(tt.m)
					var r *request
					var err error
					select {
					case req := <-h.subscribes:
						r = req.r
						if accept {
							_, err = req.Accept(Offer{}, nil)
						}
					case req := <-h.publishes:
						r = req.r
						if accept {
							_, err = req.Accept(Change{}, h)
						}
					case req := <-h.fetches:
						r = req.r
						if accept {
							err = req.Accept(FetchInfo{End: req.Range.End})
						}
					case req := <-h.namespaces:
						r = req.r
						if accept {
							err = req.Accept()
						}
					}
					if err != nil {
						t.Fatal(err)
					}
					want := tt.pending
					if accept {
						st.next()
						want = tt.accepted
					}
					r.abandon(model.ResetGoingAway)
					synctest.Wait()
					got := wire.MessageKind(0)
					share := st.Stream.(*sharedStream)
					select {
					case m, ok := <-share.in:
						if ok {
							got = m.Kind()
						} else {
							got = share.farewell.Kind()
						}
					default:
					}
					if got != want {
						t.Errorf("accepted %v: it was given up by %v, want %v", accept, got, want)
					}
					p.wantOpen("given up")
				})
			})
		}
	}
}

// TestPeerGivesUp: the messages that mean STOP_SENDING, from whom they may come,
// and when they come late.
func TestPeerGivesUp(t *testing.T) {
	ns := model.Namespace{"a"}
	of := func(p *peer, m wire.Message) wire.Message {
		switch m := m.(type) {
		case *wire.PublishNamespaceDone:
			m.Namespace = ns
		case *wire.PublishNamespaceCancel:
			m.Namespace = ns
		}
		return m
	}
	requests := map[wire.MessageKind]func() wire.Message{
		wire.KindSubscribe: func() wire.Message { return &wire.Subscribe{Track: dateTrack} },
		wire.KindPublish:   func() wire.Message { return &wire.Publish{Track: dateTrack, TrackAlias: 1} },
		wire.KindFetch: func() wire.Message {
			return &wire.Fetch{FetchKind: wire.FetchStandalone, Track: dateTrack, Range: allOfGroup9}
		},
		wire.KindPublishNamespace: func() wire.Message { return &wire.PublishNamespace{Namespace: ns} },
		wire.KindTrackStatus:      func() wire.Message { return &wire.TrackStatus{Track: dateTrack} },
	}
	ends := map[wire.MessageKind]func() wire.Message{
		wire.KindUnsubscribe:            func() wire.Message { return &wire.Unsubscribe{} },
		wire.KindFetchCancel:            func() wire.Message { return &wire.FetchCancel{} },
		wire.KindPublishNamespaceDone:   func() wire.Message { return &wire.PublishNamespaceDone{} },
		wire.KindPublishNamespaceCancel: func() wire.Message { return &wire.PublishNamespaceCancel{} },
	}
	legal := map[wire.MessageKind]wire.MessageKind{
		wire.KindSubscribe: wire.KindUnsubscribe, wire.KindFetch: wire.KindFetchCancel, wire.KindPublishNamespace: wire.KindPublishNamespaceDone,
	}
	for kind, request := range requests {
		for end, giveUp := range ends {
			t.Run(requestName(kind)+" by "+end.String(), func(t *testing.T) {
				h := &waiting{over: make(chan error, 1)}
				startShared(t, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
					h.begun = make(chan struct{}, 1)
					p.request(request())
					<-h.begun
					p.say(kind, of(p, giveUp()))
					if legal[kind] == end {
						if err := <-h.over; !errors.Is(err, &model.StreamError{Code: model.ResetCancelled, Remote: true}) {
							t.Errorf("the request ended with %v", err)
						}
						synctest.Wait()
						p.say(kind, of(p, giveUp())) // it may cross the answer
						p.wantOpen("late")
						return
					}
					byName := p.draft == model.Draft14 && (end == wire.KindPublishNamespaceDone || end == wire.KindPublishNamespaceCancel)
					if byName {
						p.wantOpen("of no request") // which may have ended
					} else {
						p.wantClose("of another kind", model.ProtocolViolation)
					}
					s.Close(model.NoError, "")
					<-h.over
				})
			})
		}
	}
}

// waiting is a Handler that answers nothing until the request is over.
type waiting struct {
	Refuse
	begun chan struct{}
	over  chan error
}

func (h *waiting) wait(ctx context.Context) {
	h.begun <- struct{}{}
	<-ctx.Done()
	h.over <- context.Cause(ctx)
}
func (h *waiting) Subscribe(ctx context.Context, _ *SubscribeRequest)        { h.wait(ctx) }
func (h *waiting) Publish(ctx context.Context, _ *PublishRequest)            { h.wait(ctx) }
func (h *waiting) Fetch(ctx context.Context, _ *FetchRequest)                { h.wait(ctx) }
func (h *waiting) TrackStatus(ctx context.Context, _ *TrackStatusRequest)    { h.wait(ctx) }
func (h *waiting) PublishNamespace(ctx context.Context, _ *NamespaceRequest) { h.wait(ctx) }
func (h *waiting) SubscribeNamespace(ctx context.Context, r *PrefixRequest)  { h.wait(ctx) }

// TestPeerThatDoesNotRead loses the session, and nobody waits for it for ever;
// giving up a request waits for nothing.
func TestPeerThatDoesNotRead(t *testing.T) {
	h := newRecorder()
	for _, d := range sharedDrafts {
		synctest.Test(t, func(t *testing.T) {
			c, srv := memtr.Pair(memtr.WithWindow(64))
			h.init()
			p := &peer{t: t, role: wire.Server, conn: srv, draft: d}
			go func() {
				st, err := srv.AcceptStream(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				p.read(st, wire.ControlStream, 0, 0)
				m := &wire.Setup{MaxRequestID: model.Some[uint64](plenty)}
				if d == model.Draft14 {
					m.Versions = []uint64{wire.VersionNumber(d)}
				}
				p.send(st, wire.ControlStream, 0, 0, m)
			}()
			s, err := Start(t.Context(), c, Config{Role: wire.Client, Draft: d})
			if err != nil {
				t.Fatal(err)
			}
			errs := make(chan error, 8)
			for range cap(errs) {
				go func() {
					_, err := s.PublishNamespace(t.Context(), model.Namespace{"a long namespace, so that a few of it are too much"})
					errs <- err
				}()
			}
			synctest.Wait()
			began := time.Now()
			s.shared.mu.Lock()
			var open []*share
			for _, l := range s.shared.lanes {
				open = append(open, l)
			}
			s.shared.mu.Unlock()
			for _, l := range open {
				l.cancel(model.ResetCancelled)
			}
			if waited := time.Since(began); waited > 0 || len(open) == 0 {
				t.Errorf("giving up %d requests took %v", len(open), waited)
			}
			for range cap(errs) {
				if err := <-errs; err == nil {
					t.Error("a request was accepted")
				}
			}
			s.Wait()
			if !errors.Is(s.Err(), &model.SessionError{Code: model.ControlMessageTimeout}) {
				t.Errorf("draft %v: the session ended with %v", d, s.Err())
			}
			synctest.Wait()
		})
	}
}
