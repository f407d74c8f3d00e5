package relay

import (
	"strings"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
)

const idA, idB = "0123456789abcdef", "fedcba9876543210"

func TestAnnouncements(t *testing.T) {
	for _, tt := range []struct {
		ns    model.Namespace
		way   hops
		route bool
		last  string
	}{
		{model.Namespace{"a", "b"}, hops{idA}, false, idA},
		{model.Namespace{"a"}, hops{idA, idB}, false, idA + "." + idB},
		{model.Namespace{}, hops{idA, foreignID("x:1")}, true, "~" + idA + "." + foreignID("x:1")},
	} {
		told := announcement(tt.ns, tt.way, tt.route)
		testkit.Equal(t, told, model.Namespace{hopsField}.Join(tt.ns).Join(model.Namespace{tt.last}))
		ns, way, route, ok := parseAnnouncement(told)
		if !ok || route != tt.route || !ns.Equal(tt.ns) {
			t.Errorf("%v is read as %v, route %v, %v", told, ns, route, ok)
		}
		testkit.Equal(t, way, tt.way)
	}
}

func TestNoAnnouncements(t *testing.T) {
	for _, told := range []model.Namespace{
		nil, {hopsField}, {"a", idA}, {hopsField, ""}, {hopsField, "~"}, {hopsField, "a", "b"}, {hopsField, "*"}, {hopsField, "*" + idA},
		{hopsField, idA + ".*" + idA + "." + idB}, {hopsField, idA + "."}, {hopsField, "." + idA}, {hopsField, idA[1:]},
		{hopsField, strings.Repeat(idA+".", MaxHops) + idB}, {hopsField, strings.Repeat("a", 4000)},
	} {
		if ns, way, route, ok := parseAnnouncement(told); ok {
			t.Errorf("%q is read as %v over %v, route %v", []string(told), ns, way, route)
		}
	}
}

func TestIDs(t *testing.T) {
	id := newRelayID()
	if id == newRelayID() {
		t.Error("two relays have one ID")
	}
	for _, implementation := range []string{"", "oxymoq-relay/1.0"} {
		testkit.Equal(t, idOf(withID(implementation, id)), id)
	}
	for _, other := range []string{"", "moxygen", "(relay )", "(relay x)", "x (relay " + idA, "x (relay " + idA + ") y", "x (relay " + strings.ToUpper(idA)[1:] + ")"} {
		testkit.Equal(t, idOf(other), "")
	}
}

func TestTopmost(t *testing.T) {
	testkit.Equal(t, topmost(nil), []model.Namespace{{}})
	testkit.Equal(t, topmost([]model.Namespace{{"a", "b"}, {"c"}, {"a"}, {"c"}}), []model.Namespace{{"c"}, {"a"}})
	testkit.Equal(t, topmost([]model.Namespace{{"a"}, {}}), []model.Namespace{{}})
}

// TestFarthestIsNotTold: a way of MaxHops relays ends with the last of them.
func TestFarthestIsNotTold(t *testing.T) {
	names := strings.Split("abcdefghijklmnopqr"[:MaxHops+2], "")
	meet(t, names, func(t *testing.T, n *network) {
		for i, name := range names[1:] {
			n.link(name, names[i])
		}
		n.relays["a"].join().announce("moq-date")
		pass(0)
		for i, name := range names[1:] {
			want := 1
			if i >= MaxHops {
				want = 0
			}
			if got := n.relays[name].onlyLink().Namespaces; got != want {
				t.Errorf("relay %d has learnt %d namespaces, want %d", i+1, got, want)
			}
		}
	})
}

func FuzzParseAnnouncement(f *testing.F) {
	f.Add("a", idA+".*"+idB)
	f.Add("", "~"+idA+"."+idB)
	f.Add("oxymoq-hops", "..")
	f.Fuzz(func(t *testing.T, field, last string) {
		told := model.Namespace{hopsField, field, last}
		ns, way, route, ok := parseAnnouncement(told)
		if !ok {
			return
		}
		if len(way) > MaxHops || !announcement(ns, way, route).Equal(told) {
			t.Errorf("%q: %v over %v, route %v", []string(told), ns, way, route)
		}
	})
}
