package session

import "oxymoq/pkg/wire"

// Quirks of peers, known by what they call themselves, one function each. They
// make no difference to other peers.

// sendsOrderInSubscribeOK reports whether a publisher puts GROUP_ORDER into
// SUBSCRIBE_OK, as drafts up to 15 had it. (@moq/net 0.1, which is in
// @moq/publish 0.2)
func sendsOrderInSubscribeOK(implementation string) bool { return implementation == "moq-lite-js" }

// updatesToKeepAlive reports whether REQUEST_UPDATE is a keep-alive to the peer
// and little else (section 10.9). It sends empty ones with the Request ID of the
// request that they are about, also as the publisher that answered a SUBSCRIBE,
// and answers none of ours, although it does what they say.
// (moq-encoder-player, draft 18)
func updatesToKeepAlive(implementation string) bool { return implementation == "moq-encoder-player" }

// isKeepAlive recognizes the REQUEST_UPDATE of updatesToKeepAlive.
func (r *request) isKeepAlive(m *wire.RequestUpdate) bool {
	return r.s.updatesToKeepAlive.Load() && m.RequestID == r.id && m.Params.Empty()
}

// isNotAnswered reports whether a message is a keep-alive to which the text has
// no answer, since a SUBSCRIBE is updated by who sent it only.
func (r *request) isNotAnswered(m wire.Message) bool {
	u, ok := m.(*wire.RequestUpdate)
	return ok && r.kind == wire.KindSubscribe && r.us == Requester && r.isKeepAlive(u)
}
