package relay

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
)

// Scope says which sessions share tracks (section 2.4.3).
type Scope string

// Scopes. By default all sessions meet, because many peers send no PATH.
const (
	ScopeNone      Scope = "none"
	ScopePath      Scope = "path"
	ScopeAuthority Scope = "authority"
	ScopeBoth      Scope = "both"
)

// ParseScope reads the value of a flag.
func ParseScope(s string) (Scope, error) {
	switch sc := Scope(s); sc {
	case ScopeNone, ScopePath, ScopeAuthority, ScopeBoth:
		return sc, nil
	}
	return "", fmt.Errorf("unknown scope %q; use none, path, authority or both", s)
}

// Mode says when the relay subscribes upstream.
type Mode uint8

// Modes.
const (
	Lazy  Mode = iota // while somebody needs the track
	Eager             // as soon as the track is known, and for as long as it lasts
)

// Upstream is the policy of a track towards its publishers.
type Upstream struct {
	Mode   Mode
	Linger time.Duration // how long to stay after the last subscriber; Lazy only
	// Replay gives a SUBSCRIBE that begins in the past what the log holds of it, and
	// what publishers have of the present group. Tracks that the log knows as one
	// object, such as catalogs, are always replayed.
	Replay bool
}

// Cache is how much of a track is kept.
type Cache struct {
	// Groups is how many groups at most; 0: Config.CacheGroups.
	Groups int
	// Age is how long an object may be sent after it has begun to come; 0: as long
	// as the publisher lets it, which also holds if that is shorter.
	Age time.Duration
}

// Rule gives tracks a policy. Pattern is matched against the namespace fields
// and the track name, joined by "/", as by path.Match; "*" alone matches all.
type Rule struct {
	Pattern  string
	Upstream Upstream
	Cache    Cache
}

// ParseRule reads "PATTERN=lazy", "PATTERN=eager" or "PATTERN=linger:30s", each
// with any of "+replay", "+groups:8" and "+age:10s" behind it.
func ParseRule(s string) (Rule, error) {
	pattern, policy, ok := strings.Cut(s, "=")
	if !ok || pattern == "" {
		return Rule{}, fmt.Errorf("rule %q is not of the form PATTERN=POLICY", s)
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return Rule{}, fmt.Errorf("rule %q: the pattern is malformed", s)
	}
	r := Rule{Pattern: pattern}
	words := strings.Split(policy, "+")
	for i, word := range words[1:] {
		if err := r.add(word, words[1:][:i]); err != nil {
			return Rule{}, fmt.Errorf("rule %q: %w", s, err)
		}
	}
	kind, arg, _ := strings.Cut(words[0], ":")
	switch kind {
	case "lazy":
	case "eager":
		r.Upstream.Mode = Eager
	case "linger":
		d, err := time.ParseDuration(arg)
		if err != nil || d < 0 {
			return Rule{}, fmt.Errorf("rule %q: %q is not a duration such as 30s", s, arg)
		}
		r.Upstream.Linger = d
	default:
		return Rule{}, fmt.Errorf("rule %q: unknown policy %q; use lazy, eager or linger:DURATION", s, kind)
	}
	if kind != "linger" && arg != "" {
		return Rule{}, fmt.Errorf("rule %q: %s takes no argument", s, kind)
	}
	return r, nil
}

// add takes in one of the words behind the upstream policy; those before it must
// be others.
func (r *Rule) add(word string, before []string) (err error) {
	kind, arg, _ := strings.Cut(word, ":")
	if slices.ContainsFunc(before, func(b string) bool { return b == kind || strings.HasPrefix(b, kind+":") }) {
		return fmt.Errorf("%s twice", kind)
	}
	switch kind {
	case "replay":
		if arg != "" {
			return errors.New("replay takes no argument")
		}
		r.Upstream.Replay = true
	case "groups":
		if r.Cache.Groups, err = strconv.Atoi(arg); err != nil || r.Cache.Groups < 1 {
			return fmt.Errorf("%q is not a number of groups", arg)
		}
	case "age":
		if r.Cache.Age, err = time.ParseDuration(arg); err != nil || r.Cache.Age <= 0 {
			return fmt.Errorf("%q is not a duration such as 30s", arg)
		}
	default:
		return fmt.Errorf("unknown policy %q; use replay, groups:NUMBER or age:DURATION", word)
	}
	return nil
}

func (r Rule) matches(f model.FullTrackName) bool {
	if r.Pattern == "*" {
		return true
	}
	ok, err := path.Match(r.Pattern, strings.Join(append(append([]string{}, f.Namespace...), f.Name), "/"))
	return ok && err == nil
}

// Defaults of Config.
const (
	DefaultCacheBytes  = 256 << 20
	DefaultCacheGroups = 64
	DefaultIdleTracks  = 1000
	DefaultGrace       = 30 * time.Second
	// DefaultUpstreamTimeout bounds the wait for a publisher's answer.
	DefaultUpstreamTimeout = 10 * time.Second
	// DefaultMaxNamespaces is how many namespaces one peer may publish.
	DefaultMaxNamespaces = 4096
	// DefaultMaxGroupsBehind is how many groups a slow subscriber may lag; many
	// publishers begin a group with every audio frame.
	DefaultMaxGroupsBehind = 64
	// MaxRendezvous is the longest that a SUBSCRIBE may wait for a publisher.
	MaxRendezvous = time.Minute
)

// Config says how a relay behaves. The zero value is usable.
type Config struct {
	// Session is the configuration of the sessions; Role, Handler, CheckScope
	// and ID are set by the relay.
	Session session.Config
	// Authorizer is asked about every request; nil allows all.
	Authorizer auth.Authorizer
	Scope      Scope
	// Path, if not empty, is the only path that is served; sessions that name
	// none are served as well.
	Path string
	// CacheBytes bounds the logs of all tracks together, CacheGroups each for which
	// no rule says otherwise.
	CacheBytes  int64
	CacheGroups int
	// IdleTracks is how many tracks that nobody uses are kept for fetches; a
	// negative number: none.
	IdleTracks int
	// Grace is how long subscribers wait for a publisher that vanished.
	Grace           time.Duration
	UpstreamTimeout time.Duration
	MaxNamespaces   int
	// Rules give tracks a policy; the first that matches holds alone. Without one
	// it is Lazy, and CacheGroups of any age are kept.
	Rules []Rule
	// Slow says when a subscriber is too slow, and what is done then.
	Slow egress.Policy
	// KeepImmutable keeps IMMUTABLE_PROPERTIES from subscribers whose draft would
	// need them rewritten: what they subscribe to, or fetch, ends with an error.
	KeepImmutable bool
	Log           *slog.Logger
	// Identity is what windows are told of the relay; what it does and since when
	// is set by the relay. Without Drafts it is all that sessions may speak.
	Identity observe.Identity
	// Events gets what happens; nil: a Ring of the default size. A log handler
	// that puts records into the same Ring leaves out those of these events.
	Events *observe.Ring
}

func (c Config) withDefaults() Config {
	if c.CacheBytes == 0 {
		c.CacheBytes = DefaultCacheBytes
	}
	if c.CacheGroups == 0 {
		c.CacheGroups = DefaultCacheGroups
	}
	if c.IdleTracks == 0 {
		c.IdleTracks = DefaultIdleTracks
	}
	c.IdleTracks = max(c.IdleTracks, 0)
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	if c.UpstreamTimeout == 0 {
		c.UpstreamTimeout = DefaultUpstreamTimeout
	}
	if c.MaxNamespaces == 0 {
		c.MaxNamespaces = DefaultMaxNamespaces
	}
	if c.Slow.MaxGroups == 0 {
		c.Slow.MaxGroups = DefaultMaxGroupsBehind
	}
	if c.Scope == "" {
		c.Scope = ScopeNone
	}
	if c.Events == nil {
		c.Events = observe.NewRing(0)
	}
	if c.Identity.Addresses == nil {
		c.Identity.Addresses = []string{}
	}
	if len(c.Identity.Drafts) == 0 {
		for _, p := range session.Protocols() {
			if d, ok := session.DraftOf(p); ok {
				c.Identity.Drafts = append(c.Identity.Drafts, d.String())
			}
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// policy returns what holds for a track.
func (c *Config) policy(f model.FullTrackName) (Upstream, Cache) {
	for _, r := range c.Rules {
		if r.matches(f) {
			return r.Upstream, Cache{Groups: cmp.Or(r.Cache.Groups, c.CacheGroups), Age: r.Cache.Age}
		}
	}
	return Upstream{}, Cache{Groups: c.CacheGroups}
}

// errNoPublisher refuses requests for what nobody publishes.
var errNoPublisher = &model.RequestError{Code: model.DoesNotExist, Reason: "nobody publishes this track"}
