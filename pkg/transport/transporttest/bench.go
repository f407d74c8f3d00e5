package transporttest

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
)

// Connect makes a connection and returns the end that sends and the one that
// receives.
type Connect func(b *testing.B) (from, to transport.Conn)

// BenchmarkStream writes objects to one stream, as fast as the other end reads.
func BenchmarkStream(b *testing.B, connect Connect) {
	for _, size := range []int{1200, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			from, to := connect(b)
			out := testkit.Must(from.OpenUniStream(b.Context()))(b)
			out.Write([]byte("x"))
			in := testkit.Must(to.AcceptUniStream(b.Context()))(b)
			read := make(chan int64)
			go func() {
				n, _ := io.Copy(io.Discard, in)
				read <- n
			}()
			obj := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := out.Write(obj); err != nil {
					b.Fatal(err)
				}
			}
			out.Close()
			testkit.Equal(b, <-read, 1+int64(b.N)*int64(size))
		})
	}
}

// BenchmarkStreamPerObject opens a stream for each object of 1200 bytes.
func BenchmarkStreamPerObject(b *testing.B, connect Connect) {
	from, to := connect(b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			in, err := to.AcceptUniStream(b.Context())
			if err != nil {
				return
			}
			// Not one after the other: the streams to come could fill the
			// connection's window while this one waits for its rest.
			wg.Go(func() { io.Copy(io.Discard, in) })
		}
	}()
	obj := make([]byte, 1200)
	b.SetBytes(int64(len(obj)))
	b.ReportAllocs()
	for b.Loop() {
		out, err := from.OpenUniStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		out.Write(obj)
		out.Close()
	}
	from.CloseWithError(0, "")
	<-done
}

// BenchmarkDatagram sends datagrams as fast as they are taken, and reports how
// many of them arrived: a carrier keeps few for a reader that is late.
func BenchmarkDatagram(b *testing.B, connect Connect) {
	from, to := connect(b)
	arrived := make(chan int)
	go func() {
		n := 0
		for {
			if _, err := to.ReceiveDatagram(b.Context()); err != nil {
				arrived <- n
				return
			}
			n++
		}
	}()
	obj := make([]byte, 1100)
	b.SetBytes(int64(len(obj)))
	b.ReportAllocs()
	for b.Loop() {
		err := from.SendDatagram(obj)
		for err == transport.ErrDatagramDropped {
			runtime.Gosched()
			err = from.SendDatagram(obj)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	from.CloseWithError(0, "")
	b.ReportMetric(float64(<-arrived)/float64(b.N), "arrived/op")
}
