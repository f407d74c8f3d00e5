package relay

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// raw is a client without a session: it sends what it is told to and reads
// nothing by itself.
type raw struct {
	transport.Conn
	t      *testing.T
	nextID uint64
}

// joinRaw connects a raw client that has sent its SETUP.
func (s *stage) joinRaw(opts ...memtr.Option) *raw {
	s.t.Helper()
	c, srv := memtr.Pair(opts...)
	s.work.Go(func() { _ = s.r.Serve(s.ctx, srv) })
	r := &raw{Conn: c, t: s.t}
	st, err := c.OpenUniStream(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	r.write(st, wire.Context{Draft: model.Draft18, Stream: wire.ControlStream, Receiver: wire.Server}, &wire.Setup{})
	return r
}

func (r *raw) write(st transport.SendStream, c wire.Context, m wire.Message) {
	r.t.Helper()
	b, err := wire.AppendMessage(nil, c, m)
	if err == nil {
		_, err = st.Write(b)
	}
	if err != nil {
		r.t.Error(err)
	}
}

func (r *raw) id() uint64 {
	id := r.nextID
	r.nextID += 2
	return id
}

// send writes a message to a request stream.
func (r *raw) send(st transport.Stream, kind, answers wire.MessageKind, m wire.Message) {
	r.t.Helper()
	r.write(st, wire.Context{Draft: model.Draft18, Stream: wire.RequestStream, Request: kind, Answers: answers, Receiver: wire.Server}, m)
}

// request opens a request stream and sends messages on it without waiting for
// answers.
func (r *raw) request(m wire.Message, then ...wire.Message) transport.Stream {
	r.t.Helper()
	st, err := r.OpenStream(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(st, m.Kind(), m.Kind(), m)
	for _, next := range then {
		r.send(st, m.Kind(), wire.KindRequestUpdate, next)
	}
	synctest.Wait()
	return st
}

// watch sends a SUBSCRIBE_NAMESPACE.
func (r *raw) watch(prefix string) transport.Stream {
	r.t.Helper()
	return r.request(&wire.SubscribeNamespace{RequestID: r.id(), Prefix: model.ParseNamespace(prefix, "/")})
}

// messages returns what came on a request stream since the last call; the first
// is the answer to the request unless it was answered before.
func (r *raw) messages(st transport.Stream, kind wire.MessageKind, answered bool) (all []wire.Message) {
	r.t.Helper()
	_ = st.SetReadDeadline(time.Now().Add(time.Millisecond)) // virtual
	var b []byte
	buf := make([]byte, 4096)
	for {
		n, err := st.Read(buf)
		b = append(b, buf[:n]...)
		if err != nil {
			break
		}
	}
	for len(b) > 0 {
		var in varint.Reader
		in.Reset(wire.VarintKind(model.Draft18), b)
		typ := in.Uint()
		length := in.Bytes(2)
		body := in.Bytes(uint64(length[0])<<8 | uint64(length[1]))
		if in.Err() != nil {
			r.t.Fatalf("half a message: %x", b)
		}
		answers := kind
		if answered {
			answers = wire.KindRequestUpdate
		}
		m, err := wire.ParseMessage(wire.Context{Draft: model.Draft18, Stream: wire.RequestStream, Request: kind, Answers: answers, Receiver: wire.Client}, typ, body)
		if err != nil {
			r.t.Fatal(err)
		}
		all, answered, b = append(all, m), true, b[in.Offset():]
	}
	return all
}

// accept returns the first message of the next request stream of the relay, nil
// if there is none.
func (r *raw) accept() wire.Message {
	r.t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Millisecond) // virtual
	defer cancel()
	st, err := r.AcceptStream(ctx)
	if err != nil {
		return nil
	}
	if all := r.messages(st, 0, false); len(all) > 0 {
		return all[0]
	}
	return nil
}
