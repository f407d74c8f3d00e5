package door

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a port whose connections are made by hand.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// open makes a connection and returns the client's end.
func (p *pipes) open() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

func TestSplitBySniffing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := newSplit(p)
		for _, tt := range []struct {
			says string
			to   *branch
		}{
			{"\x16\x03\x01 a handshake", s.tls},
			{"GET / HTTP/1.1", s.plain},
			{"\x00 rubbish", s.plain},
			{"\x17 TLS, but no handshake", s.plain},
		} {
			client := p.open()
			go func() {
				io.WriteString(client, tt.says)
				client.Close()
			}()
			c, err := tt.to.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(c); err != nil || string(got) != tt.says {
				t.Errorf("read %q, %v; sent %q", got, err, tt.says)
			}
			c.Close()
		}
		s.Close()
		for _, b := range []*branch{s.tls, s.plain} {
			if _, err := b.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close, Accept returns %v", err)
			}
		}
	})
}

// gone waits until the server has closed c.
func gone(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %v from a connection that should be closed", err)
	}
}

func TestSilentConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := newSplit(p)
		start := time.Now()
		silent := make([]net.Conn, maxUnknown)
		for i := range silent {
			silent[i] = p.open()
		}
		synctest.Wait()
		gone(t, p.open()) // one too many
		if d := time.Since(start); d != 0 {
			t.Errorf("the last one was closed after %v", d)
		}
		for _, c := range silent {
			gone(t, c)
		}
		if d := time.Since(start); d != firstByteTimeout {
			t.Errorf("silence was borne for %v", d)
		}
		synctest.Wait()
		client := p.open()
		go io.WriteString(client, "GET")
		c, err := s.plain.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		s.Close()
	})
}

func TestSplitClosesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := newSplit(p)
		silent, sorted := p.open(), p.open()
		go io.WriteString(sorted, "\x16")
		synctest.Wait()
		s.Close()
		gone(t, silent)
		gone(t, sorted)
	})
}
