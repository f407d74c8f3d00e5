package session

// Quirks of peers, known by what they call themselves, one function each. They
// make no difference to other peers.

// sendsOrderInSubscribeOK reports whether a publisher puts GROUP_ORDER into
// SUBSCRIBE_OK, as drafts up to 15 had it. (@moq/net 0.1, which is in
// @moq/publish 0.2)
func sendsOrderInSubscribeOK(implementation string) bool { return implementation == "moq-lite-js" }
