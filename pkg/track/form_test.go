package track

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// testForm is a form of two flavours: another integer encoding, and properties
// with every byte inverted.
type testForm struct{ other bool }

var formA, formB Form = testForm{false}, testForm{true}

var errTestForm = errors.New("not expressible")

// unencodable is a property list that formB cannot express.
const unencodable = "not in B"

func (f testForm) kind() varint.Kind {
	if f.other {
		return varint.QUIC
	}
	return varint.MoQ
}

func (f testForm) AppendObject(b []byte, prev model.Opt[uint64], h ObjectHeader) ([]byte, error) {
	delta := h.ID
	if p, ok := prev.Get(); ok {
		delta -= p + 1
	}
	if f.other && string(h.Properties) == unencodable {
		return b, errTestForm
	}
	b = f.kind().Append(b, delta)
	b = f.kind().Append(b, uint64(len(h.Properties)))
	at := len(b)
	b = append(b, h.Properties...)
	if h.From != nil && h.From != Form(f) {
		for i := range b[at:] {
			b[at+i] ^= 0xff
		}
	}
	b = f.kind().Append(b, h.PayloadLen)
	if h.PayloadLen == 0 {
		b = append(b, byte(h.Status))
	}
	return b, nil
}

func (f testForm) Properties(header []byte) []byte {
	r := varint.NewReader(f.kind(), header)
	r.Uint()
	return r.Bytes(r.Uint())
}

// gotObject is an object as a test read it.
type gotObject struct {
	id      uint64
	status  model.ObjectStatus
	props   string // as in formA
	payload string
}

func (o gotObject) String() string {
	return fmt.Sprintf("%d(%v %q %d bytes)", o.id, o.status, o.props, len(o.payload))
}

// decode reads the objects of a stream and returns what is left of a last one
// that is not whole.
func (f testForm) decode(b []byte) (objects []gotObject, rest []byte) {
	var prev model.Opt[uint64]
	for {
		r := varint.NewReader(f.kind(), b)
		o := gotObject{id: r.Uint()}
		if p, ok := prev.Get(); ok {
			o.id += p + 1
		}
		props := bytes.Clone(r.Bytes(r.Uint()))
		if f.other {
			for i := range props {
				props[i] ^= 0xff
			}
		}
		o.props = string(props)
		n := r.Uint()
		if n == 0 {
			o.status = model.ObjectStatus(r.Byte())
		}
		o.payload = string(r.Bytes(n))
		if r.Err() != nil {
			return objects, b
		}
		objects = append(objects, o)
		prev = model.Some(o.id)
		b = b[r.Offset():]
	}
}

// bell is a Waiter that counts.
type bell struct{ rung int }

func (b *bell) Wake() { b.rung++ }

// drain reads all that is there now and returns the bytes with the state at the end.
func drain(t testing.TB, r *Reader) ([]byte, ReadState) {
	t.Helper()
	var out []byte
	buf := make([]byte, 0, 64)
	for {
		s, state := r.Read(buf, noTime)
		if state != ReadSpan {
			return out, state
		}
		if s.Len() == 0 {
			t.Fatal("empty span")
		}
		out = append(append(out, s.Head...), s.Body...)
		r.Release()
	}
}

// newReader returns a reader of everything in a run.
func newReader(run *Run, f Form) *Reader {
	r := new(Reader)
	r.Init(run, ReaderOptions{Form: f, Waiter: &bell{}, Last: model.MaxID})
	return r
}

// open opens a subgroup writer or fails the test.
func open(t testing.TB, tr *Track, group, subgroup uint64, opts ...func(*SubgroupInfo)) *Writer {
	t.Helper()
	info := SubgroupInfo{Form: formA, First: FirstYes, Properties: true}
	for _, o := range opts {
		o(&info)
	}
	w, err := tr.OpenSubgroup(SubgroupKey{group, subgroup}, info)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// runs returns the runs that a cursor from the beginning sees.
func runs(tr *Track) (out []*Run) {
	c, _ := tr.NewCursor(&bell{})
	defer c.Close()
	c.Rewind()
	for {
		e := c.Next()
		if e.Kind == EventRun {
			out = append(out, e.Run)
		} else if e.Kind != EventDatagram {
			return out
		}
	}
}

// streams returns what a reader of everything gets, one line per run.
func streams(t testing.TB, tr *Track) (out []string) {
	t.Helper()
	for _, run := range runs(tr) {
		r := newReader(run, formA)
		b, state := drain(t, r)
		objects, rest := formA.(testForm).decode(b)
		line := fmt.Sprintf("%d.%d:", run.key.Group, run.key.Subgroup)
		for _, o := range objects {
			line += fmt.Sprintf(" %d", o.id)
			if o.status != model.StatusNormal {
				line += fmt.Sprintf("(%v)", o.status)
			}
		}
		if len(rest) > 0 {
			line += fmt.Sprintf(" +%d bytes", len(rest))
		}
		out = append(out, line+" "+stateName[state])
		r.Close()
	}
	return out
}

var stateName = map[ReadState]string{
	ReadSpan: "span", ReadWait: "wait", ReadFinished: "fin", ReadRangeEnd: "range end", ReadReset: "reset",
	ReadEvicted: "evicted", ReadPurged: "purged", ReadExpired: "expired", ReadUnencodable: "unencodable", ReadImmutable: "immutable", ReadEnded: "ended",
}
