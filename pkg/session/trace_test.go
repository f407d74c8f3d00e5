package session

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

// seen collects events of one side.
type seen struct {
	mu         sync.Mutex
	sent, read []string
}

func (e *seen) trace(*Session) TraceFunc {
	return func(ev TraceEvent) {
		e.mu.Lock()
		defer e.mu.Unlock()
		text := fmt.Sprintf("%d %T %+v", ev.Stream, ev.What, ev.What)
		if ev.Sent {
			e.sent = append(e.sent, text)
		} else {
			e.read = append(e.read, text)
		}
	}
}

// dripping writes byte by byte.
type dripping struct{ io.Writer }

func (d dripping) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := d.Writer.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// playing serves two streams and a datagram to subscribers, and two groups in
// descending order to fetches.
type playing struct {
	Refuse
	t    *testing.T
	drip bool
}

func (h *playing) out(w io.Writer) io.Writer {
	if h.drip {
		return dripping{w}
	}
	return w
}

func (h *playing) ok(_ int, err error) {
	if err != nil {
		h.t.Error(err)
	}
}

func (h *playing) Subscribe(ctx context.Context, r *SubscribeRequest) {
	o, err := r.Accept(Offer{}, nil)
	if err != nil {
		h.t.Error(err)
		return
	}
	d := o.Session().Draft()
	for _, head := range []wire.SubgroupHeader{
		{TrackAlias: o.Alias(), Group: 4, Mode: wire.SubgroupFirstObject, Properties: true},
		{TrackAlias: o.Alias(), Group: 5, Mode: wire.SubgroupExplicit, Subgroup: 300, Priority: model.Some(uint8(9))},
	} {
		st, err := o.Session().Conn().OpenUniStream(ctx)
		if err != nil {
			h.t.Error(err)
			return
		}
		form := wire.FormOf(d, head.Properties)
		b := head.Append(nil, d)
		first := wire.ObjectHeader{ID: 70, PayloadLen: 200}
		if head.Properties {
			first.Properties = []byte{0x3e, 0} // no gap
		}
		b = append(form.AppendObject(b, model.Opt[uint64]{}, first), make([]byte, 200)...)
		b = form.AppendObject(b, model.Some(uint64(70)), wire.ObjectHeader{ID: 72, Status: model.StatusEndOfGroup})
		h.ok(h.out(st).Write(b))
		h.ok(0, st.Close())
	}
	dg := wire.Datagram{TrackAlias: o.Alias(), Group: 6, Object: 1, Payload: []byte("x")}
	h.ok(0, o.Session().Conn().SendDatagram(dg.Append(nil, d)))
	synctest.Wait() // it is counted in PUBLISH_DONE, and read before that
	h.ok(0, o.Done(model.DoneTrackEnded, "over", model.Some(uint64(2))))
}

func (h *playing) Fetch(ctx context.Context, r *FetchRequest) {
	h.ok(0, r.Accept(FetchInfo{End: r.Range.End}))
	st, enc, b, err := r.Open(ctx)
	if err != nil {
		h.t.Error(err)
		return
	}
	for _, it := range []wire.FetchItem{
		{Location: model.Location{Group: 9, Object: 1}, Subgroup: 1, Priority: 3, PayloadLen: 2},
		{Location: model.Location{Group: 4, Object: 0}, Subgroup: 0, Priority: 3, PayloadLen: 2},
		{Kind: wire.FetchEndUnknown, Location: model.Location{Group: 4, Object: 7}},
	} {
		if b, err = enc.Append(b, it); err != nil {
			h.t.Error(err)
		}
		b = append(b, "hi"[:it.PayloadLen]...)
	}
	h.ok(h.out(st).Write(b))
	h.ok(0, st.Close())
	r.Finish()
}

// swallow reads everything.
type swallow struct{ ended chan struct{} }

func (swallow) ReceiveDatagram(*Datagram) {}
func (s swallow) ReceiveSubgroup(r *SubgroupReader) {
	for {
		if _, err := r.Next(); err != nil {
			s.ended <- struct{}{}
			return
		}
	}
}

// TestTrace: what one side says that it sends, the other says that it reads, on
// streams of the same numbers, however the bytes are cut.
func TestTrace(t *testing.T) {
	for _, drip := range []bool{false, true} {
		t.Run(fmt.Sprintf("drip %v", drip), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var client, server seen
				c, srv := memtr.Pair()
				started := make(chan *Session, 1)
				go func() {
					s, err := Start(t.Context(), srv, Config{Role: Server, Handler: &playing{t: t, drip: drip}, Trace: server.trace, Implementation: "test"})
					if err != nil {
						t.Error(err)
					}
					started <- s
				}()
				s, err := Start(t.Context(), c, Config{Trace: client.trace, Path: "/p"})
				if err != nil {
					t.Fatal(err)
				}
				recv := swallow{make(chan struct{}, 2)}
				in, err := s.Subscribe(t.Context(), SubscribeOptions{Track: dateTrack}, recv)
				if err != nil {
					t.Fatal(err)
				}
				<-recv.ended
				<-recv.ended
				<-in.Context().Done()
				f, err := s.Fetch(t.Context(), FetchOptions{
					Track: dateTrack, Order: model.Descending,
					Range: model.Range{Start: model.Location{Group: 4}, End: model.Location{Group: 9, Object: 8}},
				})
				if err != nil {
					t.Fatal(err)
				}
				for err == nil {
					_, err = f.Next(t.Context())
				}
				if err != io.EOF {
					t.Error(err)
				}
				if _, err := s.TrackStatus(t.Context(), dateTrack); err == nil {
					t.Error("the status was not refused")
				}
				peer := <-started
				synctest.Wait()
				s.Close(model.NoError, "over")
				s.Wait()
				peer.Wait()
				for _, side := range []*seen{&client, &server} {
					slices.Sort(side.sent)
					slices.Sort(side.read)
				}
				if diff := cmp.Diff(client.sent, server.read); diff != "" {
					t.Errorf("sent by the client, read by the server:\n%s", diff)
				}
				if diff := cmp.Diff(server.sent, client.read); diff != "" {
					t.Errorf("sent by the server, read by the client:\n%s", diff)
				}
				// SETUP, SUBSCRIBE, FETCH, TRACK_STATUS; SETUP, four answers, and the data.
				if len(client.sent) != 4 || len(server.sent) != 5+2+4+1+1+3 {
					t.Errorf("%d and %d events:\n%q\n%q", len(client.sent), len(server.sent), client.sent, server.sent)
				}
			})
		})
	}
}

// FuzzTraceFollows: bytes that are no stream of the draft end the trace
// of the stream and do no harm.
func FuzzTraceFollows(f *testing.F) {
	f.Add([]byte{0x50, 7, 11, 0x80, 0, 2, 'h', 'i'}, 3)
	f.Add([]byte{5, 1, 0x1f, 1, 2, 3, 4, 5}, 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		c, srv := memtr.Pair()
		defer c.CloseWithError(0, "")
		defer srv.CloseWithError(0, "")
		s := &Session{cfg: Config{Draft: model.Draft18}, trace: func(TraceEvent) {}}
		conn := &tracedConn{Conn: c, s: s}
		w := &tracedSend{t: conn}
		w.next = w.header
		cut = max(0, min(cut, len(b)))
		w.follow(b[:cut])
		w.follow(b[cut:])
	})
}

// TestUntraced: a session that nobody wants to know of is not wrapped, so that
// its streams and messages cost what they cost without traces.
func TestUntraced(t *testing.T) {
	for name, trace := range map[string]func(*Session) TraceFunc{"no trace": nil, "not this session": func(*Session) TraceFunc { return nil }} {
		c, srv := memtr.Pair()
		s := &Session{conn: c, cfg: Config{Trace: trace}}
		if allocs := testing.AllocsPerRun(100, func() {
			if s.startTrace(c) != c || s.trace != nil {
				t.Errorf("%s: it is wrapped", name)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
		_ = c.CloseWithError(0, "")
		_ = srv.CloseWithError(0, "")
	}
}
