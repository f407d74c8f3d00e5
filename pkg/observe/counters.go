package observe

import "sync/atomic"

// Track counts what came in for one track and what of it is held. Bytes are
// payload bytes unless said otherwise.
type Track struct {
	ObjectsIn  atomic.Uint64 // new objects, on streams and in datagrams, not fetched
	BytesIn    atomic.Uint64
	Datagrams  atomic.Uint64 // those of ObjectsIn that came in datagrams
	Groups     atomic.Uint64 // groups opened
	Subgroups  atomic.Uint64 // runs of subgroups opened
	Fetched    atomic.Uint64 // objects put in by a fetch
	Duplicates atomic.Uint64 // copies from a further publisher
	Late       atomic.Uint64 // refused: their group had been evicted, or they are known not to exist
	Torn       atomic.Uint64 // objects whose publisher reset the stream within them
	Evicted    atomic.Uint64 // objects that left the log

	LogBytes    atomic.Int64 // bytes that the log holds, with its own overhead
	LogGroups   atomic.Int64
	Subscribers atomic.Int64
}

// Snapshot returns a copy.
func (t *Track) Snapshot() TrackSnapshot {
	return TrackSnapshot{
		ObjectsIn: t.ObjectsIn.Load(), BytesIn: t.BytesIn.Load(), Datagrams: t.Datagrams.Load(),
		Groups: t.Groups.Load(), Subgroups: t.Subgroups.Load(), Fetched: t.Fetched.Load(),
		Duplicates: t.Duplicates.Load(), Late: t.Late.Load(), Torn: t.Torn.Load(), Evicted: t.Evicted.Load(),
		LogBytes: t.LogBytes.Load(), LogGroups: t.LogGroups.Load(), Subscribers: t.Subscribers.Load(),
	}
}

// TrackSnapshot is a copy of Track.
type TrackSnapshot struct {
	ObjectsIn, BytesIn, Datagrams, Groups, Subgroups uint64
	Fetched, Duplicates, Late, Torn, Evicted         uint64
	LogBytes, LogGroups, Subscribers                 int64
}

// Subscriber counts what went out to one subscription or fetch. Bytes are those
// handed to the transport, headers included.
type Subscriber struct {
	ObjectsOut atomic.Uint64
	BytesOut   atomic.Uint64
	Streams    atomic.Uint64 // opened
	Datagrams  atomic.Uint64
	Dropped    Drops

	OpenStreams  atomic.Int64
	GroupsBehind atomic.Int64 // between the newest group and the oldest one being sent
	BytesBehind  atomic.Int64 // in the log and not yet handed to the transport
}

// Drop counts n objects that were dropped for the reason.
func (s *Subscriber) Drop(r DropReason, n uint64) { s.Dropped[r].Add(n) }

// Snapshot returns a copy.
func (s *Subscriber) Snapshot() SubscriberSnapshot {
	return SubscriberSnapshot{
		ObjectsOut: s.ObjectsOut.Load(), BytesOut: s.BytesOut.Load(), Streams: s.Streams.Load(),
		Datagrams: s.Datagrams.Load(), Dropped: s.Dropped.Snapshot(), OpenStreams: s.OpenStreams.Load(),
		GroupsBehind: s.GroupsBehind.Load(), BytesBehind: s.BytesBehind.Load(),
	}
}

// SubscriberSnapshot is a copy of Subscriber.
type SubscriberSnapshot struct {
	ObjectsOut, BytesOut, Streams, Datagrams uint64
	Dropped                                  DropCounts
	OpenStreams, GroupsBehind, BytesBehind   int64
}

// Session counts one session.
type Session struct {
	ObjectsIn, ObjectsOut       atomic.Uint64
	BytesIn, BytesOut           atomic.Uint64
	RequestsIn, RequestsOut     atomic.Uint64
	Refused                     atomic.Uint64 // requests that we refused
	Subscriptions, Publications atomic.Int64  // open now: to the peer, from the peer
	Writers                     atomic.Int64  // goroutines that write data streams now
}

// Snapshot returns a copy.
func (s *Session) Snapshot() SessionSnapshot {
	return SessionSnapshot{
		ObjectsIn: s.ObjectsIn.Load(), ObjectsOut: s.ObjectsOut.Load(),
		BytesIn: s.BytesIn.Load(), BytesOut: s.BytesOut.Load(),
		RequestsIn: s.RequestsIn.Load(), RequestsOut: s.RequestsOut.Load(), Refused: s.Refused.Load(),
		Subscriptions: s.Subscriptions.Load(), Publications: s.Publications.Load(), Writers: s.Writers.Load(),
	}
}

// SessionSnapshot is a copy of Session.
type SessionSnapshot struct {
	ObjectsIn, ObjectsOut, BytesIn, BytesOut uint64
	RequestsIn, RequestsOut, Refused         uint64
	Subscriptions, Publications, Writers     int64
}

// Relay counts a whole relay.
type Relay struct {
	SessionsTotal     atomic.Uint64
	Sessions, Tracks  atomic.Int64  // open now
	FetchHits         atomic.Uint64 // fetches that the log answered alone
	FetchMisses       atomic.Uint64 // fetches that went upstream
	MalformedTracks   atomic.Uint64
	RequestsForbidden atomic.Uint64
}

// Snapshot returns a copy.
func (r *Relay) Snapshot() RelaySnapshot {
	return RelaySnapshot{
		SessionsTotal: r.SessionsTotal.Load(), Sessions: r.Sessions.Load(), Tracks: r.Tracks.Load(),
		FetchHits: r.FetchHits.Load(), FetchMisses: r.FetchMisses.Load(),
		MalformedTracks: r.MalformedTracks.Load(), RequestsForbidden: r.RequestsForbidden.Load(),
	}
}

// RelaySnapshot is a copy of Relay.
type RelaySnapshot struct {
	SessionsTotal                      uint64
	Sessions, Tracks                   int64
	FetchHits, FetchMisses             uint64
	MalformedTracks, RequestsForbidden uint64
}
