package qmuxtr_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/qmuxtr"
)

// FuzzConnection feeds a connection with rubbish behind good parameters, while
// somebody uses it. It must end, without a panic, a hang or a goroutine left.
func FuzzConnection(f *testing.F) {
	for _, c := range frames {
		f.Add(false, qmuxtr.Record(c.frame))
		f.Add(true, append(qmuxtr.Record(data(2, 0, 10), data(0, 0, 10)), qmuxtr.Record(c.frame, c.frame)...))
	}
	f.Add(true, qmuxtr.Record(
		data(2, 0, 10), qmuxtr.Frame{Type: qmuxtr.ResetStreamAt, ID: 2, N: 10, Reliable: 3},
		qmuxtr.Frame{Type: qmuxtr.StopSending, ID: 1}, qmuxtr.Frame{Type: qmuxtr.MaxStreamData, ID: 1, N: 1 << 40},
		qmuxtr.Frame{Type: qmuxtr.Ping, N: 5}, qmuxtr.Frame{Type: qmuxtr.Datagram, Data: "x"},
	))
	f.Add(false, []byte{0x80, 4, 0, 1})
	f.Fuzz(func(t *testing.T, strict bool, rubbish []byte) {
		synctest.Test(t, func(t *testing.T) {
			alpn := lenientName
			if strict {
				alpn = strictName
			}
			c, p := against(t, alpn, small, generous)
			go io.Copy(io.Discard, p.pipe)
			go use(t, c)
			p.SetWriteDeadline(time.Now().Add(time.Second))
			p.Write(rubbish)
			p.CloseWrite()
			<-c.Context().Done()
			if cause := context.Cause(c.Context()); cause == nil {
				t.Fatal("the connection ended without a cause")
			}
		})
	})
}

// use does with a connection what a session does.
func use(t *testing.T, c transport.Conn) {
	ctx := t.Context()
	if out, err := c.TryOpenStream(); err == nil {
		out.Write([]byte("request"))
		go io.Copy(io.Discard, out)
	}
	go func() {
		for {
			if _, err := c.ReceiveDatagram(ctx); err != nil {
				return
			}
		}
	}()
	go func() {
		for i := 0; ; i++ {
			s, err := c.AcceptStream(ctx)
			if err != nil {
				return
			}
			if i%2 == 0 {
				s.CancelRead(1)
			}
			go func() {
				io.Copy(s, s)
				s.Close()
			}()
		}
	}()
	for i := 0; ; i++ {
		in, err := c.AcceptUniStream(ctx)
		if err != nil {
			return
		}
		if i%2 == 0 {
			in.CancelRead(1)
		}
		go io.Copy(io.Discard, in)
	}
}

// Two ends of ours agree whatever is done to their streams.
func FuzzPair(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{0, 8, 16, 24, 3, 11, 19, 5, 13, 4, 12})
	f.Fuzz(func(t *testing.T, steps []byte) {
		steps = steps[:min(len(steps), 200)]
		synctest.Test(t, func(t *testing.T) {
			client, srv, _, _ := inMemory(t, strictName, small)
			go use(t, client)
			go use(t, srv)
			var outs []transport.SendStream
			for i, step := range steps {
				conn := client
				if step&8 != 0 {
					conn = srv
				}
				var out transport.SendStream
				if len(outs) > 0 {
					out = outs[int(step>>4)%len(outs)]
				}
				switch {
				case out == nil || step&7 == 0:
					if s, err := conn.TryOpenUniStream(); err == nil {
						outs = append(outs, s)
					}
				case step&7 == 1:
					if s, err := conn.TryOpenStream(); err == nil {
						outs = append(outs, s)
						go io.Copy(io.Discard, s)
					}
				case step&7 == 2:
					out.SetPriority(int(step>>4), step&8 != 0)
				case step&7 == 3:
					out.SetReliableBoundary()
				case step&7 == 4:
					out.Close()
				case step&7 == 5:
					out.CancelWrite(uint64(i))
				case step&7 == 6:
					conn.SendDatagram(steps)
				default:
					out.SetWriteDeadline(time.Now().Add(time.Second))
					out.Write(make([]byte, int(step)*20))
				}
			}
			synctest.Wait()
			testkit.NoErr(t, context.Cause(client.Context()))
			testkit.NoErr(t, context.Cause(srv.Context()))
		})
	})
}
