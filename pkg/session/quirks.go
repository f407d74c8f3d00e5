package session

import (
	"errors"
	"fmt"
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// What is accepted beyond the text of the drafts, one function each; Config.Strict
// turns all of it off. The first ones are for peers of certain profiles.

// isKeepAlive recognizes the REQUEST_UPDATE of Quirks.KeepAliveUpdates.
func (r *request) isKeepAlive(m *wire.RequestUpdate) bool {
	return r.s.Quirks().KeepAliveUpdates && m.RequestID == r.id && m.Params.Empty()
}

// isNotAnswered reports whether a message is a keep-alive to which the text has
// no answer, since a SUBSCRIBE is updated by who sent it only.
func (r *request) isNotAnswered(m wire.Message) bool {
	u, ok := m.(*wire.RequestUpdate)
	return ok && r.kind == wire.KindSubscribe && r.us == Requester && r.isKeepAlive(u)
}

// endBeforeStart judges a FETCH_OK that ends before the range that was asked for:
// one of Quirks.NoEndOfFetch stands for all of it.
func (s *Session) endBeforeStart(f *Fetch, asked model.Range) error {
	if !s.Quirks().NoEndOfFetch {
		return violation("FETCH_OK ends before the range that was asked for")
	}
	f.info.End = asked.End
	return nil
}

// explainRevocation adds to why the peer has revoked a namespace of ours what
// Quirks.OnePublisher makes likely.
func (s *Session) explainRevocation(err error) error {
	if e, ok := errors.AsType[*model.StreamError](err); ok && e.Remote && s.Quirks().OnePublisher {
		return fmt.Errorf("another may have published it, since the peer (%s) has one publisher for each namespace: %w", s.PeerImplementation(), err)
	}
	return err
}

// leaveTime is how long a peer that has closed its control stream may take to
// close the session.
const leaveTime = 250 * time.Millisecond

// leftControl waits for the end of the session, which some peers announce by
// closing their streams first, in any order (moq-encoder-player). Without that
// end it is a violation (section 3.3).
func (s *Session) leftControl() error {
	wait := leaveTime
	if s.cfg.Strict {
		wait = 0
	}
	select {
	case <-s.conn.Context().Done():
		return io.EOF
	case <-time.After(wait):
		return violation("peer closed its control stream")
	}
}

// skippedIDs is how many Request IDs a peer may leave out, where they must come in
// sequence (draft 16, section 9.1): some lose one with every request that they do
// not send after all.
const skippedIDs = 64

// idsToSkip returns how many Request IDs the next one of the peer may leave out.
// With a stream beside the control stream their order of arrival is not that of
// their making, so that draft 16 cannot be taken at its word.
func (s *Session) idsToSkip() uint64 {
	if s.cfg.Strict && !s.dialect.namespaceStream {
		return 0
	}
	return skippedIDs
}

// repeatsMaxRequestID reports whether the peer may send MAX_REQUEST_ID without
// raising it (draft 16, section 9.5).
func (s *Session) repeatsMaxRequestID() bool { return !s.cfg.Strict }

// widens reports whether the peer may not change the range of a subscription from
// now to next, since a SUBSCRIBE_UPDATE may only narrow it (draft 14, section
// 9.10). Some send a start of {0,0} where they mean that it stays.
func (s *Session) widens(now, next Terms) bool {
	return s.dialect.silentUpdates && s.cfg.Strict &&
		(next.Range.Start.Less(now.Range.Start) || now.Range.End.Less(next.Range.End))
}

// mayNotJoin reports whether a FETCH of the peer may not join its subscription,
// whose filter must be Largest Object (draft 16, section 9.16.2).
func (s *Session) mayNotJoin(t Terms) bool {
	return s.dialect.joinsNextObject && s.cfg.Strict && t.Filter.Kind != model.FilterNextObject
}

// prefixKinds returns the kinds of request among which the prefixes of the peer
// must not overlap. Up to draft 16 one kind of message asks for namespaces and
// tracks (section 9.25); one of each for the same prefix does no harm.
func (s *Session) prefixKinds(kind wire.MessageKind) []wire.MessageKind {
	if s.cfg.Strict && s.dialect.sharesControl {
		return []wire.MessageKind{wire.KindSubscribeNamespace, wire.KindSubscribeTracks}
	}
	return []wire.MessageKind{kind}
}
