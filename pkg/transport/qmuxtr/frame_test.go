package qmuxtr_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/qmuxtr"
)

// frames is every frame with its bytes, as they are sent.
var frames = []struct {
	name  string
	frame qmuxtr.Frame
	wire  string
}{
	{"PADDING", qmuxtr.Frame{Type: qmuxtr.Padding}, "00"},
	{"RESET_STREAM", qmuxtr.Frame{Type: qmuxtr.ResetStream, ID: 4, Code: 7, N: 300}, "04 04 07 412c"},
	{"STOP_SENDING", qmuxtr.Frame{Type: qmuxtr.StopSending, ID: 64, Code: 1}, "05 4040 01"},
	{"STREAM at the start", qmuxtr.Frame{Type: qmuxtr.Stream, ID: 2, Data: "hi"}, "0a 02 02 6869"},
	{"STREAM with FIN", qmuxtr.Frame{Type: qmuxtr.Stream, ID: 2, Fin: true}, "0b 02 00"},
	{"STREAM with an offset", qmuxtr.Frame{Type: qmuxtr.Stream, ID: 2, HasOffset: true, N: 5, Data: "x"}, "0e 02 05 01 78"},
	{"STREAM with an offset and FIN", qmuxtr.Frame{Type: qmuxtr.Stream, ID: 2, HasOffset: true, N: 5, Fin: true}, "0f 02 05 00"},
	{"MAX_DATA", qmuxtr.Frame{Type: qmuxtr.MaxData, N: 1 << 20}, "10 80100000"},
	{"MAX_STREAM_DATA", qmuxtr.Frame{Type: qmuxtr.MaxStreamData, ID: 3, N: 9}, "11 03 09"},
	{"MAX_STREAMS of bidirectional streams", qmuxtr.Frame{Type: qmuxtr.MaxStreamsBidi, N: 100}, "12 4064"},
	{"MAX_STREAMS of unidirectional streams", qmuxtr.Frame{Type: qmuxtr.MaxStreamsUni, N: 1 << 60}, "13 d000000000000000"},
	{"DATA_BLOCKED", qmuxtr.Frame{Type: qmuxtr.DataBlocked, N: 9}, "14 09"},
	{"STREAM_DATA_BLOCKED", qmuxtr.Frame{Type: qmuxtr.StreamDataBlocked, ID: 3, N: 9}, "15 03 09"},
	{"STREAMS_BLOCKED of bidirectional streams", qmuxtr.Frame{Type: qmuxtr.StreamsBlockedBidi, N: 9}, "16 09"},
	{"STREAMS_BLOCKED of unidirectional streams", qmuxtr.Frame{Type: qmuxtr.StreamsBlockedUni, N: 9}, "17 09"},
	{"CONNECTION_CLOSE of the transport", qmuxtr.Frame{Type: qmuxtr.TransportClose, Code: 0xa, N: 8, Data: "no"}, "1c 0a 08 02 6e6f"},
	{"CONNECTION_CLOSE of the application", qmuxtr.Frame{Type: qmuxtr.AppClose, Code: 3, Data: "bye"}, "1d 03 03 627965"},
	{"RESET_STREAM_AT", qmuxtr.Frame{Type: qmuxtr.ResetStreamAt, ID: 4, Code: 7, N: 9, Reliable: 6}, "24 04 07 09 06"},
	{"DATAGRAM", qmuxtr.Frame{Type: qmuxtr.Datagram, Data: "dg"}, "31 02 6467"},
	{"QX_PING that asks", qmuxtr.Frame{Type: qmuxtr.Ping, N: 1}, "f48c67529ef8c7bd 01"},
	{"QX_PING that answers", qmuxtr.Frame{Type: qmuxtr.Pong, N: 1}, "f48c67529ef8c7be 01"},
	{"QX_TRANSPORT_PARAMETERS", qmuxtr.Frame{Type: qmuxtr.TransportParams, Data: "\x04\x01\x05"}, "ff5153300d0a0d0a 03 040105"},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	return testkit.Must(hex.DecodeString(strings.ReplaceAll(s, " ", "")))(t)
}

func TestFramesBothWays(t *testing.T) {
	for _, c := range frames {
		t.Run(c.name, func(t *testing.T) {
			wire := unhex(t, c.wire)
			testkit.Equal(t, hex.EncodeToString(c.frame.Append(nil)), hex.EncodeToString(wire))
			testkit.Equal(t, testkit.Must(qmuxtr.ParseFrames(wire))(t), []qmuxtr.Frame{c.frame})
		})
	}
}

// The end of the record ends a frame that has no length.
func TestFramesWithoutLength(t *testing.T) {
	for wire, want := range map[string]qmuxtr.Frame{
		"08 02 6869":    {Type: qmuxtr.Stream, ID: 2, Data: "hi"},
		"09 02":         {Type: qmuxtr.Stream, ID: 2, Fin: true},
		"0c 02 05 6869": {Type: qmuxtr.Stream, ID: 2, HasOffset: true, N: 5, Data: "hi"},
		"0d 02 05 6869": {Type: qmuxtr.Stream, ID: 2, HasOffset: true, N: 5, Fin: true, Data: "hi"},
		"30 6467":       {Type: qmuxtr.Datagram, Data: "dg"},
		"30":            {Type: qmuxtr.Datagram},
	} {
		testkit.Equal(t, testkit.Must(qmuxtr.ParseFrames(unhex(t, wire)))(t), []qmuxtr.Frame{want})
	}
}

// Every frame that stops short is an error, and never another frame.
func TestTruncatedFrames(t *testing.T) {
	for _, c := range frames {
		wire := unhex(t, c.wire)
		for n := 1; n < len(wire); n++ {
			_, err := qmuxtr.ParseFrames(wire[:n])
			e := testkit.ErrAs[*qmuxtr.TransportError](t, err)
			if e.Code != qmuxtr.FrameEncodingError || e.Remote {
				t.Fatalf("%s cut to %d bytes: %v", c.name, n, err)
			}
		}
	}
}

func TestFramesThatBreakRules(t *testing.T) {
	for name, wire := range map[string]string{
		"PING of QUIC":                "01",
		"ACK":                         "02 00 00 00 00",
		"CRYPTO":                      "06 00 00",
		"NEW_TOKEN":                   "07 01 00",
		"NEW_CONNECTION_ID":           "18 00 00 01 00",
		"RETIRE_CONNECTION_ID":        "19 00",
		"PATH_CHALLENGE":              "1a 0000000000000000",
		"PATH_RESPONSE":               "1b 0000000000000000",
		"HANDSHAKE_DONE":              "1e",
		"a frame of nobody":           "40ff",
		"more streams than IDs":       "12 d000000000000001",
		"blocked on more than IDs":    "17 d000000000000001",
		"data beyond the last offset": "0e 02 ffffffffffffffff 01 00",
		"reliable beyond the end":     "24 04 07 05 06",
		"a length of 2^62-1":          "31 ffffffffffffffff 00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := qmuxtr.ParseFrames(unhex(t, wire))
			testkit.Equal(t, testkit.ErrAs[*qmuxtr.TransportError](t, err).Code, qmuxtr.FrameEncodingError)
		})
	}
}

func FuzzFrames(f *testing.F) {
	for _, c := range frames {
		f.Add(unhex(f, c.wire))
	}
	f.Add(unhex(f, "09 02"))
	f.Add(unhex(f, "30 6467"))
	f.Fuzz(func(t *testing.T, record []byte) {
		frames, err := qmuxtr.ParseFrames(record)
		if err != nil {
			testkit.ErrAs[*qmuxtr.TransportError](t, err)
			return
		}
		var again []byte
		for _, fr := range frames {
			again = fr.Append(again)
		}
		testkit.Equal(t, testkit.Must(qmuxtr.ParseFrames(again))(t), frames)
	})
}

func TestParamsBothWays(t *testing.T) {
	all := qmuxtr.Params{
		Idle: 15000, Data: 1 << 20, BidiLocal: 1, BidiRemote: 2, Uni: 3,
		StreamsBidi: 4, StreamsUni: 5, Datagram: 16382, Record: 1 << 18, ResetAt: true,
	}
	wire := unhex(t, "0102 7a98 0404 80100000 050101 060102 070103 080104 090105 2002 7ffe c571c59429cd0845 04 80040000 1d00")
	testkit.Equal(t, hex.EncodeToString(all.Append(nil)), hex.EncodeToString(wire))
	testkit.Equal(t, testkit.Must(qmuxtr.ParseParams(all.Append(nil)))(t), all)
	// What is absent has a meaning too, and what is unknown has none.
	testkit.Equal(t, testkit.Must(qmuxtr.ParseParams(unhex(t, "1b 03 010203")))(t), qmuxtr.Params{Record: qmuxtr.DefaultRecord})
	testkit.Equal(t, len(qmuxtr.Params{Record: qmuxtr.DefaultRecord}.Append(nil)), 0)
}

func TestParamsThatBreakRules(t *testing.T) {
	for name, wire := range map[string]string{
		"original_destination_connection_id":     "0000",
		"stateless_reset_token":                  "0210 00112233445566778899aabbccddeeff",
		"max_udp_payload_size":                   "0302 45ac",
		"ack_delay_exponent":                     "0a01 03",
		"max_ack_delay":                          "0b01 19",
		"disable_active_migration":               "0c00",
		"preferred_address":                      "0d00",
		"active_connection_id_limit":             "0e01 02",
		"initial_source_connection_id":           "0f00",
		"retry_source_connection_id":             "1000",
		"a length beyond the end":                "0402 05",
		"no length":                              "04",
		"a value that is longer than an integer": "0402 0505",
		"a value without bytes":                  "0400",
		"a truncated integer":                    "0401 40",
		"the same twice":                         "040105 040105",
		"the flag twice":                         "1d00 1d00",
		"a flag with a value":                    "1d01 00",
		"records that are too small":             "c571c59429cd0845 02 7ffd",
		"more streams than IDs":                  "0808 d000000000000001",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := qmuxtr.ParseParams(unhex(t, wire))
			testkit.Equal(t, testkit.ErrAs[*qmuxtr.TransportError](t, err).Code, qmuxtr.TransportParameterError)
		})
	}
}

func FuzzParams(f *testing.F) {
	f.Add(unhex(f, "0102 7a98 0404 80100000 1d00"))
	f.Add(unhex(f, "0000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := qmuxtr.ParseParams(b)
		if err != nil {
			testkit.Equal(t, testkit.ErrAs[*qmuxtr.TransportError](t, err).Code, qmuxtr.TransportParameterError)
			return
		}
		testkit.Equal(t, testkit.Must(qmuxtr.ParseParams(p.Append(nil)))(t), p)
	})
}

func TestRecords(t *testing.T) {
	for _, size := range []int{1, 59, 60, 61, 62, 16378, 16379} {
		f := qmuxtr.Frame{Type: qmuxtr.Datagram, Data: strings.Repeat("d", size)}
		b := qmuxtr.Seal(f)
		testkit.Equal(t, hex.EncodeToString(b), hex.EncodeToString(qmuxtr.Record(f)))
		r := qmuxtr.NewRecords(bytes.NewReader(append(b, b...)))
		for range 2 {
			testkit.Equal(t, testkit.Must(qmuxtr.ParseFrames(testkit.Must(r.Next())(t)))(t), []qmuxtr.Frame{f})
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("after the last record: %v", err)
		}
		for n := 1; n < len(b); n += max(1, len(b)/50) {
			if _, err := qmuxtr.NewRecords(bytes.NewReader(b[:n])).Next(); err != io.ErrUnexpectedEOF {
				t.Fatalf("a record of %d bytes cut to %d: %v", len(b), n, err)
			}
		}
	}
}

func TestRecordLimits(t *testing.T) {
	full := append(unhex(t, "80040000"), make([]byte, qmuxtr.MaxRecord)...)
	r := qmuxtr.NewRecords(bytes.NewReader(append(full, 1, 0)))
	testkit.Equal(t, len(testkit.Must(r.Next())(t)), qmuxtr.MaxRecord)
	testkit.Equal(t, len(testkit.Must(r.Next())(t)), 1)
	if r.Cap() > 32<<10 {
		t.Fatalf("%d bytes are kept for one large record", r.Cap())
	}
	for wire, code := range map[string]qmuxtr.ErrorCode{
		"80040001":         qmuxtr.FrameEncodingError,
		"ffffffffffffffff": qmuxtr.FrameEncodingError,
		"00":               qmuxtr.ProtocolViolation,
		"4000":             qmuxtr.ProtocolViolation,
	} {
		_, err := qmuxtr.NewRecords(bytes.NewReader(unhex(t, wire))).Next()
		testkit.Equal(t, testkit.ErrAs[*qmuxtr.TransportError](t, err).Code, code)
	}
	// A promise of many bytes takes no memory before they come.
	r = qmuxtr.NewRecords(bytes.NewReader(unhex(t, "80040000 00")))
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) || r.Cap() > 32<<10 {
		t.Fatalf("got %v and %d bytes of memory", err, r.Cap())
	}
}
