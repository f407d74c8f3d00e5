package wire

import "oxymoq/pkg/model"

// NameOf returns the draft's name of a message that is written in the context:
// in draft 14 a RequestError that answers KindSubscribe is SUBSCRIBE_ERROR.
func NameOf(ctx Context, k MessageKind) string {
	if t, err := tableOf(ctx.Draft); err == nil {
		if row := t.messageFor(k, ctx); row != nil {
			return row.name
		}
	}
	return k.String()
}

// NamesRequests reports whether messages of a draft say by a Request ID which
// request they are about, as they must where requests share a stream.
func NamesRequests(d model.Draft) bool {
	t, err := tableOf(d)
	return err == nil && t.requestIDs
}
