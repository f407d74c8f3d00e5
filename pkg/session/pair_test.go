package session

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// pair runs f in a bubble with two sessions of ours that talk to each other, for
// each of the drafts, strictly. hc and hs are the handlers of client and server.
func pair(t *testing.T, drafts []model.Draft, limits Limits, f func(t *testing.T, c, s *Session, hc, hs *recorder)) {
	t.Helper()
	for _, d := range drafts {
		t.Run("draft "+d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hc, hs := newRecorder(), newRecorder()
				hc.init()
				hs.init()
				cc, cs := memtr.Pair()
				server := make(chan *Session, 1)
				go func() {
					s, err := Start(t.Context(), cs, Config{Role: wire.Server, Draft: d, Handler: hs, Strict: true, Limits: limits, Implementation: "the server"})
					if err != nil {
						t.Errorf("server: %v", err)
					}
					server <- s
				}()
				c, err := Start(t.Context(), cc, Config{Role: wire.Client, Draft: d, Handler: hc, Strict: true, Limits: limits, Path: "/moq", Authority: "a.example"})
				if err != nil {
					t.Fatalf("client: %v", err)
				}
				s := <-server
				if s.Path() != "/moq" || s.Authority() != "a.example" || c.PeerImplementation() != "the server" {
					t.Errorf("the server sees path %q and authority %q, the client %q", s.Path(), s.Authority(), c.PeerImplementation())
				}
				f(t, c, s, hc, hs)
				synctest.Wait()
				if c.Err() != nil || s.Err() != nil {
					t.Errorf("sessions ended with %v and %v", c.Err(), s.Err())
				}
				c.Close(model.NoError, "test over")
				c.Wait()
				s.Wait()
			})
		})
	}
}

// accepting answers the next SUBSCRIBE that h is given.
func (h *recorder) accepting(t *testing.T, offer Offer, onUpdate UpdateFunc) *Outbound {
	t.Helper()
	out, err := (<-h.subscribes).Accept(offer, onUpdate)
	if err != nil {
		t.Error(err)
	}
	return out
}

// write sends one object of a group on a stream of its own.
func (o *Outbound) write(t *testing.T, group uint64, payload string) {
	t.Helper()
	st, err := o.s.conn.OpenUniStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := o.s.cfg.Draft
	header := wire.SubgroupHeader{TrackAlias: o.alias, Group: group, Priority: model.Some[uint8](128)}
	b := header.Append(nil, d)
	b = wire.FormOf(d, false).AppendObject(b, model.Opt[uint64]{}, wire.ObjectHeader{PayloadLen: uint64(len(payload))})
	if _, err := st.Write(append(b, payload...)); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPairSubscription(t *testing.T) {
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		for round := range 3 { // the track is free again when a subscription has ended
			var updates []Terms
			outs := make(chan *Outbound, 1)
			go func() {
				outs <- hs.accepting(t, Offer{Largest: at(4, 2)}, func(_, next Terms, _ model.Opt[uint64]) error {
					updates = append(updates, next)
					return nil
				})
			}()
			in, err := c.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack, Rendezvous: time.Second, Change: Change{
				Priority: model.Some[uint8](7), Order: model.Some(model.Descending), Filter: model.Some(model.NextGroup), NewGroup: model.Some[uint64](3),
			}}, hc)
			if err != nil {
				t.Fatal(err)
			}
			out := <-outs
			if in.Offer.Largest != at(4, 2) || in.Terms.Range != out.Terms().Range || out.Terms().Priority != 7 || out.Terms().Order != model.Descending {
				t.Errorf("the subscriber has %+v of %+v, the publisher %+v", in.Terms, in.Offer, out.Terms())
			}
			out.SetLargest(func() model.Opt[model.Location] { return at(6, 0) })
			largest, err := in.Update(t.Context(), Change{Forward: model.Some(false)})
			synctest.Wait()
			if err != nil || largest.Set && largest != at(6, 0) || len(updates) != 1 || updates[0].Forward || updates[0].Priority != 7 || updates[0].Range != out.Terms().Range {
				t.Errorf("Update returned %v, %v; the publisher was told %+v", largest, err, updates)
			}
			out.write(t, 5, "five")
			if got := hc.drained(); got != "5/0 five, end" {
				t.Errorf("received %s", got)
			}
			switch round {
			case 0:
				if err := out.Done(model.DoneTrackEnded, "over", model.Some[uint64](1)); err != nil {
					t.Fatal(err)
				}
				<-in.Context().Done()
				if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
					t.Errorf("ended with %v", err)
				}
			case 1:
				in.Cancel(model.ResetCancelled)
				<-out.Context().Done()
				if err := context.Cause(out.Context()); !errors.Is(err, &model.StreamError{Code: model.ResetCancelled, Remote: true}) {
					t.Errorf("cancelled with %v", err)
				}
			}
			if round < 2 {
				synctest.Wait()
			}
		}
	})
}

func TestPairPublish(t *testing.T) {
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		ins := make(chan *Inbound, 1)
		go func() {
			req := <-hs.publishes
			if req.Forward || req.Offer.Largest != at(1, 2) {
				t.Errorf("offered %+v, forward %v", req.Offer, req.Forward)
			}
			in, err := req.Accept(Change{Priority: model.Some[uint8](9)}, hs)
			if err != nil {
				t.Error(err)
			}
			ins <- in
		}()
		out, err := c.Publish(t.Context(), PublishOptions{Track: dateTrack, Offer: Offer{Largest: at(1, 2)}, Forward: model.Some(false)})
		if err != nil {
			t.Fatal(err)
		}
		in := <-ins
		if got := out.Terms(); got.Forward || got.Priority != 9 || in.Terms.Forward {
			t.Errorf("agreed on %+v", got)
		}
		if _, err := in.Update(t.Context(), Change{Forward: model.Some(true)}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !out.Terms().Forward || out.Terms().Priority != 9 {
			t.Errorf("updated to %+v", out.Terms())
		}
		out.write(t, 2, "two")
		if got := hs.drained(); got != "2/0 two, end" {
			t.Errorf("received %s", got)
		}
		in.Cancel(model.ResetCancelled)
		<-out.Context().Done()
		go func() { _ = (<-hs.publishes).Reject(&model.RequestError{Code: model.Uninterested}) }()
		_, err = c.Publish(t.Context(), PublishOptions{Track: dateTrack})
		if !errors.Is(err, &model.RequestError{Code: model.Uninterested, Remote: true}) {
			t.Errorf("refused with %v", err)
		}
	})
}

func TestPairFetch(t *testing.T) {
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		go hs.accepting(t, Offer{Largest: at(9, 1)}, nil)
		in, err := c.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, hc)
		if err != nil {
			t.Fatal(err)
		}
		for _, opts := range []FetchOptions{
			{Track: dateTrack, Range: model.Range{Start: model.Location{Group: 8}, End: model.Location{Group: 9, Object: 1}}, FillTimeout: model.Some(time.Second)},
			{Join: &Join{To: in, Relative: true, Start: 1}},
			{Join: &Join{To: in, Start: 8}},
		} {
			f, err := c.Fetch(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			req := <-hs.fetches
			if req.Range != (model.Range{Start: model.Location{Group: 8}, End: model.Location{Group: 9, Object: 1}}) || (req.Joined != nil) != (opts.Join != nil) {
				t.Errorf("asked for %v, joined %v", req.Range, req.Joined)
			}
			st, enc, b, err := req.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			item := wire.FetchItem{Kind: wire.FetchObject, Location: model.Location{Group: 8}, Priority: 128, PayloadLen: 2}
			if b, err = enc.Append(b, item); err != nil {
				t.Fatal(err)
			}
			if _, err := st.Write(append(b, "hi"...)); err != nil {
				t.Fatal(err)
			}
			if err := req.Accept(FetchInfo{End: req.Range.End}); err != nil {
				t.Fatal(err)
			}
			st.Close()
			req.Finish()
			if info, err := f.OK(t.Context()); err != nil || info.End != req.Range.End {
				t.Errorf("OK returned %+v, %v", info, err)
			}
			got, err := f.Next(t.Context())
			if err != nil || got.Location != item.Location {
				t.Errorf("Next returned %+v, %v", got, err)
			}
			if _, err := f.Next(t.Context()); err != io.EOF {
				t.Errorf("the end is %v", err)
			}
		}
		f, err := c.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
		if err != nil {
			t.Fatal(err)
		}
		req := <-hs.fetches
		f.Cancel()
		<-req.Context().Done()
	})
}

func TestPairNamespaces(t *testing.T) {
	prefix := model.Namespace{"a"}
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		reports := make(chan string, 8)
		report := func(suffix model.Namespace, live bool) {
			if live {
				reports <- "+" + suffix.String()
			} else {
				reports <- "-" + suffix.String()
			}
		}
		feeds := make(chan *PrefixFeed, 1)
		go func() {
			for range 2 { // in draft 14 it asks for tracks too
				select {
				case req := <-hs.prefixes:
					if !req.Prefix.Equal(prefix) {
						t.Errorf("asked for %v", req.Prefix)
					}
					if req.kind == wire.KindSubscribeTracks {
						_ = req.Reject(notSupported)
						continue
					}
					feed, err := req.Accept(nil)
					if err != nil {
						t.Error(err)
					}
					feeds <- feed
				case <-s.Context().Done():
					return
				}
			}
		}()
		sub, err := c.SubscribeNamespace(t.Context(), prefix, report)
		if err != nil {
			t.Fatal(err)
		}
		feed := <-feeds
		x, y := model.Namespace{"x"}, model.Namespace{"y", "z"}
		for _, err := range []error{feed.Namespace(x), feed.Namespace(y), feed.NamespaceDone(x), feed.Namespace(x), feed.Blocked(x, "t")} {
			if err != nil && !errors.Is(err, errTerminated) { // PUBLISH_BLOCKED does not belong here
				if c.dialect.blocked {
					continue
				}
				t.Error(err)
			}
		}
		for _, want := range []string{"+x", "+" + y.String(), "-x", "+x"} {
			if got := <-reports; got != want {
				t.Errorf("reported %s, want %s", got, want)
			}
		}
		synctest.Wait()
		sub.Cancel()
		<-feed.Context().Done()
		<-sub.Context().Done()
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.prefixes[wire.KindSubscribeNamespace]) > 0 || len(c.asked) > 0 {
			t.Error("the prefix is still held")
		}
	})
}

func TestPairPublishNamespace(t *testing.T) {
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		for _, how := range []string{"withdrawn", "revoked"} {
			got := make(chan *NamespaceRequest, 1)
			go func() {
				req := <-hs.namespaces
				if err := req.Accept(); err != nil {
					t.Error(err)
				}
				got <- req
			}()
			ns, err := c.PublishNamespace(t.Context(), model.Namespace{"a", "b"})
			if err != nil {
				t.Fatal(err)
			}
			req := <-got
			if how == "withdrawn" {
				ns.Withdraw()
			} else {
				req.Revoke(model.ResetCancelled)
			}
			<-req.Context().Done()
			<-ns.Context().Done()
			synctest.Wait()
		}
		go func() { _ = (<-hs.namespaces).Reject(&model.RequestError{Code: model.Uninterested, Reason: "no"}) }()
		_, err := c.PublishNamespace(t.Context(), model.Namespace{"a", "b"})
		if !errors.Is(err, &model.RequestError{Code: model.Uninterested, Remote: true}) {
			t.Errorf("refused with %v", err)
		}
	})
}

func TestPairTrackStatus(t *testing.T) {
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		s.cfg.Handler = knowing{}
		offer, err := c.TrackStatus(t.Context(), dateTrack)
		if err != nil || offer.Largest != at(3, 4) {
			t.Errorf("got %+v, %v", offer, err)
		}
	})
}

// knowing is a Handler that knows the status of any track.
type knowing struct{ Refuse }

func (knowing) TrackStatus(_ context.Context, r *TrackStatusRequest) {
	_ = r.Accept(Offer{Largest: at(3, 4)})
}

func TestPairGoaway(t *testing.T) {
	pair(t, allDrafts, Limits{}, func(t *testing.T, c, s *Session, _, _ *recorder) {
		if err := s.Goaway("moqt://b/", time.Hour); err != nil {
			t.Fatal(err)
		}
		<-c.GoawayReceived()
		if g := c.PeerGoaway(); g.URI != "moqt://b/" {
			t.Errorf("got %+v", g)
		}
	})
}

// TestPairCredit makes many more requests than may be open at once, some of which
// wait.
func TestPairCredit(t *testing.T) {
	pair(t, sharedDrafts, Limits{Requests: 3}, func(t *testing.T, c, s *Session, hc, hs *recorder) {
		var open []*PublishedNamespace
		go func() {
			for {
				select {
				case r := <-hs.namespaces:
					_ = r.Accept() // a refusal is seen below
				case <-s.Context().Done():
					return
				}
			}
		}()
		publish := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			ns, err := c.PublishNamespace(ctx, model.Namespace{"a"})
			if err == nil {
				open = append(open, ns)
			}
			return err
		}
		for range 3 {
			if err := publish(); err != nil {
				t.Fatal(err)
			}
		}
		if err := publish(); !errors.Is(err, transport.ErrNoCredit) {
			t.Errorf("without credit: %v", err)
		}
		for range 10 {
			open[0].Withdraw()
			open = open[1:]
			if err := publish(); err != nil {
				t.Fatalf("after one has ended: %v", err)
			}
		}
	})
}
