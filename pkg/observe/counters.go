package observe

import "sync/atomic"

// Track counts what came in for one track, what of it is held, and what went out
// to all subscribers, those that have left included. Bytes are payload bytes
// unless said otherwise.
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
	Evicted    atomic.Uint64 // objects that left the log, for any reason
	EvictedAge atomic.Uint64 // those of Evicted whose group was one too many for the track
	EvictedMem atomic.Uint64 // those of Evicted for whom the memory of all tracks was needed
	Purged     atomic.Uint64 // those of Evicted that were purged from outside
	Expired    atomic.Uint64 // those of Evicted that were too old to be sent

	FetchHits   atomic.Uint64 // fetches that the log answered alone
	FetchMisses atomic.Uint64 // fetches for which a publisher was asked, or had been for another

	ObjectsOut atomic.Uint64
	BytesOut   atomic.Uint64 // as in Subscriber
	Dropped    Drops
	Delays     Delays // of what went out

	LogBytes    atomic.Int64 // bytes that the log holds, with its own overhead
	LogGroups   atomic.Int64
	Subscribers atomic.Int64
}

// Snapshot returns a copy, without Delays.
func (t *Track) Snapshot() TrackSnapshot {
	return TrackSnapshot{
		ObjectsIn: t.ObjectsIn.Load(), BytesIn: t.BytesIn.Load(), Datagrams: t.Datagrams.Load(),
		Groups: t.Groups.Load(), Subgroups: t.Subgroups.Load(), Fetched: t.Fetched.Load(),
		Duplicates: t.Duplicates.Load(), Late: t.Late.Load(), Torn: t.Torn.Load(), Evicted: t.Evicted.Load(),
		EvictedAge: t.EvictedAge.Load(), EvictedMem: t.EvictedMem.Load(), Purged: t.Purged.Load(), Expired: t.Expired.Load(),
		FetchHits: t.FetchHits.Load(), FetchMisses: t.FetchMisses.Load(),
		ObjectsOut: t.ObjectsOut.Load(), BytesOut: t.BytesOut.Load(), Dropped: t.Dropped.Snapshot(),
		LogBytes: t.LogBytes.Load(), LogGroups: t.LogGroups.Load(), Subscribers: t.Subscribers.Load(),
	}
}

// TrackSnapshot is a copy of Track.
type TrackSnapshot struct {
	ObjectsIn   uint64     `json:"objects_in"`
	BytesIn     uint64     `json:"bytes_in"`
	Datagrams   uint64     `json:"datagrams"`
	Groups      uint64     `json:"groups"`
	Subgroups   uint64     `json:"subgroups"`
	Fetched     uint64     `json:"fetched"`
	Duplicates  uint64     `json:"duplicates"`
	Late        uint64     `json:"late"`
	Torn        uint64     `json:"torn"`
	Evicted     uint64     `json:"evicted"`
	EvictedAge  uint64     `json:"evicted_age"`
	EvictedMem  uint64     `json:"evicted_memory"`
	Purged      uint64     `json:"purged"`
	Expired     uint64     `json:"expired"`
	FetchHits   uint64     `json:"fetch_hits"`
	FetchMisses uint64     `json:"fetch_misses"`
	ObjectsOut  uint64     `json:"objects_out"`
	BytesOut    uint64     `json:"bytes_out"`
	Dropped     DropCounts `json:"dropped"`
	LogBytes    int64      `json:"log_bytes"`
	LogGroups   int64      `json:"log_groups"`
	Subscribers int64      `json:"subscribers"`
}

// Subscriber counts what went out to one subscription or fetch. Bytes are those
// handed to the transport, headers included.
type Subscriber struct {
	ObjectsOut atomic.Uint64
	BytesOut   atomic.Uint64
	Streams    atomic.Uint64 // opened
	Datagrams  atomic.Uint64
	Dropped    Drops
	Delays     Delays

	OpenStreams  atomic.Int64
	GroupsBehind atomic.Int64 // between the newest group and the oldest one being sent
	BytesBehind  atomic.Int64 // in the log and not yet handed to the transport
}

// Drop counts n objects that were dropped for the reason.
func (s *Subscriber) Drop(r DropReason, n uint64) { s.Dropped[r].Add(n) }

// Snapshot returns a copy, without Delays.
func (s *Subscriber) Snapshot() SubscriberSnapshot {
	return SubscriberSnapshot{
		ObjectsOut: s.ObjectsOut.Load(), BytesOut: s.BytesOut.Load(), Streams: s.Streams.Load(),
		Datagrams: s.Datagrams.Load(), Dropped: s.Dropped.Snapshot(), OpenStreams: s.OpenStreams.Load(),
		GroupsBehind: s.GroupsBehind.Load(), BytesBehind: s.BytesBehind.Load(),
	}
}

// SubscriberSnapshot is a copy of Subscriber.
type SubscriberSnapshot struct {
	ObjectsOut   uint64     `json:"objects_out"`
	BytesOut     uint64     `json:"bytes_out"`
	Streams      uint64     `json:"streams"`
	Datagrams    uint64     `json:"datagrams"`
	Dropped      DropCounts `json:"dropped"`
	OpenStreams  int64      `json:"open_streams"`
	GroupsBehind int64      `json:"groups_behind"`
	BytesBehind  int64      `json:"bytes_behind"`
}

// Session counts one session.
type Session struct {
	ObjectsIn     atomic.Uint64
	ObjectsOut    atomic.Uint64
	BytesIn       atomic.Uint64
	BytesOut      atomic.Uint64
	RequestsIn    atomic.Uint64
	RequestsOut   atomic.Uint64
	Refused       atomic.Uint64 // requests that we refused
	Subscriptions atomic.Int64  // tracks that go to the peer now
	Publications  atomic.Int64  // tracks that come from the peer now
	Writers       atomic.Int64  // goroutines that write data streams now
	Delays        Delays        // of what went to the peer
}

// Snapshot returns a copy, without Delays.
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
	ObjectsIn     uint64 `json:"objects_in"`
	ObjectsOut    uint64 `json:"objects_out"`
	BytesIn       uint64 `json:"bytes_in"`
	BytesOut      uint64 `json:"bytes_out"`
	RequestsIn    uint64 `json:"requests_in"`
	RequestsOut   uint64 `json:"requests_out"`
	Refused       uint64 `json:"refused"`
	Subscriptions int64  `json:"subscriptions"`
	Publications  int64  `json:"publications"`
	Writers       int64  `json:"writers"`
}

// Relay counts a whole relay.
type Relay struct {
	SessionsTotal     atomic.Uint64
	Sessions          atomic.Int64 // open now
	TracksTotal       atomic.Uint64
	Tracks            atomic.Int64  // known now
	FetchHits         atomic.Uint64 // fetches that the log answered alone
	FetchMisses       atomic.Uint64 // fetches for which a publisher was asked, or had been for another
	MalformedTracks   atomic.Uint64
	RequestsForbidden atomic.Uint64
}

// Snapshot returns a copy.
func (r *Relay) Snapshot() RelaySnapshot {
	return RelaySnapshot{
		SessionsTotal: r.SessionsTotal.Load(), Sessions: r.Sessions.Load(),
		TracksTotal: r.TracksTotal.Load(), Tracks: r.Tracks.Load(),
		FetchHits: r.FetchHits.Load(), FetchMisses: r.FetchMisses.Load(),
		MalformedTracks: r.MalformedTracks.Load(), RequestsForbidden: r.RequestsForbidden.Load(),
	}
}

// RelaySnapshot is a copy of Relay.
type RelaySnapshot struct {
	SessionsTotal     uint64 `json:"sessions_total"`
	Sessions          int64  `json:"sessions"`
	TracksTotal       uint64 `json:"tracks_total"`
	Tracks            int64  `json:"tracks"`
	FetchHits         uint64 `json:"fetch_hits"`
	FetchMisses       uint64 `json:"fetch_misses"`
	MalformedTracks   uint64 `json:"malformed_tracks"`
	RequestsForbidden uint64 `json:"requests_forbidden"`
}
