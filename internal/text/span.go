package text

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"oxymoq/pkg/model"
)

// Span is the part of a track that is wanted, as the user says it.
type Span struct {
	Start model.Opt[model.Location]
	End   model.Opt[model.Location] // the last that is wanted

	// StartFrom and EndFrom stand for the groups above if those were said as
	// distances from the present group.
	StartFrom, EndFrom model.Opt[int64]
}

// maxDistance bounds distances from the present group, so that sums stay in
// range.
const maxDistance = 1 << 31

// ParseSpan reads start group, start object, end group and end object; empty
// texts stand for what was not said. A group is a number, "a" and a number, or
// with a sign a distance from the group that is present when the program asks.
// Errors are sentences for the user.
func ParseSpan(startGroup, startObject, endGroup, endObject string) (s Span, err error) {
	switch {
	case startGroup == "" && startObject != "":
		return s, fmt.Errorf("-so %s has no group; say it with -sg", startObject)
	case endGroup == "" && endObject != "":
		return s, fmt.Errorf("-eo %s has no group; say it with -eg", endObject)
	}
	if startGroup != "" {
		if s.Start, s.StartFrom, err = parsePlace("-sg", startGroup, "-so", startObject, 0); err != nil {
			return s, err
		}
	}
	if endGroup != "" {
		if s.End, s.EndFrom, err = parsePlace("-eg", endGroup, "-eo", endObject, model.MaxID); err != nil {
			return s, err
		}
	}
	return s, s.check()
}

func (s Span) check() error {
	switch start, end := s.Start.Value, s.End.Value; {
	case !s.Start.Set || !s.End.Set || s.StartFrom.Set != s.EndFrom.Set:
		return nil
	case s.StartFrom.Set && s.EndFrom.Value < s.StartFrom.Value:
		return fmt.Errorf("-eg %+d lies before -sg %+d", s.EndFrom.Value, s.StartFrom.Value)
	case end.Group < start.Group:
		return fmt.Errorf("-eg %d lies before -sg %d", end.Group, start.Group)
	case end.Group == start.Group && s.StartFrom == s.EndFrom && end.Object < start.Object:
		return fmt.Errorf("-eo %d lies before -so %d", end.Object, start.Object)
	}
	return nil
}

// parsePlace reads a group and an object in it, which is whole if it was not
// said. With a distance the group of the location is 0.
func parsePlace(groupFlag, group, objectFlag, object string, whole uint64) (at model.Opt[model.Location], from model.Opt[int64], err error) {
	l := model.Location{Object: whole}
	if strings.HasPrefix(group, "+") || strings.HasPrefix(group, "-") {
		n, err := strconv.ParseInt(group, 10, 64)
		if err != nil || n > maxDistance || n < -maxDistance {
			return at, from, fmt.Errorf("%s %q is not a number of groups from the present one", groupFlag, group)
		}
		from = model.Some(n)
	} else if l.Group, err = parseID(groupFlag, group); err != nil {
		return at, from, err
	}
	if object != "" {
		if strings.HasPrefix(object, "+") || strings.HasPrefix(object, "-") {
			return at, from, fmt.Errorf("%s %q is a distance; objects are counted from the beginning of their group", objectFlag, object)
		}
		if l.Object, err = parseID(objectFlag, object); err != nil {
			return at, from, err
		}
	}
	return model.Some(l), from, nil
}

func parseID(flag, s string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "a"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a whole number from 0 on", flag, s)
	}
	return n, nil
}

// Relative reports whether the span must be resolved before it is used.
func (s Span) Relative() bool { return s.StartFrom.Set || s.EndFrom.Set }

// groupsBack returns n if all that the span says is to start n groups before the
// present one.
func (s Span) groupsBack() (n uint64, ok bool) {
	ok = s.StartFrom.Set && s.StartFrom.Value <= 0 && s.Start.Value.Object == 0 && !s.End.Set
	return uint64(-s.StartFrom.Value), ok
}

// errNothingYet says that there is no present group.
var errNothingYet = errors.New("nothing was published yet, so there is no group to count from")

// resolve returns the span with groups instead of distances from the group of
// the largest location.
func (s Span) resolve(largest model.Opt[model.Location]) (Span, error) {
	if s.Relative() && !largest.Set {
		return s, errNothingYet
	}
	for _, p := range []struct {
		at   *model.Opt[model.Location]
		from *model.Opt[int64]
	}{{&s.Start, &s.StartFrom}, {&s.End, &s.EndFrom}} {
		if !p.from.Set {
			continue
		}
		group := largest.Value.Group
		if n := p.from.Value; n < 0 {
			group -= min(group, uint64(-n))
		} else {
			group = min(group+uint64(n), model.MaxID)
		}
		p.at.Value.Group = group
		*p.from = model.Opt[int64]{}
	}
	return s, s.check()
}
