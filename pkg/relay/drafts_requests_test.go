package relay

import (
	"errors"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// TestRequestsFromDraftToDraft: what a subscriber asks for beyond objects is asked
// of the publisher as far as its draft has words for it.
// Duties in drafts 18, 16, 14: 28, 29, 39.
func TestRequestsFromDraftToDraft(t *testing.T) {
	betweenDrafts(t, Config{}, func(c *crossing) {
		pub, sub := c.s.joinDraft(c.from, transport.QUIC), c.s.joinDraft(c.to, transport.QUIC)
		pub.publish("moq-date", "date", session.Offer{Largest: model.Some(loc(5, 1))})
		pub.past["date"] = locations(5, 0, 2)
		in := testkit.Must(sub.subscribe(date, session.Change{Filter: model.Some(model.NextObject)}))(c.t)
		if in.Offer.Largest != model.Some(loc(5, 1)) {
			c.t.Errorf("largest location %v", in.Offer.Largest)
		}
		out := pub.outbound("date")
		pub.stream(out, 5, 2, 1).Close()
		sub.want("what comes", "5/2")
		sub.wantFetch("what came before", session.FetchOptions{Join: &session.Join{To: in, Relative: true, Start: 0}}, "5/0 5/1")

		opts := session.FetchOptions{Track: date, Range: span(5, 0, 5, 1)}
		if c.to > model.Draft16 {
			opts.FillTimeout = model.Some(time.Minute)
		}
		sub.wantFetch("a range", opts, "5/0 5/1")
		offer, err := sub.sess.TrackStatus(c.t.Context(), date)
		if err != nil || offer.Largest != model.Some(loc(5, 2)) {
			c.t.Errorf("status: %v, %v", offer.Largest, err)
		}

		c.s.forward(in, false)
		c.s.settle()
		if out.Terms().Forward {
			c.t.Error("the publisher is not paused")
		}
		c.s.forward(in, true)
		c.s.settle()
		if !out.Terms().Forward {
			c.t.Error("the publisher is still paused")
		}
		pub.stream(out, 6, 0, 2).Close()
		sub.want("after the pause", "6/0 6/1")

		in.Cancel(model.ResetCancelled)
		pass(time.Second)
		if out.Context().Err() == nil {
			c.t.Error("the relay has not unsubscribed")
		}
	})
}

// TestNewGroupsFromDraftToDraft: draft 14 cannot ask for one.
// Duties in drafts 18, 16, 14: 33.
func TestNewGroupsFromDraftToDraft(t *testing.T) {
	betweenDrafts(t, Config{}, func(c *crossing) {
		if c.to == model.Draft14 {
			return // a subscriber has no way to ask
		}
		pub := c.s.joinDraft(c.from, transport.QUIC)
		offer := dynamic
		if c.from == model.Draft14 {
			offer = session.Offer{}
		}
		pub.publish("moq-date", "date", offer)
		in := c.s.joinDraft(c.to, transport.QUIC).mustSubscribe(date)
		if _, err := in.Update(c.t.Context(), session.Change{NewGroup: model.Some(uint64(7))}); err != nil {
			c.t.Error(err)
		}
		if c.from == model.Draft14 {
			pub.wantWishes("it cannot be asked")
		} else {
			pub.wantWishes("asked for a group", 7)
		}
	})
}

// TestRefusalsFromDraftToDraft: every draft has a number for what a relay says.
// Duties in drafts 18, 16, 14: 67.
func TestRefusalsFromDraftToDraft(t *testing.T) {
	betweenDrafts(t, Config{}, func(c *crossing) {
		pub, sub := c.s.joinDraft(c.from, transport.QUIC), c.s.joinDraft(c.to, transport.QUIC)
		pub.publish("moq-date", "other", session.Offer{})
		_, err := sub.subscribe(date, session.Change{})
		wantCode(c.t, "SUBSCRIBE", err, model.DoesNotExist)
		_, err = sub.subscribe(name("nobody", "x"), session.Change{})
		wantCode(c.t, "SUBSCRIBE of what nobody has", err, model.DoesNotExist)
		_, err = sub.fetch(session.FetchOptions{Track: date, Range: span(1, 0, 2, 0)})
		wantCode(c.t, "FETCH", err, model.InvalidRange)
		_, err = sub.fetch(session.FetchOptions{Track: name("nobody", "x"), Range: span(1, 0, 2, 0)})
		wantCode(c.t, "FETCH of what nobody has", err, model.DoesNotExist)
		_, err = sub.sess.TrackStatus(c.t.Context(), name("nobody", "x"))
		wantCode(c.t, "TRACK_STATUS", err, model.DoesNotExist)
	})
}

func wantCode(t *testing.T, what string, err error, code model.RequestCode) {
	t.Helper()
	if !errors.Is(err, &model.RequestError{Code: code, Remote: true}) {
		t.Errorf("%s: %v, want %v", what, err, code)
	}
}
