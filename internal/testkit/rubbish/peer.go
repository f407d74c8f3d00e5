package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
)

// state is how far a session has come when an attack begins.
type state int

const (
	// fresh: nothing was said.
	fresh state = iota
	// ready: both have sent SETUP.
	ready
	// subscribed: request 0 is an accepted SUBSCRIBE to the date.
	subscribed
	// published: request 0 is an accepted PUBLISH of a track with alias 7,
	// which a second session, a sound one, has subscribed to.
	published
)

// attack is one session of rubbish.
type attack struct {
	name string
	from state
	// play sends. Errors of writing are no failures: the relay may be faster.
	play func(*peer)
	// closes are the session codes that may end it, any of them; if there are
	// none, the session must live and answer.
	closes []model.SessionCode
	// either allows the session to live as well.
	either bool
}

// peer is the attacker's side of one session.
type peer struct {
	ctx     context.Context
	conn    transport.Conn
	control transport.SendStream
	request transport.Stream // the one that state stands for
	track   string           // the name of what published publishes
}

// probeID is the Request ID of the question whether a session still lives.
const probeID = 2000

// answerTime is how long the relay may take for an answer or a close that needs
// no timeout of its own; the machine may be busy.
const answerTime = 25 * time.Second

// tooLong is in the reason of INTERNAL_ERROR, which otherwise no attack may
// cause, if properties are within the draft but longer than the relay can hold.
const tooLong = "too long"

// play plays one attack and judges its end.
func (r *run) play(ctx context.Context, a attack) (closed bool, err error) {
	p := &peer{ctx: ctx, track: a.name}
	if p.conn, err = r.dial(ctx); err != nil {
		return false, fmt.Errorf("not connected: %w", err)
	}
	defer p.conn.CloseWithError(0, "")
	if a.from >= ready {
		if err := p.hello(r.path); err != nil {
			return false, err
		}
	}
	switch a.from {
	case subscribed:
		err = p.ask(subscribe(0, date()), typeSubscribeOK)
	case published:
		var witness transport.Conn
		if witness, err = p.publishTo(r); witness != nil {
			defer witness.CloseWithError(0, "")
		}
	}
	if err != nil {
		return false, err
	}
	a.play(p)
	return p.judge(a)
}

// judge waits for the end that the attack must have.
func (p *peer) judge(a attack) (closed bool, err error) {
	if len(a.closes) == 0 || a.either {
		err = p.probe()
		if err == nil || len(a.closes) == 0 {
			return false, err
		}
	}
	limit := time.NewTimer(answerTime)
	defer limit.Stop()
	select {
	case <-p.conn.Context().Done():
	case <-limit.C:
		return false, fmt.Errorf("the session is still open, not closed with one of %v", a.closes)
	}
	why, ok := errors.AsType[*transport.CloseError](context.Cause(p.conn.Context()))
	if !ok || !why.Remote {
		return true, fmt.Errorf("the session ended with %w", context.Cause(p.conn.Context()))
	}
	if model.SessionCode(why.Code) == model.InternalError && strings.Contains(why.Reason, tooLong) {
		return true, nil
	}
	if !slices.Contains(a.closes, model.SessionCode(why.Code)) {
		return true, fmt.Errorf("closed with %v (%q), not with one of %v", model.SessionCode(why.Code), why.Reason, a.closes)
	}
	return true, nil
}

// hello exchanges SETUP.
func (p *peer) hello(path string) (err error) {
	if p.control, err = p.conn.OpenUniStream(p.ctx); err != nil {
		return err
	}
	if _, err = p.control.Write(setup(cat(1, text(path)))); err != nil {
		return err
	}
	in, err := p.conn.AcceptUniStream(p.ctx)
	if err != nil {
		return fmt.Errorf("no SETUP: %w", err)
	}
	typ, _, err := readMessage(in)
	if err != nil || typ != typeSetup {
		return fmt.Errorf("message 0x%x instead of SETUP: %w", typ, err)
	}
	return nil
}

// ask opens the request stream and waits for the answer.
func (p *peer) ask(request []byte, want uint64) (err error) {
	if p.request, err = p.conn.OpenStream(p.ctx); err != nil {
		return err
	}
	if _, err = p.request.Write(request); err != nil {
		return err
	}
	return p.answer(p.request, want)
}

func (p *peer) answer(st transport.Stream, want uint64) error {
	_ = st.SetReadDeadline(time.Now().Add(answerTime))
	typ, body, err := readMessage(st)
	_ = st.SetReadDeadline(time.Time{})
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if typ != want {
		return fmt.Errorf("answered with message 0x%x, %x, not with 0x%x", typ, body, want)
	}
	return nil
}

// publishTo publishes a track and brings it a subscriber.
func (p *peer) publishTo(r *run) (witness transport.Conn, err error) {
	if err := p.ask(publish(0, own(p.track), 7), typeRequestOK); err != nil {
		return nil, err
	}
	go p.agree()
	w := &peer{ctx: p.ctx}
	if w.conn, err = r.dial(p.ctx); err != nil {
		return nil, err
	}
	if err = w.hello(r.path); err == nil {
		err = w.ask(subscribe(0, own(p.track)), typeSubscribeOK)
	}
	return w.conn, err
}

// agree accepts every update of the publication, as its publisher must.
func (p *peer) agree() {
	for {
		typ, _, err := readMessage(p.request)
		if err != nil {
			return
		}
		if typ == typeRequestUpdate {
			p.say(message(typeRequestOK, 0))
		}
	}
}

// probe asks for something that only a session that lives can answer.
func (p *peer) probe() error {
	st, err := p.conn.OpenStream(p.ctx)
	if err != nil {
		return fmt.Errorf("the session does not live: %w", err)
	}
	if _, err := st.Write(message(typeTrackStatus, probeID, date(), 0)); err != nil {
		return fmt.Errorf("the session does not live: %w", err)
	}
	if err := p.answer(st, typeRequestOK); err != nil {
		return fmt.Errorf("the session does not live: %w", err)
	}
	return nil
}

// uni opens a unidirectional stream and writes; it may still be written to.
func (p *peer) uni(b ...any) transport.SendStream {
	st, err := p.conn.OpenUniStream(p.ctx)
	if err != nil {
		return nowhere{}
	}
	_, _ = st.Write(cat(b...))
	return st
}

// bidi opens a bidirectional stream and writes.
func (p *peer) bidi(b ...any) transport.SendStream {
	st, err := p.conn.OpenStream(p.ctx)
	if err != nil {
		return nowhere{}
	}
	_, _ = st.Write(cat(b...))
	return st
}

func (p *peer) datagram(b ...any) { _ = p.conn.SendDatagram(cat(b...)) }

// say writes on the request stream of the state.
func (p *peer) say(b ...any) { _, _ = p.request.Write(cat(b...)) }

// nowhere stands for a stream of a session that is over.
type nowhere struct{ transport.SendStream }

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) Close() error                { return nil }
func (nowhere) CancelWrite(uint64)          {}

// readMessage reads type, length and payload of a control message.
func readMessage(r io.Reader) (typ uint64, body []byte, err error) {
	var head [9]byte
	for n := 0; ; n++ {
		if _, err := io.ReadFull(r, head[n:n+1]); err != nil {
			return 0, nil, err
		}
		if typ, _, err = varint.MoQ.Parse(head[:n+1]); err == nil {
			break
		}
	}
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return typ, nil, err
	}
	body = make([]byte, int(length[0])<<8|int(length[1]))
	_, err = io.ReadFull(r, body)
	return typ, body, err
}
