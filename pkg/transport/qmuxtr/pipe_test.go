package qmuxtr_test

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBuffer is how many bytes a pipe holds in one direction: as little as a
// socket might, so that writers wait.
const pipeBuffer = 64 << 10

type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }

// lane is one direction of a pipe.
type lane struct {
	mu               sync.Mutex
	cond             *sync.Cond
	b                []byte
	ended            bool // nothing more is written
	cut              bool // nobody reads
	frozen           bool // what is written stays where it is
	readBy, writeBy  time.Time
	readTim, writTim *time.Timer
}

func newLane() *lane {
	l := &lane{}
	l.cond = sync.NewCond(&l.mu)
	return l
}

func late(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (l *lane) read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.cut:
			return 0, net.ErrClosed
		case late(l.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(l.b) > 0 && !l.frozen:
			n := copy(p, l.b)
			l.b = append(l.b[:0], l.b[n:]...)
			l.cond.Broadcast()
			return n, nil
		case l.ended && !l.frozen:
			return 0, io.EOF
		}
		l.cond.Wait()
	}
}

func (l *lane) write(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.ended:
			return n, net.ErrClosed
		case l.cut:
			return n, io.ErrClosedPipe
		case late(l.writeBy):
			return n, os.ErrDeadlineExceeded
		}
		k := min(len(p)-n, pipeBuffer-len(l.b))
		l.b = append(l.b, p[n:n+k]...)
		n += k
		if k > 0 {
			l.cond.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		l.cond.Wait()
	}
}

func (l *lane) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	l.cond.Broadcast()
}

func (l *lane) deadline(at *time.Time, tim **time.Timer, t time.Time) {
	l.change(func() {
		if *tim != nil {
			(*tim).Stop()
		}
		*at = t
		if !t.IsZero() {
			*tim = time.AfterFunc(time.Until(t), func() { l.change(func() {}) })
		}
	})
}

// pipe is one end of a connection in memory, which counts as durably blocked in
// a synctest bubble.
type pipe struct {
	in, out       *lane
	local, remote pipeAddr
}

func newPipe() (client, server *pipe) {
	a, b := newLane(), newLane()
	return &pipe{a, b, "client", "server"}, &pipe{b, a, "server", "client"}
}

func (p *pipe) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p *pipe) Write(b []byte) (int, error) { return p.out.write(b) }
func (p *pipe) LocalAddr() net.Addr         { return p.local }
func (p *pipe) RemoteAddr() net.Addr        { return p.remote }

func (p *pipe) CloseWrite() error {
	p.out.change(func() { p.out.ended = true })
	return nil
}

func (p *pipe) Close() error {
	p.in.change(func() { p.in.cut = true })
	return p.CloseWrite()
}

func (p *pipe) SetReadDeadline(t time.Time) error {
	p.in.deadline(&p.in.readBy, &p.in.readTim, t)
	return nil
}

func (p *pipe) SetWriteDeadline(t time.Time) error {
	p.out.deadline(&p.out.writeBy, &p.out.writTim, t)
	return nil
}

func (p *pipe) SetDeadline(t time.Time) error {
	p.SetReadDeadline(t)
	return p.SetWriteDeadline(t)
}
