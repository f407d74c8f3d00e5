package text

import (
	"fmt"
	"strconv"

	"oxymoq/pkg/model"
)

// Span is the part of a track that is wanted, as the user says it.
type Span struct {
	Start model.Opt[model.Location]
	End   model.Opt[uint64] // the last group
}

// ParseSpan reads start group, start object and end group; empty texts stand
// for what was not said. Errors are sentences for the user.
func ParseSpan(startGroup, startObject, endGroup string) (s Span, err error) {
	var start model.Location
	if startGroup == "" && startObject != "" {
		return s, fmt.Errorf("-so %s has no group; say it with -sg", startObject)
	}
	if startGroup != "" {
		if start.Group, err = parseID("-sg", startGroup); err != nil {
			return s, err
		}
		if startObject != "" {
			if start.Object, err = parseID("-so", startObject); err != nil {
				return s, err
			}
		}
		s.Start = model.Some(start)
	}
	if endGroup != "" {
		end, err := parseID("-eg", endGroup)
		if err != nil {
			return s, err
		}
		if s.Start.Set && end < start.Group {
			return s, fmt.Errorf("-eg %d lies before -sg %d", end, start.Group)
		}
		s.End = model.Some(end)
	}
	return s, nil
}

func parseID(flag, s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a whole number from 0 on", flag, s)
	}
	return n, nil
}

// last returns the last location of the span, if it has one.
func (s Span) last() model.Opt[model.Location] {
	if g, ok := s.End.Get(); ok {
		return model.Some(model.Location{Group: g, Object: model.MaxID})
	}
	return model.Opt[model.Location]{}
}
