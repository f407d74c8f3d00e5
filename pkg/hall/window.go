package hall

import (
	"encoding/hex"
	"strconv"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// ShowPath returns what a carrier measures of its path, as windows show it.
func ShowPath(s session.PathStats) observe.LinkQuality {
	return observe.LinkQuality{
		RTT: s.RTT, CongestionWindow: s.CongestionWindow, PacketsSent: s.PacketsSent, PacketsLost: s.PacketsLost,
		BytesSent: s.BytesSent, BytesReceived: s.BytesReceived, DatagramsDropped: s.DatagramsDropped,
	}
}

// ShowProperties returns a list as text.
func ShowProperties(list model.Properties) []observe.PropertyState {
	all := make([]observe.PropertyState, 0, len(list))
	for _, p := range list {
		s := observe.PropertyState{Type: p.Type}
		if p.Type%2 == 0 {
			s.Value = strconv.FormatUint(p.Int, 10)
		} else {
			s.Value = hex.EncodeToString(p.Bytes[:min(len(p.Bytes), observe.MaxProperties)])
		}
		all = append(all, s)
	}
	return all
}

// ShowGroups returns the newest groups of a log, at most observe.MaxGroups.
func ShowGroups(log *track.Track) []observe.GroupState {
	list := log.Look(observe.MaxGroups, observe.MaxHoles)
	all := make([]observe.GroupState, 0, len(list))
	for _, g := range list {
		s := observe.GroupState{
			ID: g.ID, First: g.First, Last: g.Last, Objects: g.Objects, Bytes: g.Bytes, Subgroups: g.Subgroups,
			Open: g.Writers, Torn: g.Torn, Ended: g.Ended, Began: g.Born, Newest: g.Arrival,
			Holes: make([]observe.Hole, 0, len(g.Holes)), MoreHoles: g.MoreHoles,
		}
		for _, h := range g.Holes {
			s.Holes = append(s.Holes, observe.Hole(h))
			if !h.Absent {
				s.Missing += h.To - h.From + 1
			}
		}
		all = append(all, s)
	}
	return all
}

// ShowObjects returns the objects of a log that came last, at most
// observe.MaxObjects.
func ShowObjects(log *track.Track) []observe.ObjectState {
	list := log.Latest(observe.MaxObjects, observe.MaxPeek, observe.MaxProperties)
	all := make([]observe.ObjectState, 0, len(list))
	for _, o := range list {
		known, _ := DecodeProperties(o.Form, o.Properties) // of what cannot be read the length is shown
		all = append(all, observe.ObjectState{
			Number: o.Number, Location: observe.Location{Group: o.Group, Object: o.Object}, Subgroup: o.Subgroup,
			Datagram: o.Datagram, Fetched: o.Fetched, Status: o.Status.String(), Priority: o.Priority, Arrived: o.Arrival,
			Size: o.Size, PropertyBytes: o.PropertyBytes, Properties: ShowProperties(known), Peek: o.Peek,
		})
	}
	return all
}
