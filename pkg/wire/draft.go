package wire

import (
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// draftTable is what one draft writes differently from another.
type draftTable struct {
	varint             varint.Kind
	unknownStreamCount uint64 // of PUBLISH_DONE
	goawayRequestID    bool   // GOAWAY on the control stream has a Request ID
	// filterNoneIsAbsence says that no filter is written as no parameter,
	// except in an update.
	filterNoneIsAbsence bool
	messages            []messageRow
	params              []paramRow // in the order of their types
}

// messageRow is one message of a draft.
type messageRow struct {
	kind  MessageKind
	typ   uint64
	name  string
	on    streamSet
	opens bool // may be the first message on a request stream
}

// streamSet is a set of StreamKinds.
type streamSet uint8

const (
	onControl streamSet = 1 << ControlStream
	onRequest streamSet = 1 << RequestStream
)

func (s streamSet) has(k StreamKind) bool { return s&(1<<k) != 0 }

// tableOf returns the table of a draft whose control messages are spoken.
func tableOf(d model.Draft) (*draftTable, error) {
	switch d {
	case model.Draft18:
		return draft18, nil
	case model.Draft22:
		return draft22, nil
	}
	return nil, fmt.Errorf("draft %v is not spoken", d)
}

func (t *draftTable) message(k MessageKind) *messageRow {
	for i := range t.messages {
		if t.messages[i].kind == k {
			return &t.messages[i]
		}
	}
	return nil
}

func (t *draftTable) messageOfType(typ uint64) *messageRow {
	for i := range t.messages {
		if t.messages[i].typ == typ {
			return &t.messages[i]
		}
	}
	return nil
}

func (t *draftTable) paramOf(id paramID) *paramRow {
	for i := range t.params {
		if t.params[i].id == id {
			return &t.params[i]
		}
	}
	return nil
}

func (t *draftTable) paramOfType(typ uint64) *paramRow {
	for i := range t.params {
		if t.params[i].typ == typ {
			return &t.params[i]
		}
	}
	return nil
}
