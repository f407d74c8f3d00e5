package wire

// place is a set of places where a parameter may stand: messages, and for
// answers and updates the kind of request that they belong to.
type place uint32

const (
	inSubscribe place = 1 << iota
	inSubscribeOK
	inPublish
	inPublishOK
	inFetch
	inFetchOK
	inTrackStatus
	inTrackStatusOK
	inPublishNamespace
	inPublishNamespaceOK
	inSubscribeNamespace
	inSubscribeNamespaceOK
	inSubscribeTracks
	inSubscribeTracksOK
	inUpdateOK
	inUpdateOfSubscription // on the stream of a SUBSCRIBE or PUBLISH
	inUpdateOfFetch
	inUpdateOfPublishNamespace
	inUpdateOfSubscribeNamespace
	inUpdateOfSubscribeTracks
	inFill // inside FILL_PARAMETERS

	inAnyUpdate = inUpdateOfSubscription | inUpdateOfFetch | inUpdateOfPublishNamespace |
		inUpdateOfSubscribeNamespace | inUpdateOfSubscribeTracks
	inAnyRequest = inSubscribe | inPublish | inFetch | inTrackStatus | inPublishNamespace |
		inSubscribeNamespace | inSubscribeTracks
)

// inUpdateOf returns the place of a REQUEST_UPDATE on the stream of a request;
// nowhere if the request cannot be updated or was not stated.
func inUpdateOf(request MessageKind) place {
	switch request {
	case KindSubscribe, KindPublish:
		return inUpdateOfSubscription
	case KindFetch:
		return inUpdateOfFetch
	case KindPublishNamespace:
		return inUpdateOfPublishNamespace
	case KindSubscribeNamespace:
		return inUpdateOfSubscribeNamespace
	case KindSubscribeTracks:
		return inUpdateOfSubscribeTracks
	}
	return 0
}

// inAnswerTo returns the place of a REQUEST_OK; nowhere if it answers no
// message that is answered so.
func inAnswerTo(answers MessageKind) place {
	switch answers {
	case KindPublish:
		return inPublishOK
	case KindTrackStatus:
		return inTrackStatusOK
	case KindPublishNamespace:
		return inPublishNamespaceOK
	case KindSubscribeNamespace:
		return inSubscribeNamespaceOK
	case KindSubscribeTracks:
		return inSubscribeTracksOK
	case KindRequestUpdate:
		return inUpdateOK
	}
	return 0
}
