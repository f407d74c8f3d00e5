package door_test

import (
	"context"
	"crypto/tls"
	"testing"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/wire"
)

// Of the benchmark: groups of a video, of about 4 Mbit/s, as fast as they go.
const (
	benchObjects = 30
	benchObject  = 16 << 10
)

// pushing writes groups, one for each number that it is given.
type pushing struct {
	session.Refuse
	groups chan uint64
}

func (p *pushing) Subscribe(ctx context.Context, r *session.SubscribeRequest) {
	out, err := r.Accept(session.Offer{}, nil)
	if err != nil {
		return
	}
	d := out.Session().Draft()
	form := wire.FormOf(d, false)
	payload := make([]byte, benchObject)
	for {
		select {
		case group := <-p.groups:
			st, err := out.Session().Conn().OpenUniStream(ctx)
			if err != nil {
				return
			}
			head := wire.SubgroupHeader{TrackAlias: out.Alias(), Group: group}
			b := head.Append(nil, d)
			var prev model.Opt[uint64]
			for id := range uint64(benchObjects) {
				b = append(form.AppendObject(b, prev, wire.ObjectHeader{ID: id, PayloadLen: benchObject}), payload...)
				if _, err := st.Write(b); err != nil {
					return
				}
				b, prev = b[:0], model.Some(id)
			}
			if st.Close() != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// pulled reads groups and counts them.
type pulled struct{ ended chan struct{} }

func (pulled) ReceiveDatagram(*session.Datagram) {}
func (p pulled) ReceiveSubgroup(r *session.SubgroupReader) {
	buf := make([]byte, benchObject)
	for {
		if _, err := r.Next(); err != nil {
			p.ended <- struct{}{}
			return
		}
		for {
			if _, err := r.Read(buf); err != nil {
				break
			}
		}
	}
}

// pipeline is a subscription over loopback; traces may be nil. It returns what
// moves the next group and waits for it.
func pipeline(b *testing.B, traces *mlog.Dir) (move func(group uint64)) {
	b.Helper()
	cert := testkit.Must(certs.SelfSigned(time.Now()))(b)
	var carrier transport.Tracer
	var cfg session.Config
	if traces != nil {
		carrier, cfg.Trace = traces.Connection, traces.Session
	}
	l := testkit.Must(listen.Listen("127.0.0.1:0", listen.Config{
		TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Protocols: []string{"moqt-18"}, QUIC: quictr.Options{Trace: carrier},
	}))(b)
	b.Cleanup(func() { l.Close() })
	p := &pushing{groups: make(chan uint64)}
	server := cfg
	server.Role, server.Handler = session.Server, p
	go func() {
		if conn, err := l.Accept(b.Context()); err == nil {
			_, _ = session.Start(b.Context(), conn, server) // without it there is no subscription
		}
	}()
	conn := testkit.Must(quictr.Dial(b.Context(), l.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"moqt-18"}}, quictr.Options{Trace: carrier}))(b)
	s := testkit.Must(session.Start(b.Context(), conn, cfg))(b)
	recv := pulled{make(chan struct{})}
	testkit.Must(s.Subscribe(b.Context(), session.SubscribeOptions{Track: model.FullTrackName{Namespace: model.Namespace{"n"}, Name: "t"}}, recv))(b)
	b.Cleanup(func() {
		s.Close(model.NoError, "")
		s.Wait()
	})
	return func(group uint64) {
		p.groups <- group
		<-recv.ended
	}
}

// BenchmarkTraces moves groups through a connection without traces and one with
// traces of both sides, in turn, and tells how much longer the latter takes.
func BenchmarkTraces(b *testing.B) {
	traces := testkit.Must(mlog.OpenDir(mlog.DirConfig{Path: b.TempDir(), MaxBytes: 1 << 40}))(b)
	off, on := pipeline(b, nil), pipeline(b, traces)
	var without, with time.Duration
	group := uint64(0)
	b.SetBytes(2 * benchObjects * benchObject)
	for b.Loop() {
		began := time.Now()
		off(group)
		between := time.Now()
		on(group)
		without += between.Sub(began)
		with += time.Since(between)
		group++
	}
	b.ReportMetric(float64(with)/float64(without), "on/off")
	b.ReportMetric(float64(without.Microseconds())/float64(b.N), "µs-off/group")
	if err := traces.Close(); err != nil {
		b.Fatal(err)
	}
}
