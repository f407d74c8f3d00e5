package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// subscribed makes the session under test subscribe to the date, with the
// track alias 7.
func subscribed(t *testing.T, s *Session, p *peer, recv Receiver) (*Inbound, *peerStream) {
	t.Helper()
	got := make(chan *peerStream, 1)
	go func() {
		st, m := p.accept()
		if sub, ok := m.(*wire.Subscribe); !ok || !sub.Track.Equal(dateTrack) {
			t.Errorf("got %T %+v", m, m)
		}
		st.answer(&wire.SubscribeOK{TrackAlias: 7, Params: wire.Params{LargestObject: model.Some(model.Location{Group: 10, Object: 3})}})
		got <- st
	}()
	in, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack, Change: Change{Filter: model.Some(model.NextObject)}}, recv)
	if err != nil {
		t.Fatal(err)
	}
	return in, <-got
}

func TestSubscribe(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		in, st := subscribed(t, s, p, h)
		if in.Offer.Largest.Value != (model.Location{Group: 10, Object: 3}) || in.Terms.Range.Start != (model.Location{Group: 10, Object: 4}) {
			t.Errorf("largest %v, range %v", in.Offer.Largest, in.Terms.Range)
		}
		p.uni(unhex(t, "10 07 0b 80  00 02 6869  00 01 21")).Close()
		if got := h.drained(); got != "11/0 hi, 11/1 !, end" {
			t.Errorf("received %s", got)
		}
		if err := p.conn.SendDatagram(unhex(t, "00 07 0b 02 80 6869")); err != nil {
			t.Fatal(err)
		}
		if got := h.drained(); got != "11/2 hi" {
			t.Errorf("received %s", got)
		}
		st.answer(&wire.PublishDone{Code: model.DoneTrackEnded, StreamCount: model.Some(uint64(1)), Reason: "over"})
		st.Close()
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Subscribe(ctx, SubscribeOptions{Track: dateTrack}, h); errors.Is(err, &model.RequestError{Code: model.DuplicateSubscription}) {
			t.Error("the ended subscription still counts")
		}
	})
}

func TestSubscribeTwice(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		subscribed(t, s, p, h)
		_, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, h)
		if !errors.Is(err, &model.RequestError{Code: model.DuplicateSubscription}) {
			t.Errorf("got %v", err)
		}
	})
}

// TestEarlyData delivers streams and datagrams that overtake SUBSCRIBE_OK.
func TestEarlyData(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		p.uni(unhex(t, "10 07 0b 80  00 02 6869")).Close()
		if err := p.conn.SendDatagram(unhex(t, "00 07 0b 02 80 6869")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := h.drained(); got != "" {
			t.Errorf("before the alias is known: %s", got)
		}
		subscribed(t, s, p, h)
		got := h.drained()
		if got != "11/2 hi, 11/0 hi, end" && got != "11/0 hi, end, 11/2 hi" && got != "11/0 hi, 11/2 hi, end" {
			t.Errorf("received %s", got)
		}
	})
}

// Duties: 4, 78.
func TestEarlyDataIsBounded(t *testing.T) {
	start(t, wire.Client, Config{Limits: Limits{ParkedStreams: 2, ParkedDatagrams: 3}}, func(t *testing.T, s *Session, p *peer) {
		var streams []transport.SendStream
		for range 3 {
			streams = append(streams, p.uni(unhex(t, "10 07 0b 80")))
			synctest.Wait()
		}
		if se, ok := errors.AsType[*transport.StreamError](context.Cause(streams[2].Context())); !ok || se.Code != uint64(model.ResetExcessiveLoad) {
			t.Errorf("the third stream of two: %v", context.Cause(streams[2].Context()))
		}
		for range 9 {
			_ = p.conn.SendDatagram(unhex(t, "00 07 0b 02 80 6869"))
		}
		synctest.Wait()
		s.mu.Lock()
		if s.parked.datagrams != 3 {
			t.Errorf("%d datagrams are parked", s.parked.datagrams)
		}
		s.mu.Unlock()
		time.Sleep(DefaultAliasWait) // virtual
		synctest.Wait()
		s.mu.Lock()
		if s.parked.datagrams != 0 || s.parked.streams != 0 || len(s.parked.byAlias) != 0 {
			t.Errorf("after the wait %d datagrams and %d streams are parked in %d lots", s.parked.datagrams, s.parked.streams, len(s.parked.byAlias))
		}
		s.mu.Unlock()
		if streams[0].Context().Err() == nil {
			t.Error("a stream of an unknown alias is still open")
		}
		p.wantOpen("unknown aliases")
	})
}

func TestDuplicateAlias(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		subscribed(t, s, p, h)
		go func() {
			st, _ := p.accept()
			st.answer(&wire.SubscribeOK{TrackAlias: 7})
		}()
		_, _ = s.Subscribe(t.Context(), SubscribeOptions{Track: model.FullTrackName{Namespace: model.Namespace{"other"}}}, h)
		p.wantClose("alias of another track", model.DuplicateTrackAlias)
	})
}

// TestDataStreamViolations sends what no publisher may send.
func TestDataStreamViolations(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		fin       bool
		code      model.SessionCode
	}{
		{"FIN in an object header", "50 07 0b 80 00", true, model.ProtocolViolation},
		{"FIN in a payload", "50 07 0b 80 00 05 61", true, model.ProtocolViolation},
		{"FIN in the stream header", "50 07", true, model.ProtocolViolation},
		{"invalid subgroup ID mode", "16 07 0b 80", false, model.ProtocolViolation},
		{"object ID overflows", "50 07 0b 80 ffffffffffffffffff 01 61 00 01 61", false, model.ProtocolViolation},
		{"unknown status", "50 07 0b 80 00 00 07", false, model.ProtocolViolation},
		{"fetch stream that was not asked for", "05 00", false, model.ProtocolViolation},
		{"fetch stream of the peer's own ID", "05 01", false, model.ProtocolViolation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newRecorder()
			startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
				if tt.hex[:2] != "05" {
					subscribed(t, s, p, h)
				}
				st := p.uni(unhex(t, tt.hex))
				if tt.fin {
					st.Close()
				}
				p.wantClose(tt.name, tt.code)
			})
		})
	}
}

func TestDatagramViolations(t *testing.T) {
	for _, tt := range []struct{ name, hex string }{
		{"empty", ""},
		{"truncated", "00 07"},
		{"unknown type", "10 07 0b 00 80"},
		{"status and end of group", "22 07 0b 00 80 00"},
		{"properties of length zero", "01 07 0b 00 80 00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, _ *Session, p *peer) {
				_ = p.conn.SendDatagram(unhex(t, tt.hex))
				p.wantClose(tt.name, model.ProtocolViolation)
			})
		})
	}
}

func TestResetStreamEndsTheReaderOnly(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		subscribed(t, s, p, h)
		st := p.uni(unhex(t, "10 07 0b 80 00 02 6869"))
		synctest.Wait()
		st.CancelWrite(uint64(model.ResetDeliveryTimeout))
		if got := h.drained(); got != "11/0 hi, error stream cancelled by the peer with DELIVERY_TIMEOUT" {
			t.Errorf("received %s", got)
		}
		p.wantOpen("stream reset")
	})
}

// Duties in drafts 18, 16, 14: 77.
func TestStalledHeaderCostsTheStreamOnly(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		subscribed(t, s, p, h)
		st := p.uni(unhex(t, "10 07 0b 80 00"))
		time.Sleep(DefaultHeaderTimeout + time.Second) // virtual
		synctest.Wait()
		if st.Context().Err() == nil {
			t.Error("the stream is still read")
		}
		p.wantOpen("stalled header")
	})
}

func TestCancelSubscription(t *testing.T) {
	h := newRecorder()
	startEach(t, allDrafts, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		in, st := subscribed(t, s, p, h)
		data := p.uni(unhex(t, "10 07 0b 80"))
		synctest.Wait()
		in.Cancel(model.ResetCancelled)
		synctest.Wait()
		if st.Context().Err() == nil || data.Context().Err() == nil {
			t.Error("the peer was not told on every stream")
		}
		late := p.uni(unhex(t, "10 07 0c 80"))
		synctest.Wait()
		if late.Context().Err() == nil {
			t.Error("a straggler is kept")
		}
		p.wantOpen("cancel")
	})
}

func TestUpdateSubscription(t *testing.T) {
	h := newRecorder()
	start(t, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer) {
		in, st := subscribed(t, s, p, h)
		go func() {
			m := st.nextUpdateAnswer().(*wire.RequestUpdate)
			if !m.Params.Forward.Set || m.Params.Forward.Value || m.Params.SubscriberPriority.Set {
				t.Errorf("got %+v", m.Params)
			}
			st.answerUpdate(&wire.RequestOK{Params: wire.Params{LargestObject: model.Some(model.Location{Group: 12})}})
			st.nextUpdateAnswer()
			st.answerUpdate(&wire.RequestError{Code: model.RequestExcessiveLoad})
		}()
		l, err := in.Update(t.Context(), Change{Forward: model.Some(false)})
		if err != nil || l.Value.Group != 12 {
			t.Errorf("Update = %v, %v", l, err)
		}
		if _, err := in.Update(t.Context(), Change{}); !errors.Is(err, &model.RequestError{Code: model.RequestExcessiveLoad, Remote: true}) {
			t.Errorf("refused update: %v", err)
		}
	})
}

// Duties: 36.
func TestServeSubscription(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack, Params: wire.Params{
			SubscriberPriority: model.Some(uint8(9)), Filter: model.Some(model.NextGroup), RendezvousTimeout: model.Some(uint64(1500)),
		}})
		r := <-h.subscribes
		if r.Terms.Priority != 9 || r.Rendezvous != 1500*time.Millisecond || !r.Terms.Forward {
			t.Errorf("asked for %+v", r)
		}
		var updates []Terms
		out, err := r.Accept(Offer{Largest: model.Some(model.Location{Group: 4, Object: 2})}, func(_, next Terms, _ model.Opt[uint64]) error {
			updates = append(updates, next)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		out.SetLargest(func() model.Opt[model.Location] { return model.Some(model.Location{Group: 5}) })
		if got := out.Terms().Range.Start; got != (model.Location{Group: 5}) {
			t.Errorf("range starts at %v", got)
		}
		ok := want[*wire.SubscribeOK](t, "SUBSCRIBE", st.next())
		if ok.Params.LargestObject.Value != (model.Location{Group: 4, Object: 2}) || ok.TrackAlias != out.Alias() {
			t.Errorf("answered %+v", ok)
		}
		dup := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		if e := want[*wire.RequestError](t, "second", dup.next()); e.Code != model.DuplicateSubscription {
			t.Errorf("second refused with %v", e.Code)
		}
		st.answer(&wire.RequestUpdate{RequestID: p.id(), Params: wire.Params{Forward: model.Some(false)}})
		want[*wire.RequestOK](t, "pause", st.nextUpdateAnswer())
		if len(updates) != 1 || updates[0].Forward || updates[0].Priority != 9 {
			t.Errorf("told of %+v", updates)
		}
		if err := out.Done(model.DoneTrackEnded, "over", model.Some(uint64(3))); err != nil {
			t.Fatal(err)
		}
		done := want[*wire.PublishDone](t, "end", st.next())
		if done.Code != model.DoneTrackEnded || done.StreamCount.Value != 3 || st.next() != nil {
			t.Errorf("ended with %+v", done)
		}
		again := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		<-h.subscribes
		_ = again
	})
}

// TestSubscriberLeaves cancels as the draft says, by STOP_SENDING, and as some
// do, by RESET_STREAM.
func TestSubscriberLeaves(t *testing.T) {
	for _, how := range []string{"STOP_SENDING", "RESET_STREAM"} {
		t.Run(how, func(t *testing.T) {
			h := newRecorder()
			startEach(t, allDrafts, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
				st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
				out, err := (<-h.subscribes).Accept(Offer{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				st.next()
				if how == "STOP_SENDING" {
					st.CancelRead(1)
				} else {
					st.CancelWrite(1)
				}
				<-out.Context().Done()
				if err := context.Cause(out.Context()); !errors.Is(err, &model.StreamError{Code: model.ResetCancelled, Remote: true}) {
					t.Errorf("ended with %v", err)
				}
				p.wantOpen("subscriber leaves")
			})
		})
	}
}

// TestFINIsNoCancel: a requester that has nothing more to say stays.
func TestFINIsNoCancel(t *testing.T) {
	h := newRecorder()
	start(t, wire.Server, Config{Handler: h}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		out, _ := (<-h.subscribes).Accept(Offer{}, nil)
		st.Close()
		synctest.Wait()
		if out.Context().Err() != nil {
			t.Error("FIN ended the subscription")
		}
		st.CancelRead(1)
		<-out.Context().Done()
	})
}

func TestExpiredGrantIsToldToThePublisherSide(t *testing.T) {
	h := newRecorder()
	a := auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
		if r.Action == auth.Subscribe {
			return auth.Grant{Expires: time.Now().Add(time.Second)}, nil
		}
		return auth.Grant{}, nil
	})
	startEach(t, allDrafts, wire.Server, Config{Handler: h, Authorizer: a}, func(t *testing.T, _ *Session, p *peer) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		out, _ := (<-h.subscribes).Accept(Offer{}, nil)
		st.next()
		<-out.Context().Done()
		if err := context.Cause(out.Context()); !errors.Is(err, &model.RequestError{Code: model.RequestExpiredAuthToken}) {
			t.Errorf("ended with %v", err)
		}
		if err := out.Done(model.DoneUnauthorized, "expired", model.Some(uint64(0))); err != nil {
			t.Fatal(err)
		}
		want[*wire.PublishDone](t, "expired", st.next())
	})
}

// A track may end with its first answer; what it has comes all the same.
func TestSubscribeToATrackThatEndsAtOnce(t *testing.T) {
	h := newRecorder()
	start(t, wire.Client, Config{Handler: h}, func(t *testing.T, s *Session, p *peer) {
		go func() {
			st, _ := p.accept()
			// SUBSCRIBE_OK and PUBLISH_DONE with one stream, in one piece.
			var b []byte
			for _, m := range []wire.Message{
				&wire.SubscribeOK{TrackAlias: 7},
				&wire.PublishDone{Code: model.DoneTrackEnded, StreamCount: model.Some(uint64(1)), Reason: "over"},
			} {
				var err error
				if b, err = wire.AppendMessage(b, wire.Context{Draft: model.Draft18, Stream: wire.RequestStream, Request: wire.KindSubscribe, Answers: wire.KindSubscribe, Receiver: wire.Client}, m); err != nil {
					t.Error(err)
				}
			}
			if _, err := st.Write(b); err != nil {
				t.Error(err)
			}
			st.Close()
			p.uni(unhex(t, "10 07 0b 80  00 02 6869  00 01 21")).Close()
		}()
		in, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, h)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.drained(); got != "11/0 hi, 11/1 !, end" {
			t.Errorf("received %s", got)
		}
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
	})
}
