package egress

import (
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// A relay may not change IMMUTABLE_PROPERTIES (section 12.7). But the list inside
// would mean something else, or nothing, to a session of another draft; there it is
// written anew, or not at all.

// OnRewrite makes f be called once, when immutable properties are first put into
// the form of another draft. f must neither block nor use the subscription. To be
// called before Start.
func (sub *Subscription) OnRewrite(f func()) { sub.onRewrite = f }

// rewrote is called whenever immutable properties were.
func (sub *Subscription) rewrote() {
	if sub.onRewrite != nil && sub.rewritten.CompareAndSwap(false, true) {
		sub.onRewrite()
	}
}

// What ends a subscription that does not allow it.
var (
	immutable       = ending{reset: model.ResetInternalError, drop: observe.DropUnencodable, skip: true}
	immutableResult = Result{Code: model.DoneInternalError, Reason: "immutable properties are not rewritten for another draft"}
)

// errImmutable ends a fetch that does not allow it.
var errImmutable = fmt.Errorf("%s: %w", immutableResult.Reason, &model.StreamError{Code: model.ResetInternalError})

// rewrite takes note of an object on a fetch stream that needs it.
func (f *fetch) rewrite(o *track.Object) error {
	switch {
	case !o.Immutable || o.Form == f.s.session.ObjectForm(true):
	case f.opts.KeepImmutable:
		return errImmutable
	case f.opts.OnRewrite != nil && !f.rewritten:
		f.rewritten = true
		f.opts.OnRewrite()
	}
	return nil
}
