package session

// CanRendezvous reports whether a SUBSCRIBE of ours can ask the peer to wait for
// a publisher: drafts up to 16 have no RENDEZVOUS_TIMEOUT.
func (s *Session) CanRendezvous() bool { return s.cfg.Draft > 16 }
