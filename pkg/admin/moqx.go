package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"oxymoq/pkg/observe"
)

// The shape of moqx's GET /state (openmoq/moqx, src/admin/JsonStateVisitors.h),
// which scripts of its users read.

// moqxState is the whole answer.
type moqxState struct {
	RelayID        string                  `json:"relay_id"`
	ActiveSessions int                     `json:"active_sessions"`
	Services       map[string]*moqxService `json:"services"` // by scope; that of all is "default"
}

// moqxService is a scope, which sessions of other scopes share nothing with.
type moqxService struct {
	Peers         []moqxPeer         `json:"downstream_peers"` // always empty: which sessions are relays is not known
	Subscriptions []moqxSubscription `json:"subscriptions"`    // tracks that the relay gets
	Tree          *moqxNamespace     `json:"namespace_tree"`
	Cache         moqxCache          `json:"cache"`
	Upstream      *moqxUpstream      `json:"upstream,omitempty"` // the first link to another relay
}

type moqxPeer struct {
	Address   string `json:"address"`
	Authority string `json:"authority"`
	RelayID   string `json:"relay_id,omitempty"`
}

type moqxSubscription struct {
	Namespace     []string          `json:"namespace"`
	TrackName     string            `json:"track_name"`
	IsPublish     bool              `json:"is_publish"` // its publisher made it, by PUBLISH
	Subscribers   int               `json:"subscribers"`
	Forwarding    int               `json:"forwarding_subscribers"`
	TotalGroups   uint64            `json:"total_groups_received"`
	TotalObjects  uint64            `json:"total_objects_received"`
	SourceAddress string            `json:"source_address"`
	Largest       *observe.Location `json:"largest,omitempty"`
}

type moqxNamespace struct {
	Full        []string                  `json:"full_namespace"`
	Subscribers int                       `json:"namespace_subscribers"`
	Publisher   string                    `json:"publisher,omitempty"` // an address
	Children    map[string]*moqxNamespace `json:"children"`            // by their last field
}

type moqxCache struct {
	TotalBytes int64            `json:"total_bytes"`
	Tracks     []moqxCacheTrack `json:"tracks"`
}

type moqxCacheTrack struct {
	Namespace  []string    `json:"namespace"`
	TrackName  string      `json:"track_name"`
	EndOfTrack bool        `json:"end_of_track"`
	LastWrite  *int64      `json:"last_write_ms_ago"` // null: nothing was written
	Groups     []moqxGroup `json:"groups"`
}

type moqxGroup struct {
	ID      uint64 `json:"group_id"`
	Objects int    `json:"objects"`
}

type moqxUpstream struct {
	URL   string `json:"url"`
	State string `json:"state"`
}

// maxMoqxDetails is of how many tracks the answer tells groups and whether
// subscribers forward; it is asked of the relay track by track.
const maxMoqxDetails = 64

// moqx answers with the state as moqx does.
func (a *API) moqx(w http.ResponseWriter, r *http.Request) {
	s, err := a.newest.get(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	details, err := a.details(r.Context(), s.Tracks)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, moqxOf(s.State, details))
}

// details are those of the first tracks, by ID.
func (a *API) details(ctx context.Context, tracks []observe.TrackState) (map[string]*observe.TrackDetail, error) {
	details := make(map[string]*observe.TrackDetail)
	for _, t := range tracks[:min(len(tracks), maxMoqxDetails)] {
		d, err := a.source.Track(ctx, t.ID)
		switch {
		case errors.Is(err, observe.ErrNoTrack): // it ended meanwhile
		case err != nil:
			return nil, err
		default:
			details[t.ID] = d
		}
	}
	return details, nil
}

// moqxOf says the same as a State.
func moqxOf(s *observe.State, details map[string]*observe.TrackDetail) moqxState {
	address := make(map[string]string, len(s.Sessions))
	for _, session := range s.Sessions {
		address[session.ID] = session.Remote
	}
	first := func(sessions []string) string {
		if len(sessions) == 0 {
			return ""
		}
		return address[sessions[0]]
	}
	m := moqxState{RelayID: s.Relay.Name, ActiveSessions: len(s.Sessions), Services: map[string]*moqxService{}}
	service := func(scope string) *moqxService {
		scope = cmp.Or(scope, "default")
		if m.Services[scope] == nil {
			m.Services[scope] = &moqxService{
				Peers: []moqxPeer{}, Subscriptions: []moqxSubscription{}, Tree: newMoqxNamespace(nil), Cache: moqxCache{Tracks: []moqxCacheTrack{}},
			}
		}
		return m.Services[scope]
	}
	service("").Upstream = moqxLink(s.Links)
	for _, space := range s.Spaces {
		node := service(space.Scope).Tree.at(space.Fields)
		node.Subscribers, node.Publisher = len(space.Watchers), first(space.Publishers)
	}
	for _, t := range s.Tracks {
		in, d := service(t.Scope), details[t.ID]
		if t.State == "live" || t.State == "opening" {
			in.Subscriptions = append(in.Subscriptions, moqxTrack(t, d, first(t.Publishers)))
		}
		in.Cache.TotalBytes += t.Counters.LogBytes
		if t.Counters.LogGroups > 0 {
			in.Cache.Tracks = append(in.Cache.Tracks, moqxCached(t, d, s.Time))
		}
	}
	return m
}

func moqxLink(links []observe.LinkState) *moqxUpstream {
	if len(links) == 0 {
		return nil
	}
	words := map[string]string{"up": "connected", "down": "disconnected"}
	return &moqxUpstream{URL: links[0].URL, State: cmp.Or(words[links[0].State], links[0].State)}
}

func moqxTrack(t observe.TrackState, d *observe.TrackDetail, source string) moqxSubscription {
	m := moqxSubscription{
		Namespace: t.Namespace, TrackName: t.Name, Subscribers: t.Subscribers, SourceAddress: source,
		TotalGroups: t.Counters.Groups, TotalObjects: t.Counters.ObjectsIn, Largest: t.Largest,
	}
	if d == nil {
		return m
	}
	m.IsPublish = slices.ContainsFunc(d.Sources, func(p observe.PublisherState) bool { return p.Pushed })
	for _, sub := range d.Subscriptions {
		if sub.Forward {
			m.Forwarding++
		}
	}
	return m
}

func moqxCached(t observe.TrackState, d *observe.TrackDetail, now time.Time) moqxCacheTrack {
	m := moqxCacheTrack{Namespace: t.Namespace, TrackName: t.Name, Groups: []moqxGroup{}}
	if !t.Newest.IsZero() {
		ago := now.Sub(t.Newest).Milliseconds()
		m.LastWrite = &ago
	}
	if d == nil {
		return m
	}
	for _, g := range d.Groups {
		m.Groups = append(m.Groups, moqxGroup{ID: g.ID, Objects: g.Objects})
	}
	for _, o := range d.Objects {
		m.EndOfTrack = m.EndOfTrack || o.Status == "end of track"
	}
	return m
}

func newMoqxNamespace(full []string) *moqxNamespace {
	return &moqxNamespace{Full: append([]string{}, full...), Children: map[string]*moqxNamespace{}}
}

// at returns the node of a namespace, and makes those before it.
func (n *moqxNamespace) at(fields []string) *moqxNamespace {
	for i, f := range fields {
		if n.Children[f] == nil {
			n.Children[f] = newMoqxNamespace(fields[:i+1])
		}
		n = n.Children[f]
	}
	return n
}
