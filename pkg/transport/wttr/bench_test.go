package wttr_test

import (
	"testing"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/transport/transporttest"
)

// benched is a connection over loopback, from the server, since that is where a
// relay sends most.
func benched(b *testing.B) (from, to transport.Conn) {
	b.Helper()
	client, server := loopback(b, quictr.Options{})
	return server, client
}

func BenchmarkStream(b *testing.B)          { transporttest.BenchmarkStream(b, benched) }
func BenchmarkStreamPerObject(b *testing.B) { transporttest.BenchmarkStreamPerObject(b, benched) }
func BenchmarkDatagram(b *testing.B)        { transporttest.BenchmarkDatagram(b, benched) }
