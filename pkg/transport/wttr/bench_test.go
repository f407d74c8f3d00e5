package wttr_test

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// The benchmarks are those of quictr, from the server, since that is where a
// relay sends most.

// BenchmarkStream writes objects to one stream over loopback, as fast as the
// other end reads.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{1200, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			client, server := loopback(b, quictr.Options{})
			out := testkit.Must(server.OpenUniStream(b.Context()))(b)
			out.Write([]byte("x"))
			in := testkit.Must(client.AcceptUniStream(b.Context()))(b)
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
func BenchmarkStreamPerObject(b *testing.B) {
	client, server := loopback(b, quictr.Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			in, err := client.AcceptUniStream(b.Context())
			if err != nil {
				return
			}
			wg.Go(func() { io.Copy(io.Discard, in) })
		}
	}()
	obj := make([]byte, 1200)
	b.SetBytes(int64(len(obj)))
	b.ReportAllocs()
	for b.Loop() {
		out, err := server.OpenUniStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		out.Write(obj)
		out.Close()
	}
	server.CloseWithError(0, "")
	<-done
}

// BenchmarkDatagram sends datagrams as fast as they are taken, and reports how
// many of them arrived.
func BenchmarkDatagram(b *testing.B) {
	client, server := loopback(b, quictr.Options{})
	arrived := make(chan int)
	go func() {
		n := 0
		for {
			if _, err := client.ReceiveDatagram(b.Context()); err != nil {
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
		err := server.SendDatagram(obj)
		for err == transport.ErrDatagramDropped {
			runtime.Gosched()
			err = server.SendDatagram(obj)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	server.CloseWithError(0, "")
	b.ReportMetric(float64(<-arrived)/float64(b.N), "arrived/op")
}
