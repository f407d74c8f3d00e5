package session

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// farewell returns the message by which we give a request up in drafts up to 16,
// where later ones reset its stream; nil if there is none.
func (l *share) farewell(code model.ResetCode) wire.Message {
	if l.us == Responder && !l.answered {
		return &wire.RequestError{RequestID: l.id, Code: refusalFor(code), Reason: "given up"}
	}
	switch {
	case l.kind == wire.KindSubscribe && l.us == Requester, l.kind == wire.KindPublish && l.us == Responder:
		return &wire.Unsubscribe{RequestID: l.id}
	case l.kind == wire.KindSubscribe, l.kind == wire.KindPublish:
		return &wire.PublishDone{RequestID: l.id, Code: doneFor(code), Reason: "given up"}
	case l.kind == wire.KindFetch && l.us == Requester:
		return &wire.FetchCancel{RequestID: l.id}
	case l.kind == wire.KindPublishNamespace && l.us == Requester:
		return &wire.PublishNamespaceDone{RequestID: l.id, Namespace: l.namespace}
	case l.kind == wire.KindPublishNamespace:
		return &wire.PublishNamespaceCancel{RequestID: l.id, Namespace: l.namespace, Code: refusalFor(code), Reason: "no longer wanted"}
	case l.kind == wire.KindSubscribeNamespace && l.us == Requester:
		return &wire.UnsubscribeNamespace{Prefix: l.namespace}
	}
	// A FETCH that was accepted ends with its data stream; TRACK_STATUS, and the
	// publisher's side of SUBSCRIBE_NAMESPACE, cannot be given up.
	return nil
}

// refusals pairs the ways to give a request up: by a reset, and by a refusal. Of
// several pairs with one code the first counts.
var refusals = []struct {
	reset   model.ResetCode
	refusal model.RequestCode
}{
	{model.ResetCancelled, model.Uninterested},
	{model.ResetGoingAway, model.RequestGoingAway},
	{model.ResetExpiredAuthToken, model.RequestExpiredAuthToken},
	{model.ResetExpiredAuthToken, model.RequestUnauthorized},
	{model.ResetExcessiveLoad, model.RequestExcessiveLoad},
	{model.ResetTooFarBehind, model.RequestExcessiveLoad},
	{model.ResetMalformedTrack, model.RequestMalformedTrack},
	{model.ResetDeliveryTimeout, model.RequestTimeout},
}

// refusalFor says as a reason for refusing a request why it is given up.
func refusalFor(code model.ResetCode) model.RequestCode {
	for _, r := range refusals {
		if r.reset == code {
			return r.refusal
		}
	}
	return model.RequestInternalError
}

// resetFor is the inverse of refusalFor.
func resetFor(code model.RequestCode) model.ResetCode {
	for _, r := range refusals {
		if r.refusal == code {
			return r.reset
		}
	}
	return model.ResetInternalError
}

// doneFor says as a status of PUBLISH_DONE why a publisher gives up.
func doneFor(code model.ResetCode) model.DoneCode {
	switch code {
	case model.ResetCancelled:
		return model.DoneSubscriptionEnded
	case model.ResetGoingAway:
		return model.DoneGoingAway
	case model.ResetExpiredAuthToken:
		return model.DoneUnauthorized
	case model.ResetExcessiveLoad:
		return model.DoneExcessiveLoad
	case model.ResetTooFarBehind, model.ResetDeliveryTimeout:
		return model.DoneTooFarBehind
	case model.ResetMalformedTrack:
		return model.DoneMalformedTrack
	}
	return model.DoneInternalError
}
