package session

import "time"

// Limits bounds what one peer can make us hold or wait for. The zero value of
// a field stands for its default.
type Limits struct {
	// SetupTimeout is how long the peer's SETUP may take.
	SetupTimeout time.Duration
	// MessageTimeout is how long a message may take once it has begun, and
	// how long a request stream may stay without its first message.
	MessageTimeout time.Duration
	// AliasWait is how long data of an unknown track alias is kept, waiting
	// for the SUBSCRIBE_OK or PUBLISH that explains it.
	AliasWait time.Duration
	// ParkedStreams is how many data streams may wait for their alias.
	ParkedStreams int
	// ParkedDatagrams is how many datagrams may wait for their alias.
	ParkedDatagrams int
	// Requests is how many requests of the peer may be open at once.
	Requests int
	// HeaderTimeout is how long the header of an object may take once its
	// first byte is there.
	HeaderTimeout time.Duration
	// TokenCache is the size in bytes of the token cache that we grant the
	// peer; each token costs its length and 16 (section 10.3.1.4).
	TokenCache uint64
	// DoneWait is how long streams are awaited after PUBLISH_DONE promised
	// more than have come.
	DoneWait time.Duration
}

// Defaults of Limits.
const (
	DefaultSetupTimeout    = 5 * time.Second
	DefaultMessageTimeout  = 10 * time.Second
	DefaultAliasWait       = 2 * time.Second
	DefaultParkedStreams   = 256
	DefaultParkedDatagrams = 128
	DefaultRequests        = 8192
	DefaultHeaderTimeout   = 10 * time.Second
	DefaultTokenCache      = 4096
	DefaultDoneWait        = 2 * time.Second
)

func (l Limits) withDefaults() Limits {
	def(&l.SetupTimeout, DefaultSetupTimeout)
	def(&l.MessageTimeout, DefaultMessageTimeout)
	def(&l.AliasWait, DefaultAliasWait)
	def(&l.ParkedStreams, DefaultParkedStreams)
	def(&l.ParkedDatagrams, DefaultParkedDatagrams)
	def(&l.Requests, DefaultRequests)
	def(&l.HeaderTimeout, DefaultHeaderTimeout)
	def(&l.TokenCache, DefaultTokenCache)
	def(&l.DoneWait, DefaultDoneWait)
	return l
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
