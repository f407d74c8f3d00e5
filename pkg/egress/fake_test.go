package egress

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
)

// testForm writes headers in one of two integer encodings.
type testForm struct{ kind varint.Kind }

var formA, formB track.Form = testForm{varint.MoQ}, testForm{varint.QUIC}

func (f testForm) AppendObject(b []byte, prev model.Opt[uint64], h track.ObjectHeader) ([]byte, error) {
	delta := h.ID
	if p, ok := prev.Get(); ok {
		delta -= p + 1
	}
	if delta > f.kind.Max() {
		return b, varint.ErrTooLarge
	}
	return append(f.kind.Append(f.kind.Append(b, delta), h.PayloadLen), byte(h.Status)), nil
}

func (testForm) Properties([]byte) []byte { return nil }

// fakeSession records what is sent. Its streams may be slow or stuck.
type fakeSession struct {
	form track.Form

	mu        sync.Mutex
	streams   []*fakeStream
	datagrams []model.Location
	credit    int           // streams that may still be opened; -1: no limit
	granted   chan struct{} // closed and replaced when credit grows
	inside    int           // Writes now
	maxInside int
	dgramErr  error
	// write, if set, is called for each Write before it is recorded, except the
	// first on a stream, which is the header.
	write func(*fakeStream, []byte) error
}

func newFakeSession(form track.Form) *fakeSession {
	return &fakeSession{form: form, credit: -1, granted: make(chan struct{})}
}

func (f *fakeSession) grant(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.credit += n
	close(f.granted)
	f.granted = make(chan struct{})
}

func (f *fakeSession) TryOpenUniStream() (transport.SendStream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.credit == 0 {
		return nil, transport.ErrNoCredit
	}
	if f.credit > 0 {
		f.credit--
	}
	st := &fakeStream{f: f, urgency: -1, closed: make(chan struct{})}
	f.streams = append(f.streams, st)
	return st, nil
}

func (f *fakeSession) OpenUniStream(ctx context.Context) (transport.SendStream, error) {
	for {
		f.mu.Lock()
		granted := f.granted
		f.mu.Unlock()
		st, err := f.TryOpenUniStream()
		if err == nil {
			return st, nil
		}
		select {
		case <-granted:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (f *fakeSession) ObjectForm(bool) track.Form { return f.form }

func (f *fakeSession) ResetCode(c model.ResetCode) uint64 { return uint64(c) }

func (f *fakeSession) AppendSubgroupHeader(b []byte, h SubgroupHeader) ([]byte, error) {
	flags := byte(0)
	if h.FirstObject {
		flags |= 1
	}
	if h.EndOfGroup {
		flags |= 2
	}
	for _, v := range []uint64{h.TrackAlias, h.Group, h.Subgroup} {
		b = varint.MoQ.Append(b, v)
	}
	return append(b, flags), nil
}

func (f *fakeSession) SendDatagram(alias uint64, o *track.Object, _ uint8) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dgramErr == nil {
		f.datagrams = append(f.datagrams, o.Location)
	}
	return f.dgramErr
}

func (f *fakeSession) NewFetchEncoder(id uint64, _ model.GroupOrder) FetchEncoder {
	return fakeEncoder(id)
}

// fakeEncoder writes one line for an object, before its payload.
type fakeEncoder uint64

func (e fakeEncoder) AppendHeader(b []byte) []byte { return fmt.Appendf(b, "fetch %d\n", uint64(e)) }

func (e fakeEncoder) AppendObject(b []byte, o *track.Object, priority uint8) ([]byte, error) {
	if o.Group == unencodableGroup {
		return b, varint.ErrTooLarge
	}
	return fmt.Appendf(b, "\n%v %d p%d ", o.Location, o.PayloadLen(), o.Priority.Or(priority)), nil
}

func (e fakeEncoder) AppendUnknown(b []byte, l model.Location) ([]byte, error) {
	return fmt.Appendf(b, "\nunknown %v", l), nil
}

const unencodableGroup = 1 << 40

// fakeStream records what is written to it.
type fakeStream struct {
	f *fakeSession

	mu       sync.Mutex
	data     []byte
	boundary int
	urgency  int
	fin      bool
	reset    model.Opt[uint64]
	refused  bool
	closed   chan struct{} // closed by reset or refusal
}

func (s *fakeStream) Write(p []byte) (int, error) {
	s.f.mu.Lock()
	s.f.inside++
	s.f.maxInside = max(s.f.maxInside, s.f.inside)
	hook := s.f.write
	s.f.mu.Unlock()
	s.mu.Lock()
	first := len(s.data) == 0
	s.mu.Unlock()
	var err error
	if hook != nil && !first {
		err = hook(s, p)
	}
	s.f.mu.Lock()
	s.f.inside--
	s.f.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fin:
		return 0, fmt.Errorf("write after FIN")
	case s.reset.Set:
		return 0, &transport.StreamError{Code: s.reset.Value}
	case s.refused:
		return 0, &transport.StreamError{Remote: true}
	case err != nil:
		return 0, err
	}
	s.data = append(s.data, p...)
	return len(p), nil
}

// stuck makes a Write block until the stream is reset.
func stuck(s *fakeStream, _ []byte) error { <-s.closed; return nil }

func (s *fakeStream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fin || s.reset.Set {
		panic("Close of a closed stream")
	}
	s.fin = true
	return nil
}

func (s *fakeStream) CancelWrite(code uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fin {
		panic("CancelWrite after Close")
	}
	if !s.reset.Set {
		s.reset = model.Some(code)
		if !s.refused {
			close(s.closed)
		}
	}
}

// refuse is STOP_SENDING of the peer.
func (s *fakeStream) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = true
	close(s.closed)
}

func (s *fakeStream) SetReliableBoundary() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boundary = len(s.data)
}

func (s *fakeStream) SetPriority(u int, _ bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urgency = u
}

func (s *fakeStream) SetWriteDeadline(time.Time) error { return nil }
func (s *fakeStream) Context() context.Context         { return context.Background() }

// sent is what came on one stream.
type sent struct {
	key         track.SubgroupKey
	alias       uint64
	flags       byte
	ids         []uint64
	payloads    []string
	end         string // "fin", "reset CODE" or "open"
	rest        int    // bytes of a part of an object
	boundaryAt  int
	headerBytes int
	urgency     int
}

func (s sent) String() string {
	line := fmt.Sprintf("%d.%d:", s.key.Group, s.key.Subgroup)
	for _, id := range s.ids {
		line += fmt.Sprintf(" %d", id)
	}
	if s.rest > 0 {
		line += " part"
	}
	return line + " " + s.end
}

// sent decodes what came on all streams so far.
func (f *fakeSession) sent() (out []sent) {
	f.mu.Lock()
	streams := slices.Clone(f.streams)
	f.mu.Unlock()
	for _, st := range streams {
		st.mu.Lock()
		if len(st.data) == 0 { // spare: the peer knows nothing of it
			st.mu.Unlock()
			continue
		}
		o := sent{end: "open", boundaryAt: st.boundary, urgency: st.urgency}
		switch {
		case st.fin:
			o.end = "fin"
		case st.reset.Set:
			o.end = fmt.Sprintf("reset %v", model.ResetCode(st.reset.Value))
		}
		var r varint.Reader
		r.Reset(varint.MoQ, st.data)
		o.alias = r.Uint()
		o.key = track.SubgroupKey{Group: r.Uint(), Subgroup: r.Uint()}
		o.flags = r.Byte()
		o.headerBytes = r.Offset()
		r.Reset(f.form.(testForm).kind, r.Rest())
		var prev model.Opt[uint64]
		for r.Len() > 0 {
			at := r.Len()
			id := r.Uint()
			if p, ok := prev.Get(); ok {
				id += p + 1
			}
			n := r.Uint()
			r.Byte()
			payload := r.Bytes(n)
			if r.Err() != nil {
				o.rest = at
				break
			}
			prev = model.Some(id)
			o.ids = append(o.ids, id)
			o.payloads = append(o.payloads, string(payload))
		}
		st.mu.Unlock()
		out = append(out, o)
	}
	return out
}

// lines returns sent as strings.
func (f *fakeSession) lines() (out []string) {
	for _, s := range f.sent() {
		out = append(out, s.String())
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a subgroup writer.
func open(t testing.TB, tr *track.Track, group, subgroup uint64, opts ...func(*track.SubgroupInfo)) *track.Writer {
	t.Helper()
	info := track.SubgroupInfo{Form: formA, First: track.FirstYes}
	for _, o := range opts {
		o(&info)
	}
	w, err := tr.OpenSubgroup(track.SubgroupKey{Group: group, Subgroup: subgroup}, info)
	must(t, err)
	return w
}

// bring appends small objects.
func bring(t testing.TB, w *track.Writer, ids ...uint64) {
	t.Helper()
	for _, id := range ids {
		must(t, w.Append(track.ObjectHeader{ID: id}, []byte("payload")))
	}
}

// everything are terms without limits.
func everything() Options {
	return Options{Alias: 7, Range: model.Range{End: model.Forever}, Forward: true, Priority: 128}
}
