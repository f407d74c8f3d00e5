package relay

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"

	"pgregory.net/rapid"
)

// TestFetchesAreCounted: those that the log answered alone, and those for which
// the publisher was asked.
// Duties: 79.
func TestFetchesAreCounted(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 2))
		pub.past["date"] = locations(5, 0, 3)
		sub.mustSubscribe(date)
		for range 4 {
			sub.wantFetch("each", session.FetchOptions{Range: span(5, 0, 5, 2)}, "5/0 5/1 5/2")
		}
		if c := s.r.Counters().Snapshot(); c.FetchMisses != 1 || c.FetchHits != 3 {
			t.Errorf("%d hits and %d misses are counted", c.FetchHits, c.FetchMisses)
		}
	})
}

// TestTrackNamesAreNotAnnounced: who publishes a namespace does not publish the
// names in it. Neither subscriptions nor fetches of others show them; without
// the name there is no way to ask.
func TestTrackNamesAreNotAnnounced(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, friend, stranger := s.join(), s.join(), s.join()
		secret := name("a/b", "k8s3fh2")
		pub.publish("a/b", secret.Name, largest(1, 0))
		pub.past[secret.Name] = locations(1, 0, 1)
		w := stranger.watch("")
		stranger.collect("", true)
		friend.mustSubscribe(secret)
		friend.wantFetch("who knows the name", session.FetchOptions{Track: secret, Range: span(1, 0, 1, 0)}, "1/0")
		pub.stream(pub.outbound(secret.Name), 1, 1, 1)
		friend.want("who knows the name", "1/1")
		w.want("namespaces are told", "+a/b")
		stranger.wantTracks("tracks are not")
		if _, err := stranger.subscribe(name("a/b", "guess"), session.Change{}); !errors.Is(err, &model.RequestError{Code: model.DoesNotExist, Remote: true}) {
			t.Errorf("a guess: %v", err)
		}
	})
}

// TestAnyPayloadPasses as it is, on streams, in datagrams and by FETCH: random
// bytes, as encrypted media are, and bytes that look like messages.
// Duties: 1.
func TestAnyPayloadPasses(t *testing.T) {
	setup := testkit.Must(wire.AppendMessage(nil, wire.Context{Draft: model.Draft18, Stream: wire.ControlStream, Receiver: wire.Server}, &wire.Setup{}))(t)
	header := (&wire.SubgroupHeader{TrackAlias: 1, Group: 1, FirstObject: true}).Append(nil, model.Draft18)
	payload := rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 900),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom([][]byte{setup, header, {0}, {0xff}, {0xc0}}), 1, 20), func(parts [][]byte) []byte { return slices.Concat(parts...) }),
	)
	rapid.Check(t, func(rt *rapid.T) {
		payloads := rapid.SliceOfN(payload, 1, 8).Draw(rt, "payloads")
		same := true
		play(t, Config{}, func(t *testing.T, s *stage) {
			pub, _, out := s.live()
			p := s.tapeOf(date)
			g := pub.open(out, session.SubgroupHeader{Group: 1, FirstObject: true})
			var want []string
			for i, b := range payloads {
				g.put(session.ObjectHeader{ID: uint64(i)}, string(b))
				want = append(want, string(b))
				d := session.Datagram{TrackAlias: out.Alias(), Group: 2, Object: uint64(i), Payload: b}
				testkit.NoErr(t, pub.sess.Conn().SendDatagram(d.Append(nil, model.Draft18)))
				synctest.Wait()
			}
			g.Close()
			streams, datagrams := p.take()
			same = len(streams) == 1 && slices.Equal(streams[0].Payload, want)
			var packets, fetched []string
			for _, d := range datagrams {
				packets = append(packets, string(d.Payload))
			}
			same = same && slices.Equal(packets, want)
			o := session.FetchOptions{Track: date, Range: span(1, 0, 1, model.MaxID)}
			f := testkit.Must(s.join().sess.Fetch(t.Context(), o))(t)
			for item, err := f.Next(t.Context()); err == nil; item, err = f.Next(t.Context()) {
				if item.Kind == session.FetchObject {
					fetched = append(fetched, string(testkit.Must(f.Payload())(t)))
				}
			}
			same = same && slices.Equal(fetched, want)
		})
		if !same {
			rt.Fatal("a payload changed")
		}
	})
}

// patient is a Receiver that reads slowly and keeps every stream to its end.
type patient struct {
	tape
	pace time.Duration
}

func (p *patient) ReceiveSubgroup(r *session.SubgroupReader) {
	one := taped{Header: r.Header}
	for {
		time.Sleep(p.pace) // virtual
		h, err := r.Next()
		var payload []byte
		if err == nil {
			payload, err = r.Payload()
		}
		if err != nil {
			one.End = err.Error()
			break
		}
		one.Objects, one.Payload = append(one.Objects, h), append(one.Payload, string(payload))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams = append(p.streams, one)
}

// TestGroupsAreWholeOrReset: a stream that ends in order holds the whole group,
// however slowly it is read; what cannot be had whole is reset.
// Duties: 50.
func TestGroupsAreWholeOrReset(t *testing.T) {
	cfg := Config{CacheGroups: 4}
	cfg.Slow.MaxGroups = 2
	play(t, cfg, func(t *testing.T, s *stage) {
		pub := s.join()
		pub.publish("moq-date", "date", session.Offer{})
		var viewers []*patient
		for _, pace := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, time.Second} {
			v := &patient{pace: pace}
			a := s.join(memtr.WithWindow(4096))
			testkit.Must(a.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date}, v))(t)
			viewers = append(viewers, v)
		}
		out := pub.outbound("date")
		const groups, objects = 40, 12
		for group := range uint64(groups) {
			g := pub.open(out, session.SubgroupHeader{Group: group, FirstObject: true})
			for id := range uint64(objects) {
				g.put(session.ObjectHeader{ID: id}, content(loc(group, id)))
				pass(10 * time.Millisecond)
				if group%5 == 4 && id == 6 {
					g.CancelWrite(uint64(model.ResetInternalError))
					break
				}
			}
			if group%5 != 4 {
				g.Close()
			}
		}
		pass(time.Hour)
		whole, resets := make([]int, len(viewers)), make([]int, len(viewers))
		for i, v := range viewers {
			for _, st := range v.byGroup() {
				for o, h := range st.Objects {
					if h.ID != uint64(o) || st.Payload[o] != content(loc(st.Header.Group, h.ID)) {
						t.Errorf("viewer %d, group %d: object %d at place %d", i, st.Header.Group, h.ID, o)
					}
				}
				if st.End != "EOF" {
					resets[i]++
					continue
				}
				whole[i]++
				if st.Header.Group%5 == 4 || len(st.Objects) != objects {
					t.Errorf("viewer %d: the stream of group %d ends in order after %d objects", i, st.Header.Group, len(st.Objects))
				}
			}
		}
		if whole[0] != groups*4/5 || resets[0] != groups/5 {
			t.Errorf("who reads at once has %d whole groups and %d reset", whole[0], resets[0])
		}
		if last := len(viewers) - 1; resets[last] <= groups/5 && whole[last] == groups*4/5 {
			t.Error("the slowest was not too slow; the test shows nothing")
		}
	})
}
