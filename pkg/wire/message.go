package wire

import "fmt"

// MessageKind names a control message independently of its type number.
type MessageKind uint8

// Control messages of all drafts that are read or written.
const (
	KindSetup MessageKind = iota + 1
	KindGoaway
	KindSubscribe
	KindSubscribeOK
	KindPublish
	KindPublishDone
	KindFetch
	KindFetchOK
	KindTrackStatus
	KindPublishNamespace
	KindSubscribeNamespace
	KindNamespace
	KindNamespaceDone
	KindSubscribeTracks
	KindPublishBlocked
	KindRequestUpdate
	KindRequestOK
	KindRequestError

	// Up to draft 16 requests share the control stream; these messages say what
	// the end of a request stream says since.
	KindMaxRequestID
	KindRequestsBlocked
	KindUnsubscribe
	KindFetchCancel
	KindPublishNamespaceDone
	KindPublishNamespaceCancel
	KindUnsubscribeNamespace
)

// String returns the name of the message in draft 18, or in the last that has
// it.
func (k MessageKind) String() string {
	for _, t := range []*draftTable{draft18, draft16, draft14} {
		if row := t.message(k); row != nil {
			return row.name
		}
	}
	return fmt.Sprintf("MessageKind(%d)", uint8(k))
}

// Message is a control message. Field meanings are those of the draft; where
// drafts differ, the struct has the union and the codec converts.
type Message interface{ Kind() MessageKind }

// newMessage returns an empty message of the kind.
func newMessage(k MessageKind) body {
	switch k {
	case KindSetup:
		return new(Setup)
	case KindGoaway:
		return new(Goaway)
	case KindSubscribe:
		return new(Subscribe)
	case KindSubscribeOK:
		return new(SubscribeOK)
	case KindPublish:
		return new(Publish)
	case KindPublishDone:
		return new(PublishDone)
	case KindFetch:
		return new(Fetch)
	case KindFetchOK:
		return new(FetchOK)
	case KindTrackStatus:
		return new(TrackStatus)
	case KindPublishNamespace:
		return new(PublishNamespace)
	case KindSubscribeNamespace:
		return new(SubscribeNamespace)
	case KindNamespace:
		return new(Namespace)
	case KindNamespaceDone:
		return new(NamespaceDone)
	case KindSubscribeTracks:
		return new(SubscribeTracks)
	case KindPublishBlocked:
		return new(PublishBlocked)
	case KindRequestUpdate:
		return new(RequestUpdate)
	case KindRequestOK:
		return new(RequestOK)
	case KindRequestError:
		return new(RequestError)
	case KindMaxRequestID:
		return new(MaxRequestID)
	case KindRequestsBlocked:
		return new(RequestsBlocked)
	case KindUnsubscribe:
		return new(Unsubscribe)
	case KindFetchCancel:
		return new(FetchCancel)
	case KindPublishNamespaceDone:
		return new(PublishNamespaceDone)
	case KindPublishNamespaceCancel:
		return new(PublishNamespaceCancel)
	case KindUnsubscribeNamespace:
		return new(UnsubscribeNamespace)
	}
	panic(fmt.Sprintf("wire: a draft's table names %v, which has no struct", k))
}
