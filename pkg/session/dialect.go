package session

import "oxymoq/pkg/model"

// dialect is what a draft does differently from draft 18 above the bytes. What is
// accepted beyond the text of a draft stands in quirks.go.
type dialect struct {
	// sharesControl says that requests have no streams of their own but share a
	// bidirectional control stream, name each other by Request ID and are bounded
	// by MAX_REQUEST_ID (draft 16, sections 3.3, 9.1 and 9.5).
	sharesControl bool
	// namespaceStream says that SUBSCRIBE_NAMESPACE has a stream of its own all
	// the same, that its FIN ends it, and that it asks for tracks too if its
	// Subscribe Options say so (draft 16, sections 6.1 and 9.25).
	namespaceStream bool
	// namespaceMeansBoth says that a SUBSCRIBE_NAMESPACE asks for namespaces,
	// which come as PUBLISH_NAMESPACE, and for tracks (draft 14, section 6.1).
	namespaceMeansBoth bool
	// silentUpdates says that updates are not answered, change subscriptions
	// only, say all of their terms, and may only narrow them (draft 14, section
	// 9.10).
	silentUpdates bool
	// versions says that SETUP agrees on the draft (draft 14, section 9.3.1).
	versions bool
	// joinsNextObject says that a FETCH may join only a SUBSCRIBE with the filter
	// Largest Object, and joins where that began, whatever it was updated to
	// (draft 16, section 9.16.2).
	joinsNextObject bool
	// echoesTracks says that SUBSCRIBE_NAMESPACE also brings the subscriber's own
	// tracks (draft 16, section 6.1).
	echoesTracks bool
	// blocked says that there is PUBLISH_BLOCKED.
	blocked bool
	// goawayDetails says that GOAWAY has a timeout and a Request ID.
	goawayDetails bool
	// settledTerms says that SUBSCRIBE_OK and PUBLISH_OK state what was agreed,
	// in fields that cannot be absent (draft 14, sections 9.8 and 9.14).
	settledTerms bool
}

var dialects = map[model.Draft]dialect{
	model.Draft14: {
		sharesControl: true, namespaceMeansBoth: true, silentUpdates: true, versions: true,
		joinsNextObject: true, echoesTracks: true, settledTerms: true,
	},
	model.Draft16: {sharesControl: true, namespaceStream: true, joinsNextObject: true, echoesTracks: true},
	model.Draft18: {blocked: true, goawayDetails: true},
}

// Echoes reports whether a peer that asks for what is below a prefix is also told
// of what it publishes there itself: of its namespaces, and of its tracks (draft
// 18, sections 6.1 and 10.19; drafts 16 and 14, section 6.1).
func (s *Session) Echoes() (namespaces, tracks bool) { return true, s.dialect.echoesTracks }
