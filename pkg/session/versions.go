package session

import (
	"fmt"
	"strings"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// maxVersionsNamed is how many versions of a peer an error names.
const maxVersionsNamed = 8

// noVersion says that what the peer has put into SETUP is not what is spoken here.
func noVersion(theirs []uint64, ours model.Draft) error {
	var names []string
	for _, v := range theirs[:min(len(theirs), maxVersionsNamed)] {
		draft := v - wire.VersionNumber(0)
		if draft > 0xff {
			names = append(names, fmt.Sprintf("%#x", v))
		} else {
			names = append(names, fmt.Sprintf("draft %d", draft))
		}
	}
	if more := len(theirs) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return &model.SessionError{
		Code:   model.VersionNegotiationFailed,
		Reason: fmt.Sprintf("no version in common: of this protocol draft %v is spoken here, and there %s", ours, strings.Join(names, ", ")),
	}
}
