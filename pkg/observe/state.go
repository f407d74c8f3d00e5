package observe

import (
	"context"
	"strconv"
	"time"
)

// State is what a relay is doing, as a copy that nobody changes: what the
// dashboard, the admin API and the metrics show. Counters only grow, so that
// rates are differences between two States, divided by those of their Times.
//
// In JSON times are RFC 3339 and left out if they are not known; durations are
// numbers of nanoseconds, in fields whose names end in _ns. Lists are in a stable
// order, the oldest first unless said otherwise, and never null.
type State struct {
	Time     time.Time        `json:"time"`
	Relay    Identity         `json:"relay"`
	Counters RelaySnapshot    `json:"counters"`
	Totals   Totals           `json:"totals"`
	Cache    CacheState       `json:"cache"`
	Lag      Lag              `json:"lag"` // of all deliveries
	Sessions []SessionState   `json:"sessions"`
	Spaces   []NamespaceState `json:"namespaces"`
	Tracks   []TrackState     `json:"tracks"`
	Links    []LinkState      `json:"links"` // to other relays
}

// Identity says which relay it is.
type Identity struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Addresses []string  `json:"addresses"` // URLs that are served
	Drafts    []string  `json:"drafts"`    // "18"
	Began     time.Time `json:"began,omitzero"`
	Draining  bool      `json:"draining"`
}

// Totals count since the relay began, what sessions and tracks did that are gone
// included.
type Totals struct {
	ObjectsIn   uint64     `json:"objects_in"`
	BytesIn     uint64     `json:"bytes_in"`
	ObjectsOut  uint64     `json:"objects_out"`
	BytesOut    uint64     `json:"bytes_out"`
	RequestsIn  uint64     `json:"requests_in"`
	RequestsOut uint64     `json:"requests_out"`
	Refused     uint64     `json:"refused"`
	Dropped     DropCounts `json:"dropped"`
	Delays      Histogram  `json:"delays"` // of all deliveries
}

// Add adds what a session did.
func (t *Totals) Add(s SessionSnapshot) {
	t.ObjectsIn += s.ObjectsIn
	t.BytesIn += s.BytesIn
	t.ObjectsOut += s.ObjectsOut
	t.BytesOut += s.BytesOut
	t.RequestsIn += s.RequestsIn
	t.RequestsOut += s.RequestsOut
	t.Refused += s.Refused
}

// CacheState is what the logs of all tracks hold together.
type CacheState struct {
	Bytes  int64 `json:"bytes"`
	Budget int64 `json:"budget"`
	Groups int64 `json:"groups"`
	Tracks int   `json:"tracks"` // that hold anything
}

// SessionState is one session.
type SessionState struct {
	ID             string          `json:"id"`
	Remote         string          `json:"remote"`    // address
	Transport      string          `json:"transport"` // "quic", "wt", "qmux", "mem"
	Draft          string          `json:"draft"`     // "18"
	Role           string          `json:"role"`      // "pub", "sub", "pub+sub", or "–" before it does either
	Implementation string          `json:"implementation"`
	Path           string          `json:"path"`
	Subject        string          `json:"subject"` // who it is to the authorizer; empty: anybody
	Began          time.Time       `json:"began,omitzero"`
	Namespaces     int             `json:"namespaces"` // published
	Publishes      int             `json:"publishes"`  // tracks that come from it
	Subscribes     int             `json:"subscribes"` // tracks that go to it
	Watches        int             `json:"watches"`    // prefixes of which it wants to know the namespaces or tracks
	Link           LinkQuality     `json:"link"`
	Lag            Lag             `json:"lag"` // of what goes to it
	Counters       SessionSnapshot `json:"counters"`
}

// LinkQuality is what the transport measures of its path; what it cannot tell is
// zero.
type LinkQuality struct {
	RTT              time.Duration `json:"rtt_ns"`
	CongestionWindow int           `json:"congestion_window"` // bytes
	PacketsSent      uint64        `json:"packets_sent"`
	PacketsLost      uint64        `json:"packets_lost"`
	BytesSent        uint64        `json:"bytes_sent"`
	BytesReceived    uint64        `json:"bytes_received"`
	DatagramsDropped uint64        `json:"datagrams_dropped"`
}

// Loss returns the share of lost packets, 0 to 1.
func (q LinkQuality) Loss() float64 {
	if q.PacketsSent == 0 {
		return 0
	}
	return float64(q.PacketsLost) / float64(q.PacketsSent)
}

// NamespaceState is a namespace that is published, or that somebody watches.
type NamespaceState struct {
	Fields     []string `json:"fields"`     // see TrackState.Namespace
	Name       string   `json:"name"`       // as in TrackState.FullName; empty: of everything
	Scope      string   `json:"scope"`      // as in TrackState
	Publishers []string `json:"publishers"` // session IDs
	Watchers   []string `json:"watchers"`   // session IDs with SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS for it
	Tracks     int      `json:"tracks"`     // at or below it
}

// TrackState is one track that the relay knows.
type TrackState struct {
	ID string `json:"id"` // for Source.Track; short, and the same for as long as the relay knows the track
	// Namespace and Name are the bytes of the name. JSON cannot carry those that
	// are not UTF-8; FullName always can.
	Namespace []string `json:"namespace"`
	Name      string   `json:"name"`
	FullName  string   `json:"full_name"` // the printable form of section 1.5
	Scope     string   `json:"scope"`     // path and authority, if sessions are kept apart by them
	// State is "live", "opening", "orphaned" or "idle"; of a relay that is asked as
	// a client also "paused", "refused" or "ended".
	State       string        `json:"state"`
	Media       string        `json:"media"` // what it carries, for people: "LOC H.264 1280x720 30 fps"; empty: nobody looked
	Began       time.Time     `json:"began,omitzero"`
	Publishers  []string      `json:"publishers"` // session IDs
	Subscribers int           `json:"subscribers"`
	Largest     *Location     `json:"largest"`         // nil: nothing is known to have been published
	Newest      time.Time     `json:"newest,omitzero"` // arrival of the last object; zero: none came
	Lag         Lag           `json:"lag"`             // to all subscribers
	Counters    TrackSnapshot `json:"counters"`
}

// Location is the place of an object in its track.
type Location struct {
	Group  uint64 `json:"group"`
	Object uint64 `json:"object"`
}

// String returns "group/object".
func (l Location) String() string {
	return strconv.FormatUint(l.Group, 10) + "/" + strconv.FormatUint(l.Object, 10)
}

// LinkState is a connection to another relay.
type LinkState struct {
	URL        string        `json:"url"`
	State      string        `json:"state"` // "up", "down", "connecting"
	Session    string        `json:"session"`
	Prefixes   []string      `json:"prefixes"`
	Since      time.Time     `json:"since,omitzero"`
	NextTry    time.Time     `json:"next_try,omitzero"`
	Reason     string        `json:"reason"` // why it is down
	RTT        time.Duration `json:"rtt_ns"`
	Namespaces int           `json:"namespaces"` // learnt from it
	Tracks     int           `json:"tracks"`     // that come from it
	Sessions   int           `json:"sessions"`   // that were made so far
	// Counters are those of the present session.
	Counters SessionSnapshot `json:"counters"`
}

// Source is where a State comes from: a relay in this process, or one that is
// asked over the network. Its methods may be called from any goroutine, and
// never hold up the data.
type Source interface {
	// State returns the present state.
	State(ctx context.Context) (*State, error)
	// Track returns one track by TrackState.ID, or ErrNoTrack.
	Track(ctx context.Context, id string) (*TrackDetail, error)
	// Events returns what happened after an event's number, oldest first, and
	// waits for one if nothing did. Skipped says how many were lost in between.
	Events(ctx context.Context, after uint64) (events []Event, skipped uint64, err error)
}

// Control is what may be done to a relay from outside.
type Control interface {
	// Kick ends a session, or returns ErrNoSession. The peer is told the reason.
	Kick(ctx context.Context, session, reason string) error
	// Purge forgets the objects of a track, or returns ErrNoTrack. Subscribers
	// go on with what comes.
	Purge(ctx context.Context, track string) error
	// Drain asks all peers to leave, to uri if it is not empty, and takes no new
	// ones for good. It returns nil when all have left, ErrRemain after within,
	// or the cause of ctx.
	Drain(ctx context.Context, uri string, within time.Duration) error
}
