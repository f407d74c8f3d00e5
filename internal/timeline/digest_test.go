package timeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything has an event of each sort, as the client writes it.
var everything = []string{
	`{"time":0,"name":"transport:connection_started","data":{"local":{"ip_v4":"0.0.0.0","port_v4":1},"remote":{"ip_v4":"10.0.0.1","port_v4":4433}}}`,
	`{"time":1,"name":"transport:alpn_information","data":{"chosen_alpn":"moqt-18"}}`,
	`{"time":2,"name":"moqt:control_message_created","data":{"stream_id":2,"message":{"type":"setup","setup_options":[{"name":"path","value":"/p"},{"name":"max_auth_token_cache_size","value":4096},{"name":"authorization_token","alias_type":3}]}}}`,
	`{"time":3,"name":"moqt:control_message_parsed","data":{"stream_id":3,"message":{"type":"setup","setup_options":[{"name":"implementation","value":"x/1"}]}}}`,
	`{"time":4,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"subscribe","request_id":0,"track_namespace":[{"value":"a"},{"value_bytes":"ff"}],"track_name":{"value":"video"},"parameters":[{"name":"subscription_filter","value":{"filter_type":2}},{"name":"delivery_timeout","value":500},{"name":"forward","value":0}]}}}`,
	`{"time":5,"name":"moqt:subgroup_header_parsed","data":{"stream_id":7,"track_alias":9,"group_id":4,"subgroup_id_mode":2,"subgroup_id":1,"contains_end_of_group":true,"properties_present":false}}`,
	`{"time":5.5,"name":"moqt:control_message_parsed","data":{"stream_id":0,"message":{"type":"subscribe_ok","track_alias":9,"parameters":[{"name":"expires","value":60},{"name":"largest_object","value":{"group":4,"object":2}}]}}}`,
	`{"time":6,"name":"moqt:subgroup_object_parsed","data":{"stream_id":7,"group_id":4,"subgroup_id":1,"object_id":0,"object_payload_length":12000,"object_payload":{"length":12000}}}`,
	`{"time":16,"name":"moqt:subgroup_object_parsed","data":{"stream_id":7,"group_id":4,"subgroup_id":1,"object_id":3,"object_payload_length":500,"object_payload":{"length":500}}}`,
	`{"time":17,"name":"transport:packet_received","data":{"header":{"packet_type":"1RTT","packet_number":9},"frames":[{"frame_type":"stream","stream_id":7,"offset":500,"length":20,"fin":true}]}}`,
	`{"time":18,"name":"moqt:control_message_created","data":{"stream_id":4,"message":{"type":"fetch","request_id":2,"fetch_type":"relative_joining","joining_fetch":{"joining_request_id":0,"joining_start":1}}}}`,
	`{"time":19,"name":"moqt:control_message_parsed","data":{"stream_id":4,"message":{"type":"fetch_ok","end_of_track":1,"end_location":{"group":4,"object":2}}}}`,
	`{"time":20,"name":"moqt:fetch_header_parsed","data":{"stream_id":11,"request_id":2}}`,
	`{"time":21,"name":"moqt:fetch_object_parsed","data":{"stream_id":11,"group_id":3,"object_id":0,"object_payload_length":10}}`,
	`{"time":22,"name":"moqt:fetch_object_parsed","data":{"stream_id":11,"group_id":4,"object_id":2,"object_payload_length":10}}`,
	`{"time":23,"name":"moqt:object_datagram_parsed","data":{"track_alias":9,"group_id":5,"object_id":1,"object_payload":{"length":100},"end_of_group":false}}`,
	`{"time":24,"name":"moqt:object_datagram_parsed","data":{"track_alias":9,"group_id":5,"object_id":2,"object_payload":{"length":100},"end_of_group":false}}`,
	`{"time":25,"name":"moqt:subgroup_header_parsed","data":{"stream_id":15,"track_alias":9,"group_id":6}}`,
	`{"time":26,"name":"transport:packet_sent","data":{"frames":[{"frame_type":"stop_sending","stream_id":15,"error_code":1}]}}`,
	`{"time":27,"name":"transport:packet_received","data":{"frames":[{"frame_type":"reset_stream_at","stream_id":15,"error_code":2,"final_size":3}]}}`,
	`{"time":28,"name":"transport:packet_received","data":{"frames":[{"frame_type":"reset_stream","stream_id":15,"error_code":2,"final_size":3}]}}`,
	`{"time":30,"name":"recovery:packet_lost","data":{"header":{"packet_type":"1RTT","packet_number":17},"trigger":"reordering_threshold"}}`,
	`{"time":31,"name":"recovery:packet_lost","data":{"header":{"packet_type":"1RTT","packet_number":18},"trigger":"reordering_threshold"}}`,
	`{"time":32,"name":"recovery:congestion_state_updated","data":{"new":"recovery"}}`,
	`{"time":33,"name":"recovery:packet_lost","data":{"header":{"packet_number":20},"trigger":"time_threshold"}}`,
	`{"time":34,"name":"quic:datagram_dropped","data":{"raw":{"length":3}}}`,
	`{"time":35,"name":"quic:datagram_dropped","data":{"raw":{"length":3}}}`,
	`{"time":36,"name":"moqt:control_message_parsed","data":{"stream_id":0,"message":{"type":"publish_done","status_code":2,"stream_count":3,"reason":"over"}}}`,
	`{"time":37,"name":"moqt:control_message_parsed","data":{"stream_id":3,"message":{"type":"goaway","new_session_uri":{"length":1,"data":"75"},"timeout":2}}}`,
	`{"time":38,"name":"moqt:control_message_created","data":{"stream_id":8,"message":{"type":"subscribe_namespace","request_id":4,"track_namespace_prefix":[{"value":"a"}],"parameters":[]}}}`,
	`{"time":39,"name":"moqt:control_message_parsed","data":{"stream_id":8,"message":{"type":"namespace","track_namespace_suffix":[{"value":"b"}]}}}`,
	`{"time":40,"name":"moqt:control_message_parsed","data":{"stream_id":8,"message":{"type":"request_error","error_code":16,"retry_interval":5}}}`,
	`{"time":41,"name":"loglevel:warning","data":{"message":"3 events are missing here","dropped":3}}`,
	`{"time":42,"name":"http3:frame_parsed","data":{}}`,
	`{"time":43,"name":"transport:connection_closed","data":{"initiator":"local","application_error":"unknown","error_code":3,"reason":"over"}}`,
}

func TestDigest(t *testing.T) {
	want := []string{
		"0.000 · connection with 10.0.0.1, port 4433",
		"1.000 · speaks moqt-18",
		"2.000 > s2 SETUP path /p, a token",
		"3.000 < s3 SETUP implementation x/1",
		"4.000 > s0 SUBSCRIBE a/0xff/video #0, from the next object, delivery timeout 500 ms, without objects",
		"5.000 < s7 SUBGROUP a/0xff/video group 4/1, objects 0–3, 2 objects, 13 kB, in 11 ms, fin",
		"5.500 < s0 SUBSCRIBE_OK a/0xff/video alias 9, expires 60 ms, largest 4/2",
		"18.000 > s4 FETCH a/0xff/video #2, relative joining, to #0, start 1",
		"19.000 < s4 FETCH_OK a/0xff/video to 4/2, the end of the track",
		"20.000 < s11 FETCHED a/0xff/video request 2, from 3/0 to 4/2, 2 objects, 20 B, in 2.00 ms",
		"23.000 < DATAGRAMS a/0xff/video group 5, objects 1–2, 2 objects, 200 B, in 1.00 ms",
		"25.000 < s15 SUBGROUP a/0xff/video group 6/0, no object, reset",
		"26.000 > s15 STOP_SENDING a/0xff/video CANCELLED  group 6/0",
		"27.000 < s15 RESET_STREAM a/0xff/video DELIVERY_TIMEOUT  group 6/0",
		"30.000 > LOST 2 packets, to 18, later ones arrived",
		"32.000 · sends less: the congestion window shrinks",
		"33.000 > LOST packet 20, too long ago",
		"34.000 · DROPPED 2 datagrams, before they were sent or read",
		`36.000 < s0 PUBLISH_DONE a/0xff/video TRACK_ENDED, 3 streams, "over"`,
		"37.000 < s3 GOAWAY within 2 ms, go to u",
		"38.000 > s8 SUBSCRIBE_NAMESPACE a #4",
		"39.000 < s8 NAMESPACE b",
		"40.000 < s8 REQUEST_ERROR a DOES_NOT_EXIST, retry after 5 ms",
		"41.000 · 3 events are missing here",
		`43.000 > CLOSE PROTOCOL_VIOLATION "over"`,
	}
	got := lines(parsed(t, file(append([]string{head}, everything...)...)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDigestOthers: what other programs write in their own way, and what has lost
// its context.
func TestDigestOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []string
		want   []string
	}{
		{"names as plain text", []string{`{"time":1,"name":"moqt:control_message_parsed","data":{"stream_id":0,"message":{"type":"subscribe","request_id":1,"track_namespace":["a","b"],"track_name":"c"}}}`},
			[]string{"1.000 < s0 SUBSCRIBE a/b/c #1"}},
		{"another place for the type", []string{`{"time":1,"name":"moqt:control_message_parsed","data":{"message_type":"client_setup"}}`}, []string{"1.000 < s0 CLIENT_SETUP"}},
		{"no type", []string{`{"time":1,"name":"moqt:control_message_parsed","data":{"stream_id":6}}`}, []string{"1.000 < s6 MESSAGE"}},
		{"an alias that nobody has explained", []string{`{"time":1,"name":"moqt:subgroup_header_created","data":{"stream_id":2,"track_alias":5,"group_id":1}}`},
			[]string{"1.000 > s2 SUBGROUP alias 5 group 1/0, no object"}},
		{"an alias that is used again", []string{
			`{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"publish","request_id":0,"track_namespace":["a"],"track_name":"x","track_alias":5}}}`,
			`{"time":2,"name":"moqt:subgroup_header_created","data":{"stream_id":2,"track_alias":5,"group_id":1}}`,
			`{"time":3,"name":"moqt:control_message_created","data":{"stream_id":4,"message":{"type":"publish","request_id":2,"track_namespace":["a"],"track_name":"y","track_alias":5}}}`,
			`{"time":4,"name":"moqt:subgroup_header_created","data":{"stream_id":6,"track_alias":5,"group_id":1}}`,
			`{"time":5,"name":"moqt:subgroup_header_parsed","data":{"stream_id":3,"track_alias":5,"group_id":1}}`,
		}, []string{
			"1.000 > s0 PUBLISH a/x #0, alias 5", "2.000 > s2 SUBGROUP a/x group 1/0, no object", "3.000 > s4 PUBLISH a/y #2, alias 5",
			"4.000 > s6 SUBGROUP a/y group 1/0, no object", "5.000 < s3 SUBGROUP alias 5 group 1/0, no object",
		}},
		{"objects without a header", []string{
			`{"time":1,"name":"moqt:subgroup_object_parsed","data":{"stream_id":3,"group_id":7,"object_id":2,"object_payload_length":5}}`,
			`{"time":2,"name":"moqt:fetch_object_parsed","data":{"stream_id":7,"group_id":7,"object_id":2,"object_payload_length":5}}`,
		}, []string{"1.000 < s3 SUBGROUP group 7/0, object 2, 5 B", "2.000 < s7 FETCHED request 0, from 7/2 to 7/2, 5 B"}},
		{"codes of WebTransport", []string{
			`{"time":1,"name":"transport:alpn_information","data":{"chosen_alpn":{"string_value":"h3"}}}`,
			`{"time":2,"name":"transport:packet_sent","data":{"frames":[{"frame_type":"reset_stream","stream_id":2,"error_code":91141958510813}]}}`,
			`{"time":3,"name":"transport:packet_sent","data":{"frames":[{"frame_type":"reset_stream","stream_id":6,"error_code":387}]}}`,
			`{"time":4,"name":"transport:packet_sent","data":{"frames":[{"frame_type":"reset_stream","stream_id":10,"error_code":386759528}]}}`,
			`{"time":5,"name":"transport:connection_closed","data":{"initiator":"remote","application_error":"unknown","error_code":256}}`,
		}, []string{
			"1.000 · speaks h3", "2.000 > s2 RESET_STREAM DELIVERY_TIMEOUT", "3.000 > s6 RESET_STREAM HTTP/3 0x183",
			"4.000 > s10 RESET_STREAM the session has ended", "5.000 < CLOSE HTTP/3 NO_ERROR",
		}},
		{"other ends", []string{
			`{"time":1,"name":"transport:connection_closed","data":{"owner":"local","connection_error":"crypto_error_0x12a","reason":"bad"}}`,
			`{"time":2,"name":"transport:connection_closed","data":{"initiator":"local","trigger":"idle_timeout"}}`,
			`{"time":3,"name":"connectivity:connection_closed","data":{}}`,
		}, []string{`1.000 > CLOSE by QUIC: crypto_error_0x12a "bad"`, "2.000 · CLOSE idle timeout", "3.000 · CLOSE"}},
		{"other beginnings", []string{
			`{"time":1,"name":"connectivity:connection_started","data":{"dst_ip":"1.2.3.4","dst_port":5}}`,
			`{"time":2,"name":"quic:connection_started","data":{"remote":{"ip_v6":"::1","port_v6":6}}}`,
			`{"time":3,"name":"quic:connection_started","data":{}}`,
		}, []string{"1.000 · connection with 1.2.3.4, port 5", "2.000 · connection with ::1, port 6", "3.000 · connection"}},
		{"a fetch of its own", []string{
			`{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"fetch","request_id":0,"fetch_type":"standalone","standalone_fetch":{"track_namespace":["a"],"track_name":"x","start_location":{"group":1,"object":2},"end_location":{"group":3,"object":4}}}}}`,
			`{"time":2,"name":"moqt:control_message_parsed","data":{"stream_id":4,"message":{"type":"publish_blocked","track_namespace_suffix":["b"],"track_name":"y"}}}`,
		}, []string{"1.000 > s0 FETCH a/x #0, from 1/2 to 3/4", "2.000 < s4 PUBLISH_BLOCKED b/y"}},
		{"filters", []string{
			`{"time":1,"name":"moqt:control_message_created","data":{"stream_id":0,"message":{"type":"subscribe","parameters":[{"name":"subscription_filter","value":{"filter_type":1}}]}}}`,
			`{"time":2,"name":"moqt:control_message_created","data":{"stream_id":4,"message":{"type":"subscribe","parameters":[{"name":"subscription_filter","value":{"filter_type":4,"start_location":{"group":4,"object":5},"end_group_delta":2}}]}}}`,
			`{"time":3,"name":"moqt:control_message_created","data":{"stream_id":8,"message":{"type":"subscribe","parameters":[{"name":"subscription_filter","value":{"filter_type":3,"start_location":{"group":4,"object":5}}},{"name":"subscription_filter","value":7}]}}}`,
		}, []string{"1.000 > s0 SUBSCRIBE from the next group", "2.000 > s4 SUBSCRIBE from 4/5, and 2 groups on", "3.000 > s8 SUBSCRIBE from 4/5"}},
	} {
		got := lines(parsed(t, file(append([]string{head}, tt.events...)...)))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestWebCode is the inverse of what WebTransport does with codes.
func TestWebCode(t *testing.T) {
	for _, tt := range []struct {
		http, code uint64
		ok         bool
	}{
		{0x52e4a40fa8db, 0, true}, {0x52e4a40fa8dc, 1, true}, {0x52e4a40fa8f8, 29, true}, {0x52e4a40fa8f9, 0, false},
		{0x52e4a40fa8fa, 30, true}, {0x52e5ac983162, 0xffffffff, true}, {0x52e5ac983163, 0, false}, {0x100, 0, false},
	} {
		if code, ok := webCode(tt.http); code != tt.code || ok != tt.ok {
			t.Errorf("%#x: %d, %v", tt.http, code, ok)
		}
	}
}

// TestCut: a trace that ends at its limit says so, and nothing after it is
// missing.
func TestCut(t *testing.T) {
	tr := parsed(t, file(head, `{"time":1,"name":"loglevel:warning","data":{"message":"the trace ends here: it has reached its limit of 4096 bytes","limit":4096}}`))
	if !tr.cut || !strings.Contains(lines(tr)[0], "4096") {
		t.Errorf("cut %v, %q", tr.cut, lines(tr))
	}
}
