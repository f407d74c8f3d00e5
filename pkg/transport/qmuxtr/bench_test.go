package qmuxtr_test

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport/qmuxtr"
)

// BenchmarkStream writes objects to one stream over loopback, as fast as the
// other end reads.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{1200, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			client, srv := loopback(b, qmuxtr.Options{})
			out := testkit.Must(client.OpenUniStream(b.Context()))(b)
			out.Write([]byte("x"))
			in := testkit.Must(srv.AcceptUniStream(b.Context()))(b)
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
	client, srv := loopback(b, qmuxtr.Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			in, err := srv.AcceptUniStream(b.Context())
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
		out, err := client.OpenUniStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		out.Write(obj)
		out.Close()
	}
	client.CloseWithError(0, "")
	<-done
}
