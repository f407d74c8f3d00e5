package session

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// reports collects what SubscribeNamespace is told.
type reports struct{ got chan string }

func newReports() *reports { return &reports{make(chan string, 64)} }

func (r *reports) add(suffix model.Namespace, live bool) {
	if live {
		r.got <- "+" + suffix.String()
	} else {
		r.got <- "-" + suffix.String()
	}
}

func (r *reports) want(t *testing.T, all ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(r.got) > 0 {
		got = append(got, <-r.got)
	}
	if !slices.Equal(got, all) {
		t.Errorf("reported %v, want %v", got, all)
	}
}

// TestOptionsThatWeSend: draft 16 says by an option what is wanted.
func TestOptionsThatWeSend(t *testing.T) {
	h := newRecorder()
	start(t, wire.Client, Config{Draft: model.Draft16, Handler: h}, func(t *testing.T, s *Session, p *peer) {
		subs := make(chan *PrefixSubscription, 2)
		ask := func(f func() (*PrefixSubscription, error)) (*peerStream, *wire.SubscribeNamespace) {
			go func() {
				sub, err := f()
				if err != nil {
					t.Error(err)
				}
				subs <- sub
			}()
			st, m := p.accept()
			st.answer(&wire.RequestOK{})
			return st, want[*wire.SubscribeNamespace](t, "request", m)
		}
		seen := newReports()
		st, m := ask(func() (*PrefixSubscription, error) {
			return s.SubscribeNamespace(t.Context(), model.Namespace{"a"}, seen.add)
		})
		if m.Options != wire.WantNamespaces || m.Params.Forward.Set {
			t.Errorf("for namespaces: %+v", m)
		}
		st.answer(&wire.Namespace{Suffix: model.Namespace{"x"}})
		seen.want(t, "+x")
		(<-subs).Cancel()
		synctest.Wait()
		if readErr(st) == nil {
			t.Error("the stream goes on")
		}
		_, m = ask(func() (*PrefixSubscription, error) {
			return s.SubscribeTracks(t.Context(), model.Namespace{"a"}, false, nil)
		})
		if m.Options != wire.WantTracks || m.Params.Forward != model.Some(false) {
			t.Errorf("for tracks: %+v", m)
		}
		<-subs
		p.request(&wire.Publish{RequestID: p.id(), Track: dateTrack, TrackAlias: 1}) // on the control stream
		<-h.publishes
	})
}

// TestOptionsOfThePeer: what the Handler sees, and one answer.
// Duties in drafts 16, 14: 24.
func TestOptionsOfThePeer(t *testing.T) {
	namespaces, tracks := wire.KindSubscribeNamespace, wire.KindSubscribeTracks
	for _, tt := range []struct {
		name    string
		draft   model.Draft
		options wire.NamespaceOptions
		kinds   []wire.MessageKind
	}{
		{"tracks", model.Draft16, wire.WantTracks, []wire.MessageKind{tracks}},
		{"namespaces", model.Draft16, wire.WantNamespaces, []wire.MessageKind{namespaces}},
		{"both", model.Draft16, wire.WantBoth, []wire.MessageKind{namespaces, tracks}},
		{"draft 14", model.Draft14, 0, []wire.MessageKind{namespaces, tracks}},
	} {
		for _, refused := range []int{0, 1, 2} { // how many halves are
			if refused > len(tt.kinds) {
				continue
			}
			t.Run(tt.name, func(t *testing.T) {
				h := newRecorder()
				start(t, wire.Server, Config{Draft: tt.draft, Handler: h}, func(t *testing.T, _ *Session, p *peer) {
					st := p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}, Options: tt.options})
					var asked []*PrefixRequest
					for range tt.kinds {
						asked = append(asked, <-h.prefixes)
					}
					synctest.Wait()
					if len(h.prefixes) > 0 {
						t.Error("asked for more")
					}
					slices.SortFunc(asked, func(a, b *PrefixRequest) int { return int(a.kind) - int(b.kind) })
					for i, req := range asked {
						if req.kind != tt.kinds[i] {
							t.Errorf("half %d is %v", i, req.kind)
						}
						if i < refused {
							if err := req.Reject(&model.RequestError{Code: model.RequestTimeout}); err != nil {
								t.Error(err)
							}
						} else if _, err := req.Accept(nil); err != nil {
							t.Error(err)
						}
						_ = req.Reject(&model.RequestError{Code: model.RequestInternalError}) // a second answer counts for nothing
					}
					if m := st.next(); refused < len(asked) {
						want[*wire.RequestOK](t, "accepted", m)
					} else if e := want[*wire.RequestError](t, "refused", m); e.Code != model.RequestTimeout {
						t.Errorf("refused with %v", e.Code)
					}
					close(h.hold)
					synctest.Wait()
					if share, ok := st.Stream.(*sharedStream); ok && len(share.in) > 0 {
						t.Errorf("answered again by %T", <-share.in)
					}
					p.wantOpen("one answer")
				})
			})
		}
	}
}

// TestHalvesAreAuthorizedApart: who may not watch namespaces may yet be pushed
// tracks.
func TestHalvesAreAuthorizedApart(t *testing.T) {
	h := newRecorder()
	a := auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
		if r.Action == auth.SubscribeNamespace {
			return auth.Grant{}, auth.Deny("no")
		}
		return auth.Grant{}, nil
	})
	startShared(t, wire.Server, Config{Handler: h, Authorizer: a}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}, Options: wire.WantBoth})
		req := <-h.prefixes
		if req.kind != wire.KindSubscribeTracks {
			t.Errorf("asked for %v", req.kind)
		}
		if _, err := req.Accept(nil); err != nil {
			t.Fatal(err)
		}
		want[*wire.RequestOK](t, "half of it", st.next())
	})
}

// TestFINEndsSubscribeNamespace in draft 16 (section 6.1).
func TestFINEndsSubscribeNamespace(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Draft: model.Draft16, Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		for range 2 {
			st := p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}, Options: wire.WantNamespaces})
			feed, err := (<-h.prefixes).Accept(nil)
			if err != nil {
				t.Fatal(err)
			}
			want[*wire.RequestOK](t, "accepted", st.next())
			if err := feed.Namespace(model.Namespace{"x"}); err != nil {
				t.Error(err)
			}
			want[*wire.Namespace](t, "report", st.next())
			st.answer(&wire.RequestUpdate{RequestID: p.id()})
			if ok := want[*wire.RequestOK](t, "update", st.nextUpdateAnswer()); ok.RequestID != p.nextID-2 {
				t.Errorf("the answer is for %d", ok.RequestID)
			}
			st.Close()
			<-feed.Context().Done()
			if err := context.Cause(feed.Context()); !errors.Is(err, &model.StreamError{Code: model.ResetCancelled, Remote: true}) {
				t.Errorf("ended with %v", err)
			}
		}
		p.wantOpen("FIN")
	})
}

func TestPrefixesOfBothKindsMayOverlap(t *testing.T) {
	for _, strict := range []bool{false, true} {
		h := newRecorder()
		start(t, wire.Server, Config{Draft: model.Draft16, Handler: h, Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
			ask := func(o wire.NamespaceOptions) *peerStream {
				return p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}, Options: o})
			}
			ask(wire.WantNamespaces)
			if _, err := (<-h.prefixes).Accept(nil); err != nil {
				t.Fatal(err)
			}
			second := ask(wire.WantTracks)
			if strict {
				if e := want[*wire.RequestError](t, "strict", second.next()); e.Code != model.PrefixOverlap {
					t.Errorf("refused with %v", e.Code)
				}
			} else {
				<-h.prefixes
				if e := want[*wire.RequestError](t, "the same kind", ask(wire.WantBoth).next()); e.Code != model.PrefixOverlap {
					t.Errorf("refused with %v", e.Code)
				}
			}
		})
	}
}

// TestNamespacesAreRequestsInDraft14: as the one who answers.
// Duties in drafts 14: 14.
func TestNamespacesAreRequestsInDraft14(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Draft: model.Draft14, Handler: h}, func(t *testing.T, s *Session, p *peer) {
		prefix := model.Namespace{"a"}
		st := p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: prefix})
		var feed *PrefixFeed
		for range 2 {
			req := <-h.prefixes
			f, err := req.Accept(nil)
			if err != nil {
				t.Fatal(err)
			}
			if req.kind == wire.KindSubscribeNamespace {
				feed = f
			}
		}
		want[*wire.RequestOK](t, "accepted", st.next())
		report := func(name string, answer wire.Message) *peerStream {
			if err := feed.Namespace(model.Namespace{name}); err != nil {
				t.Fatal(err)
			}
			st, m := p.accept()
			if ns := want[*wire.PublishNamespace](t, name, m).Namespace; !ns.Equal(model.Namespace{"a", name}) {
				t.Errorf("announced %v", ns)
			}
			if answer != nil {
				st.answer(answer)
				synctest.Wait()
			}
			return st
		}
		x := report("x", &wire.RequestOK{})
		y := report("y", &wire.RequestError{Code: model.Uninterested})
		z := report("z", nil)
		if err := feed.Blocked(model.Namespace{"x"}, "t"); err != nil {
			t.Errorf("what cannot be said fails: %v", err)
		}
		if err := errors.Join(feed.NamespaceDone(model.Namespace{"x"}), feed.NamespaceDone(model.Namespace{"y"}), feed.NamespaceDone(model.Namespace{"?"})); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if x.Context().Err() == nil || y.Context().Err() != nil || z.Context().Err() != nil {
			t.Error("what was accepted is withdrawn, what was refused is not, and what is open stays")
		}
		x = report("x", &wire.RequestOK{})
		st.CancelWrite(1) // UNSUBSCRIBE_NAMESPACE
		<-feed.Context().Done()
		<-x.Context().Done()
		<-z.Context().Done()
		if err := feed.Namespace(model.Namespace{"w"}); err == nil {
			t.Error("a namespace was announced after the end")
		}
		p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: prefix})
		<-h.prefixes
	})
}

// TestReportsOfDraft14: as the one who asked.
func TestReportsOfDraft14(t *testing.T) {
	h := newRecorder()
	start(t, wire.Client, Config{Draft: model.Draft14, Handler: h}, func(t *testing.T, s *Session, p *peer) {
		seen := newReports()
		go func() {
			st, _ := p.accept()
			st.answer(&wire.RequestOK{})
		}()
		sub, err := s.SubscribeNamespace(t.Context(), model.Namespace{"a"}, seen.add)
		if err != nil {
			t.Fatal(err)
		}
		publish := func(fields ...string) *peerStream {
			return p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: fields})
		}
		x := publish("a", "x")
		want[*wire.RequestOK](t, "below the prefix", x.next())
		want[*wire.RequestOK](t, "the prefix", publish("a").next())
		want[*wire.RequestOK](t, "again", publish("a", "x").next())
		seen.want(t, "+x", "+"+model.Namespace{}.String())
		x.CancelWrite(1)
		p.say(0, &wire.PublishNamespaceDone{Namespace: model.Namespace{"a", "x"}}) // late
		seen.want(t, "-x")
		publish("a", "x")
		seen.want(t, "+x")
		other := publish("b")
		_ = (<-h.namespaces).Accept()
		want[*wire.RequestOK](t, "elsewhere", other.next())
		sub.Cancel()
		publish("a", "y")
		<-h.namespaces // nobody asks for it any more
		seen.want(t)
		p.wantOpen("reports")
		go func() {
			st, _ := p.accept()
			st.answer(&wire.RequestOK{})
		}()
		if _, err := s.SubscribeNamespace(t.Context(), model.Namespace{"a", "x"}, seen.add); err != nil {
			t.Fatal(err)
		}
		seen.want(t, "+"+model.Namespace{}.String()) // it was announced before, and is still
	})
}

// TestOneRequestForBoth: in draft 14 everybody who asks for a prefix shares one
// request.
func TestOneRequestForBoth(t *testing.T) {
	start(t, wire.Client, Config{Draft: model.Draft14}, func(t *testing.T, s *Session, p *peer) {
		prefix := model.Namespace{"a"}
		for range 2 {
			var all []*PrefixSubscription
			first, second := newReports(), newReports()
			asked := make(chan *PrefixSubscription, 1)
			go func() {
				sub, err := s.SubscribeNamespace(t.Context(), prefix, first.add)
				if err != nil {
					t.Error(err)
				}
				asked <- sub
			}()
			st, _ := p.accept()
			tracks := make(chan *PrefixSubscription, 1)
			go func() { // while the first is not answered
				sub, err := s.SubscribeTracks(t.Context(), prefix, false, nil)
				if err != nil {
					t.Error(err)
				}
				tracks <- sub
			}()
			synctest.Wait()
			st.answer(&wire.RequestOK{})
			all = append(all, <-asked, <-tracks)
			p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a", "x"}})
			first.want(t, "+x")
			sub, err := s.SubscribeNamespace(t.Context(), prefix, second.add)
			if err != nil {
				t.Fatal(err)
			}
			second.want(t, "+x")
			p.request(&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"a", "y"}})
			first.want(t, "+y")
			second.want(t, "+y")
			for _, one := range append(all, sub) {
				synctest.Wait()
				if st.Context().Err() != nil {
					t.Error("given up while somebody listens")
				}
				one.Cancel()
				<-one.Context().Done()
			}
			<-st.Context().Done()
			if len(p.shared.opened) > 0 {
				t.Error("it was asked twice")
			}
			for _, name := range []string{"x", "y"} {
				p.say(0, &wire.PublishNamespaceDone{Namespace: model.Namespace{"a", name}})
			}
			synctest.Wait()
		}
		done := make(chan error, 2)
		for range cap(done) {
			go func() {
				_, err := s.SubscribeNamespace(t.Context(), prefix, newReports().add)
				done <- err
			}()
		}
		st, _ := p.accept()
		synctest.Wait()
		st.answer(&wire.RequestError{Code: model.PrefixOverlap})
		for range cap(done) {
			if err := <-done; !errors.Is(err, &model.RequestError{Code: model.PrefixOverlap, Remote: true}) {
				t.Errorf("refused with %v", err)
			}
		}
		if _, err := s.SubscribeNamespace(t.Context(), nil, newReports().add); err == nil {
			t.Error("draft 14 has no empty prefix")
		}
	})
}

// TestWhoAskedGivesUp: the next one asks itself.
func TestWhoAskedGivesUp(t *testing.T) {
	start(t, wire.Client, Config{Draft: model.Draft14}, func(t *testing.T, s *Session, p *peer) {
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { _, err := s.SubscribeNamespace(ctx, model.Namespace{"a"}, newReports().add); errs <- err }()
		p.accept()
		go func() {
			_, err := s.SubscribeNamespace(t.Context(), model.Namespace{"a"}, newReports().add)
			errs <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
		st, _ := p.accept()
		st.answer(&wire.RequestOK{})
		if err := <-errs; err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}

func TestEchoes(t *testing.T) {
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, _ *peer) {
		namespaces, tracks := s.Echoes()
		if !namespaces || tracks != (s.Draft() <= model.Draft16) {
			t.Errorf("echoes %v, %v", namespaces, tracks)
		}
	})
}
