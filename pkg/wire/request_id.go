package wire

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// RequestIDOf returns the Request ID with which the payload of a message of a
// draft up to 16 begins. It says of a reply what it answers, which the decoder
// must know before it can read the rest: its caller looks the request up and
// states its kind in the Context. ok is false for messages that begin otherwise
// and for payloads that are too short.
func RequestIDOf(d model.Draft, typ uint64, body []byte) (id uint64, ok bool) {
	t, err := tableOf(d)
	if err != nil {
		return 0, false
	}
	row := t.messageOfType(typ)
	if row == nil || !t.requestIDs || !beginsWithID(row.kind) {
		return 0, false
	}
	var r varint.Reader
	r.Reset(t.varint, body)
	id = r.Uint()
	return id, r.Err() == nil
}

// UpdatedIDOf returns the Request ID of what the payload of a REQUEST_UPDATE of a
// draft up to 16 updates, whose kind the decoder must know. ok is false for other
// messages and for payloads that are too short.
func UpdatedIDOf(d model.Draft, typ uint64, body []byte) (id uint64, ok bool) {
	t, err := tableOf(d)
	if err != nil || !t.requestIDs {
		return 0, false
	}
	if row := t.messageOfType(typ); row == nil || row.kind != KindRequestUpdate {
		return 0, false
	}
	var r varint.Reader
	r.Reset(t.varint, body)
	r.Uint()
	id = r.Uint()
	return id, r.Err() == nil
}

// beginsWithID reports whether messages of the kind name the request that they
// belong to first, up to draft 16.
func beginsWithID(k MessageKind) bool {
	switch k {
	case KindSubscribeOK, KindFetchOK, KindRequestOK, KindRequestError, KindPublishDone, KindUnsubscribe, KindFetchCancel:
		return true
	}
	return false
}
