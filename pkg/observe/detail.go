package observe

import "time"

// TrackDetail is one track with everything in it.
type TrackDetail struct {
	TrackState
	Time          time.Time         `json:"time"`
	Priority      uint8             `json:"priority"`   // the publisher's, of objects that state none
	Order         string            `json:"order"`      // the publisher's: "ascending", "descending"
	Properties    []PropertyState   `json:"properties"` // of the track
	Sources       []PublisherState  `json:"sources"`
	Groups        []GroupState      `json:"groups"` // at most MaxGroups, the newest ones
	Subscriptions []SubscriberState `json:"subscriptions"`
	Objects       []ObjectState     `json:"objects"` // at most MaxObjects, the ones that came last, in the order in which they did
	Timing        *Timing           `json:"timing"`  // nil: nobody measures it
}

// Timing is how the objects of a track came, as somebody measured it who reads
// what they say of themselves.
type Timing struct {
	Since    time.Time `json:"since,omitzero"` // when it was begun
	Objects  uint64    `json:"objects"`
	Interval Lag       `json:"interval"` // from one arrival to the next
	// Jitter is that of RFC 3550 section 6.4.1. JitterFrom says what the intervals
	// were compared with: the steps of "media" time, those of "capture" time, or
	// the "interval" before. Empty: too few objects came.
	Jitter     time.Duration `json:"jitter_ns"`
	JitterFrom string        `json:"jitter_from"`
	// Delay is from capture to arrival, as far as the clocks agree; ClockSkewed says
	// that they do not.
	Delay       Lag           `json:"delay"`
	ClockSkewed bool          `json:"clock_skewed"`
	FrameRate   float64       `json:"frame_rate"`      // by media time; 0: not known
	KeyInterval time.Duration `json:"key_interval_ns"` // between the last two key pictures, by media time; 0: not known
	Freezes     uint64        `json:"freezes"`         // silences far longer than the interval
}

// What a TrackDetail shows at most.
const (
	MaxGroups  = 64
	MaxObjects = 200
	// MaxHoles is how many holes of a group are listed.
	MaxHoles = 32
	// MaxPeek is how many bytes of a payload are shown.
	MaxPeek = 256
	// MaxProperties is how many bytes the list of properties of an object may
	// have to be shown, and each of its byte strings.
	MaxProperties = 1024
)

// PropertyState is a property as text.
type PropertyState struct {
	Type  uint64 `json:"type"`
	Value string `json:"value"` // a decimal number if Type is even, else bytes in hex
}

// PublisherState is one who sends a track, or was asked to.
type PublisherState struct {
	Session   string  `json:"session"`
	Transport string  `json:"transport"`
	Draft     string  `json:"draft"`
	State     string  `json:"state"`  // "sends", "paused" or "asked"
	Pushed    bool    `json:"pushed"` // it made the subscription itself, by PUBLISH
	Alias     *uint64 `json:"alias"`  // of the track in its session; nil: not known yet
}

// GroupState is one group in the log.
type GroupState struct {
	ID        uint64    `json:"id"`
	First     uint64    `json:"first"`   // the smallest and the largest object ID that came,
	Last      uint64    `json:"last"`    // also of what left the log since
	Objects   int       `json:"objects"` // in the log
	Bytes     int64     `json:"bytes"`
	Subgroups int       `json:"subgroups"`
	Open      int       `json:"open"`       // streams that are still being written
	Torn      int       `json:"torn"`       // streams that were reset
	Ended     bool      `json:"ended"`      // its end is known
	Missing   uint64    `json:"missing"`    // objects in Holes, those that do not exist not counted
	Holes     []Hole    `json:"holes"`      // by place, at most MaxHoles
	MoreHoles bool      `json:"more_holes"` // there are more
	Began     time.Time `json:"began,omitzero"`
	Newest    time.Time `json:"newest,omitzero"` // arrival of the last object
}

// Hole is a run of objects between First and Last of a group that did not come,
// both ends included.
type Hole struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Absent: the publisher says that they do not exist; else nobody knows.
	Absent bool `json:"absent"`
}

// SubscriberState is one subscription to a track.
type SubscriberState struct {
	Session   string             `json:"session"`
	Transport string             `json:"transport"`
	Draft     string             `json:"draft"`
	State     string             `json:"state"` // "served", "paused" or "waits" for a publisher
	Forward   bool               `json:"forward"`
	Priority  uint8              `json:"priority"`
	Order     string             `json:"order"`
	Alias     *uint64            `json:"alias"` // of the track in its session; nil: it waits
	Range     string             `json:"range"` // what it gets: "12/0..", "12/0..20/5"
	Began     time.Time          `json:"began,omitzero"`
	Lag       Lag                `json:"lag"`
	Counters  SubscriberSnapshot `json:"counters"`
}

// ObjectState is one object in the log.
type ObjectState struct {
	// Number counts the objects of the track in the order in which they were
	// complete, from 1, fetched ones included. It tells a reader which ones are
	// new.
	Number        uint64          `json:"number"`
	Location      Location        `json:"location"`
	Subgroup      uint64          `json:"subgroup"` // meaningless if Datagram
	Datagram      bool            `json:"datagram"`
	Fetched       bool            `json:"fetched"` // it did not come live
	Status        string          `json:"status"`  // "normal", "end of group", "end of track"
	Priority      uint8           `json:"priority"`
	Arrived       time.Time       `json:"arrived,omitzero"`
	Size          int             `json:"size"`           // of the payload, in bytes
	PropertyBytes int             `json:"property_bytes"` // of the encoded list
	Properties    []PropertyState `json:"properties"`     // empty also if there are more than MaxProperties bytes
	Peek          []byte          `json:"peek"`           // the first bytes of the payload, base64 in JSON
}
