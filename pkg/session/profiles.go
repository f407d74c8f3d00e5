package session

import (
	"fmt"
	"slices"
	"strings"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// Quirks are what is known of the faults of a peer and allowed for. The zero value
// is a peer without. Sections are those of draft 18.
type Quirks struct {
	wire.Quirks // in how it writes and reads
	// KeepAliveUpdates: REQUEST_UPDATE is a keep-alive to it and little else
	// (section 10.9). It sends empty ones with the Request ID of the request that
	// they are about, also as the publisher that answered a SUBSCRIBE, and answers
	// none of ours, although it does what they say.
	KeepAliveUpdates bool
	// RefusesPublishUpdate: it closes the session when the subscriber of its
	// PUBLISH sends REQUEST_UPDATE, which section 10.9 allows. A relay does not
	// pause its tracks.
	RefusesPublishUpdate bool
	// JoinsByGroup: when it asks for what comes after the largest object, or for
	// everything, it expects the group that is being published from its beginning,
	// which section 5.1.2 does not give it, and fetches nothing. Without that it
	// would wait for ever for the only object of a catalog.
	JoinsByGroup bool
	// DeclinesPublish: it refuses every PUBLISH (section 10.10 has it accept or
	// refuse each), so that tracks are made known to it by their namespace at once.
	DeclinesPublish bool
	// OnePublisher: it takes a PUBLISH_NAMESPACE for the end of an earlier one of
	// the same namespace (section 6.2 lets several publish one).
	OnePublisher bool
	// NoEndOfFetch: its FETCH_OK may end at {0,0} whatever was asked for and comes
	// (section 10.13 has it say where the answer ends).
	NoEndOfFetch bool
}

// Profile is what is known of one implementation.
type Profile struct {
	Name string // for people, and to choose it by
	// Implementations are beginnings of what it calls itself in SETUP
	// (MOQT_IMPLEMENTATION). None, and no SETUP: it cannot be told from others, and
	// is to be chosen.
	Implementations []string
	// Setup recognizes the SETUP of one that does not say what it is; may be nil.
	Setup  func(*wire.Setup) bool
	Quirks Quirks
}

// NoProfile is the name for peers without quirks.
const NoProfile = "none"

// unnamed is the name for peers that do not say what they are, and of which
// nothing else is known.
const unnamed = "unnamed"

// setupOfMoxygen recognizes a SETUP of moxygen, which means to say what it is but
// leaves that out, in builds of August 2026: it has a MAX_REQUEST_ID of 100, which
// draft 18 does not know any more, and in drafts up to 16 a token cache of 1024.
func setupOfMoxygen(m *wire.Setup) bool {
	const requests, cache, option = 100, 1024, 0x02
	if n, ok := m.MaxRequestID.Get(); ok {
		return n == requests && m.MaxTokenCacheSize == model.Some[uint64](cache)
	}
	return slices.ContainsFunc(m.Unknown, func(o model.Property) bool { return o.Type == option && o.Int == requests })
}

func quirksOfMoxygen(status wire.FetchStatus) Quirks {
	q := quirksOfUnnamed
	q.LaterErrorCodes, q.FetchStatus, q.OnePublisher, q.NoEndOfFetch = true, status, true, true
	return q
}

// quirksOfUnnamed are those that would end the session and have but one meaning.
var quirksOfUnnamed = Quirks{Quirks: wire.Quirks{
	OrderInStatus:      true,
	DeliveryInStatus:   true,
	OrderLeftOpen:      true,
	LargestGroupFilter: true,
	ExistingInUpdate:   true,
}}

// anySetup recognizes whoever does not say what it is.
func anySetup(*wire.Setup) bool { return true }

// profiles are all that there are; the first that fits a peer counts. Who one is meant for, what it does in which
// version and how that was found out stands in docs/quirks.md.
var profiles = []Profile{
	{
		Name: "moxygen", Implementations: []string{"Meta MoQ C++"}, Setup: setupOfMoxygen, // of any age
		Quirks: quirksOfMoxygen(wire.FetchStatusMaybe),
	},
	{
		Name:   "moxygen-2026-08", // before the repair of September
		Quirks: quirksOfMoxygen(wire.FetchStatusAlways),
	},
	{
		Name: "moq-encoder-player", Implementations: []string{"moq-encoder-player"},
		Quirks: Quirks{KeepAliveUpdates: true},
	},
	{
		Name: "moq-dev-js", Implementations: []string{"moq-lite-js"}, // @moq/net
		Quirks: Quirks{
			Quirks:          wire.Quirks{OrderInSubscribeOK: true, EmptyPrefix: true},
			JoinsByGroup:    true,
			DeclinesPublish: true,
		},
	},
	{
		Name: "moq-dev", Implementations: []string{"moq-lite-rs"}, // moq-relay, moq-cli
		Quirks: Quirks{DeclinesPublish: true},
	},
	{
		Name: "imquic", Implementations: []string{"imquic "},
		Quirks: Quirks{
			Quirks: wire.Quirks{
				ForwardForNamespaces: true,
				FetchStatus:          wire.FetchStatusMaybe,
			},
			RefusesPublishUpdate: true,
		},
	},
	{
		Name: "imquic-2026-06", // 0.0.2/alpha, before its pull request 35
		Quirks: Quirks{
			Quirks: wire.Quirks{
				ForwardForNamespaces: true,
				FetchStatus:          wire.FetchStatusAlways,
			},
			RefusesPublishUpdate: true,
		},
	},
	{
		Name: unnamed, Setup: anySetup, // moqx, moq-rs and others
		Quirks: quirksOfUnnamed,
	},
}

var noProfile = Profile{Name: NoProfile}

// Profiles returns what is known of implementations, in no particular order.
func Profiles() []Profile { return slices.Clone(profiles) }

// ProfileNamed returns the profile of a name, which may be NoProfile.
func ProfileNamed(name string) (Profile, error) {
	if name == NoProfile {
		return noProfile, nil
	}
	for _, p := range profiles {
		if p.Name == name {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("no peers are known as %q, only as %s", name, strings.Join(profileNames(), ", "))
}

func profileNames() []string {
	names := []string{NoProfile}
	for _, p := range profiles {
		names = append(names, p.Name)
	}
	return names
}

// profileOf returns the profile of a peer by what it calls itself, or else by how
// it begins.
func profileOf(m *wire.Setup) Profile {
	name := m.Implementation.Value
	for _, p := range profiles {
		if name == "" && p.Setup != nil && p.Setup(m) {
			return p
		}
		for _, begin := range p.Implementations {
			if strings.HasPrefix(name, begin) {
				return p
			}
		}
	}
	return noProfile
}

// Profile returns what is known of the peer: that of Config.Profile, else by its
// SETUP. A strict session has none.
func (s *Session) Profile() Profile {
	if p := s.profile.Load(); p != nil {
		return *p
	}
	return noProfile
}

// Quirks returns the quirks of the peer's Profile.
func (s *Session) Quirks() Quirks {
	if p := s.profile.Load(); p != nil {
		return p.Quirks
	}
	return Quirks{}
}

// chosenProfile returns the profile of a session before its peer has said who it
// is.
func (c *Config) chosenProfile() (Profile, error) {
	if c.Strict || c.Profile == "" {
		return noProfile, nil
	}
	return ProfileNamed(c.Profile)
}

// recognize takes the profile of a peer by its SETUP, unless another was chosen.
func (s *Session) recognize(m *wire.Setup) {
	if !s.cfg.Strict && s.cfg.Profile == "" {
		p := profileOf(m)
		s.profile.Store(&p)
	}
	switch p := s.Profile(); p.Name {
	case NoProfile:
	case unnamed:
		s.log.Debug("the peer does not say what it is", "profile", p.Name)
	default:
		s.log.Info("known faults of the peer are allowed for", "profile", p.Name, "implementation", m.Implementation.Value)
	}
}
