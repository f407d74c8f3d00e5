package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// betweenDrafts runs f for every pair of drafts.
func betweenDrafts(t *testing.T, cfg Config, f func(c *crossing)) {
	for _, from := range allDrafts {
		for _, to := range allDrafts {
			t.Run(fmt.Sprintf("%v to %v", from, to), func(t *testing.T) {
				play(t, cfg, func(t *testing.T, s *stage) { f(&crossing{t: t, s: s, from: from, to: to}) })
			})
		}
	}
}

// TestEndsFromDraftToDraft: the codes of PUBLISH_DONE, of which 5 and 6 changed
// places, and that of a malformed track has three numbers.
// Duties in drafts 18, 16, 14: 38, 72.
func TestEndsFromDraftToDraft(t *testing.T) {
	for _, code := range []model.DoneCode{
		model.DoneTrackEnded, model.DoneUnauthorized, model.DoneExpired, model.DoneMalformedTrack, model.DoneTooFarBehind,
	} {
		t.Run(code.String(), func(t *testing.T) {
			betweenDrafts(t, Config{}, func(c *crossing) {
				in := c.begin("streams", transport.QUIC)
				testkit.NoErr(c.t, c.pub.outbound("streams").Done(code, "because", model.Some(uint64(0))))
				pass(2 * retryPause)
				err := context.Cause(in.Context())
				if code == model.DoneTooFarBehind { // the relay was, which does not end the track: it subscribes anew
					if n, _ := c.pub.counts(); err != nil || n != 2 {
						c.t.Errorf("ended with %v after %d subscriptions", err, n)
					}
				} else if !errors.Is(err, &model.DoneError{Code: code}) {
					c.t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// TestTooFarBehindInEveryDraft: a subscriber that reads nothing.
// Duties in drafts 18, 16, 14: 58.
func TestTooFarBehindInEveryDraft(t *testing.T) {
	cfg := Config{Slow: egress.Policy{MaxBytes: 1 << 20, Action: egress.EndTooFarBehind}}
	betweenDrafts(t, cfg, func(c *crossing) {
		c.pub = c.s.joinDraft(c.from, transport.QUIC)
		c.pub.publish("drafts", "streams", session.Offer{})
		sub := c.s.joinDraft(c.to, transport.QUIC)
		stuck := stuckReceiver{make(chan struct{})}
		in := testkit.Must(sub.sess.Subscribe(c.t.Context(), session.SubscribeOptions{Track: name("drafts", "streams")}, stuck))(c.t)
		out := c.pub.outbound("streams")
		for group := range uint64(3) {
			g := c.pub.open(out, wire.SubgroupHeader{Group: group, FirstObject: true})
			payload := strings.Repeat("x", 1<<20)
			b := g.form.AppendObject(nil, g.prev, wire.ObjectHeader{PayloadLen: uint64(len(payload))})
			_, _ = g.Write(append(b, payload...)) // when nobody is left the relay wants no more
			synctest.Wait()
		}
		close(stuck.open)
		synctest.Wait()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTooFarBehind}) {
			c.t.Errorf("ended with %v", err)
		}
	})
}

// stuckReceiver reads nothing before it is opened.
type stuckReceiver struct{ open chan struct{} }

func (s stuckReceiver) ReceiveSubgroup(*session.SubgroupReader) { <-s.open }
func (s stuckReceiver) ReceiveDatagram(*session.Datagram)       {}

// TestWhatADraftCannotSay costs the subgroup or the datagram, and is counted; all
// else goes on.
func TestWhatADraftCannotSay(t *testing.T) {
	const large = 1 << 62
	for _, to := range allDrafts {
		t.Run(to.String(), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				c := &crossing{t: t, s: s, from: model.Draft18, to: to}
				c.begin("streams", transport.QUIC)
				out := c.pub.outbound("streams")
				value := c.pub.encoded(model.Properties{{Type: 0x06, Int: large}})
				send := func(group, subgroup, id uint64, props []byte) {
					g := c.pub.open(out, wire.SubgroupHeader{Group: group, Mode: wire.SubgroupExplicit, Subgroup: subgroup, Properties: true, FirstObject: true})
					g.put(wire.ObjectHeader{ID: 0}, "fits")
					if id > 0 {
						g.put(wire.ObjectHeader{ID: id, Properties: props}, "does it?")
					}
					testkit.NoErr(t, g.Close())
					synctest.Wait()
				}
				send(1, 0, 1, value)
				send(2, 0, large, nil)
				send(3, large, 0, nil) // nothing of it is sent
				send(4, 0, 1, c.pub.encoded(model.Properties{{Type: model.PropImmutable, Bytes: value}}))
				send(5, 0, 1, nil)
				for _, d := range []wire.Datagram{
					{Group: 6, Object: large, Payload: []byte("x")},
					{Group: 7, Properties: value, Payload: []byte("x")},
					{Group: 8, Payload: []byte("x")},
					{Group: large, Payload: []byte("x")},
				} {
					d.TrackAlias = out.Alias()
					testkit.NoErr(t, c.pub.sess.Conn().SendDatagram(d.Append(nil, c.from)))
					synctest.Wait()
				}
				objects, ends := c.sub.take()
				var got []string
				for _, o := range objects {
					got = append(got, o.Location.String())
				}
				reset, want := 0, "1/0 2/0 4/0 5/0 5/1 8/0"
				for _, e := range ends {
					if strings.Contains(e, "INTERNAL_ERROR") {
						reset++
					}
				}
				wantReset, wantDropped := 3, uint64(4+3)
				if to == model.Draft18 {
					want = fmt.Sprintf("1/0 1/1 2/0 2/%[1]d 3/0 4/0 4/1 5/0 5/1 6/%[1]d 7/0 8/0 %[1]d/0", uint64(large))
					wantReset, wantDropped = 0, 0
				}
				if text := strings.Join(got, " "); text != want {
					t.Errorf("received %s\nwant     %s", text, want)
				}
				if reset != wantReset {
					t.Errorf("%d streams are reset: %q", reset, ends)
				}
				if n := s.dropped(observe.DropUnencodable); n != wantDropped {
					t.Errorf("%d objects are counted as not expressible, want %d", n, wantDropped)
				}
			})
		})
	}
}

// dropped counts objects that subscribers did not get.
func (s *stage) dropped(why observe.DropReason) (n uint64) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	for _, t := range s.r.tracks {
		n += t.log.Counters().Dropped[why].Load()
	}
	return n
}

// TestImmutablePropertiesBetweenDrafts are rewritten, which is written down once
// for a track, or withheld.
func TestImmutablePropertiesBetweenDrafts(t *testing.T) {
	for _, keep := range []bool{false, true} {
		for _, to := range allDrafts {
			t.Run(fmt.Sprintf("keep %v, 18 to %v", keep, to), func(t *testing.T) {
				var log strings.Builder
				cfg := Config{KeepImmutable: keep, Log: slog.New(slog.NewTextHandler(&log, nil))}
				play(t, cfg, func(t *testing.T, s *stage) {
					c := &crossing{t: t, s: s, from: model.Draft18, to: to}
					in := c.begin("streams", transport.QUIC)
					s.join().mustSubscribe(name("drafts", "streams")) // so that the track goes on
					for group := range uint64(3) {
						g := c.pub.open(c.pub.outbound("streams"), wire.SubgroupHeader{Group: group, Properties: true, FirstObject: true})
						g.put(wire.ObjectHeader{ID: 0, Properties: c.pub.encoded(all)}, "x")
						g.Close()
					}
					got, _ := c.sub.take()
					foreign := to != model.Draft18
					if kept := keep && foreign; len(got) != 3 && !kept || len(got) > 0 && kept {
						t.Errorf("received %v", got)
					}
					if err := context.Cause(in.Context()); errors.Is(err, &model.DoneError{Code: model.DoneInternalError}) != (keep && foreign) {
						t.Errorf("ended with %v", err)
					}
					_, err := c.sub.past(name("drafts", "streams"), model.Range{End: loc(0, 0)})
					if _, reset := errors.AsType[*model.StreamError](err); reset != (keep && foreign) || err != nil && !reset {
						t.Errorf("fetched with %v", err)
					}
				})
				if n := strings.Count(log.String(), "immutable properties rewritten"); n > 1 || (n == 1) != (!keep && to != model.Draft18) {
					t.Errorf("written down %d times", n)
				}
			})
		}
	}
}

// TestUnknownRangesInEveryDraft: draft 14 has no word for them, so the stream ends
// there.
func TestUnknownRangesInEveryDraft(t *testing.T) {
	for _, to := range allDrafts {
		t.Run(to.String(), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				c := &crossing{t: t, s: s, from: model.Draft18, to: to}
				c.begin("streams", transport.QUIC)
				g := c.pub.open(c.pub.outbound("streams"), wire.SubgroupHeader{Group: 1, FirstObject: true})
				g.put(wire.ObjectHeader{ID: 0}, "x")
				g.put(wire.ObjectHeader{ID: 5}, "y")
				testkit.NoErr(t, g.Close())
				c.sub.take()
				got, err := c.sub.past(name("drafts", "streams"), model.Range{Start: loc(1, 0), End: loc(1, 5)})
				_, reset := errors.AsType[*model.StreamError](err)
				if len(got) > 1 || err == nil || reset != (to == model.Draft14) {
					t.Errorf("%v, %v", got, err)
				}
			})
		})
	}
}

// TestDescendingFetchesFromDraftToDraft of what the publisher has.
// Duties in drafts 18, 16, 14: 66.
func TestDescendingFetchesFromDraftToDraft(t *testing.T) {
	betweenDrafts(t, Config{}, func(c *crossing) {
		c.begin("streams", transport.QUIC)
		c.pub.fetching = c.serve
		want := []model.Location{loc(3, 0), loc(3, 1), loc(2, 70), loc(1, 0), loc(1, 1), loc(1, 2)}
		for _, l := range want {
			c.want = append(c.want, crossed{Location: l, Subgroup: 1, Priority: 3, Payload: l.String()})
		}
		f, err := c.sub.sess.Fetch(c.t.Context(), session.FetchOptions{
			Track: name("drafts", "streams"), Range: model.Range{Start: loc(1, 0), End: loc(3, 2)}, Order: model.Descending,
		})
		testkit.NoErr(c.t, err)
		var got []model.Location
		for {
			item, err := f.Next(c.t.Context())
			if err != nil {
				break
			}
			got = append(got, item.Location)
		}
		if !slices.Equal(got, want) {
			c.t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestOwnTracksAreEchoed where the draft wants it.
// Duties in drafts 18, 16, 14: 19.
func TestOwnTracksAreEchoed(t *testing.T) {
	for _, d := range allDrafts {
		t.Run(d.String(), func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				a := s.joinDraft(d, transport.QUIC)
				a.push(name("a", "own"), session.Offer{})
				a.collect("a", true)
				_, echo := a.sess.Echoes()
				want := []string{}
				if echo {
					want = append(want, "a/own")
				}
				if echo != (d != model.Draft18) {
					t.Errorf("echo %v", echo)
				}
				a.wantTracks("its own", want...)
				other := s.joinDraft(model.Draft18, transport.QUIC)
				other.push(name("a", "other"), session.Offer{})
				a.wantTracks("another's", "a/other")
			})
		})
	}
}

// TestOffersFromDraftToDraft: a PUBLISH is passed on, and its objects come.
// Duties in drafts 18, 16, 14: 24.
func TestOffersFromDraftToDraft(t *testing.T) {
	betweenDrafts(t, Config{}, func(c *crossing) {
		pub, viewer := c.s.joinDraft(c.from, transport.QUIC), c.s.joinDraft(c.to, transport.QUIC)
		viewer.collect("a", true)
		out := pub.push(name("a", "1"), largest(4, 2))
		viewer.wantTracks("what comes", "a/1")
		if in := viewer.in[0]; in.Offer.Largest != model.Some(loc(4, 2)) {
			c.t.Errorf("largest %v", in.Offer.Largest)
		}
		pub.stream(out, 5, 0, 2)
		viewer.want("its objects", "5/0 5/1")
	})
}
