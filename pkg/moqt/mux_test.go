package moqt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport/memtr"
)

// house is a mux behind a session, and a client of it.
type house struct {
	t      *testing.T
	mux    *TrackMux
	server *session.Session // ours
	client *session.Session
	guest  *guest
}

// guest is the client: it takes every PUBLISH, or does what the test says.
type guest struct {
	session.Refuse
	listener
	published  func(*session.PublishRequest)
	namespaces func(*session.NamespaceRequest)
}

func (g *guest) Publish(_ context.Context, r *session.PublishRequest) { g.published(r) }
func (g *guest) PublishNamespace(_ context.Context, r *session.NamespaceRequest) {
	if g.namespaces == nil {
		_ = r.Accept()
		return
	}
	g.namespaces(r)
}

// listener records objects as "group/object".
type listener struct{ got chan string }

func (l *listener) ReceiveSubgroup(r *session.SubgroupReader) {
	for {
		h, err := r.Next()
		if err != nil {
			return
		}
		if h.Status == model.StatusNormal {
			l.got <- at(r.Header.Group, h.ID).String()
		}
	}
}

func (l *listener) ReceiveDatagram(d *session.Datagram) { l.got <- at(d.Group, d.Object).String() }

func (l *listener) received() string {
	synctest.Wait()
	var all []string
	for len(l.got) > 0 {
		all = append(all, <-l.got)
	}
	slices.Sort(all) // each came on a stream of its own
	return strings.Join(all, " ")
}

// atHome runs f in a bubble. Our side is the server, or the client with ours.
func atHome(t *testing.T, role session.Role, f func(*testing.T, *house)) {
	t.Helper()
	atHomeOf(t, role, "", f)
}

// atHomeOf is atHome with a guest that calls itself so.
func atHomeOf(t *testing.T, role session.Role, guestIs string, f func(*testing.T, *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, mux: NewTrackMux(), guest: &guest{listener: listener{make(chan string, 100)}}}
		c, s := memtr.Pair()
		if role == session.Client {
			c, s = s, c
		}
		started := make(chan error, 1)
		go func() {
			var err error
			h.server, err = session.Start(t.Context(), s, session.Config{Role: role, Handler: h.mux})
			started <- err
		}()
		var err error
		if h.client, err = session.Start(t.Context(), c, session.Config{Role: 1 - role, Handler: h.guest, Implementation: guestIs}); err == nil {
			err = <-started
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			h.client.Close(model.NoError, "")
			h.client.Wait()
			h.server.Wait()
			synctest.Wait()
			if h.mux.serving != 0 || len(h.mux.schedulers) != 0 {
				t.Errorf("%d subscriptions and %d schedulers are left", h.mux.serving, len(h.mux.schedulers))
			}
		}()
		f(t, h)
	})
}

// local returns a track with n objects in group 1.
func local(t *testing.T, n uint64) *LocalTrack {
	t.Helper()
	lt := &LocalTrack{Name: testTrack, Log: track.New(track.Config{})}
	write(t, lt, 1, 0, n)
	return lt
}

// write publishes objects of a group.
func write(t *testing.T, lt *LocalTrack, group, first, n uint64) {
	t.Helper()
	for id := first; id < first+n; id++ {
		w, err := lt.Log.OpenSubgroup(track.SubgroupKey{Group: group, Subgroup: id}, track.SubgroupInfo{First: track.FirstYes, Form: hall.Native(false)})
		if err == nil {
			err = w.Append(track.ObjectHeader{ID: id}, []byte("x"))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (h *house) subscribe(f model.Filter) (*session.Inbound, error) {
	c := session.Change{}
	if f.Kind != model.FilterNone {
		c.Filter = model.Some(f)
	}
	return h.client.Subscribe(h.t.Context(), session.SubscribeOptions{Track: testTrack, Change: c}, h.guest)
}

func (h *house) fetch(start, end model.Location) string {
	f, err := h.client.Fetch(h.t.Context(), session.FetchOptions{Track: testTrack, Range: model.Range{Start: start, End: end}})
	var all []string
	for err == nil {
		var item session.FetchItem
		if item, err = f.Next(h.t.Context()); err == nil {
			all = append(all, item.Location.String())
		}
	}
	if err != io.EOF {
		all = append(all, err.Error())
	}
	return strings.Join(all, " ")
}

func refusedWith(code model.RequestCode) error { return &model.RequestError{Code: code, Remote: true} }

func TestMuxKnowsItsTracksOnly(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		h.mux.Handle(&LocalTrack{Name: model.FullTrackName{Namespace: testTrack.Namespace, Name: "other"}, Log: track.New(track.Config{})})
		if _, err := h.subscribe(model.Filter{}); !errors.Is(err, refusedWith(model.DoesNotExist)) {
			t.Errorf("SUBSCRIBE: %v", err)
		}
		if got := h.fetch(at(0, 0), at(9, 9)); !strings.Contains(got, "DOES_NOT_EXIST") {
			t.Errorf("FETCH: %s", got)
		}
		if _, err := h.client.TrackStatus(t.Context(), testTrack); !errors.Is(err, refusedWith(model.DoesNotExist)) {
			t.Errorf("TRACK_STATUS: %v", err)
		}
	})
}

func TestMuxServesATrackUnderSeveralNames(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		lt := local(t, 3)
		lt.Log.SetProperties(model.Properties{{Type: 0x1234, Int: 5}})
		other := model.FullTrackName{Namespace: testTrack.Namespace, Name: "/track"}
		h.mux.Handle(lt, other)
		for _, n := range []model.FullTrackName{testTrack, other} {
			offer, err := h.client.TrackStatus(t.Context(), n)
			if v, _ := offer.Properties.Int(0x1234); err != nil || offer.Largest != model.Some(at(1, 2)) || v != 5 {
				t.Errorf("%v: %+v, %v", n, offer, err)
			}
		}
	})
}

func TestMuxSubscription(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		lt := local(t, 3)
		h.mux.Handle(lt)
		in, err := h.subscribe(model.NextObject)
		if err != nil || in.Offer.Largest != model.Some(at(1, 2)) {
			t.Fatalf("%+v, %v", in, err)
		}
		write(t, lt, 1, 3, 2)
		if got := h.guest.received(); got != "1/3 1/4" {
			t.Errorf("received %q", got)
		}
		if _, err := in.Update(t.Context(), session.Change{Forward: model.Some(false)}); err != nil {
			t.Error(err)
		}
		write(t, lt, 1, 5, 1)
		if l, err := in.Update(t.Context(), session.Change{Forward: model.Some(true)}); err != nil || l != model.Some(at(1, 5)) {
			t.Errorf("largest %v, %v", l, err)
		}
		write(t, lt, 2, 0, 1)
		if got := h.guest.received(); got != "2/0" {
			t.Errorf("after the pause: %q", got)
		}
		lt.Log.End(model.DoneTrackEnded, "over")
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
		h.mux.Wait()
	})
}

func TestMuxRefusesThePast(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		lt := local(t, 3)
		h.mux.Handle(lt)
		over := model.Filter{Kind: model.FilterAbsolute, End: model.Some(model.EndLocation{Group: 0})}
		if _, err := h.subscribe(over); !errors.Is(err, refusedWith(model.InvalidRange)) {
			t.Errorf("SUBSCRIBE: %v", err)
		}
		if got := h.fetch(at(1, 3), at(9, 9)); !strings.Contains(got, "INVALID_RANGE") {
			t.Errorf("FETCH: %s", got)
		}
	})
}

func TestMuxFetch(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		lt := local(t, 4)
		h.mux.Handle(lt)
		if got := h.fetch(at(1, 1), at(1, 2)); got != "1/1 1/2" {
			t.Errorf("from the log: %s", got)
		}
		if got := h.fetch(at(1, 2), at(7, 0)); got != "1/2 1/3" {
			t.Errorf("beyond the end: %s", got)
		}
		lt.Past = func(r model.Range, _ model.GroupOrder) egress.ObjectSource {
			next := r.Start
			return egress.SourceFunc(func(context.Context) (track.Item, error) {
				if r.End.Less(next) {
					return track.Item{}, io.EOF
				}
				o := track.Object{Location: next, Form: hall.Native(true), Payload: [][]byte{[]byte("y")}}
				next = next.Next()
				return track.Item{Object: &o}, nil
			})
		}
		if got := h.fetch(at(1, 2), at(7, 0)); got != "1/2 1/3" {
			t.Errorf("from the past: %s", got)
		}
	})
}

// TestMuxFetchFreesTheLog: one that is broken off too.
func TestMuxFetchFreesTheLog(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		lt := &LocalTrack{Name: testTrack, Log: track.New(track.Config{})}
		w, err := lt.Log.OpenSubgroup(track.SubgroupKey{Group: 1}, track.SubgroupInfo{Form: hall.Native(false)})
		for id := range uint64(100) {
			if err == nil {
				err = w.Append(track.ObjectHeader{ID: id}, make([]byte, 10_000))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		h.mux.Handle(lt)
		f, err := h.client.Fetch(t.Context(), session.FetchOptions{Track: testTrack, Range: model.Range{End: at(1, 99)}})
		if err == nil {
			_, err = f.Next(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.Cancel()
		synctest.Wait()
		lt.Log.Discard()
		if n := lt.Log.Counters().LogBytes.Load(); n != 0 {
			t.Errorf("%d bytes are still held", n)
		}
	})
}

func TestMuxOffer(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		lt := local(t, 1)
		h.guest.published = func(r *session.PublishRequest) {
			if _, err := r.Accept(session.Change{}, h.guest); err != nil {
				t.Error(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- h.mux.Offer(t.Context(), h.server, lt) }()
		synctest.Wait()
		write(t, lt, 2, 0, 2)
		if got := h.guest.received(); got != "2/0 2/1" {
			t.Errorf("received %q", got)
		}
		lt.Log.End(model.DoneTrackEnded, "")
		if err := <-ended; !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestMuxOfferRefused(t *testing.T) {
	atHome(t, session.Client, func(t *testing.T, h *house) {
		h.guest.published = func(r *session.PublishRequest) {
			_ = r.Reject(&model.RequestError{Code: model.Uninterested})
		}
		lt := local(t, 1)
		if err := h.mux.Offer(t.Context(), h.server, lt); !errors.Is(err, refusedWith(model.Uninterested)) {
			t.Errorf("got %v", err)
		}
		if n := lt.Log.Counters().Subscribers.Load(); n != 0 {
			t.Errorf("%d subscribers are left", n)
		}
	})
}

func TestMuxLinger(t *testing.T) {
	atHome(t, session.Server, func(t *testing.T, h *house) {
		lt := local(t, 1)
		h.mux.Handle(lt)
		took := func(limit time.Duration) time.Duration {
			began := time.Now()
			h.mux.Linger(limit)
			return time.Since(began)
		}
		if d := took(time.Second); d != lastWords {
			t.Errorf("without subscriptions it took %v", d)
		}
		if _, err := h.subscribe(model.Filter{}); err != nil {
			t.Fatal(err)
		}
		if d := took(time.Second); d != time.Second {
			t.Errorf("with one that goes on it took %v", d)
		}
		time.AfterFunc(time.Second, func() { lt.Log.End(model.DoneTrackEnded, "") })
		if d := took(time.Minute); d != time.Second+lastWords {
			t.Errorf("with one that ends it took %v", d)
		}
		h.mux.Wait()
	})
}

// TestMuxOfManySessions: one mux serves them all.
func TestMuxOfManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lt := local(t, 1)
		mux := NewTrackMux()
		mux.Handle(lt)
		l := &listener{make(chan string, 100)}
		var all []*session.Session
		for i := range 3 {
			c, s := memtr.Pair()
			go func() { _ = (&Server{Session: session.Config{Handler: mux}}).ServeConn(t.Context(), s) }()
			sess, err := session.Start(t.Context(), c, session.Config{})
			if err == nil {
				_, err = sess.Subscribe(t.Context(), session.SubscribeOptions{Track: testTrack}, l)
			}
			if err != nil {
				t.Fatal(fmt.Sprint(i, err))
			}
			all = append(all, sess)
		}
		write(t, lt, 2, 0, 1)
		if got := l.received(); got != "2/0 2/0 2/0" {
			t.Errorf("received %q", got)
		}
		for _, s := range all {
			s.Close(model.NoError, "")
			s.Wait()
		}
		mux.Wait()
	})
}
