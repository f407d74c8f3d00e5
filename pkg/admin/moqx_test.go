package admin

import (
	"encoding/json"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/observe"
)

// TestShapeOfMoqx: what scripts for moqx look for is where they look.
func TestShapeOfMoqx(t *testing.T) {
	w := newWorld()
	w.state.Spaces = append(w.state.Spaces, observe.NamespaceState{Fields: []string{"live"}, Watchers: []string{"81b0", "7f3a"}, Publishers: []string{}})
	_, body := ask(t, handler(w, everybody), "GET", "/state", "")
	var got any
	testkit.NoErr(t, json.Unmarshal([]byte(body), &got))
	var want any
	testkit.NoErr(t, json.Unmarshal([]byte(`{
		"relay_id": "eu-1", "active_sessions": 2,
		"services": {"default": {
			"downstream_peers": [],
			"subscriptions": [{
				"namespace": ["live", "cam1"], "track_name": "video", "is_publish": true, "subscribers": 1, "forwarding_subscribers": 1,
				"total_groups_received": 4, "total_objects_received": 100, "source_address": "192.0.2.1:4000", "largest": {"group": 12, "object": 3}
			}],
			"namespace_tree": {"full_namespace": [], "namespace_subscribers": 0, "children": {
				"live": {"full_namespace": ["live"], "namespace_subscribers": 2, "children": {
					"cam1": {"full_namespace": ["live", "cam1"], "namespace_subscribers": 0, "publisher": "192.0.2.1:4000", "children": {}}
				}}
			}},
			"cache": {"total_bytes": 4000, "tracks": [{
				"namespace": ["live", "cam1"], "track_name": "video", "end_of_track": false, "last_write_ms_ago": 250, "groups": [{"group_id": 12, "objects": 3}]
			}]},
			"upstream": {"url": "moqt://root.example", "state": "connected"}
		}}
	}`), &want))
	testkit.Equal(t, got, want)
}

func TestMoqxOfScopesAndOfManyTracks(t *testing.T) {
	w := newWorld()
	w.state.Links = nil
	for i := range maxMoqxDetails {
		x := track("more", "ns--more", "live")
		x.Scope = "tenant"
		x.Counters.LogGroups = int64(i) // the first has nothing, and none is known in detail
		w.state.Tracks = append(w.state.Tracks, x)
	}
	h := handler(w, everybody)
	_, body := ask(t, h, "GET", "/state", "")
	var m moqxState
	testkit.NoErr(t, json.Unmarshal([]byte(body), &m))
	tenant := m.Services["tenant"]
	testkit.Equal(t, len(tenant.Subscriptions), maxMoqxDetails)
	testkit.Equal(t, len(tenant.Cache.Tracks), maxMoqxDetails-1)
	testkit.Equal(t, tenant.Cache.Tracks[0].LastWrite == nil, true)
	testkit.Equal(t, tenant.Upstream == nil && m.Services["default"].Upstream == nil, true)
}

func TestMoqxKnowsTheEndOfATrack(t *testing.T) {
	d := &observe.TrackDetail{Objects: []observe.ObjectState{{Status: "end of track"}}}
	testkit.Equal(t, moqxCached(track("1", "a--b", "live"), d, time.Time{}).EndOfTrack, true)
	testkit.Equal(t, *moqxLink([]observe.LinkState{{State: "connecting"}}), moqxUpstream{State: "connecting"})
}
