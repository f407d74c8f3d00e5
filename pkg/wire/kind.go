package wire

import "oxymoq/pkg/model"

// KindOf returns the kind of the messages of a type number; ok is false for
// numbers that the draft does not define.
func KindOf(d model.Draft, typ uint64) (k MessageKind, ok bool) {
	t, err := tableOf(d)
	if err != nil {
		return 0, false
	}
	row := t.messageOfType(typ)
	if row == nil {
		return 0, false
	}
	return row.kind, true
}
