package wire

import (
	"testing"

	"oxymoq/pkg/model"
)

var drafts = []model.Draft{model.Draft14, model.Draft16, model.Draft18, model.Draft22}

func TestCodesThatMoved(t *testing.T) {
	for _, test := range []struct {
		draft model.Draft
		done  model.DoneCode
		wire  uint64
	}{
		{model.Draft14, model.DoneExpired, 5}, {model.Draft14, model.DoneTooFarBehind, 6}, {model.Draft14, model.DoneMalformedTrack, 7},
		{model.Draft16, model.DoneExpired, 5}, {model.Draft16, model.DoneTooFarBehind, 6}, {model.Draft16, model.DoneMalformedTrack, 0x12},
		{model.Draft18, model.DoneTooFarBehind, 5}, {model.Draft18, model.DoneExpired, 6}, {model.Draft18, model.DoneMalformedTrack, 0x12},
	} {
		if got := DoneCodeToWire(test.draft, test.done); got != test.wire {
			t.Errorf("draft %v: %v is written 0x%x, want 0x%x", test.draft, test.done, got, test.wire)
		}
		if got := DoneCodeFromWire(test.draft, test.wire); got != test.done {
			t.Errorf("draft %v: 0x%x is read as %v, want %v", test.draft, test.wire, got, test.done)
		}
	}
	if got := ResetCodeToWire(model.Draft16, model.ResetUnknownObjectStatus); got != 4 {
		t.Errorf("draft 16: UNKNOWN_OBJECT_STATUS is written 0x%x, want 4", got)
	}
	if got := ResetCodeFromWire(model.Draft16, 6); got != model.ResetInternalError {
		t.Errorf("draft 16: stream reset 6 is read as %v, which only draft 18 has", got)
	}
}

// A code that a draft lacks becomes an internal error, never another code.
func TestCodesThatADraftLacks(t *testing.T) {
	for name, got := range map[string]uint64{
		"TOO_MANY_REQUESTS in 18":                  SessionCodeToWire(model.Draft18, model.TooManyRequests) - uint64(model.InternalError),
		"VERSION_NEGOTIATION_FAILED in 22":         SessionCodeToWire(model.Draft22, model.VersionNegotiationFailed) - uint64(model.InternalError),
		"GOING_AWAY in 16":                         RequestCodeToWire(model.Draft16, KindSubscribe, model.RequestGoingAway),
		"REDIRECT in 14":                           RequestCodeToWire(model.Draft14, KindSubscribe, model.Redirected),
		"UNINTERESTED SUBSCRIBE in 14":             RequestCodeToWire(model.Draft14, KindSubscribe, model.Uninterested),
		"SUBSCRIPTION_ENDED in 22":                 DoneCodeToWire(model.Draft22, model.DoneSubscriptionEnded),
		"UPDATE_FAILED in 14":                      DoneCodeToWire(model.Draft14, model.DoneUpdateFailed),
		"a grease code of 18 that is a code of 14": DoneCodeToWire(model.Draft14, 7),
		"GOING_AWAY reset in 16":                   ResetCodeToWire(model.Draft16, model.ResetGoingAway),
	} {
		if got != 0 {
			t.Errorf("%s: written as 0x%x", name, got)
		}
	}
}

func TestRequestCodesOfDraft14DependOnTheRequest(t *testing.T) {
	for _, test := range []struct {
		request MessageKind
		wire    uint64
		want    model.RequestCode
	}{
		{KindSubscribe, 4, model.DoesNotExist}, {KindTrackStatus, 5, model.InvalidRange}, {KindPublish, 4, model.Uninterested},
		{KindFetch, 7, model.InvalidJoiningRequestID}, {KindFetch, 9, model.RequestMalformedTrack}, {KindFetch, 5, model.InvalidRange}, {KindFetch, 6, model.NoObjects},
		{KindPublishNamespace, 4, model.Uninterested}, {KindSubscribeNamespace, 5, model.PrefixOverlap},
		{KindSubscribe, 0x10, model.RequestMalformedAuthToken}, {KindSubscribe, 2, model.RequestTimeout},
	} {
		if got := RequestCodeFromWire(model.Draft14, test.request, test.wire); got != test.want {
			t.Errorf("%v error 0x%x is read as %v, want %v", test.request, test.wire, got, test.want)
		}
		if got := RequestCodeToWire(model.Draft14, test.request, test.want); got != test.wire {
			t.Errorf("%v error %v is written 0x%x, want 0x%x", test.request, test.want, got, test.wire)
		}
	}
}

// What was read is written as it was read, or as an internal error; and in
// draft 18 nothing changes at all, except codes that it lacks.
func TestCodesSurviveBothWays(t *testing.T) {
	for _, d := range drafts {
		for v := range uint64(0x200) {
			for name, again := range map[string]uint64{
				"session": SessionCodeToWire(d, SessionCodeFromWire(d, v)),
				"done":    DoneCodeToWire(d, DoneCodeFromWire(d, v)),
				"reset":   ResetCodeToWire(d, ResetCodeFromWire(d, v)),
				"request": RequestCodeToWire(d, KindFetch, RequestCodeFromWire(d, KindFetch, v)),
			} {
				if again != v && again > 1 {
					t.Errorf("draft %v: %s code 0x%x comes back as 0x%x", d, name, v, again)
				}
				if d == model.Draft18 && again != v && !(name == "session" && v == uint64(model.TooManyRequests)) {
					t.Errorf("draft 18: %s code 0x%x comes back as 0x%x", name, v, again)
				}
			}
		}
	}
}
