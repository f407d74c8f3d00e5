package track

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"

	"github.com/google/go-cmp/cmp"
)

var noTime time.Time

func obj(id uint64) ObjectHeader { return ObjectHeader{ID: id} }

func marker(id uint64, s model.ObjectStatus) ObjectHeader { return ObjectHeader{ID: id, Status: s} }

// bring appends small objects of the IDs.
func bring(t testing.TB, w *Writer, ids ...uint64) {
	t.Helper()
	for _, id := range ids {
		must(t, w.Append(obj(id), []byte("payload")))
	}
}

func TestWritersShareASubgroup(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(t *testing.T, tr *Track)
		want []string
	}{
		{"one writer, FIN", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0, 1, 2)
			must(t, w.Close())
		}, []string{"1.0: 0 1 2 fin"}},
		{"one writer, reset between objects", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0, 1)
			w.Abort(model.ResetCancelled)
		}, []string{"1.0: 0 1 reset"}},
		{"a subgroup without objects is not announced", func(t *testing.T, tr *Track) {
			must(t, open(t, tr, 1, 0).Close())
			open(t, tr, 1, 1).Abort(0)
		}, nil},
		{"duplicates are dropped, whoever is first", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 0, 1)
			bring(t, b, 0, 1, 2)
			bring(t, a, 2, 3)
			must(t, a.Close())
			bring(t, b, 3)
			must(t, b.Close())
		}, []string{"1.0: 0 1 2 3 fin"}},
		{"one publisher goes, the other continues the stream", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 0, 1)
			bring(t, b, 0)
			a.Abort(model.ResetSessionClosed)
			bring(t, b, 1, 2)
			must(t, b.Close())
		}, []string{"1.0: 0 1 2 fin"}},
		{"a jump on one stream proves that nothing lies between", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 0)
			bring(t, b, 0, 6)
			bring(t, a, 6, 8)
		}, []string{"1.0: 0 6 8 wait"}},
		{"who starts ahead waits for who comes", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0, func(i *SubgroupInfo) { i.First = FirstNo })
			bring(t, a, 0)
			bring(t, b, 3, 4)
			bring(t, a, 1, 2)
			must(t, b.Close())
		}, []string{"1.0: 0 1 2 3 4 fin"}},
		{"who starts ahead opens a further run when nobody fills the gap", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0, func(i *SubgroupInfo) { i.First = FirstNo })
			bring(t, a, 0)
			bring(t, b, 3, 4)
			a.Abort(model.ResetSessionClosed)
			bring(t, b, 5)
			must(t, b.Close())
		}, []string{"1.0: 0 reset", "1.0: 3 4 5 fin"}},
		{"objects of other subgroups fill the gap", func(t *testing.T, tr *Track) {
			a, b, other := open(t, tr, 1, 0), open(t, tr, 1, 0), open(t, tr, 1, 7)
			bring(t, a, 0)
			bring(t, other, 1, 2)
			bring(t, b, 3)
		}, []string{"1.0: 0 3 wait", "1.7: 1 2 wait"}},
		{"what the run is past is kept for fetches only", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 5)
			bring(t, b, 0, 1)
			bring(t, a, 6)
			if !tr.lookup(1).held(0) || !tr.lookup(1).held(1) {
				t.Error("early objects are not held")
			}
		}, []string{"1.0: 5 6 wait"}},
		{"a torn object is cut and comes from the other in a further run", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 0)
			bring(t, b, 0)
			big := strings.Repeat("x", CutThrough+1)
			must(t, a.Begin(ObjectHeader{ID: 1, PayloadLen: uint64(len(big))}))
			write(t, a, big[:100])
			must(t, b.Append(obj(1), []byte(big)))
			bring(t, b, 2)
			a.Abort(model.ResetInternalError)
			bring(t, b, 3)
			must(t, b.Close())
		}, []string{"1.0: 0 reset", "1.0: 1 2 3 fin"}},
		{"a copy in parts takes over from a torn one", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			big := strings.Repeat("x", CutThrough+1)
			for _, w := range []*Writer{a, b} {
				must(t, w.Begin(ObjectHeader{ID: 0, PayloadLen: uint64(len(big))}))
				write(t, w, big[:100])
			}
			a.Abort(model.ResetInternalError)
			write(t, b, big[100:])
			must(t, b.Close())
		}, []string{"1.0: 0 fin"}},
		{"the first of two copies in parts wins", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			big := strings.Repeat("x", CutThrough+1)
			for _, w := range []*Writer{a, b} {
				must(t, w.Begin(ObjectHeader{ID: 0, PayloadLen: uint64(len(big))}))
				write(t, w, big[:100])
			}
			write(t, b, big[100:])
			write(t, a, big[100:])
			must(t, b.Close())
			must(t, a.Close())
		}, []string{"1.0: 0 fin"}},
		{"markers are objects", func(t *testing.T, tr *Track) {
			w := open(t, tr, 1, 0)
			bring(t, w, 0)
			must(t, w.Append(marker(1, model.StatusEndOfGroup), nil))
			must(t, w.Close())
			w = open(t, tr, 2, 0)
			must(t, w.Append(marker(0, model.StatusEndOfTrack), nil))
			must(t, w.Close())
		}, []string{"1.0: 0 1(end of group) fin", "2.0: 0(end of track) fin"}},
		{"objects that are known not to exist are dropped", func(t *testing.T, tr *Track) {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			must(t, a.Append(ObjectHeader{ID: 5, PriorObjectGap: 2}, nil))
			bring(t, b, 3, 4)
			bring(t, a, 6)
		}, []string{"1.0: 5 6 wait"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			tr := New(Config{})
			row.do(t, tr)
			if diff := cmp.Diff(row.want, streams(t, tr)); diff != "" {
				t.Errorf("streams (-want +got):\n%s", diff)
			}
		})
	}
}

func write(t testing.TB, w *Writer, p string) {
	t.Helper()
	if n, err := w.Write([]byte(p)); err != nil || n != len(p) {
		t.Fatalf("Write = %d, %v", n, err)
	}
}

// Duties: 43, 71.
func TestMalformedTracksAreRefused(t *testing.T) {
	prio := func(p uint8) func(*SubgroupInfo) {
		return func(i *SubgroupInfo) { i.Priority = model.Some(p) }
	}
	endOfGroup := func(i *SubgroupInfo) { i.EndOfGroup = true }
	openErr := func(tr *Track, g, s uint64, p uint8) error {
		_, err := tr.OpenSubgroup(SubgroupKey{g, s}, SubgroupInfo{Priority: model.Some(p), Form: formA})
		return err
	}
	datagram := func(g, o uint64, payload string) *Datagram {
		return &Datagram{Location: model.Location{Group: g, Object: o}, Form: formA, Payload: []byte(payload)}
	}
	for _, row := range []struct {
		name string
		do   func(t *testing.T, tr *Track) error
	}{
		{"priority changes in a subgroup", func(t *testing.T, tr *Track) error {
			bring(t, open(t, tr, 1, 0, prio(3)), 0)
			return openErr(tr, 1, 0, 4)
		}},
		{"object after a finished subgroup", func(t *testing.T, tr *Track) error {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 0)
			must(t, a.Close())
			bring(t, b, 0)
			return b.Append(obj(1), nil)
		}},
		{"two ends of a subgroup", func(t *testing.T, tr *Track) error {
			a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
			bring(t, a, 0, 1)
			bring(t, b, 0)
			return b.Close()
		}},
		{"object after the end of the group", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 1, 0).Append(marker(4, model.StatusEndOfGroup), nil))
			return open(t, tr, 1, 1).Append(obj(5), nil)
		}},
		{"end of the group before an object", func(t *testing.T, tr *Track) error {
			bring(t, open(t, tr, 1, 0), 7)
			return open(t, tr, 1, 1).Append(marker(4, model.StatusEndOfGroup), nil)
		}},
		{"two ends of a group, by marker and by flag", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 1, 0).Append(marker(4, model.StatusEndOfGroup), nil))
			w := open(t, tr, 1, 1, endOfGroup)
			bring(t, w, 2)
			return w.Close()
		}},
		{"object after the end of the track", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 3, 0).Append(marker(2, model.StatusEndOfTrack), nil))
			return open(t, tr, 3, 1).Append(obj(3), nil)
		}},
		{"group after the end of the track", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 3, 0).Append(marker(0, model.StatusEndOfTrack), nil))
			return openErr(tr, 4, 0, 0)
		}},
		{"datagram after the end of the track", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 3, 0).Append(marker(0, model.StatusEndOfTrack), nil))
			return tr.AppendDatagram(datagram(4, 0, ""))
		}},
		{"end of the track before an object", func(t *testing.T, tr *Track) error {
			bring(t, open(t, tr, 5, 0), 0)
			return open(t, tr, 3, 0).Append(marker(0, model.StatusEndOfTrack), nil)
		}},
		{"two copies with payloads of different lengths", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 1, 0).Append(obj(0), []byte("long")))
			return open(t, tr, 1, 0).Append(obj(0), []byte("x"))
		}},
		{"two copies with different statuses", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 1, 0).Append(obj(0), nil))
			return open(t, tr, 1, 0).Append(marker(0, model.StatusEndOfGroup), nil)
		}},
		{"one object in two subgroups", func(t *testing.T, tr *Track) error {
			bring(t, open(t, tr, 1, 0), 0)
			return open(t, tr, 1, 1).Append(obj(0), []byte("payload"))
		}},
		{"one object in two subgroups at once", func(t *testing.T, tr *Track) error {
			a := open(t, tr, 1, 0)
			must(t, a.Begin(ObjectHeader{ID: 0, PayloadLen: 2}))
			bring(t, open(t, tr, 1, 1), 0)
			_, err := a.Write([]byte("xx"))
			return err
		}},
		{"one object in a datagram and on a stream", func(t *testing.T, tr *Track) error {
			must(t, tr.AppendDatagram(datagram(1, 0, "payload")))
			return open(t, tr, 1, 0).Append(obj(0), []byte("payload"))
		}},
		{"one object on a stream and in a datagram", func(t *testing.T, tr *Track) error {
			bring(t, open(t, tr, 1, 0), 0)
			return tr.AppendDatagram(datagram(1, 0, "payload"))
		}},
		{"copies in parts that promise different lengths", func(t *testing.T, tr *Track) error {
			must(t, open(t, tr, 1, 0).Begin(ObjectHeader{ID: 0, PayloadLen: 2}))
			return open(t, tr, 1, 0).Begin(ObjectHeader{ID: 0, PayloadLen: 3})
		}},
		{"object IDs that do not ascend", func(t *testing.T, tr *Track) error {
			w := open(t, tr, 1, 0)
			bring(t, w, 3)
			return w.Append(obj(3), nil)
		}},
		{"gap of objects that reaches below 0", func(t *testing.T, tr *Track) error {
			return open(t, tr, 1, 0).Append(ObjectHeader{ID: 3, PriorObjectGap: 4}, nil)
		}},
		{"gap of objects that came", func(t *testing.T, tr *Track) error {
			w := open(t, tr, 1, 0)
			bring(t, w, 3)
			return w.Append(ObjectHeader{ID: 5, PriorObjectGap: 2}, nil)
		}},
		{"gap of groups that reaches below 0", func(t *testing.T, tr *Track) error {
			return open(t, tr, 1, 0).Append(ObjectHeader{ID: 0, PriorGroupGap: 2}, nil)
		}},
		{"gap of groups that came", func(t *testing.T, tr *Track) error {
			bring(t, open(t, tr, 2, 0), 0)
			return open(t, tr, 4, 0).Append(ObjectHeader{ID: 0, PriorGroupGap: 2}, nil)
		}},
		{"end of the group in a datagram before an object", func(t *testing.T, tr *Track) error {
			must(t, tr.AppendDatagram(datagram(1, 5, "")))
			d := datagram(1, 4, "")
			d.EndOfGroup = true
			return tr.AppendDatagram(d)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.do(t, New(Config{}))
			if m, ok := errors.AsType[*MalformedError](err); !ok || m.Reason == "" {
				t.Errorf("error = %v, want a *MalformedError", err)
			}
		})
	}
}

func TestEqualEndsAreNoContradiction(t *testing.T) {
	tr := New(Config{})
	a := open(t, tr, 1, 0, func(i *SubgroupInfo) { i.EndOfGroup = true })
	bring(t, a, 0, 1)
	must(t, a.Close())
	b := open(t, tr, 1, 1)
	must(t, b.Append(marker(2, model.StatusEndOfGroup), nil)) // says the same otherwise
	must(t, b.Close())
	c := open(t, tr, 2, 0, func(i *SubgroupInfo) { i.EndOfGroup = true })
	must(t, c.Append(marker(0, model.StatusEndOfTrack), nil)) // says it twice
	must(t, c.Close())
}

func TestWriterRefusesCallsInTheWrongOrder(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(w *Writer) error
	}{
		{"Write without Begin", func(w *Writer) error { _, err := w.Write([]byte("x")); return err }},
		{"more than promised", func(w *Writer) error {
			_ = w.Begin(ObjectHeader{PayloadLen: 1})
			_, err := w.Write([]byte("xx"))
			return err
		}},
		{"Append within an object", func(w *Writer) error {
			_ = w.Begin(ObjectHeader{PayloadLen: 1})
			return w.Append(obj(1), nil)
		}},
		{"Close within an object", func(w *Writer) error { _ = w.Begin(ObjectHeader{PayloadLen: 1}); return w.Close() }},
		{"Append after Close", func(w *Writer) error { _ = w.Close(); return w.Append(obj(0), nil) }},
		{"Append after Abort", func(w *Writer) error { w.Abort(0); return w.Append(obj(0), nil) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := open(t, New(Config{}), 1, 0)
			if err := row.do(w); !errors.Is(err, ErrWriterState) {
				t.Errorf("error = %v, want ErrWriterState", err)
			}
			w.Abort(0)
			if n := len(w.s.writers); n != 0 {
				t.Errorf("%d writers left", n)
			}
		})
	}
}

func TestLimitsOfObjectsAndSubgroups(t *testing.T) {
	tr := New(Config{MaxObject: 10})
	if err := open(t, tr, 1, 0).Append(obj(0), make([]byte, 11)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Append = %v", err)
	}
	if err := open(t, tr, 1, 1).Begin(ObjectHeader{PayloadLen: 1 << 63}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Begin = %v", err)
	}
	if err := tr.AppendDatagram(&Datagram{Form: formA, Payload: make([]byte, 11)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("AppendDatagram = %v", err)
	}
	for i := range uint64(MaxSubgroups) {
		open(t, tr, 2, i)
	}
	if _, err := tr.OpenSubgroup(SubgroupKey{2, MaxSubgroups}, SubgroupInfo{Form: formA}); !errors.Is(err, ErrTooManySubgroups) {
		t.Errorf("OpenSubgroup = %v", err)
	}
}

// TestAsideIsBounded lets one publisher start ahead of another that stalls.
func TestAsideIsBounded(t *testing.T) {
	tr := New(Config{})
	a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
	bring(t, a, 0)
	payload := make([]byte, CutThrough)
	n := uint64(MaxAside/CutThrough + 1)
	for id := range n {
		must(t, b.Append(obj(10+id), payload))
		if b.kept > MaxAside {
			t.Fatalf("%d bytes aside", b.kept)
		}
	}
	got := streams(t, tr)
	if len(got) != 2 || got[0] != "1.0: 0 reset" || !strings.HasSuffix(got[1], "73 74 wait") {
		t.Errorf("who stalls was not overtaken: %q", got)
	}
	if err := a.Append(obj(1), nil); err != nil { // comes after all
		t.Errorf("late object: %v", err)
	}
	if !tr.lookup(1).held(1) {
		t.Error("late object is not held")
	}
}

// TestAsideOfACopyIsBounded lets a second copy come while the first is written.
func TestAsideOfACopyIsBounded(t *testing.T) {
	tr := New(Config{})
	a, b := open(t, tr, 1, 0), open(t, tr, 1, 0)
	for _, w := range []*Writer{a, b} {
		must(t, w.Begin(ObjectHeader{PayloadLen: 2 * MaxAside}))
	}
	part := strings.Repeat("x", MaxAside/4)
	for range 8 {
		write(t, b, part)
		if b.kept > MaxAside {
			t.Fatalf("%d bytes aside", b.kept)
		}
	}
	bring(t, b, 1)
	a.Abort(model.ResetInternalError) // tears, and the copy was given up
	bring(t, b, 2)
	must(t, b.Close())
	if got := streams(t, tr); !slices.Equal(got, []string{"1.0: 1 2 fin"}) {
		t.Errorf("streams = %q", got)
	}
}

func TestEndAndEpochs(t *testing.T) {
	tr := New(Config{})
	b := &bell{}
	c, _ := tr.NewCursor(b)
	if e := c.Next(); e.Kind != EventNone {
		t.Fatalf("event = %v", e.Kind)
	}
	w := open(t, tr, 7, 0)
	bring(t, w, 0)
	if b.rung != 1 {
		t.Errorf("woken %d times", b.rung)
	}
	tr.End(model.DoneTrackEnded, "over")
	if _, err := tr.OpenSubgroup(SubgroupKey{8, 0}, SubgroupInfo{Form: formA}); !errors.Is(err, ErrEnded) {
		t.Errorf("OpenSubgroup = %v", err)
	}
	if e := c.Next(); e.Kind != EventRun {
		t.Errorf("the end came before the run: %v", e.Kind)
	}
	if e := c.Next(); e.Kind != EventEnded || e.Code != model.DoneTrackEnded || e.Reason != "over" {
		t.Errorf("event = %+v", e)
	}
	tr.Reopen()
	run := runs(tr)[0]
	r := newReader(run, formA)
	c2, _ := tr.NewCursor(b)
	tr.NewEpoch(model.DoneSubscriptionEnded, "again")
	if e := c2.Next(); e.Kind != EventEnded || e.Code != model.DoneSubscriptionEnded {
		t.Errorf("event = %+v", e)
	}
	if _, state := drain(t, r); state != ReadEnded {
		t.Errorf("reader state = %v", stateName[state])
	}
	if err := w.Append(obj(1), nil); !errors.Is(err, ErrEnded) {
		t.Errorf("Append = %v", err)
	}
	w.Abort(0)
	if tr.Largest().Set || tr.Newest().Set {
		t.Error("a new epoch is not empty")
	}
	bring(t, open(t, tr, 3, 0), 0) // below what was evicted before
	if got := streams(t, tr); !slices.Equal(got, []string{"3.0: 0 wait"}) {
		t.Errorf("streams = %q", got)
	}
	if used := tr.counters.LogBytes.Load(); used <= 0 {
		t.Errorf("log bytes = %d", used)
	}
	tr.Discard()
	if used := tr.counters.LogBytes.Load(); used != 0 {
		t.Errorf("log bytes after Discard = %d", used)
	}
}
