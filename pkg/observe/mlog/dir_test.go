package mlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// opened is a Dir in a temporary directory.
func opened(t testing.TB, cfg DirConfig) *Dir {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = t.TempDir()
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 20
	}
	d, err := OpenDir(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// files returns the records of each file of a directory, by the file's name.
func files(t *testing.T, dir string) map[string][]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = records(t, b)
	}
	return all
}

// number is an event whose data is a number.
func number(n int) func(io.Writer, time.Time) error {
	return func(w io.Writer, _ time.Time) error {
		_, err := fmt.Fprintf(w, `{"n":%d}`, n)
		return err
	}
}

// record is what tests look at of an event.
type record struct {
	Time float64         `json:"time"`
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"`
}

func parse(t *testing.T, text string) record {
	t.Helper()
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDirOfSessions: sessions whose carrier writes no trace have one of their
// own, which tells how they ended.
func TestDirOfSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := opened(t, DirConfig{Title: "test", Version: "v1"})
		c, srv := memtr.Pair()
		started := make(chan *session.Session, 1)
		go func() {
			s, err := session.Start(t.Context(), srv, session.Config{Role: session.Server, Trace: d.Session})
			if err != nil {
				t.Error(err)
			}
			started <- s
		}()
		s, err := session.Start(t.Context(), c, session.Config{Trace: d.Session})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond) // virtual
		s.Close(model.ProtocolViolation, "over")
		s.Wait()
		(<-started).Wait()
		synctest.Wait()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		var sides []string
		for name, all := range files(t, d.cfg.Path) {
			id, side, _ := strings.Cut(name, "_")
			side = strings.TrimSuffix(side, ".sqlog")
			sides = append(sides, side)
			head := `{"file_schema":"urn:ietf:params:qlog:file:sequential","serialization_format":"application/qlog+json-seq","title":"test","code_version":"v1",` +
				`"trace":{"event_schemas":["urn:ietf:params:qlog:events:moqt-08","urn:ietf:params:qlog:events:loglevel"],"vantage_point":{"type":"` + side + `"},` +
				`"common_fields":{"group_id":"` + id + `","reference_time":{"clock_type":"monotonic","epoch":"unknown","wall_clock_time":"` +
				time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Local().Format(time.RFC3339Nano) + `"}}},"qlog_format":"JSON-SEQ","qlog_version":"0.3"}`
			if all[0] != head {
				t.Errorf("%s begins with %s", name, all[0])
			}
			var names []string
			for _, text := range all[1:] {
				names = append(names, parse(t, text).Name)
			}
			slices.Sort(names)
			want := []string{
				"moqt:control_message_created", "moqt:control_message_parsed", "moqt:stream_type_set", "moqt:stream_type_set", "transport:connection_closed",
			}
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			end := parse(t, all[len(all)-1])
			initiator := map[string]string{"client": "local", "server": "remote"}[side]
			if want := `{"initiator":"` + initiator + `","application_error":"unknown","error_code":3,"reason":"over"}`; string(end.Data) != want || end.Time < 1500 {
				t.Errorf("%s ends at %v with %s", name, end.Time, end.Data)
			}
		}
		slices.Sort(sides)
		if diff := cmp.Diff([]string{"client", "server"}, sides); diff != "" {
			t.Error(diff)
		}
	})
}

// TestConnectionClosed says why, in the words of quic-go.
func TestConnectionClosed(t *testing.T) {
	for _, tt := range []struct {
		cause error
		want  string
	}{
		{&transport.CloseError{Code: 3, Reason: "r", Remote: true}, `{"initiator":"remote","application_error":"unknown","error_code":3,"reason":"r"}`},
		{transport.ErrIdle, `{"initiator":"local","trigger":"idle_timeout"}`},
		{io.ErrUnexpectedEOF, `{"initiator":"local","reason":"unexpected EOF"}`},
	} {
		d := opened(t, DirConfig{})
		tr := d.begin(transport.TraceStart{ID: "0a", Client: true})
		tr.connectionClosed(tt.cause)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		all := files(t, d.cfg.Path)["0a_client.sqlog"]
		if got := string(parse(t, all[len(all)-1]).Data); got != tt.want {
			t.Errorf("%v: %s", tt.cause, got)
		}
	}
}

// TestReadableWhileRunning: what has happened is in the file a moment later,
// packets by their carrier and messages in the order of time.
func TestReadableWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := opened(t, DirConfig{})
		tr := d.Connection(transport.TraceStart{ID: "ab12", Schemas: []string{"s"}})
		said := tr.(*Trace).session(model.Draft18)
		for round := range 3 {
			tr.Event("transport:x", number(round))
			said(session.TraceEvent{What: &wire.Goaway{}, Sent: true})
			time.Sleep(2 * flushAfter)
			synctest.Wait()
			all := files(t, d.cfg.Path)["ab12_server.sqlog"]
			if len(all) != 1+2*(round+1) {
				t.Fatalf("%d records in round %d", len(all), round)
			}
			last, before := parse(t, all[len(all)-1]), parse(t, all[len(all)-2])
			if before.Name != "transport:x" || last.Name != "moqt:control_message_created" || last.Time != float64(40*round) {
				t.Errorf("round %d: %+v, %+v", round, before, last)
			}
		}
		tr.Close()
		synctest.Wait()
		tr.Event("transport:late", number(1)) // is ignored
		said(session.TraceEvent{What: &wire.Goaway{}})
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if all := files(t, d.cfg.Path)["ab12_server.sqlog"]; len(all) != 7 {
			t.Errorf("%d records at the end", len(all))
		}
	})
}

// TestLimit: a file that has reached its limit ends with a word about it.
func TestLimit(t *testing.T) {
	for _, limit := range []int64{MinBytes, 5000, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			d := opened(t, DirConfig{MaxBytes: limit})
			tr := d.Connection(transport.TraceStart{ID: "01"})
			for i := range 2000 {
				tr.Event("transport:x", func(w io.Writer, _ time.Time) error {
					_, err := io.WriteString(w, `{"n":"`+strings.Repeat("x", i%100)+`"}`)
					return err
				})
			}
			time.Sleep(time.Second)
			synctest.Wait()
			name := filepath.Join(d.cfg.Path, "01_server.sqlog")
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > limit || info.Size() < limit-lastWords-200 {
				t.Errorf("limit %d: the file has %d bytes", limit, info.Size())
			}
			all := files(t, d.cfg.Path)["01_server.sqlog"]
			last := parse(t, all[len(all)-1])
			if last.Name != "loglevel:warning" || !strings.Contains(string(last.Data), fmt.Sprintf("its limit of %d bytes", limit)) {
				t.Errorf("it ends with %s", all[len(all)-1])
			}
			tr.Event("transport:x", number(1)) // costs nothing any more
			tr.Close()
			if err := d.Close(); err != nil {
				t.Errorf("that is no failure: %v", err)
			}
		})
	}
}

// stalled is a disk that takes nothing until it is told to.
type stalled struct {
	bytes.Buffer
	ready chan struct{}
}

func (s *stalled) Write(b []byte) (int, error) {
	<-s.ready
	return s.Buffer.Write(b)
}
func (*stalled) Close() error { return nil }

// TestStalledDisk: it stops nobody, and what is missing is counted.
func TestStalledDisk(t *testing.T) {
	big := &wire.Goaway{NewSessionURI: strings.Repeat("x", 4000)}
	for _, tt := range []struct {
		name string
		each func(tr transport.Trace)
		room int // for so many events
	}{
		{"events", func(tr transport.Trace) { tr.Event("transport:x", number(1)) }, MaxQueued},
		{"bytes", func(tr transport.Trace) { tr.(*Trace).session(model.Draft18)(session.TraceEvent{What: big}) }, MaxQueuedBytes / 8090},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := opened(t, DirConfig{MaxBytes: 1 << 30})
				disk := &stalled{ready: make(chan struct{})}
				d.create = func(string) (io.WriteCloser, error) { return disk, nil }
				tr := d.Connection(transport.TraceStart{ID: "01"})
				const beyond = 1000
				for range tt.room + beyond {
					tt.each(tr) // would not return
				}
				close(disk.ready)
				time.Sleep(time.Second)
				synctest.Wait()
				all := records(t, disk.Bytes())
				var lost struct{ Dropped int }
				if err := json.Unmarshal(parse(t, all[len(all)-1]).Data, &lost); err != nil {
					t.Fatal(err)
				}
				kept := len(all) - 2
				if kept+lost.Dropped != tt.room+beyond || kept < tt.room*9/10 || kept > tt.room {
					t.Errorf("%d events are there and %d are said to be missing, of %d", kept, lost.Dropped, tt.room+beyond)
				}
				tt.each(tr) // all is well again
				if err := d.Close(); err != nil {
					t.Error(err)
				}
				if got := len(records(t, disk.Bytes())); got != len(all)+1 {
					t.Errorf("%d records after %d and one event", got, len(all))
				}
			})
		})
	}
}

// broken is a disk that fails.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errNoSpace }
func (broken) Close() error              { return nil }

var errNoSpace = errors.New("no space left")

// TestCannotBeWritten: a file that cannot be written is told of once, in the log
// and at the end.
func TestCannotBeWritten(t *testing.T) {
	for _, tt := range []struct {
		name   string
		create func(string) (io.WriteCloser, error)
		is     error
	}{
		{"no file", func(string) (io.WriteCloser, error) { return nil, fs.ErrPermission }, fs.ErrPermission},
		{"full disk", func(string) (io.WriteCloser, error) { return broken{}, nil }, errNoSpace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var said bytes.Buffer
			d := opened(t, DirConfig{Log: slog.New(slog.NewTextHandler(&locked{mu: &mu, w: &said}, nil))})
			d.create = tt.create
			for i := range 3 {
				tr := d.begin(transport.TraceStart{ID: fmt.Sprintf("0%d", i)})
				tr.Event("transport:x", number(1))
				tr.Close()
				<-tr.done
			}
			if err := d.Close(); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), "3 traces") {
				t.Errorf("Close: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if strings.Count(said.String(), "cannot be written") != 1 {
				t.Errorf("the log has %q", said.String())
			}
		})
	}
}

// locked is a writer for several goroutines.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// TestSameID: a peer that chooses the ID of another connection does not harm the
// trace of that.
func TestSameID(t *testing.T) {
	d := opened(t, DirConfig{})
	for range 2 {
		tr := d.begin(transport.TraceStart{ID: "01"})
		tr.Event("transport:x", number(1))
		tr.Close()
		<-tr.done
	}
	if err := d.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Close: %v", err)
	}
	if all := files(t, d.cfg.Path); len(all) != 1 || len(all["01_server.sqlog"]) != 2 {
		t.Errorf("files: %q", all)
	}
}

// TestNames: an ID cannot lead out of the directory.
func TestNames(t *testing.T) {
	d := &Dir{cfg: DirConfig{Path: "x"}}
	for id, want := range map[string]string{"0af9": "0af9_client.sqlog", "../0a/b": "0ab_client.sqlog", "(empty)": "e_client.sqlog"} {
		if got := d.path(transport.TraceStart{ID: id, Client: true}); got != filepath.Join("x", want) {
			t.Errorf("%q: %s", id, got)
		}
	}
}

// TestSample: about one of so many is traced, and each always or never.
func TestSample(t *testing.T) {
	for _, one := range []int{0, 1, 2, 10} {
		d := opened(t, DirConfig{Sample: one})
		const total = 2000
		n := 0
		for i := range total {
			id := fmt.Sprintf("%016x", i)
			got := sampled(id, one)
			if got {
				n++
			}
			if sampled(id, one) != got {
				t.Fatal("not always the same")
			}
		}
		if want := total / max(1, one); n < want*8/10 || n > want*12/10 {
			t.Errorf("1 of %d: %d of %d", one, n, total)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if d.Connection(transport.TraceStart{ID: "00"}) != nil {
			t.Error("a closed directory begins a trace")
		}
	}
}

// TestNotSampled: a session that is not traced is told so.
func TestNotSampled(t *testing.T) {
	d := opened(t, DirConfig{Sample: math.MaxInt})
	if d.Connection(transport.TraceStart{ID: "00"}) != nil {
		t.Error("it is traced")
	}
	if all := files(t, d.cfg.Path); len(all) != 0 {
		t.Errorf("files: %q", all)
	}
}

// TestMaxOpen: there are never more files than that.
func TestMaxOpen(t *testing.T) {
	d := opened(t, DirConfig{})
	d.create = func(string) (io.WriteCloser, error) { return broken{}, nil }
	for i := range MaxOpen {
		d.open[&Trace{start: transport.TraceStart{ID: fmt.Sprint(i)}}] = struct{}{}
	}
	if d.Connection(transport.TraceStart{ID: "00"}) != nil || d.beyond != 1 {
		t.Error("one more is traced")
	}
	clear(d.open)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(DirConfig{Path: filepath.Join(file, "below"), MaxBytes: MinBytes}); err == nil {
		t.Error("a directory below a file")
	}
	if _, err := OpenDir(DirConfig{Path: t.TempDir(), MaxBytes: MinBytes - 1}); err == nil {
		t.Error("a limit that is too small")
	}
}
