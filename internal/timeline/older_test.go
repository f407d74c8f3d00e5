package timeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// control returns a line of a file: a message on the control stream, which has all
// of them up to draft 16.
func control(time, way, message string) string {
	return `{"time":` + time + `,"name":"moqt:control_message_` + way + `","data":{"stream_id":0,"message":` + message + `}}`
}

// TestSharedStream: where requests share a stream, their IDs say what a message is
// about.
func TestSharedStream(t *testing.T) {
	const a, b = `"track_namespace":[{"value":"a"}]`, `"track_namespace":[{"value":"b"}]`
	got := lines(parsed(t, file(
		head,
		control("1", "created", `{"type":"client_setup","supported_versions":[4278190094,4278190093,1],"setup_parameters":[{"name":"max_request_id","value":8},{"name":"path","value":"/p"}]}`),
		control("2", "parsed", `{"type":"server_setup","selected_version":4278190094,"setup_parameters":[]}`),
		control("3", "created", `{"type":"subscribe","request_id":0,`+a+`,"track_name":{"value":"x"}}`),
		control("4", "created", `{"type":"subscribe","request_id":2,`+a+`,"track_name":{"value":"y"}}`),
		control("5", "parsed", `{"type":"publish_namespace","request_id":1,`+b+`}`),
		control("6", "parsed", `{"type":"subscribe_error","request_id":2,"error_code":3}`),
		control("7", "parsed", `{"type":"subscribe_ok","request_id":0,"track_alias":5}`),
		control("8", "created", `{"type":"publish_namespace_ok","request_id":1}`),
		control("9", "created", `{"type":"subscribe_update","request_id":4,"existing_request_id":0}`),
		control("10", "parsed", `{"type":"max_request_id","request_id":2}`),
		control("11", "parsed", `{"type":"requests_blocked","maximum_request_id":8}`),
		control("12", "created", `{"type":"unsubscribe","request_id":0}`),
		control("13", "parsed", `{"type":"publish_done","request_id":0,"status_code":2}`),
		control("14", "parsed", `{"type":"publish_namespace_done",`+b+`}`),
		control("15", "parsed", `{"type":"subscribe_namespace","request_id":3,"track_namespace_prefix":[{"value":"a"}],"subscribe_options":"both"}`),
		control("16", "parsed", `{"type":"goaway","new_session_uri":{"length":0}}`),
	)))
	if diff := cmp.Diff([]string{
		"1.000 > s0 CLIENT_SETUP offers draft 14, draft 13, 0x1, path /p",
		"2.000 < s0 SERVER_SETUP chooses draft 14",
		"3.000 > s0 SUBSCRIBE a/x #0",
		"4.000 > s0 SUBSCRIBE a/y #2",
		"5.000 < s0 PUBLISH_NAMESPACE b #1",
		"6.000 < s0 SUBSCRIBE_ERROR a/y #2, NOT_SUPPORTED",
		"7.000 < s0 SUBSCRIBE_OK a/x #0, alias 5",
		"8.000 > s0 PUBLISH_NAMESPACE_OK b #1",
		"9.000 > s0 SUBSCRIBE_UPDATE a/x #4, of #0",
		"10.000 < s0 MAX_REQUEST_ID requests below #2",
		"11.000 < s0 REQUESTS_BLOCKED none below #8 is left",
		"12.000 > s0 UNSUBSCRIBE a/x #0",
		"13.000 < s0 PUBLISH_DONE a/x #0, TRACK_ENDED",
		"14.000 < s0 PUBLISH_NAMESPACE_DONE b",
		"15.000 < s0 SUBSCRIBE_NAMESPACE a #3, namespaces and tracks",
		"16.000 < s0 GOAWAY",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		numbers []uint64
		want    string
	}{
		{[]uint64{0xff00000e}, "draft 14"},
		{[]uint64{1, 0xff00000e, 1 << 62}, "0x1, draft 14, 0x4000000000000000"},
		{make([]uint64, maxVersions+2), "0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 2 more"},
	} {
		if got := versions(tt.numbers); got != tt.want {
			t.Errorf("%x: %q, want %q", tt.numbers, got, tt.want)
		}
	}
}
