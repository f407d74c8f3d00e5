package relay

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// watch is a SUBSCRIBE_NAMESPACE that records "+suffix" and "-suffix".
type watch struct {
	*session.PrefixSubscription
	t   *testing.T
	mu  sync.Mutex
	got []string
}

func (a *actor) watch(prefix string) *watch {
	a.t.Helper()
	w := &watch{t: a.t}
	var err error
	w.PrefixSubscription, err = a.sess.SubscribeNamespace(a.t.Context(), model.ParseNamespace(prefix, "/"), func(suffix model.Namespace, live bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got = append(w.got, map[bool]string{true: "+", false: "-"}[live]+strings.Join(suffix, "/"))
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return w
}

// want compares what was reported since the last call, in any order.
func (w *watch) want(why, want string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.got)
	if got := strings.Join(w.got, " "); got != want {
		w.t.Errorf("%s: reported %q, want %q", why, got, want)
	}
	w.got = nil
}

// announce publishes a namespace.
func (a *actor) announce(ns string) *session.PublishedNamespace {
	a.t.Helper()
	p, err := a.sess.PublishNamespace(a.t.Context(), model.ParseNamespace(ns, "/"))
	if err != nil {
		a.t.Fatal(err)
	}
	return p
}

// Duties: 12, 13, 14.
func TestSubscribeNamespace(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, viewer := s.join(), s.join(), s.join()
		one.announce("a/b")
		one.announce("a/b/c")
		one.announce("other")
		w := viewer.watch("a")
		w.want("what is there already", "+b +b/c")
		second := two.announce("a/d")
		w.want("what comes", "+d")
		two.announce("other/a")
		w.want("what lies elsewhere", "")
		second.Withdraw()
		w.want("what goes", "-d")
		exact := two.watch("a/b/c")
		exact.want("the prefix itself, and nothing above", "+")

		own := one.watch("")
		own.want("also what the peer publishes itself", "+a/b +a/b/c +other +other/a")

		one.sess.Close(model.NoError, "gone")
		w.want("its session ends", "-b -b/c")
		exact.want("its session ends", "-")
	})
}

// TestNamespaceOfSeveralPublishers: it is there as long as one of them is.
// Duties: 13.
func TestNamespaceOfSeveralPublishers(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		one, two, viewer := s.join(), s.join(), s.join()
		w := viewer.watch("a")
		first := one.announce("a/b")
		w.want("the first", "+b")
		second := two.announce("a/b")
		again := two.announce("a/b")
		w.want("two more", "")
		first.Withdraw()
		again.Withdraw()
		w.want("one is left", "")
		viewer2 := s.join().watch("a")
		viewer2.want("once only", "+b")
		second.Withdraw()
		w.want("the last", "-b")
		viewer2.want("the last", "-b")
	})
}

func TestSubscribeNamespaceEnds(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, viewer := s.join(), s.join()
		w := viewer.watch("a")
		w.Cancel()
		s.settle()
		pub.announce("a/b")
		w.want("cancelled", "")
		viewer.watch("a").want("the prefix is free again", "+b")
	})
}

// Duties: 15.
func TestPrefixesMayNotOverlap(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		a := s.join()
		a.watch("a/b")
		for _, prefix := range []string{"a", "a/b", "a/b/c", ""} {
			_, err := a.sess.SubscribeNamespace(t.Context(), model.ParseNamespace(prefix, "/"), nil)
			if !errors.Is(err, &model.RequestError{Code: model.PrefixOverlap, Remote: true}) {
				t.Errorf("prefix %q: %v", prefix, err)
			}
		}
		a.watch("a/c")
		if _, err := a.sess.SubscribeTracks(t.Context(), model.ParseNamespace("a/b", "/"), true, nil); err != nil {
			t.Errorf("SUBSCRIBE_TRACKS is another matter: %v", err)
		}
	})
}

// TestSlowWatcher: one who does not read is cut off, and nobody waits for him.
// Duties: 13.
func TestSlowWatcher(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, quick := s.join(), s.join()
		slow := s.joinRaw(memtr.WithWindow(512))
		w := quick.watch("a")
		st := slow.watch("a")
		const n = 100
		began := time.Now()
		var all []string
		for i := range n {
			ns := fmt.Sprintf("a/%s%03d", strings.Repeat("x", 20), i)
			pub.announce(ns)
			all = append(all, "+"+ns[2:])
		}
		w.want("the one who reads", strings.Join(all, " "))
		if d := time.Since(began); d != 0 {
			t.Errorf("publishing took %v", d)
		}
		pass(session.DefaultMessageTimeout + time.Second)
		if st.Context().Err() == nil {
			t.Error("the one who does not read is not cut off")
		}
		if slow.Context().Err() != nil {
			t.Error("his session ended too")
		}
		s.check(false)
		_ = slow.CloseWithError(0, "")
	})
}

// TestReportsAreBounded: he is cut off sooner if there is much to report.
// Duties: 16.
func TestReportsAreBounded(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		slow := s.joinRaw(memtr.WithWindow(64))
		st := slow.watch("a")
		s.r.mu.Lock()
		for _, sc := range s.r.scopes {
			for _, w := range sc.watchers.Below(nil) {
				w.writing = true // as if it were inside Write
				for range maxReports {
					w.reportLocked(model.Namespace{"b"}, true)
				}
				if w.over || len(w.queue) != maxReports {
					t.Errorf("%d reports wait", len(w.queue))
				}
				w.reportLocked(model.Namespace{"b"}, true)
				if !w.over || w.queue != nil {
					t.Errorf("one more: %d reports wait", len(w.queue))
				}
			}
		}
		s.r.mu.Unlock()
		s.settle()
		if st.Context().Err() == nil {
			t.Error("the request goes on")
		}
		_ = slow.CloseWithError(0, "")
	})
}

// TestPrefixUpdate: one that comes right behind the request, and another.
func TestPrefixUpdate(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub := s.join()
		for _, ns := range []string{"a/1", "b/2", "c/3"} {
			pub.announce(ns)
		}
		viewer := s.joinRaw()
		change := func(prefix string) *wire.RequestUpdate {
			return &wire.RequestUpdate{RequestID: viewer.id(), Params: wire.Params{NamespacePrefix: model.Some(model.ParseNamespace(prefix, "/"))}}
		}
		st := viewer.request(&wire.SubscribeNamespace{RequestID: viewer.id(), Prefix: model.Namespace{"a"}}, change("b"))
		live := map[string]bool{}
		read := func(why string, answered bool, want string) {
			t.Helper()
			synctest.Wait()
			for _, m := range viewer.messages(st, wire.KindSubscribeNamespace, answered) {
				switch m := m.(type) {
				case *wire.Namespace:
					live[strings.Join(m.Suffix, "/")] = true
				case *wire.NamespaceDone:
					if suffix := strings.Join(m.Suffix, "/"); !live[suffix] {
						t.Errorf("%s: %q is withdrawn and was not reported", why, suffix)
					} else {
						delete(live, suffix)
					}
				case *wire.RequestError:
					t.Errorf("%s: refused with %v", why, m.Code)
				}
			}
			if got := strings.Join(slices.Sorted(maps.Keys(live)), " "); got != want {
				t.Errorf("%s: %q is reported, want %q", why, got, want)
			}
		}
		read("the update came at once", false, "2")
		pub.announce("a/4")
		pub.announce("b/5")
		read("the new prefix", true, "2 5")
		viewer.send(st, wire.KindSubscribeNamespace, wire.KindRequestUpdate, change("c"))
		read("another", true, "3")
		_ = viewer.CloseWithError(0, "")
	})
}

// Duties: 78.
func TestMaxNamespaces(t *testing.T) {
	play(t, Config{MaxNamespaces: 2}, func(t *testing.T, s *stage) {
		a := s.join()
		a.announce("a")
		b := a.announce("b")
		_, err := a.sess.PublishNamespace(t.Context(), model.Namespace{"c"})
		if !errors.Is(err, &model.RequestError{Code: model.RequestExcessiveLoad, Remote: true}) {
			t.Errorf("the third of two: %v", err)
		}
		b.Withdraw()
		s.settle()
		a.announce("c")
		s.join().announce("d") // others have their own
	})
}
