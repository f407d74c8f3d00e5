package wire

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

func readInteger(d model.Draft, b []byte) reading {
	v, n, err := VarintKind(d).Parse(b)
	if err == nil && n != len(b) {
		err = errTrailing
	}
	return reading{map[string]any{"value": dec(v)}, VarintKind(d).Append(nil, v), err}
}

// streamType reads the first integer of a stream and its kind.
func streamType(d model.Draft, r *varint.Reader) (typ uint64, kind UniKind, err error) {
	if typ = r.Uint(); r.Err() != nil {
		return 0, 0, r.Err()
	}
	kind, err = UniStreamKind(d, typ)
	return typ, kind, err
}

var uniNames = map[UniKind]string{UniControl: "SETUP", UniSubgroup: "SUBGROUP_STREAM", UniFetch: "FETCH_STREAM", UniPadding: "PADDING_STREAM"}

func readStreamType(b []byte) reading {
	typ, kind, err := streamType(model.Draft18, varint.NewReader(varint.MoQ, b))
	return reading{map[string]any{"type": dec(typ), "kind": uniNames[kind]}, varint.MoQ.Append(nil, typ), err}
}

func readPaddingStream(b []byte) reading {
	r := varint.NewReader(varint.MoQ, b)
	typ, kind, err := streamType(model.Draft18, r)
	if err == nil && kind != UniPadding {
		err = errUnknownType
	}
	n := r.Len()
	return reading{map[string]any{"type": dec(typ), "padding_length": dec(uint64(n))}, AppendPaddingStream(nil, model.Draft18, n), err}
}

// rendered returns the properties of an object in the form of the vectors.
func rendered(d model.Draft, present bool, raw []byte) any {
	if !present {
		return nil
	}
	p, _ := ParseProperties(PropertyFormOf(d), ObjectProperties, raw)
	return renderProperties(p)
}

func priorityOf(p model.Opt[uint8]) any {
	if !p.Set {
		return nil
	}
	return dec(uint64(p.Value))
}

func readSubgroupStream(d model.Draft, b []byte, fin bool) reading {
	r := varint.NewReader(VarintKind(d), b)
	typ := r.Uint()
	if r.Err() != nil {
		return reading{err: r.Err()}
	}
	h, err := ParseSubgroupHeader(d, typ, r)
	if err != nil {
		return reading{err: finalError(err, fin)}
	}
	form := FormOf(d, h.Properties)
	again := h.Append(nil, d)
	var prev model.Opt[uint64]
	var first any
	objects := []any{}
	for r.Len() > 0 {
		o, err := form.ParseObject(prev, r)
		if err == nil {
			err = ParsePriorGaps(form.PropertyForm, o.Properties).Check(model.Location{Group: h.Group, Object: o.ID})
		}
		payload := r.Bytes(o.PayloadLen)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return reading{err: finalError(err, fin)}
		}
		again = append(form.AppendObject(again, prev, o), payload...)
		objects = append(objects, map[string]any{
			"object_id": dec(o.ID), "properties": rendered(d, h.Properties, o.Properties),
			"status": dec(uint64(o.Status)), "payload": hexOf(payload),
		})
		if !prev.Set {
			first = dec(o.ID)
		}
		prev = model.Some(o.ID)
	}
	subgroup := any(dec(h.Subgroup))
	if h.Mode == SubgroupFirstObject {
		subgroup = first
	}
	return reading{decoded: map[string]any{
		"type": dec(typ), "properties_present": h.Properties, "subgroup_id_mode": dec(uint64(h.Mode)),
		"end_of_group": h.EndOfGroup, "default_priority": !h.Priority.Set, "first_object": h.FirstObject,
		"track_alias": dec(h.TrackAlias), "group_id": dec(h.Group), "subgroup_id": subgroup,
		"publisher_priority": priorityOf(h.Priority), "objects": objects,
	}, again: again}
}

func readDatagram(d model.Draft, b []byte) reading {
	g, padding, err := ParseDatagram(d, b)
	if err != nil {
		return reading{err: err}
	}
	typ, n, _ := VarintKind(d).Parse(b)
	if padding {
		pad := len(b) - n
		return reading{decoded: map[string]any{"type": dec(typ), "padding_length": dec(uint64(pad))}, again: AppendPaddingDatagram(nil, d, pad)}
	}
	return reading{decoded: map[string]any{
		"type": dec(typ), "properties_present": typ&datagramProperties != 0, "end_of_group": g.EndOfGroup,
		"zero_object_id": typ&datagramZeroObject != 0, "default_priority": !g.Priority.Set, "status_present": typ&datagramStatus != 0,
		"track_alias": dec(g.TrackAlias), "group_id": dec(g.Group), "object_id": dec(g.Object),
		"publisher_priority": priorityOf(g.Priority), "properties": rendered(d, typ&datagramProperties != 0, g.Properties),
		"status": dec(uint64(g.Status)), "payload": hexOf(g.Payload),
	}, again: g.appendAs(nil, d, typ)}
}

var rangeNames = map[FetchItemKind]string{FetchEndNonExistent: "non_existent", FetchEndUnknown: "unknown"}

func readFetchStream(d model.Draft, v *vector, b []byte, fin bool) reading {
	order := model.Ascending
	if v.Context.GroupOrder == "descending" {
		order = model.Descending
	}
	r := varint.NewReader(VarintKind(d), b)
	typ, kind, err := streamType(d, r)
	if err == nil && kind != UniFetch {
		err = violation("FETCH_HEADER", "Type", 0, unknownNumber(typ))
	}
	if err != nil {
		return reading{err: err}
	}
	id, err := ParseFetchHeader(d, r)
	if err != nil {
		return reading{err: finalError(err, fin)}
	}
	again := AppendFetchHeader(nil, d, id)
	dc := NewFetchDecoder(d, order)
	items := []any{}
	for r.Len() > 0 {
		state, flags := dc.state, flagsAt(d, b, r.Offset())
		it, err := dc.Parse(r)
		payload := r.Bytes(it.PayloadLen)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			return reading{err: finalError(err, fin)}
		}
		again = append(appendFetchItem(again, d, order, state, flags, &it), payload...)
		items = append(items, renderFetchItem(d, &it, flags, payload))
	}
	return reading{decoded: map[string]any{"request_id": dec(id), "items": items}, again: again}
}

func flagsAt(d model.Draft, b []byte, offset int) uint64 {
	flags, _, _ := VarintKind(d).Parse(b[offset:])
	return flags
}

func renderFetchItem(d model.Draft, it *FetchItem, flags uint64, payload []byte) map[string]any {
	out := map[string]any{"group_id": dec(it.Location.Group), "object_id": dec(it.Location.Object)}
	if d == model.Draft14 { // nothing but objects, with all fields
		out["kind"], out["status"] = "object", dec(uint64(it.Status))
		flags = fetchProperties
	} else {
		out["flags"] = dec(flags)
		if it.Kind != FetchObject {
			out["kind"], out["range"] = "end_of_range", rangeNames[it.Kind]
			return out
		}
		out["kind"], out["datagram"] = "object", it.Datagram
	}
	out["subgroup_id"] = any(nil)
	if !it.Datagram {
		out["subgroup_id"] = dec(it.Subgroup)
	}
	out["publisher_priority"] = dec(uint64(it.Priority))
	out["properties"], out["payload"] = rendered(d, flags&fetchProperties != 0, it.Properties), hexOf(payload)
	return out
}
