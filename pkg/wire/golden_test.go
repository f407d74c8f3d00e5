package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

var update = flag.Bool("update", false, "write testdata/golden anew from the rows of the tests")

// minGolden is how many golden vectors of a draft there are at least.
var minGolden = map[model.Draft]int{model.Draft18: 300, model.Draft16: 100, model.Draft14: 100}

// golden is a vector of ours, in the form of the external ones, so that the
// same code checks both and other implementations can use them.
type golden struct {
	ID        string            `json:"id"`
	Hex       string            `json:"hex"`
	Context   map[string]string `json:"context,omitempty"`
	Decoded   map[string]any    `json:"decoded"`
	Canonical bool              `json:"canonical"`
}

// boundaries are the values around which the length of an integer changes.
var boundaries = []uint64{
	0, 1<<7 - 1, 1 << 7, 1<<14 - 1, 1 << 14, 1<<21 - 1, 1 << 21, 1<<28 - 1, 1 << 28, 1<<35 - 1, 1 << 35, 1<<42 - 1, 1 << 42,
	1<<49 - 1, 1 << 49, 1<<56 - 1, 1 << 56, varint.MaxQUIC, varint.MaxQUIC + 1, 1<<64 - 1,
}

// quicBoundaries are boundaries for the integers of drafts up to 16.
var quicBoundaries = []uint64{0, 1<<6 - 1, 1 << 6, 1<<14 - 1, 1 << 14, 1<<30 - 1, 1 << 30, varint.MaxQUIC}

// goldenMaker collects vectors by the name of their message.
type goldenMaker struct {
	t     *testing.T
	draft model.Draft
	made  map[string][]golden
}

// add reads b back to know its values.
func (g *goldenMaker) add(message, id string, ctx map[string]string, b []byte) {
	v := &vector{ID: id, Hex: hex.EncodeToString(b), Canonical: true}
	v.Context.Request, v.Context.Stream, v.Context.Transport = ctx["request"], ctx["stream"], ctx["transport"]
	v.Context.GroupOrder, v.Context.Receiver = ctx["group_order"], ctx["receiver"]
	read := vectorReaders[message]
	if read == nil {
		read = readControlMessage
	}
	got := read(vectorContexts(g.draft, v, b)[0], v, b)
	if got.err != nil {
		g.t.Fatalf("%s %s: %v", message, id, got.err)
	}
	g.made[message] = append(g.made[message], golden{id, v.Hex, ctx, got.decoded, true})
}

func (g *goldenMaker) control(id string, ctx Context, m Message) {
	b, err := AppendMessage(nil, ctx, m)
	if err != nil {
		g.t.Fatalf("%s: %v", id, err)
	}
	c := map[string]string{"receiver": roleNames[ctx.Receiver]}
	if ctx.WebTransport {
		c["transport"] = "webtransport"
	}
	switch m.Kind() {
	case KindGoaway:
		c["stream"] = [...]string{"control", "request"}[ctx.Stream]
	case KindRequestUpdate:
		c["request"] = ctx.Request.String()
	case KindRequestOK, KindRequestError:
		c["request"] = ctx.Answers.String()
	}
	table, _ := tableOf(g.draft)
	g.add(table.messageFor(m.Kind(), ctx).name, id, c, b)
}

// makeGolden encodes all rows of the tests, every boundary of integers in fields
// of every kind, and in draft 18 every type of stream and datagram.
func makeGolden(t *testing.T, d model.Draft) map[string][]golden {
	g := &goldenMaker{t, d, map[string][]golden{}}
	for _, r := range rowsOf(d) {
		g.control(r.name, r.ctx, r.msg)
	}
	if d < model.Draft18 {
		for _, v := range quicBoundaries {
			g.olderBoundary(v)
		}
		g.olderStreams()
		return g.made
	}
	for _, r := range subgroupRows {
		g.add("SUBGROUP_STREAM", r.name, nil, r.append(model.Draft18))
	}
	for _, r := range datagramRows {
		g.add("OBJECT_DATAGRAM", r.name, nil, r.datagram.Append(nil, model.Draft18))
	}
	for _, r := range fetchStreamRows {
		ctx := map[string]string{"group_order": max(r.order, model.Ascending).String()}
		g.add("FETCH_STREAM", r.name, ctx, r.append(t, model.Draft18))
	}
	for _, v := range boundaries {
		g.boundary(v)
	}
	g.types()
	return g.made
}

func (g *goldenMaker) olderBoundary(v uint64) {
	id := func(field string) string { return fmt.Sprintf("%s %d", field, v) }
	server, client := older(g.draft, Server), older(g.draft, Client)
	at := model.Location{Group: v, Object: v}
	setup := &Setup{MaxRequestID: model.Some(v)}
	if g.draft == model.Draft14 {
		setup.Versions = version
	}
	g.add("VARINT", id("value"), nil, varint.QUIC.Append(nil, v))
	g.control(id("MAX_REQUEST_ID"), client, setup)
	g.control(id("Request ID"), server, &Unsubscribe{RequestID: v})
	g.control(id("Start Location"), server, subscribing(Params{Filter: model.Some(model.From(at))}))
	g.control(id("Track Alias and LARGEST_OBJECT"), client, &SubscribeOK{RequestID: v, TrackAlias: v, Params: Params{Expires: model.Some(v), LargestObject: model.Some(at)}})
	g.control(id("Stream Count"), client, &PublishDone{StreamCount: model.Some(v &^ 1)})
	g.control(id("Joining Start"), server, &Fetch{FetchKind: FetchRelativeJoining, JoiningRequestID: v, JoiningStart: v})
	g.control(id("End Location"), server, &Fetch{FetchKind: FetchStandalone, Track: liveVideo, Range: model.Range{End: model.Location{Group: v, Object: model.MaxID}}})
}

// olderStreams encodes the rows of streams and datagrams that a draft up to 16
// can express.
func (g *goldenMaker) olderStreams() {
	for i := range subgroupRows {
		if r := &subgroupRows[i]; fits(r, g.draft) {
			g.add("SUBGROUP_STREAM", r.name, nil, r.append(g.draft))
		}
	}
	for _, r := range datagramRows {
		if r.datagram.Fits(g.draft) {
			g.add("OBJECT_DATAGRAM", r.name, nil, r.datagram.Append(nil, g.draft))
		}
	}
	for _, r := range olderFetchRows {
		if r.draft == g.draft {
			g.add("FETCH_STREAM", r.name, map[string]string{"group_order": max(r.order, model.Ascending).String()}, r.append(g.t, g.draft))
		}
	}
}

func (g *goldenMaker) boundary(v uint64) {
	id := func(field string) string { return fmt.Sprintf("%s %d", field, v) }
	g.add("VI64", id("value"), nil, varint.MoQ.Append(nil, v))
	g.control(id("MAX_AUTH_TOKEN_CACHE_SIZE"), setupIn, &Setup{MaxTokenCacheSize: model.Some(v)})
	g.control(id("Timeout"), setupOut, &Goaway{Timeout: v, RequestID: model.Some(v &^ 1)})
	g.control(id("Request ID"), toServer, &Subscribe{RequestID: v, Track: liveVideo})
	g.control(id("Start Location"), toServer, subscribing(Params{Filter: model.Some(model.From(model.Location{Group: v, Object: v}))}))
	g.control(id("Track Alias and LARGEST_OBJECT"), toClient, &SubscribeOK{TrackAlias: v, Params: Params{LargestObject: model.Some(model.Location{Group: v, Object: v})}})
	g.control(id("property"), toClient, &SubscribeOK{TrackProperties: model.Properties{{Type: v &^ 1 &^ 0x32, Int: v & 1}, {Type: v | 1 | 0x40, Bytes: []byte{1}}}})
	g.control(id("Status and Stream Count"), toClient, &PublishDone{Code: model.DoneCode(v), StreamCount: model.Some(v &^ 1)})
	g.control(id("Joining Start"), toServer, &Fetch{FetchKind: FetchRelativeJoining, JoiningRequestID: v, JoiningStart: v})
	g.control(id("Retry Interval"), toClient, &RequestError{Code: model.DoesNotExist, RetryInterval: model.Some(v - v>>63)})
	prev := model.Some(v / 2)
	h := SubgroupHeader{TrackAlias: v, Group: v, Mode: SubgroupExplicit, Subgroup: v}
	first := FormOf(model.Draft18, false).AppendObject(h.Append(nil, model.Draft18), model.Opt[uint64]{}, ObjectHeader{ID: v / 2, PayloadLen: 1})
	g.add("SUBGROUP_STREAM", id("every integer"), nil,
		append(FormOf(model.Draft18, false).AppendObject(append(first, 'a'), prev, ObjectHeader{ID: v/2 + v/4 + 1, PayloadLen: 1}), 'b'))
	d := Datagram{TrackAlias: v, Group: v, Object: v, Payload: []byte("x")}
	g.add("OBJECT_DATAGRAM", id("every integer"), nil, d.Append(nil, model.Draft18))
	b := AppendFetchHeader(nil, model.Draft18, v)
	b, _ = NewFetchEncoder(model.Draft18, model.Ascending).Append(b, object(v, v, v, 1, 0))
	g.add("FETCH_STREAM", id("every integer"), map[string]string{"group_order": "ascending"}, b)
}

func (g *goldenMaker) types() {
	for typ := range uint64(0x80) {
		if validSubgroupType(model.Draft18, typ) {
			b := append(varint.MoQ.Append(nil, typ), 1, 2, 3, 4)[:3]
			if typ&subgroupMode>>subgroupModeShift == uint64(SubgroupExplicit) {
				b = append(b, 3)
			}
			if typ&subgroupDefaultPriority == 0 {
				b = append(b, 4)
			}
			g.add("SUBGROUP_STREAM", fmt.Sprintf("type 0x%02x", typ), nil, b)
			g.add("UNI_STREAM_TYPE", fmt.Sprintf("type 0x%02x", typ), nil, []byte{byte(typ)})
		}
		if validDatagramType(model.Draft18, typ) {
			d := Datagram{TrackAlias: 1, Group: 2, Object: 3, Priority: model.Some[uint8](4), Properties: []byte{0x40, 0x05}, Payload: []byte("p")}
			g.add("OBJECT_DATAGRAM", fmt.Sprintf("type 0x%02x", typ), nil, d.appendAs(nil, model.Draft18, typ))
		}
	}
	for _, typ := range []uint64{StreamTypeControl, StreamTypeFetch, StreamTypePadding} {
		g.add("UNI_STREAM_TYPE", fmt.Sprintf("type 0x%x", typ), nil, varint.MoQ.Append(nil, typ))
	}
	for _, n := range []int{0, 1, 1200} {
		g.add("PADDING_STREAM", fmt.Sprintf("%d zeros", n), nil, AppendPaddingStream(nil, model.Draft18, n))
		g.add("PADDING_DATAGRAM", fmt.Sprintf("%d zeros", n), nil, AppendPaddingDatagram(nil, model.Draft18, n))
	}
}

// goldenFile is the text of a file of vectors, one vector a line.
func goldenFile(t *testing.T, d model.Draft, message string, list []golden) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"draft\":%v,\"message\":%q,\"vectors\":[\n", d, message)
	for i, v := range list {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		if i < len(list)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return b.Bytes()
}

func goldenName(message string) string {
	return strings.ToLower(strings.ReplaceAll(message, "_", "-")) + ".json"
}

// goldenPath is the file of a message. Those of older drafts have a folder.
func goldenPath(d model.Draft, message string) string {
	folder := ""
	if d < model.Draft18 {
		folder = "draft" + d.String()
	}
	return filepath.Join("testdata", "golden", folder, goldenName(message))
}

// The committed vectors are what the encoder writes today. A difference is a
// change of the wire format: look hard before running with -update.
func TestGoldenVectors(t *testing.T) {
	for _, d := range spoken {
		t.Run(d.String(), func(t *testing.T) { testGolden(t, d) })
	}
}

func testGolden(t *testing.T, d model.Draft) {
	made := makeGolden(t, d)
	total := 0
	for _, message := range slices.Sorted(maps.Keys(made)) {
		path := goldenPath(d, message)
		text := goldenFile(t, d, message, made[message])
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		committed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, text) {
			t.Errorf("%s differs from what the encoder writes", path)
		}
		f := loadVectors(t, path)
		for i := range f.Vectors {
			checkVector(t, d, message, &f.Vectors[i])
		}
		total += len(f.Vectors)
	}
	if total < minGolden[d] {
		t.Errorf("%d golden vectors, want at least %d", total, minGolden[d])
	}
	table, _ := tableOf(d)
	for _, m := range table.messages {
		if len(made[m.name]) == 0 {
			t.Errorf("no golden vector of %s", m.name)
		}
	}
}

// Where the external vectors have the same bytes, they have the same values.
func TestGoldenVectorsAgreeWithExternalOnes(t *testing.T) {
	for d, least := range map[model.Draft]int{model.Draft18: 100, model.Draft16: 20, model.Draft14: 10} {
		testCommonVectors(t, d, least)
	}
}

func testCommonVectors(t *testing.T, d model.Draft, least int) {
	dir := vectorsDir(t, "draft"+d.String())
	common := 0
	for message, list := range makeGolden(t, d) {
		external := map[string]*vector{}
		key := func(hex, request, order string) string {
			if d < model.Draft18 { // their vectors do not have it
				request, order = "", ""
			}
			return hex + "|" + request + "|" + order
		}
		f := loadVectors(t, filepath.Join(dir, goldenName(message)))
		for i := range f.Vectors {
			if v := &f.Vectors[i]; v.Error == "" { // the negative ones depend on the receiver
				external[key(v.Hex, v.Context.Request, v.Context.GroupOrder)] = v
			}
		}
		for _, ours := range list {
			v := external[key(ours.Hex, ours.Context["request"], ours.Context["group_order"])]
			if v == nil {
				continue
			}
			common++
			dropNames(v.Decoded)
			if diff := cmp.Diff(v.Decoded, ours.Decoded); diff != "" {
				t.Errorf("%s %s: external vector %s differs (-external +ours):\n%s", message, ours.ID, v.ID, diff)
			}
		}
	}
	t.Logf("%d golden vectors of draft %v have the bytes of an external one", common, d)
	if common < least {
		t.Errorf("only %d golden vectors of draft %v coincide with external ones", common, d)
	}
}
