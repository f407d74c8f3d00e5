package interop

import "oxymoq/pkg/model"

// vector is one of the tracks that the runner's DATA-PLANE.md has specified, with
// the objects of its data-plane.json.
type vector struct {
	name    string
	objects []object
}

// The sizes of payloads and the priorities of groups in all vectors.
const (
	firstSize    = 16 // of the object that is the first of its group to be sent
	otherSize    = 8
	evenPriority = 200
	oddPriority  = 201
)

// spot is where an object is.
type spot struct{ group, subgroup, id uint64 }

// laid makes objects of spots.
func laid(spots ...spot) (objects []object) {
	begun := make(map[uint64]bool)
	for _, at := range spots {
		o := object{at: model.Location{Group: at.group, Object: at.id}, subgroup: at.subgroup, priority: evenPriority, payload: filled(otherSize)}
		if at.group%2 == 1 {
			o.priority = oddPriority
		}
		if !begun[at.group] {
			begun[at.group] = true
			o.payload = filled(firstSize)
		}
		objects = append(objects, o)
	}
	return objects
}

// vectors returns the tracks.
func vectors() []vector {
	properties := laid(spot{0, 0, 0}, spot{0, 0, 1})
	properties[0].properties = model.Properties{{Type: 0x3800, Int: 0x1234}, {Type: 0x3801, Bytes: []byte("high-type-3801")}}
	properties[1].properties = model.Properties{{Type: 0x3802, Int: 0x10203040}, {Type: 0x3803, Bytes: []byte("high-type-3803")}}
	return []vector{
		{"subscribe-one-subgroup-per-group", laid(spot{0, 0, 0}, spot{0, 0, 1}, spot{0, 0, 2}, spot{1, 0, 0}, spot{1, 0, 1}, spot{1, 0, 2})},
		{"subscribe-one-subgroup-per-object", laid(spot{0, 0, 0}, spot{0, 1, 1}, spot{0, 2, 2})},
		{"subscribe-two-subgroups-per-group", laid(spot{0, 0, 0}, spot{0, 1, 1}, spot{0, 0, 2}, spot{0, 1, 3}, spot{0, 0, 4}, spot{0, 1, 5})},
		{"subscribe-nonzero-start-group", laid(spot{5, 0, 0}, spot{5, 0, 1}, spot{6, 0, 0}, spot{6, 0, 1})},
		{"subscribe-nonzero-start-object", laid(spot{0, 0, 3}, spot{0, 0, 4}, spot{0, 0, 5})},
		{"subscribe-sparse-group-object-ids", laid(
			spot{0, 0, 0}, spot{0, 0, 2}, spot{0, 0, 4},
			spot{2, 0, 0}, spot{2, 0, 2}, spot{2, 0, 4},
			spot{4, 0, 0}, spot{4, 0, 2}, spot{4, 0, 4})},
		{"subscribe-object-properties", properties},
	}
}

// play: a track that is published to a subscriber that waits for it arrives as it
// was sent. It is specified for draft 18; where subscribers cannot wait the
// publisher comes first, which changes nothing about the objects.
func (v vector) play(s *scene) error {
	track := model.FullTrackName{Namespace: model.Namespace{"moq-interop", v.name}, Name: runID()}
	return s.publishAndSubscribe(track, v.objects, false)
}
