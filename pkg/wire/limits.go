package wire

import "oxymoq/pkg/model"

// Limits of what is read. Those with a section are the draft's; a larger value
// closes the session.
const (
	// MaxMessageLen is the largest payload of a control message in bytes; the
	// Length field cannot say more (section 10).
	MaxMessageLen = 1<<16 - 1
	// MaxReasonLen is the largest Reason Phrase in bytes (section 1.4.4).
	MaxReasonLen = 1024
	// MaxURILen is the largest New Session URI in bytes (section 10.4).
	MaxURILen = 8192
	// MaxPropertyLen is the largest value of an odd property or option in
	// bytes (section 1.4.3).
	MaxPropertyLen = 1<<16 - 1
	// MaxPropertiesLen is the largest list of object properties in bytes. The
	// limit is ours: it bounds what is buffered before an object's header can
	// be checked.
	MaxPropertiesLen = 1<<16 - 1
	// MaxObjectHeaderLen is the largest header of an object on a subgroup or
	// fetch stream in bytes, properties included.
	MaxObjectHeaderLen = MaxPropertiesLen + 64
	// MaxStreamHeaderLen is the largest header of a unidirectional data stream
	// in bytes: four integers and a priority.
	MaxStreamHeaderLen = 4*9 + 1
)

// A name may not be longer than the model allows (section 2.4.1).
const (
	maxNamespaceFields = model.MaxNamespaceFields
	maxNameLen         = model.MaxFullTrackNameLen
)
