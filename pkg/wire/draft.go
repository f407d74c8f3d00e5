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

	// What the messages of one draft have and those of another do not.

	requestIDs           bool // requests share a stream: answers, updates and ends name theirs
	versions             bool // the versions are negotiated in SETUP
	countedOptions       bool // SETUP says how many options it has
	goawayTimeout        bool
	goawayRequestID      bool // on the control stream
	retryInterval        bool // in REQUEST_ERROR
	redirect             bool // likewise
	trackProperties      bool // behind the parameters of SUBSCRIBE_OK, PUBLISH and FETCH_OK
	statusProperties     bool // behind those of the answer to TRACK_STATUS
	subscribeOptions     bool // in SUBSCRIBE_NAMESPACE
	subscriptionFields   bool // what are parameters elsewhere are fields; see fields14.go
	namesNamespaces      bool // PUBLISH_NAMESPACE_DONE and _CANCEL name the namespace, not the request
	absoluteTypes        bool // of Key-Value-Pairs: no deltas, in any order
	absoluteGroupEnd     bool // of a filter: no distance from the start
	namespacesHaveFields bool // at least one; prefixes and suffixes may have none
	prefixesHaveFields   bool // likewise

	// How parameters are written and what becomes of those that do not fit.

	keyValueParams   bool // values as those of Key-Value-Pairs
	ignoresMisplaced bool // a known parameter in another message
	ignoresUnknown   bool
	// filterNoneIsAbsence says that no filter is written as no parameter,
	// except in an update.
	filterNoneIsAbsence bool
	// joinsNextObject says that only a subscription with the filter Largest
	// Object may be joined by a FETCH, so that SUBSCRIBE has that for none.
	joinsNextObject bool
	// positiveTimeouts says that a timeout of 0, which is none in later drafts,
	// is not allowed.
	positiveTimeouts bool

	options  map[uint64]string // Setup Options, by their types
	messages []messageRow
	params   []paramRow // in the order of their types
}

// messageRow is one message of a draft. If a draft has several for one kind,
// what they answer or who receives them tells them apart.
type messageRow struct {
	kind    MessageKind
	typ     uint64
	name    string
	on      streamSet
	opens   bool    // may be the first message of a request
	answers kindSet // what it can answer; none: anything, or it is no answer
	to      roleSet // who may receive it; none: both
}

// streamSet is a set of StreamKinds.
type streamSet uint8

const (
	onControl streamSet = 1 << ControlStream
	onRequest streamSet = 1 << RequestStream
)

func (s streamSet) has(k StreamKind) bool { return s&(1<<k) != 0 }

// roleSet is a set of Roles.
type roleSet uint8

const (
	toClientOnly roleSet = 1 << Client
	toServerOnly roleSet = 1 << Server
)

func (s roleSet) has(r Role) bool { return s == 0 || s&(1<<r) != 0 }

// kindSet is a set of MessageKinds.
type kindSet uint64

func kinds(list ...MessageKind) kindSet {
	var s kindSet
	for _, k := range list {
		s |= 1 << k
	}
	return s
}

func (s kindSet) has(k MessageKind) bool { return s == 0 || s&(1<<k) != 0 }

// only returns the one member of s; 0 if there are more or none.
func (s kindSet) only() MessageKind {
	for k := range MessageKind(64) {
		if s == kinds(k) {
			return k
		}
	}
	return 0
}

// tableOf returns the table of a draft whose control messages are spoken.
func tableOf(d model.Draft) (*draftTable, error) {
	switch d {
	case model.Draft14:
		return draft14, nil
	case model.Draft16:
		return draft16, nil
	case model.Draft18:
		return draft18, nil
	case model.Draft22:
		return draft22, nil
	}
	return nil, fmt.Errorf("draft %v is not spoken", d)
}

// message returns the first message of a kind.
func (t *draftTable) message(k MessageKind) *messageRow {
	for i := range t.messages {
		if t.messages[i].kind == k {
			return &t.messages[i]
		}
	}
	return nil
}

// messageFor returns the message of a kind that fits the context.
func (t *draftTable) messageFor(k MessageKind, ctx Context) *messageRow {
	for i := range t.messages {
		row := &t.messages[i]
		if row.kind == k && row.answers.has(ctx.Answers) && row.to.has(ctx.Receiver) {
			return row
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
