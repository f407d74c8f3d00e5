package ingress

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
	"oxymoq/pkg/varint"
)

// form writes headers of ID, payload length and status.
type form struct{}

func (form) AppendObject(b []byte, _ model.Opt[uint64], h track.ObjectHeader) ([]byte, error) {
	return append(varint.MoQ.Append(varint.MoQ.Append(b, h.ID), h.PayloadLen), byte(h.Status)), nil
}

func (form) Properties([]byte) []byte { return nil }

// script is a Stream that plays objects and then ends with an error.
type script struct {
	key       track.SubgroupKey
	objects   []object
	end       error
	step      int // bytes per Read; 0: as many as fit
	current   io.Reader
	cancelled []model.ResetCode
	onRead    func()
}

type object struct {
	id      uint64
	payload string
	tear    error // instead of the second half of the payload
	promise uint64
}

func (s *script) Next() (track.ObjectHeader, error) {
	if len(s.objects) == 0 {
		return track.ObjectHeader{}, s.end
	}
	o := s.objects[0]
	s.objects = s.objects[1:]
	h := track.ObjectHeader{ID: o.id, PayloadLen: max(uint64(len(o.payload)), o.promise)}
	s.current = strings.NewReader(o.payload)
	if o.tear != nil {
		s.current = io.MultiReader(strings.NewReader(o.payload[:len(o.payload)/2]), failing{o.tear})
	}
	return h, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (s *script) Read(p []byte) (int, error) {
	if s.onRead != nil {
		s.onRead()
	}
	if s.step > 0 && len(p) > s.step {
		p = p[:s.step]
	}
	return s.current.Read(p)
}

func (s *script) Subgroup() (track.SubgroupKey, track.SubgroupInfo) {
	return s.key, track.SubgroupInfo{Form: form{}, First: track.FirstYes}
}

func (s *script) Cancel(c model.ResetCode) { s.cancelled = append(s.cancelled, c) }

type nobody struct{}

func (nobody) Wake() {}

// held returns the payloads of the first group, by object.
func held(t *testing.T, tr *track.Track) (payloads []string) {
	t.Helper()
	r := tr.Range(model.Range{End: model.Location{Object: model.MaxID}}, model.Ascending)
	defer r.Close()
	for {
		it, err := r.Next()
		if err == io.EOF {
			return payloads
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.Object != nil {
			payloads = append(payloads, string(bytes.Join(it.Object.Payload, nil)))
		}
	}
}

// endState returns how the first run of the track ended.
func endState(tr *track.Track) (track.ReadState, model.ResetCode) {
	c, _ := tr.NewCursor(nobody{})
	defer c.Close()
	c.Rewind()
	e := c.Next()
	if e.Run == nil {
		return track.ReadWait, 0
	}
	var r track.Reader
	r.Init(e.Run, track.ReaderOptions{Form: form{}, Waiter: nobody{}, First: model.MaxID, Last: model.MaxID})
	defer r.Close()
	_, state := r.Read(nil, time.Time{})
	return state, r.Code()
}

func TestSubgroupCopiesAStreamIntoTheLog(t *testing.T) {
	big := strings.Repeat("0123456789", track.CutThrough/4)
	reset := &model.StreamError{Code: model.ResetGoingAway, Remote: true}
	parse := errors.New("does not parse")
	for _, row := range []struct {
		name      string
		stream    script
		want      []string
		state     track.ReadState
		code      model.ResetCode
		err       error
		cancelled []model.ResetCode
	}{
		{"objects, then FIN", script{objects: []object{{id: 0, payload: "a"}, {id: 1}, {id: 2, payload: big}}, end: io.EOF},
			[]string{"a", "", big}, track.ReadFinished, 0, nil, nil},
		{"in small reads", script{objects: []object{{id: 0, payload: "abc"}, {id: 1, payload: big}}, end: io.EOF, step: 7},
			[]string{"abc", big}, track.ReadFinished, 0, nil, nil},
		{"FIN without objects", script{end: io.EOF}, nil, track.ReadWait, 0, nil, nil},
		{"reset between objects", script{objects: []object{{id: 0, payload: "a"}}, end: reset},
			[]string{"a"}, track.ReadReset, model.ResetGoingAway, nil, nil},
		{"reset before any object", script{end: reset}, nil, track.ReadWait, 0, nil, nil},
		{"reset within a small object", script{objects: []object{{id: 0, payload: "a"}, {id: 1, payload: "bbbb", tear: reset}}},
			[]string{"a"}, track.ReadReset, model.ResetGoingAway, nil, nil},
		{"reset within a large object", script{objects: []object{{id: 0, payload: "a"}, {id: 1, payload: big, tear: reset}}},
			[]string{"a"}, track.ReadReset, model.ResetGoingAway, nil, nil},
		{"FIN within an object", script{objects: []object{{id: 0, payload: "a"}, {id: 1, payload: big, tear: io.EOF}}},
			[]string{"a"}, track.ReadReset, model.ResetInternalError, io.ErrUnexpectedEOF, []model.ResetCode{model.ResetInternalError}},
		{"a header that does not parse", script{objects: []object{{id: 0, payload: "a"}}, end: parse},
			[]string{"a"}, track.ReadReset, model.ResetInternalError, parse, []model.ResetCode{model.ResetInternalError}},
		{"a promise beyond the limit", script{objects: []object{{id: 0, payload: "a"}, {id: 1, payload: "b", promise: 1 << 62}}},
			[]string{"a"}, track.ReadReset, model.ResetExcessiveLoad, track.ErrTooLarge, []model.ResetCode{model.ResetExcessiveLoad}},
	} {
		t.Run(row.name, func(t *testing.T) {
			tr := track.New(track.Config{})
			var c observe.Session
			err := Subgroup(&row.stream, tr, &c)
			if !errors.Is(err, row.err) {
				t.Errorf("error = %v, want %v", err, row.err)
			}
			if got := held(t, tr); !slices.Equal(got, row.want) {
				t.Errorf("%d objects are held, want %d", len(got), len(row.want))
			}
			if state, code := endState(tr); state != row.state || code != row.code {
				t.Errorf("the run ended with %v, code %v", state, code)
			}
			if !slices.Equal(row.stream.cancelled, row.cancelled) {
				t.Errorf("cancelled with %v, want %v", row.stream.cancelled, row.cancelled)
			}
			if got := c.ObjectsIn.Load(); got != uint64(len(row.want)) {
				t.Errorf("%d objects counted", got)
			}
		})
	}
}

func TestMalformedTrackIsReported(t *testing.T) {
	tr := track.New(track.Config{})
	if err := Subgroup(&script{objects: []object{{id: 0, payload: "a"}}, end: io.EOF}, tr, nil); err != nil {
		t.Fatal(err)
	}
	other := &script{objects: []object{{id: 0, payload: "other"}}, end: io.EOF}
	err := Subgroup(other, tr, nil)
	if _, ok := errors.AsType[*track.MalformedError](err); !ok {
		t.Errorf("error = %v", err)
	}
	if !slices.Equal(other.cancelled, []model.ResetCode{model.ResetMalformedTrack}) {
		t.Errorf("cancelled with %v", other.cancelled)
	}
	err = Subgroup(&script{objects: []object{{id: 0, payload: "a"}, {id: 1}}, end: io.EOF}, tr, nil)
	if _, ok := errors.AsType[*track.MalformedError](err); !ok {
		t.Errorf("object after FIN: %v", err)
	}
}

func TestStreamsOfAnEndedTrackAreRefused(t *testing.T) {
	tr := track.New(track.Config{})
	tr.End(model.DoneTrackEnded, "")
	s := &script{objects: []object{{id: 0, payload: "a"}}, end: io.EOF}
	if err := Subgroup(s, tr, nil); !errors.Is(err, track.ErrEnded) {
		t.Errorf("error = %v", err)
	}
	if !slices.Equal(s.cancelled, []model.ResetCode{model.ResetCancelled}) {
		t.Errorf("cancelled with %v", s.cancelled)
	}
}

// TestLargeObjectsFlowThrough looks at the log while an object comes.
func TestLargeObjectsFlowThrough(t *testing.T) {
	tr := track.New(track.Config{})
	c, _ := tr.NewCursor(nobody{})
	var seen int64
	var r *track.Reader
	s := &script{objects: []object{{id: 0, payload: strings.Repeat("x", 10*partSize)}}, end: io.EOF, step: partSize}
	s.onRead = func() {
		if r == nil {
			if e := c.Next(); e.Kind == track.EventRun {
				r = new(track.Reader)
				r.Init(e.Run, track.ReaderOptions{Form: form{}, Waiter: nobody{}, Last: model.MaxID})
			}
		}
		if r != nil {
			_, seen = r.Behind()
		}
	}
	if err := Subgroup(s, tr, nil); err != nil {
		t.Fatal(err)
	}
	if seen < 9*partSize {
		t.Errorf("only %d bytes were seen before the object was complete", seen)
	}
}

func TestDatagramEntersTheLog(t *testing.T) {
	tr := track.New(track.Config{})
	var c observe.Session
	d := &track.Datagram{Location: model.Location{Object: 4}, Form: form{}, Payload: []byte("d")}
	if err := Datagram(d, tr, &c); err != nil {
		t.Fatal(err)
	}
	if err := Datagram(d, tr, nil); err != nil {
		t.Fatal(err)
	}
	if got := held(t, tr); !slices.Equal(got, []string{"d"}) || c.ObjectsIn.Load() != 1 || c.BytesIn.Load() != 1 {
		t.Errorf("held %q, counted %+v", got, c.Snapshot())
	}
	d.Payload = []byte("dd")
	if _, ok := errors.AsType[*track.MalformedError](Datagram(d, tr, nil)); !ok {
		t.Error("another payload is not malformed")
	}
}
