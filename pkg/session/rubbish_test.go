package session

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// acceptor is a Handler that accepts everything, so that rubbish meets every
// state, and a Receiver that reads everything.
type acceptor struct{}

func (acceptor) ReceiveSubgroup(r *SubgroupReader) {
	for {
		if _, err := r.Next(); err != nil {
			return
		}
		if _, err := r.Payload(); err != nil {
			return
		}
	}
}
func (acceptor) ReceiveDatagram(*wire.Datagram) {}

// rubbish plays a script of raw bytes to a session: each step opens a stream of
// some kind, writes to one that is open, ends one, or sends a datagram. Requests
// that share a control stream are written to that.
func rubbish(t *testing.T, d model.Draft, script []byte) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := memtr.Pair()
		s := make(chan *Session, 1)
		go func() {
			sess, err := Start(t.Context(), srv, Config{Role: wire.Server, Draft: d, Handler: acceptAll{}})
			if err != nil {
				sess = nil
			}
			s <- sess
		}()
		p := &peer{t: t, role: wire.Client, conn: c, draft: d}
		var control transport.Stream // of drafts up to 16
		next := func() byte {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return b
		}
		var open []transport.SendStream
		switch begins := next()&1 == 0; {
		case begins && d > model.Draft16:
			p.uni(unhex(t, "af00 0000"))
		case begins:
			st, err := c.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			control = st
			m := &wire.Setup{MaxRequestID: model.Some[uint64](plenty)}
			if d == model.Draft14 {
				m.Versions = []uint64{wire.VersionNumber(d)}
			}
			p.send(st, wire.ControlStream, 0, 0, m)
		}
		for len(script) > 0 && c.Context().Err() == nil {
			op := next()
			n := min(int(next()), len(script))
			chunk := script[:n]
			switch {
			case op < 60:
				if st, err := c.TryOpenUniStream(); err == nil {
					open = append(open, st)
					p.write(st, chunk)
				}
			case op < 120 && op >= 70 && control != nil:
				p.write(control, chunk)
			case op < 120:
				if st, err := c.TryOpenStream(); err == nil {
					open = append(open, st)
					p.write(st, chunk)
				}
			case op < 150:
				_ = c.SendDatagram(chunk)
			case op < 200 && len(open) > 0:
				p.write(open[int(op)%len(open)], chunk)
			case op < 220 && len(open) > 0:
				open[int(op)%len(open)].Close()
			case op < 240 && len(open) > 0:
				open[int(op)%len(open)].CancelWrite(uint64(op))
			default:
				time.Sleep(time.Second) // virtual
			}
			script = script[n:]
			synctest.Wait()
		}
		c.CloseWithError(0, "done")
		if sess := <-s; sess != nil {
			sess.Wait() // a hang is a deadlock of the bubble, which fails the test
			synctest.Wait()
			if len(sess.inbound) > 0 || sess.parked.streams > 0 {
				t.Errorf("left over: %d inbound, %d parked", len(sess.inbound), sess.parked.streams)
			}
			if c := sess.shared; c != nil && len(c.lanes)+len(c.updates) > 0 {
				t.Errorf("left over: %d lanes, %d updates", len(c.lanes), len(c.updates))
			}
		}
	})
}

// seeds are sound conversations, so that mutations start from something that
// gets far.
func rubbishSeeds(t testing.TB, d model.Draft) [][]byte {
	encode := func(m wire.Message, answers wire.MessageKind) []byte {
		stream := wire.RequestStream
		if _, namespaces := m.(*wire.SubscribeNamespace); d == model.Draft14 || d == model.Draft16 && !namespaces {
			stream = wire.ControlStream
		}
		b, err := wire.AppendMessage(nil, wire.Context{Draft: d, Stream: stream, Request: answers, Answers: answers, Receiver: wire.Server}, m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	update := wire.Params{Forward: model.Some(true), SubscriberPriority: model.Some[uint8](3), Filter: model.Some(model.Filter{})}
	step := func(op byte, b []byte) []byte { return append([]byte{op, byte(len(b))}, b...) }
	ns := model.Namespace{"a"}
	var seeds [][]byte
	for _, m := range []wire.Message{
		&wire.Subscribe{Track: dateTrack, Params: wire.Params{Filter: model.Some(model.NextObject)}},
		&wire.Publish{Track: dateTrack, TrackAlias: 1},
		&wire.Fetch{FetchKind: wire.FetchStandalone, Track: dateTrack, Range: allOfGroup9},
		&wire.Fetch{FetchKind: wire.FetchRelativeJoining, JoiningRequestID: 0},
		&wire.TrackStatus{Track: dateTrack},
		&wire.PublishNamespace{Namespace: ns},
		&wire.SubscribeNamespace{Prefix: ns, Options: wire.WantBoth},
		&wire.SubscribeTracks{Prefix: ns},
	} {
		if !wire.OpensRequest(d, m.Kind()) {
			continue
		}
		op := byte(100)
		if n, ok := m.(*wire.SubscribeNamespace); ok && d != model.Draft16 {
			n.Options = 0
		} else if ok {
			op = 65 // on a stream
		}
		s := step(op, encode(m, m.Kind()))
		s = append(s, step(150, encode(&wire.RequestUpdate{RequestID: 2, Params: update}, wire.KindSubscribe))...)
		s = append(s, step(10, []byte{0x10, 1, 11, 0x80, 0, 2, 'h', 'i'})...)
		s = append(s, step(130, []byte{0, 1, 11, 2, 0x80, 'x'})...)
		if d <= model.Draft16 {
			for _, end := range []wire.Message{
				&wire.MaxRequestID{Max: plenty + 2}, &wire.RequestsBlocked{Max: 8}, &wire.Unsubscribe{}, &wire.FetchCancel{},
				&wire.PublishDone{}, &wire.PublishNamespaceDone{Namespace: ns}, &wire.PublishNamespaceCancel{RequestID: 1, Namespace: ns},
				&wire.RequestError{RequestID: 1}, &wire.SubscribeOK{RequestID: 1},
			} {
				s = append(s, step(110, encode(end, wire.KindSubscribe))...)
			}
		}
		s = append(s, 210, 0, 230, 0)
		seeds = append(seeds, append([]byte{0}, s...))
	}
	return seeds
}

// TestRubbish mutates sound conversations at random; FuzzRubbish goes on from
// there.
func TestRubbish(t *testing.T) {
	for _, d := range allDrafts {
		t.Run("draft "+d.String(), func(t *testing.T) { testRubbish(t, d) })
	}
}

func testRubbish(t *testing.T, d model.Draft) {
	seeds := rubbishSeeds(t, d)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		script := append([]byte(nil), seeds[rng.IntN(len(seeds))]...)
		script = append(script, seeds[rng.IntN(len(seeds))][1:]...)
		for range rng.IntN(8) {
			script[rng.IntN(len(script))] = byte(rng.Uint32())
		}
		rubbish(t, d, script)
		if t.Failed() {
			t.Fatalf("script %x", script)
		}
	}
}

func FuzzRubbish(f *testing.F) { fuzzRubbish(f, model.Draft18) }

func FuzzRubbishOfDraft16(f *testing.F) { fuzzRubbish(f, model.Draft16) }

func FuzzRubbishOfDraft14(f *testing.F) { fuzzRubbish(f, model.Draft14) }

func fuzzRubbish(f *testing.F, d model.Draft) {
	for _, s := range rubbishSeeds(f, d) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4096 {
			return
		}
		rubbish(t, d, script)
	})
}
