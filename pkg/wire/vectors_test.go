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

// How many vectors of draft 18 there are; a change means that others came.
const (
	wantPositive  = 2628
	wantCanonical = 2556
	wantNegative  = 1202
)

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
// message. The role is that of the receiver.
var vectorReaders = map[string]func(v *vector, b []byte, receiver Role) reading{
	"VI64":             func(_ *vector, b []byte, _ Role) reading { return readInteger(b) },
	"UNI_STREAM_TYPE":  func(_ *vector, b []byte, _ Role) reading { return readStreamType(b) },
	"SUBGROUP_STREAM":  func(v *vector, b []byte, _ Role) reading { return readSubgroupStream(model.Draft18, b, v.Context.Fin) },
	"FETCH_STREAM":     func(v *vector, b []byte, _ Role) reading { return readFetchStream(model.Draft18, v, b) },
	"OBJECT_DATAGRAM":  func(_ *vector, b []byte, _ Role) reading { return readDatagram(model.Draft18, b) },
	"PADDING_DATAGRAM": func(_ *vector, b []byte, _ Role) reading { return readDatagram(model.Draft18, b) },
	"PADDING_STREAM":   func(_ *vector, b []byte, _ Role) reading { return readPaddingStream(b) },
}

// vectorsDir returns the folder of vectors, or skips the test, aloud.
func vectorsDir(t *testing.T, sub string) string {
	dir := os.Getenv("MOQT_VECTORS")
	if dir == "" {
		t.Skip("SKIPPED: set MOQT_VECTORS to a folder with draft18/*.json to check the external vectors; testdata/golden is checked all the same")
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("MOQT_VECTORS is set, but: %v", err)
	}
	return dir
}

// skippedVectors reads the list of vectors that cannot be checked here.
func skippedVectors(t *testing.T) map[string]string {
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
		skipped[id] = reason
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

func TestVectorsOfDraft18(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(vectorsDir(t, "draft18"), "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	skipped := skippedVectors(t)
	positive, canonical, negative, left := 0, 0, 0, len(skipped)
	for _, path := range paths {
		f := loadVectors(t, path)
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			for i := range f.Vectors {
				v := &f.Vectors[i]
				switch {
				case v.Error != "":
					negative++
				case v.Canonical:
					canonical++
					fallthrough
				default:
					positive++
				}
				if _, ok := skipped[f.Message+"/"+v.ID]; ok {
					left--
					continue
				}
				checkVector(t, f.Message, v)
			}
		})
	}
	t.Logf("%d vectors: %d positive, of which %d canonical, %d negative; %d skipped", positive+negative, positive, canonical, negative, len(skipped))
	if positive != wantPositive || canonical != wantCanonical || negative != wantNegative {
		t.Errorf("got %d positive, %d canonical, %d negative vectors, want %d, %d, %d", positive, canonical, negative, wantPositive, wantCanonical, wantNegative)
	}
	if left != 0 {
		t.Errorf("%d of the skipped vectors do not exist", left)
	}
}

// checkVector reads a vector as every receiver that it allows. A vector that
// names none must hold for one of them.
func checkVector(t *testing.T, message string, v *vector) {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatalf("%s: %v", v.ID, err)
	}
	read := vectorReaders[message]
	if read == nil {
		read = readControlMessage
	}
	receivers := []Role{Client, Server}
	switch v.Context.Receiver {
	case "client":
		receivers = receivers[:1]
	case "server":
		receivers = receivers[1:]
	}
	var problem string
	for _, role := range receivers {
		if problem = mismatch(v, b, read(v, b, role)); problem == "" {
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
	dropNames(v.Decoded)
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
