package mlog

import (
	"io"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// BenchmarkObject is what an object costs the goroutine that reads or writes it,
// while its trace is written to nowhere. What finds no room costs less, so it is
// told how many did.
func BenchmarkObject(b *testing.B) {
	d := opened(b, DirConfig{MaxBytes: 1 << 60})
	d.create = func(string) (io.WriteCloser, error) { return nowhere{io.Discard}, nil }
	t := d.begin(transport.TraceStart{ID: "01"})
	said := t.session(model.Draft18)
	o := &session.TracedObject{Group: 1000, Subgroup: 1, Prev: model.Some(uint64(1)), ObjectHeader: wire.ObjectHeader{ID: 2, PayloadLen: 1200}}
	b.ReportAllocs()
	for b.Loop() {
		said(session.TraceEvent{Sent: true, Stream: 3, What: o})
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
