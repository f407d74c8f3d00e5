package moqtest

import (
	"context"
	"sync"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// taker accepts one track that is offered by PUBLISH.
type taker struct {
	session.Refuse
	track model.FullTrackName
	got   *collector
	taken chan *session.Inbound // of one
}

func newTaker(track model.FullTrackName) *taker {
	return &taker{track: track, got: newCollector(nil), taken: make(chan *session.Inbound, 1)}
}

// Publish accepts the track, once.
func (t *taker) Publish(_ context.Context, req *session.PublishRequest) {
	if !req.Track.Equal(t.track) {
		_ = req.Reject(&model.RequestError{Code: model.Uninterested, Reason: "another track is tested"}) // the peer may have left
		return
	}
	t.got.session = req.Session()
	in, err := req.Accept(session.Change{Forward: model.Some(true)}, t.got)
	if err != nil {
		return // the peer has left
	}
	select {
	case t.taken <- in:
	default:
		in.Cancel(model.ResetCancelled)
	}
}

// publish offers the track on one session and receives it on another.
func (p *performance) publish(ctx context.Context) error {
	name := p.ask.name()
	take := newTaker(name)
	sub, err := p.connect(ctx, take)
	if err != nil {
		return err
	}
	server := NewServer(nil)
	server.Strict = p.Strict
	pub, err := p.connect(ctx, server)
	if err != nil {
		return err
	}
	offering, stop := context.WithCancel(ctx)
	accepted := make(chan struct{})
	offered := make(chan error, 1)
	var offers sync.WaitGroup
	defer func() {
		stop()
		pub.Close(model.NoError, "")
		offers.Wait()
		server.Wait()
	}()
	offer := func() {
		offers.Go(func() { offered <- server.Offer(offering, pub, name, func() { close(accepted) }) })
	}
	wants := func() error {
		_, err := sub.SubscribeTracks(ctx, name.Namespace, true, nil)
		return instead("REQUEST_OK for SUBSCRIBE_TRACKS", waited(ctx, err))
	}
	if p.ask.PublishFirst {
		offer()
		select {
		case <-accepted:
		case err := <-offered:
			return instead("PUBLISH_OK", err)
		case <-ctx.Done():
			return instead("PUBLISH_OK", context.Cause(ctx))
		}
	}
	if err := wants(); err != nil {
		return err
	}
	if !p.ask.PublishFirst {
		offer()
	}
	var in *session.Inbound
	for in == nil {
		select {
		case in = <-take.taken:
		case err := <-offered:
			if err != nil {
				return instead("PUBLISH to go on", err)
			}
			offered = nil // the track has ended before it was passed on
		case <-ctx.Done():
			return instead("the PUBLISH that SUBSCRIBE_TRACKS asks for", context.Cause(ctx))
		}
	}
	// PUBLISH always comes from a Server, ours.
	p.check.exact = true
	return p.verdict(take.got, ended(ctx, in), p.whole())
}
