package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

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

// TestSharedTrace: messages are shown as they are on the wire, in their order, on
// the stream that they share.
func TestSharedTrace(t *testing.T) {
	for _, d := range sharedDrafts {
		var log seen
		start(t, wire.Client, Config{Draft: d, Trace: log.trace}, func(t *testing.T, s *Session, p *peer) {
			in, _ := subscribed(t, s, p, newRecorder())
			in.Cancel(model.ResetCancelled)
			synctest.Wait()
			log.mu.Lock()
			defer log.mu.Unlock()
			for i, want := range []string{"0 *wire.Setup", "0 *wire.Subscribe", "0 *wire.Unsubscribe &{RequestID:0}"} {
				if i >= len(log.sent) || !strings.HasPrefix(log.sent[i], want) {
					t.Errorf("sent %q, want %s", log.sent, want)
				}
			}
			for i, want := range []string{"0 *wire.Setup", "0 *wire.SubscribeOK &{RequestID:0 TrackAlias:7"} {
				if i >= len(log.read) || !strings.HasPrefix(log.read[i], want) {
					t.Errorf("read %q, want %s", log.read, want)
				}
			}
		})
	}
}
