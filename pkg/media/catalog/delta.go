package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// operation is one of a delta update (section 5.1.6).
type operation struct {
	Op     string   `json:"op"`
	Tracks []fields `json:"tracks"`
}

// update is an object that may be a delta update, of draft 01 or of draft 00,
// whose deltaUpdate is true and whose operations have fields of their own.
type update struct {
	DeltaUpdate  json.RawMessage `json:"deltaUpdate"`
	GeneratedAt  float64         `json:"generatedAt"`
	IsComplete   bool            `json:"isComplete"`
	AddTracks    []fields        `json:"addTracks"`
	CloneTracks  []fields        `json:"cloneTracks"`
	RemoveTracks []fields        `json:"removeTracks"`
}

// trackID names a track: by name, unique within a namespace.
type trackID struct{ name, namespace string }

// entry is a track of a catalog that may change.
type entry struct {
	id     trackID
	fields fields
}

func newEntry(f fields) entry {
	return entry{trackID{text(f["name"]), text(f["namespace"])}, f}
}

var errNotDelta = errors.New("not a delta update")

// apply returns the catalog after a delta update. s stays as it is, also if an
// operation fails: an update counts as a whole.
func (s *state) apply(b []byte) (*state, error) {
	if len(b) > MaxSize {
		return nil, errSize
	}
	var u update
	if err := json.Unmarshal(b, &u); err != nil {
		return nil, err
	}
	operations, err := u.operations()
	if err != nil {
		return nil, err
	}
	next := *s
	next.tracks = slices.Clone(s.tracks)
	next.complete = s.complete || u.IsComplete
	if t := wallclock(u.GeneratedAt); t != (time.Time{}) {
		next.generated = t
	}
	n := 0
	for _, o := range operations {
		if n += len(o.Tracks); n > MaxTracks {
			return nil, errTracks
		}
		for _, t := range o.Tracks {
			if err := next.operate(o.Op, t); err != nil {
				return nil, fmt.Errorf("delta update: %w", err)
			}
		}
	}
	if next.size() > MaxSize {
		return nil, errSize
	}
	return &next, nil
}

func (u *update) operations() ([]operation, error) {
	switch string(u.DeltaUpdate) {
	case "":
		return nil, errNotDelta
	case "true": // draft 00
		return []operation{{"add", u.AddTracks}, {"clone", u.CloneTracks}, {"remove", u.RemoveTracks}}, nil
	}
	var o []operation
	err := json.Unmarshal(u.DeltaUpdate, &o)
	return o, err
}

func (s *state) operate(op string, f fields) error {
	switch op {
	case "add":
		return s.add(newEntry(f))
	case "remove":
		id := newEntry(f).id
		i := s.index(id)
		if i < 0 {
			return fmt.Errorf("no track %q to remove", id.name)
		}
		s.tracks = slices.Delete(s.tracks, i, i+1)
		return nil
	case "clone", "update":
		parent := trackID{text(f["parentName"]), text(f["parentNamespace"])}
		i := s.index(parent)
		if i < 0 {
			return fmt.Errorf("no track %q to %s", parent.name, op)
		}
		merged := maps.Clone(s.tracks[i].fields)
		maps.Copy(merged, f)
		delete(merged, "parentName")
		delete(merged, "parentNamespace")
		if op == "clone" {
			return s.add(newEntry(merged))
		}
		s.tracks[i] = newEntry(merged)
		return nil
	}
	return fmt.Errorf("operation %q is not known", op)
}

func (s *state) add(t entry) error {
	if s.index(t.id) >= 0 {
		return fmt.Errorf("track %q is there already", t.id.name)
	}
	if len(s.tracks) == MaxTracks {
		return errTracks
	}
	s.tracks = append(s.tracks, t)
	return nil
}

// index finds a track; -1 if there is none.
func (s *state) index(id trackID) int {
	return slices.IndexFunc(s.tracks, func(t entry) bool { return t.id == id })
}

// text returns a JSON string; what is none, or absent, is empty.
func text(raw json.RawMessage) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return ""
	}
	return s
}

// size returns how many bytes the tracks take.
func (s *state) size() (n int) {
	for _, t := range s.tracks {
		for k, v := range t.fields {
			n += len(k) + len(v)
		}
	}
	return n
}
