package wire

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// vectorCount is how many vectors of a draft there are; a change means that
// others came.
type vectorCount struct{ positive, canonical, negative int }

// vector is one entry of a vector file.
type vector struct {
	ID          string
	Description string
	Hex         string
	Context     struct {
		Stream     string
		Request    string
		Receiver   string
		Transport  string
		GroupOrder string `json:"group_order"`
		Fin        bool
	}
	Decoded   map[string]any
	Canonical bool
	Error     string
	Level     string
	Close     []string
}

type vectorFile struct {
	Message string
	Vectors []vector
}

// reading is what this package makes of the bytes of a vector.
type reading struct {
	decoded map[string]any
	again   []byte // the bytes written from what was read
	err     error
}

// vectorReaders has a function for every kind of file that is not one control
// message.
var vectorReaders = map[string]func(ctx Context, v *vector, b []byte) reading{
	"VI64":             func(ctx Context, _ *vector, b []byte) reading { return readInteger(ctx.Draft, b) },
	"VARINT":           func(ctx Context, _ *vector, b []byte) reading { return readInteger(ctx.Draft, b) },
	"UNI_STREAM_TYPE":  func(_ Context, _ *vector, b []byte) reading { return readStreamType(b) },
	"SUBGROUP_STREAM":  func(ctx Context, v *vector, b []byte) reading { return readSubgroupStream(ctx.Draft, b, v.final(ctx)) },
	"FETCH_STREAM":     func(ctx Context, v *vector, b []byte) reading { return readFetchStream(ctx.Draft, v, b, v.final(ctx)) },
	"OBJECT_DATAGRAM":  func(ctx Context, _ *vector, b []byte) reading { return readDatagram(ctx.Draft, b) },
	"PADDING_DATAGRAM": func(ctx Context, _ *vector, b []byte) reading { return readDatagram(ctx.Draft, b) },
	"PADDING_STREAM":   func(_ Context, _ *vector, b []byte) reading { return readPaddingStream(b) },
}

// final reports whether a stream ends behind the bytes. The vectors of drafts up
// to 16 do not say so, but those that are cut short mean it.
func (v *vector) final(ctx Context) bool {
	return v.Context.Fin || ctx.Draft < model.Draft18 && v.Error == "truncated"
}

// vectorsDir returns the folder of vectors, or skips the test, aloud.
func vectorsDir(t *testing.T, sub string) string {
	dir := os.Getenv("MOQT_VECTORS")
	if dir == "" {
		t.Skip("SKIPPED: set MOQT_VECTORS to a folder with draft18/*.json, draft16/*.json and draft14/*.json to check the external vectors; testdata/golden is checked all the same")
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("MOQT_VECTORS is set, but: %v", err)
	}
	return dir
}

// skippedVectors reads the list of vectors in a folder that cannot be checked
// here.
func skippedVectors(t *testing.T, folder string) map[string]string {
	f, err := os.Open("testdata/skipped_vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	skipped := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		id, reason, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("skipped vector %q has no reason", id)
		}
		if strings.HasPrefix(id, folder+"/") {
			skipped[id] = reason
		}
	}
	return skipped
}

func loadVectors(t *testing.T, path string) vectorFile {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

func TestVectorsOfDraft18(t *testing.T) { testVectors(t, model.Draft18, vectorCount{2628, 2556, 1202}) }
func TestVectorsOfDraft16(t *testing.T) { testVectors(t, model.Draft16, vectorCount{153, 146, 31}) }
func TestVectorsOfDraft14(t *testing.T) { testVectors(t, model.Draft14, vectorCount{185, 178, 39}) }

func testVectors(t *testing.T, d model.Draft, want vectorCount) {
	folder := "draft" + d.String()
	paths, err := filepath.Glob(filepath.Join(vectorsDir(t, folder), "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	skipped := skippedVectors(t, folder)
	left := len(skipped)
	for id := range readOtherwise {
		if strings.HasPrefix(id, folder+"/") {
			left++
		}
	}
	var got vectorCount
	for _, path := range paths {
		f := loadVectors(t, path)
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			for i := range f.Vectors {
				v := &f.Vectors[i]
				switch {
				case v.Error != "":
					got.negative++
				case v.Canonical:
					got.canonical++
					fallthrough
				default:
					got.positive++
				}
				id := folder + "/" + f.Message + "/" + v.ID
				if _, ok := skipped[id]; ok {
					left--
					continue
				}
				if change := readOtherwise[id]; change != nil {
					left--
					v.Canonical = false
					change(v.Decoded)
				}
				checkVector(t, d, f.Message, v)
			}
		})
	}
	t.Logf("%d vectors: %d positive, of which %d canonical, %d negative; %d skipped", got.positive+got.negative, got.positive, got.canonical, got.negative, len(skipped))
	if got != want {
		t.Errorf("got %+v vectors, want %+v", got, want)
	}
	if left != 0 {
		t.Errorf("%d of the vectors that are skipped or read otherwise do not exist", left)
	}
}

// readOtherwise are vectors that are read with less than they say: what the
// receiver ignores is not kept.
var readOtherwise = map[string]func(decoded map[string]any){
	"draft16/SUBSCRIBE_OK/with-delivery-timeout": withoutParameters,
	"draft16/PUBLISH_NAMESPACE/with-forward":     withoutParameters,
	"draft14/SUBSCRIBE/unknown-extension-param":  withoutParameters,
}

func withoutParameters(decoded map[string]any) { decoded["parameters"] = []any{} }

// checkVector reads a vector in every context that it allows. One that leaves
// some of it open must hold in one of them.
func checkVector(t *testing.T, d model.Draft, message string, v *vector) {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatalf("%s: %v", v.ID, err)
	}
	read := vectorReaders[message]
	if read == nil {
		read = readControlMessage
	}
	dropNames(v.Decoded)
	var problem string
	for _, ctx := range vectorContexts(d, v, b) {
		if problem = mismatch(v, b, read(ctx, v, b)); problem == "" {
			return
		}
	}
	t.Errorf("%s/%s (%s): %s\n%s", message, v.ID, v.Description, problem, v.Hex)
}

// mismatch says how a reading differs from what the vector demands.
func mismatch(v *vector, b []byte, got reading) string {
	if v.Error != "" {
		return wrongError(v, got.err)
	}
	if got.err != nil {
		return got.err.Error()
	}
	if diff := cmp.Diff(v.Decoded, got.decoded); diff != "" {
		return "decoded differently (-want +got):\n" + diff
	}
	if v.Canonical && !slices.Equal(b, got.again) {
		return "written again as " + hex.EncodeToString(got.again)
	}
	return ""
}

// wrongError says how an error differs from the one that the vector demands.
func wrongError(v *vector, err error) string {
	if err == nil {
		return "accepted, want an error: " + v.Error
	}
	pe, isParse := errors.AsType[*ParseError](err)
	if !isParse {
		if errors.Is(err, varint.ErrTruncated) && v.Error == "truncated" {
			return ""
		}
		return "unexpected kind of error: " + err.Error()
	}
	switch v.Level {
	case "request":
		if !pe.Request.Set {
			return "does not refuse the request: " + err.Error()
		}
	case "track":
		if !pe.Malformed {
			return "does not make the track malformed: " + err.Error()
		}
	case "session":
		if !pe.Fatal() {
			return "does not close the session: " + err.Error()
		}
		if len(v.Close) > 0 && !slices.Contains(v.Close, pe.Code.String()) {
			return "closes with " + pe.Code.String() + ", want one of " + strings.Join(v.Close, ", ") + ": " + err.Error()
		}
	}
	return ""
}

// dropNames removes the registered names of parameters and properties, which
// are for people.
func dropNames(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, isEntry := v["type"]; isEntry {
			delete(v, "name")
		}
		for _, e := range v {
			dropNames(e)
		}
	case []any:
		for _, e := range v {
			dropNames(e)
		}
	}
}

// finalError turns the wish for more bytes into an error where the stream has
// ended with FIN.
func finalError(err error, fin bool) error {
	if fin && errors.Is(err, varint.ErrTruncated) {
		return &ParseError{Message: "stream", Err: errShort, Code: model.ProtocolViolation}
	}
	return err
}
