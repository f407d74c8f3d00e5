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

// refusalFor says as a reason for refusing a request why it is given up.
func refusalFor(code model.ResetCode) model.RequestCode {
	switch code {
	case model.ResetCancelled:
		return model.Uninterested
	case model.ResetGoingAway:
		return model.RequestGoingAway
	case model.ResetExpiredAuthToken:
		return model.RequestExpiredAuthToken
	case model.ResetExcessiveLoad, model.ResetTooFarBehind:
		return model.RequestExcessiveLoad
	case model.ResetMalformedTrack:
		return model.RequestMalformedTrack
	case model.ResetDeliveryTimeout:
		return model.RequestTimeout
	}
	return model.RequestInternalError
}

// resetFor is the inverse of refusalFor.
func resetFor(code model.RequestCode) model.ResetCode {
	switch code {
	case model.Uninterested:
		return model.ResetCancelled
	case model.RequestGoingAway:
		return model.ResetGoingAway
	case model.RequestExpiredAuthToken, model.RequestUnauthorized:
		return model.ResetExpiredAuthToken
	case model.RequestExcessiveLoad:
		return model.ResetExcessiveLoad
	case model.RequestMalformedTrack:
		return model.ResetMalformedTrack
	case model.RequestTimeout:
		return model.ResetDeliveryTimeout
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
