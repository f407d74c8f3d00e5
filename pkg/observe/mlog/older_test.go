package mlog

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// Messages have the names of their draft, and up to draft 16 say which request
// they are about.
func TestMessagesOfOlderDrafts(t *testing.T) {
	ns := model.Namespace{"a"}
	const space, none = `"track_namespace":[{"value":"a"}]`, `"number_of_parameters":0,"parameters":[]`
	for _, tt := range []struct {
		draft model.Draft
		name  string
		what  wire.Message
		want  string
	}{
		{model.Draft14, "CLIENT_SETUP", &wire.Setup{Versions: []uint64{0xff00000d, 0xff00000e}, MaxRequestID: model.Some(uint64(4))},
			`{"type":"client_setup","number_of_supported_versions":2,"supported_versions":[4278190093,4278190094],"number_of_parameters":1,"setup_parameters":[{"name":"max_request_id","value":4}]}`},
		{model.Draft14, "SERVER_SETUP", &wire.Setup{Versions: []uint64{0xff00000e}},
			`{"type":"server_setup","selected_version":4278190094,"number_of_parameters":0,"setup_parameters":[]}`},
		{model.Draft16, "CLIENT_SETUP", &wire.Setup{Path: model.Some("/p")},
			`{"type":"client_setup","number_of_parameters":1,"setup_parameters":[{"name":"path","value":"/p"}]}`},
		{model.Draft16, "GOAWAY", &wire.Goaway{NewSessionURI: "u"}, `{"type":"goaway","new_session_uri":{"length":1,"data":"75"}}`},
		{model.Draft16, "MAX_REQUEST_ID", &wire.MaxRequestID{Max: 8}, `{"type":"max_request_id","request_id":8}`},
		{model.Draft16, "REQUESTS_BLOCKED", &wire.RequestsBlocked{Max: 8}, `{"type":"requests_blocked","maximum_request_id":8}`},
		{model.Draft16, "SUBSCRIBE_OK", &wire.SubscribeOK{RequestID: 2, TrackAlias: 3}, `{"type":"subscribe_ok","request_id":2,"track_alias":3,` + none + `}`},
		{model.Draft16, "PUBLISH_OK", &wire.RequestOK{RequestID: 2}, `{"type":"publish_ok","request_id":2,` + none + `}`},
		{model.Draft14, "TRACK_STATUS_OK", &wire.RequestOK{}, `{"type":"track_status_ok","request_id":0,` + none + `}`},
		{model.Draft14, "FETCH_ERROR", &wire.RequestError{RequestID: 2, Code: model.NotSupported}, `{"type":"fetch_error","request_id":2,"error_code":3,"reason":""}`},
		{model.Draft16, "FETCH_OK", &wire.FetchOK{RequestID: 2}, `{"type":"fetch_ok","request_id":2,"end_of_track":0,"end_location":{"group":0,"object":0},` + none + `}`},
		{model.Draft16, "PUBLISH_DONE", &wire.PublishDone{RequestID: 2, Code: model.DoneTrackEnded}, `{"type":"publish_done","request_id":2,"status_code":2,"reason":""}`},
		{model.Draft14, "SUBSCRIBE_UPDATE", &wire.RequestUpdate{RequestID: 4, Existing: 2}, `{"type":"subscribe_update","request_id":4,"existing_request_id":2,` + none + `}`},
		{model.Draft16, "UNSUBSCRIBE", &wire.Unsubscribe{RequestID: 2}, `{"type":"unsubscribe","request_id":2}`},
		{model.Draft16, "FETCH_CANCEL", &wire.FetchCancel{RequestID: 2}, `{"type":"fetch_cancel","request_id":2}`},
		{model.Draft16, "PUBLISH_NAMESPACE_DONE", &wire.PublishNamespaceDone{RequestID: 2}, `{"type":"publish_namespace_done","request_id":2}`},
		{model.Draft14, "PUBLISH_NAMESPACE_DONE", &wire.PublishNamespaceDone{Namespace: ns}, `{"type":"publish_namespace_done",` + space + `}`},
		{model.Draft16, "PUBLISH_NAMESPACE_CANCEL", &wire.PublishNamespaceCancel{RequestID: 2, Code: model.NotSupported, Reason: "no"},
			`{"type":"publish_namespace_cancel","request_id":2,"error_code":3,"reason":"no"}`},
		{model.Draft14, "PUBLISH_NAMESPACE_CANCEL", &wire.PublishNamespaceCancel{Namespace: ns, Code: model.NotSupported},
			`{"type":"publish_namespace_cancel",` + space + `,"error_code":3,"reason":""}`},
		{model.Draft14, "UNSUBSCRIBE_NAMESPACE", &wire.UnsubscribeNamespace{Prefix: ns}, `{"type":"unsubscribe_namespace","track_namespace_prefix":[{"value":"a"}]}`},
		{model.Draft16, "SUBSCRIBE_NAMESPACE", &wire.SubscribeNamespace{RequestID: 2, Prefix: ns, Options: wire.WantBoth},
			`{"type":"subscribe_namespace","request_id":2,"track_namespace_prefix":[{"value":"a"}],"subscribe_options":"both",` + none + `}`},
		{model.Draft16, "SUBSCRIBE_NAMESPACE", &wire.SubscribeNamespace{Options: wire.WantNamespaces}, `{"type":"subscribe_namespace","request_id":0,"track_namespace_prefix":[],"subscribe_options":"namespace",` + none + `}`},
		{model.Draft14, "PUBLISH", &wire.Publish{RequestID: 1, Track: model.FullTrackName{Namespace: ns, Name: "n"}, Params: wire.Params{MaxCacheDuration: model.Some(uint64(9))}},
			`{"type":"publish","request_id":1,` + space + `,"track_name":{"value":"n"},"track_alias":0,"number_of_parameters":1,"parameters":[{"name":"max_cache_duration","value":9}]}`},
	} {
		want := `moqt:control_message_parsed {"stream_id":0,"message":` + tt.want + `}`
		if diff := cmp.Diff(want, written(t, tt.draft, session.TraceEvent{Name: tt.name, What: tt.what})); diff != "" {
			t.Errorf("%s of draft %v (-want +got):\n%s", tt.name, tt.draft, diff)
		}
	}
}
