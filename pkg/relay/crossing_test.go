package relay

import (
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
)

// push offers a track by PUBLISH.
func (a *actor) push(track model.FullTrackName, offer session.Offer) *session.Outbound {
	a.t.Helper()
	opts := session.PublishOptions{Track: track, Offer: offer}
	if a.tells {
		opts.Largest = a.largest(track)
	}
	out, err := a.sess.Publish(a.t.Context(), opts)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// TestPublishCrossesUpstreamSubscribe: a publisher announces its namespace and
// publishes the track at once, while the relay asks for it, because somebody
// waits.
func TestPublishCrossesUpstreamSubscribe(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub := s.join(memtr.WithDelay(10*time.Millisecond)), s.join()
		ready := make(chan error, 1)
		go func() {
			_, err := sub.sess.Subscribe(t.Context(), session.SubscribeOptions{Track: date, Rendezvous: 10 * time.Second}, sub)
			ready <- err
		}()
		s.settle()
		go func() { _, _ = pub.sess.PublishNamespace(t.Context(), date.Namespace) }()
		out := pub.push(date, session.Offer{})
		if err := <-ready; err != nil {
			t.Errorf("the subscriber is told %v", err)
		}
		pass(time.Second)
		pub.stream(out, 1, 0, 2)
		pass(time.Second)
		sub.want("objects", "1/0 1/1")
		s.check(false)
	})
}

// TestPublishOfATrackThatIsReceived: the subscription that there is stays.
func TestPublishOfATrackThatIsReceived(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, sub, out := s.live()
		if _, err := pub.sess.Publish(t.Context(), session.PublishOptions{Track: date}); err == nil {
			t.Error("the track is published twice")
		}
		pub.stream(out, 1, 0, 2)
		sub.want("objects", "1/0 1/1")
	})
}
