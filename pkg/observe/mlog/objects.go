package mlog

import (
	"encoding/hex"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

func subgroupHeader(h *wire.SubgroupHeader) fields {
	f := fields{{"track_alias", h.TrackAlias}, {"group_id", h.Group}, {"subgroup_id_mode", uint8(h.Mode)}}
	if h.Mode != wire.SubgroupFirstObject {
		f = append(f, field{"subgroup_id", h.Subgroup})
	}
	f = optional(f, "publisher_priority", h.Priority)
	return append(f, field{"contains_end_of_group", h.EndOfGroup}, field{"properties_present", h.Properties})
}

func subgroupObject(d model.Draft, o *session.TracedObject) fields {
	delta := o.ID
	if prev, ok := o.Prev.Get(); ok {
		delta -= prev + 1
	}
	f := fields{{"group_id", o.Group}, {"subgroup_id", o.Subgroup}, {"object_id", o.ID}, {"object_id_delta", delta}}
	f = objectProperties(f, d, o.Properties)
	f = append(f, field{"object_payload_length", o.PayloadLen})
	if o.PayloadLen == 0 {
		return append(f, field{"object_status", uint64(o.Status)})
	}
	return append(f, field{"object_payload", length(o.PayloadLen)})
}

func fetchObject(d model.Draft, it *wire.FetchItem) fields {
	f := fields{
		{"datagram", it.Datagram},
		{"end_of_nonexistent_range", it.Kind == wire.FetchEndNonExistent},
		{"end_of_unknown_range", it.Kind == wire.FetchEndUnknown || it.Kind == wire.FetchEndTimedOut},
		{"group_id", it.Location.Group},
	}
	if it.Kind != wire.FetchObject {
		return append(f, field{"object_id", it.Location.Object}, field{"object_payload_length", 0})
	}
	if !it.Datagram {
		f = append(f, field{"subgroup_id", it.Subgroup})
	}
	f = append(f, field{"object_id", it.Location.Object}, field{"publisher_priority", it.Priority})
	f = objectProperties(f, d, it.Properties)
	return append(f, field{"object_payload_length", it.PayloadLen}, field{"object_payload", length(it.PayloadLen)})
}

func datagram(d model.Draft, g *wire.Datagram) fields {
	f := fields{{"track_alias", g.TrackAlias}, {"group_id", g.Group}, {"object_id", g.Object}}
	f = optional(f, "publisher_priority", g.Priority)
	f = objectProperties(f, d, g.Properties)
	if g.Status != model.StatusNormal || len(g.Payload) == 0 && !g.EndOfGroup {
		f = append(f, field{"object_status", uint64(g.Status)})
	} else {
		f = append(f, field{"object_payload", length(uint64(len(g.Payload)))})
	}
	return append(f, field{"end_of_group", g.EndOfGroup})
}

func optional[T any](f fields, name string, v model.Opt[T]) fields {
	if v.Set {
		f = append(f, field{name, v.Value})
	}
	return f
}

// length is a RawInfo of qlog without the bytes.
func length(n uint64) fields { return fields{{"length", n}} }

// raw is a RawInfo of qlog with the bytes.
func raw(b []byte) fields {
	return fields{{"length", len(b)}, {"data", hex.EncodeToString(b)}}
}

// objectProperties adds the properties of an object, whose bytes were checked
// when they were read or are our own.
func objectProperties(f fields, d model.Draft, b []byte) fields {
	if len(b) == 0 {
		return f
	}
	f = append(f, field{"properties_length", len(b)})
	list, err := wire.ParseProperties(wire.PropertyFormOf(d), wire.ObjectProperties, b)
	if err != nil {
		return f
	}
	return append(f, field{"properties", properties(list)})
}

func properties(list model.Properties) []fields {
	all := make([]fields, 0, len(list))
	for _, p := range list {
		f := fields{{"type", p.Type}}
		if p.Type%2 == 0 {
			f = append(f, field{"value", p.Int})
		} else {
			f = append(f, field{"length", len(p.Bytes)}, field{"value_bytes", raw(p.Bytes)})
		}
		all = append(all, f)
	}
	return all
}
