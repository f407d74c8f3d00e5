package wire

import (
	"testing"

	"oxymoq/pkg/model"
)

func TestNameOf(t *testing.T) {
	for _, tt := range []struct {
		ctx  Context
		kind MessageKind
		want string
	}{
		{Context{Draft: model.Draft18}, KindSetup, "SETUP"},
		{Context{Draft: model.Draft16, Receiver: Server}, KindSetup, "CLIENT_SETUP"},
		{Context{Draft: model.Draft14, Receiver: Client}, KindSetup, "SERVER_SETUP"},
		{Context{Draft: model.Draft18, Answers: KindPublish}, KindRequestOK, "REQUEST_OK"},
		{Context{Draft: model.Draft16, Answers: KindPublish}, KindRequestOK, "PUBLISH_OK"},
		{Context{Draft: model.Draft16, Answers: KindTrackStatus}, KindRequestOK, "REQUEST_OK"},
		{Context{Draft: model.Draft14, Answers: KindTrackStatus}, KindRequestOK, "TRACK_STATUS_OK"},
		{Context{Draft: model.Draft14, Answers: KindFetch}, KindRequestError, "FETCH_ERROR"},
		{Context{Draft: model.Draft14}, KindRequestUpdate, "SUBSCRIBE_UPDATE"},
		{Context{Draft: model.Draft18}, KindUnsubscribe, "UNSUBSCRIBE"}, // which that draft has not
	} {
		if got := NameOf(tt.ctx, tt.kind); got != tt.want {
			t.Errorf("%v of draft %v is %s, want %s", tt.kind, tt.ctx.Draft, got, tt.want)
		}
	}
}

func TestNamesRequests(t *testing.T) {
	for draft, want := range map[model.Draft]bool{model.Draft14: true, model.Draft16: true, model.Draft18: false, 1: false} {
		if got := NamesRequests(draft); got != want {
			t.Errorf("draft %v: %v", draft, got)
		}
	}
}
