package mlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// records splits a file, which must be a JSON text sequence.
func records(t *testing.T, file []byte) []string {
	t.Helper()
	var all []string
	for i, text := range strings.Split(string(file), "\x1e") {
		if i == 0 {
			if text != "" {
				t.Errorf("the file begins with %q", text)
			}
			continue
		}
		if !strings.HasSuffix(text, "}\n") || !json.Valid([]byte(text)) {
			t.Errorf("not a record: %q", text)
		}
		all = append(all, strings.TrimSuffix(text, "\n"))
	}
	return all
}

// written returns the data of one event.
func written(t *testing.T, draft model.Draft, e session.TraceEvent) string {
	t.Helper()
	var b bytes.Buffer
	l, err := New(&b, Client, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	l.event("g", draft, e)
	all := records(t, b.Bytes())
	if len(all) == 0 {
		return ""
	}
	var event struct {
		Name  string          `json:"name"`
		Group string          `json:"group_id"`
		Data  json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal([]byte(all[len(all)-1]), &event); err != nil {
		t.Fatal(err)
	}
	if event.Group != "g" {
		t.Errorf("group_id %q", event.Group)
	}
	return event.Name + " " + string(event.Data)
}

func TestEvents(t *testing.T) {
	track := model.FullTrackName{Namespace: model.Namespace{"a", "\xff"}, Name: "<n>"}
	const name = `"track_namespace":[{"value":"a"},{"value_bytes":"ff"}],"track_name":{"value":"<n>"}`
	none := `"number_of_parameters":0,"parameters":[]`
	at := model.Location{Group: 4, Object: 5}
	for _, tt := range []struct {
		what any
		want string // of a read event on stream 3
	}{
		{&wire.Setup{Path: model.Some("/p"), MaxTokenCacheSize: model.Some(uint64(9)), Tokens: []wire.Token{{Action: wire.TokenUseValue, Type: 1, Value: []byte("secret")}},
			Unknown: model.Properties{{Type: 0x40, Int: 1}, {Type: 0x41, Bytes: []byte{7}}}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"setup","setup_options":[{"name":"path","value":"/p"},` +
				`{"name":"max_auth_token_cache_size","value":9},{"name":"authorization_token","alias_type":3,"token_type":1,"token_value":{"length":6}},` +
				`{"name":"unknown","name_bytes":64,"value":1},{"name":"unknown","name_bytes":65,"length":1,"value_bytes":{"length":1,"data":"07"}}]}}`},
		{&wire.Goaway{NewSessionURI: "u", Timeout: 2}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"goaway","new_session_uri":{"length":1,"data":"75"},"timeout":2}}`},
		{&wire.Subscribe{RequestID: 2, Track: track, Params: wire.Params{
			ObjectDeliveryTimeout: model.Some(uint64(7)), RendezvousTimeout: model.Some(uint64(1)), Forward: model.Some(false), SubscriberPriority: model.Some(uint8(3)),
			Filter: model.Some(model.Filter{Kind: model.FilterAbsolute, Start: at, End: model.Some(model.EndLocation{Group: 6})}), GroupOrder: model.Some(model.Descending)}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"subscribe","request_id":2,` + name + `,"number_of_parameters":6,"parameters":[` +
				`{"name":"delivery_timeout","value":7},{"name":"rendezvous_timeout","value":1},{"name":"forward","value":0},{"name":"subscriber_priority","value":3},` +
				`{"name":"subscription_filter","value":{"filter_type":4,"start_location":{"group":4,"object":5},"end_group_delta":2}},{"name":"group_order","value":2}]}}`},
		{&wire.SubscribeOK{TrackAlias: 7, Params: wire.Params{LargestObject: model.Some(at)}, TrackProperties: model.Properties{{Type: 2, Int: 100}}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"subscribe_ok","track_alias":7,"number_of_parameters":1,` +
				`"parameters":[{"name":"largest_object","value":{"group":4,"object":5}}],"track_properties":[{"type":2,"value":100}]}}`},
		{&wire.Publish{RequestID: 1, Track: track, TrackAlias: 2}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"publish","request_id":1,` + name + `,"track_alias":2,` + none + `}}`},
		{&wire.PublishDone{Code: model.DoneTrackEnded, StreamCount: model.Some(uint64(3)), Reason: "over"},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"publish_done","status_code":2,"stream_count":3,"reason":"over"}}`},
		{&wire.Fetch{RequestID: 1, FetchKind: wire.FetchStandalone, Track: track, Range: model.Range{Start: at, End: at}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"fetch","request_id":1,"fetch_type":"standalone","standalone_fetch":{` + name +
				`,"start_location":{"group":4,"object":5},"end_location":{"group":4,"object":5}},` + none + `}}`},
		{&wire.Fetch{RequestID: 1, FetchKind: wire.FetchRelativeJoining, JoiningRequestID: 5, JoiningStart: 6},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"fetch","request_id":1,"fetch_type":"relative_joining","joining_fetch":{"joining_request_id":5,"joining_start":6},` + none + `}}`},
		{&wire.Fetch{RequestID: 1, FetchKind: wire.FetchAbsoluteJoining, JoiningRequestID: 5, JoiningStart: 6},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"fetch","request_id":1,"fetch_type":"absolute_joining","joining_fetch":{"joining_request_id":5,"joining_start":6},` + none + `}}`},
		{&wire.FetchOK{EndOfTrack: true, End: at}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"fetch_ok","end_of_track":1,"end_location":{"group":4,"object":5},` + none + `}}`},
		{&wire.TrackStatus{RequestID: 1, Track: track}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"track_status","request_id":1,` + name + `,` + none + `}}`},
		{&wire.RequestUpdate{RequestID: 1, Params: wire.Params{Filter: model.Some(model.NextGroup), NewGroupRequest: model.Some(uint64(0))}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"request_update","request_id":1,"number_of_parameters":2,` +
				`"parameters":[{"name":"subscription_filter","value":{"filter_type":1}},{"name":"new_group_request","value":0}]}}`},
		{&wire.RequestOK{Params: wire.Params{Expires: model.Some(uint64(5)), Filter: model.Some(model.NextObject)}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"request_ok","number_of_parameters":2,"parameters":[{"name":"expires","value":5},{"name":"subscription_filter","value":{"filter_type":2}}]}}`},
		{&wire.RequestError{Code: model.NotSupported, RetryInterval: model.Some(uint64(8)), Reason: "\xfe"},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"request_error","error_code":3,"retry_interval":8,"reason_bytes":"fe"}}`},
		{&wire.PublishNamespace{RequestID: 1, Namespace: model.Namespace{"a"}}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"publish_namespace","request_id":1,"track_namespace":[{"value":"a"}],` + none + `}}`},
		{&wire.SubscribeNamespace{RequestID: 1, Prefix: model.Namespace{}}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"subscribe_namespace","request_id":1,"track_namespace_prefix":[],` + none + `}}`},
		{&wire.SubscribeTracks{RequestID: 1, Prefix: model.Namespace{"a"}, Params: wire.Params{Forward: model.Some(true)}},
			`moqt:control_message_parsed {"stream_id":3,"message":{"type":"subscribe_tracks","request_id":1,"track_namespace_prefix":[{"value":"a"}],"number_of_parameters":1,"parameters":[{"name":"forward","value":1}]}}`},
		{&wire.Namespace{Suffix: model.Namespace{"b"}}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"namespace","track_namespace_suffix":[{"value":"b"}]}}`},
		{&wire.NamespaceDone{Suffix: model.Namespace{"b"}}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"namespace_done","track_namespace_suffix":[{"value":"b"}]}}`},
		{&wire.PublishBlocked{Suffix: model.Namespace{"b"}, Name: "n"}, `moqt:control_message_parsed {"stream_id":3,"message":{"type":"publish_blocked","track_namespace_suffix":[{"value":"b"}],"track_name":{"value":"n"}}}`},

		{&wire.SubgroupHeader{TrackAlias: 1, Group: 2, Mode: wire.SubgroupExplicit, Subgroup: 3, Priority: model.Some(uint8(4)), EndOfGroup: true},
			`moqt:subgroup_header_parsed {"stream_id":3,"track_alias":1,"group_id":2,"subgroup_id_mode":2,"subgroup_id":3,"publisher_priority":4,"contains_end_of_group":true,"properties_present":false}`},
		{&wire.SubgroupHeader{TrackAlias: 1, Group: 2, Mode: wire.SubgroupFirstObject, Properties: true},
			`moqt:subgroup_header_parsed {"stream_id":3,"track_alias":1,"group_id":2,"subgroup_id_mode":1,"contains_end_of_group":false,"properties_present":true}`},
		{&session.TracedObject{Group: 1, Subgroup: 2, Prev: model.Some(uint64(3)), ObjectHeader: wire.ObjectHeader{ID: 7, PayloadLen: 9, Properties: []byte{2, 5}}},
			`moqt:subgroup_object_parsed {"stream_id":3,"group_id":1,"subgroup_id":2,"object_id":7,"object_id_delta":3,"properties_length":2,"properties":[{"type":2,"value":5}],"object_payload_length":9,"object_payload":{"length":9}}`},
		{&session.TracedObject{ObjectHeader: wire.ObjectHeader{ID: 7, Status: model.StatusEndOfGroup}},
			`moqt:subgroup_object_parsed {"stream_id":3,"group_id":0,"subgroup_id":0,"object_id":7,"object_id_delta":7,"object_payload_length":0,"object_status":3}`},
		{&session.TracedFetch{RequestID: 6}, `moqt:fetch_header_parsed {"stream_id":3,"request_id":6}`},
		{&wire.FetchItem{Location: at, Subgroup: 1, Priority: 2, PayloadLen: 3},
			`moqt:fetch_object_parsed {"stream_id":3,"datagram":false,"end_of_nonexistent_range":false,"end_of_unknown_range":false,"group_id":4,"subgroup_id":1,"object_id":5,"publisher_priority":2,"object_payload_length":3,"object_payload":{"length":3}}`},
		{&wire.FetchItem{Kind: wire.FetchEndUnknown, Location: at},
			`moqt:fetch_object_parsed {"stream_id":3,"datagram":false,"end_of_nonexistent_range":false,"end_of_unknown_range":true,"group_id":4,"object_id":5,"object_payload_length":0}`},
		{&wire.Datagram{TrackAlias: 1, Group: 2, Object: 3, Payload: []byte("x"), EndOfGroup: true},
			`moqt:object_datagram_parsed {"track_alias":1,"group_id":2,"object_id":3,"object_payload":{"length":1},"end_of_group":true}`},
		{&wire.Datagram{TrackAlias: 1, Group: 2, Object: 3, Status: model.StatusEndOfTrack, Priority: model.Some(uint8(1))},
			`moqt:object_datagram_parsed {"track_alias":1,"group_id":2,"object_id":3,"publisher_priority":1,"object_status":4,"end_of_group":false}`},
	} {
		if diff := cmp.Diff(tt.want, written(t, model.Draft18, session.TraceEvent{Stream: 3, What: tt.what})); diff != "" {
			t.Errorf("%T (-want +got):\n%s", tt.what, diff)
		}
		sent := written(t, model.Draft18, session.TraceEvent{Sent: true, Stream: 3, What: tt.what})
		if want := strings.Replace(tt.want, "_parsed", "_created", 1); sent != want {
			t.Errorf("%T sent: %s, want %s", tt.what, sent, want)
		}
	}
}

// TestSessions: the file of a client that is refused has what both said, each
// session with a name of its own, and times that do not go back.
func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l, err := New(&b, Unknown, "test")
		if err != nil {
			t.Fatal(err)
		}
		c, srv := memtr.Pair()
		started := make(chan *session.Session, 1)
		go func() {
			s, err := session.Start(t.Context(), srv, session.Config{Role: session.Server, Trace: l.Session})
			if err != nil {
				t.Error(err)
			}
			started <- s
		}()
		s, err := session.Start(t.Context(), c, session.Config{Trace: l.Session})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond) // virtual
		if _, err := s.TrackStatus(t.Context(), model.FullTrackName{Namespace: model.Namespace{"n"}, Name: "t"}); err == nil {
			t.Error("it was not refused")
		}
		s.Close(model.NoError, "over")
		s.Wait()
		(<-started).Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		all := records(t, b.Bytes())
		const head = `{"file_schema":"urn:ietf:params:qlog:file:sequential","serialization_format":"application/qlog+json-seq","title":"test",` +
			`"trace":{"common_fields":{"time_format":"relative_to_epoch","reference_time":{"clock_type":"system","epoch":"2000-01-01T00:00:00Z"}},` +
			`"vantage_point":{"type":"unknown"},"event_schemas":["urn:ietf:params:qlog:events:moqt-08"]}}`
		if all[0] != head {
			t.Errorf("the file begins with %s", all[0])
		}
		got := map[string]int{}
		last := 0.0
		for _, r := range all[1:] {
			var e struct {
				Time  float64 `json:"time"`
				Name  string  `json:"name"`
				Group string  `json:"group_id"`
			}
			if err := json.Unmarshal([]byte(r), &e); err != nil {
				t.Fatal(err)
			}
			if e.Time < last {
				t.Errorf("time goes back to %v", e.Time)
			}
			last = e.Time
			_, role, _ := strings.Cut(e.Group, "_")
			got[role+" "+e.Name]++
		}
		want := map[string]int{
			"client moqt:stream_type_set": 2, "client moqt:control_message_created": 2, "client moqt:control_message_parsed": 2,
			"server moqt:stream_type_set": 2, "server moqt:control_message_created": 2, "server moqt:control_message_parsed": 2,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if last != 1500 {
			t.Errorf("the last event is at %v ms", last)
		}
	})
}

// failing is a disk that is full after some records.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	if _, err := New(&failing{}, Client, ""); !errors.Is(err, errFull) {
		t.Errorf("New: %v", err)
	}
	l, err := New(&failing{left: 1}, Client, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l.event("g", model.Draft18, session.TraceEvent{What: &wire.Goaway{}})
	}
	if err := l.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: %v", err)
	}
}

// TestFileIsThereAtOnce: a crash loses nothing, because nothing is held back.
func TestFileIsThereAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.qlog")
	l, err := Create(name, Client, "test")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(records(t, b)); got != n+1 {
			t.Errorf("%d records after %d events", got, n)
		}
		l.event("g", model.Draft18, session.TraceEvent{What: &wire.Goaway{}})
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l.event("g", model.Draft18, session.TraceEvent{What: &wire.Goaway{}}) // of a session that is late
	if _, err := Create(filepath.Join(name, "y"), Client, ""); err == nil {
		t.Error("a file below a file was created")
	}
}
