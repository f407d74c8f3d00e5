package quictr_test

import (
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

func TestSendDatagramNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{Delay: 10 * time.Millisecond}, testkit.Link{})
		w.clientNode.Cut() // nothing is acknowledged: the congestion window fills
		start := time.Now()
		const total = 1000
		var dropped uint64
		for range total {
			synctest.Wait() // lets quic-go take what it can
			switch err := w.client.SendDatagram(make([]byte, 1000)); err {
			case nil:
			case transport.ErrDatagramDropped:
				dropped++
			default:
				t.Fatal(err)
			}
		}
		testkit.Equal(t, time.Since(start), time.Duration(0))
		testkit.Equal(t, w.client.Stats().DatagramsDropped, dropped)
		if dropped < total/2 {
			t.Fatalf("%d of %d datagrams were dropped although nothing moves", dropped, total)
		}
	})
}

func TestPeerWithoutDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork(t, 1)
		node := n.Node("10.0.0.1:4433", testkit.Link{}, testkit.Link{})
		cert := testkit.Must(certs.SelfSigned(time.Now()))(t)
		tr := &quic.Transport{Conn: node}
		conf := quictr.Options{}.QUIC()
		conf.EnableDatagrams = false
		_, err := tr.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{protocol}}, conf)
		testkit.NoErr(t, err)
		client := &quic.Transport{Conn: n.Node("10.0.0.2:1", testkit.Link{}, testkit.Link{})}
		defer tr.Close()
		defer client.Close()
		c := testkit.Must(quictr.Dial(t.Context(), "10.0.0.1:4433", clientTLS(), quictr.Options{Via: client}))(t)
		testkit.Equal(t, c.MaxDatagramSize(), 0)
		testkit.ErrIs(t, c.SendDatagram([]byte("x")), transport.ErrDatagramTooLarge)
		testkit.ErrIs(t, c.SendDatagram(nil), transport.ErrDatagramTooLarge)
		c.CloseWithError(0, "")
	})
}

func TestDatagramsUpToTheLimitPassAndNoneAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := connect(t, quictr.Options{}, testkit.Link{}, testkit.Link{})
		size := w.client.MaxDatagramSize()
		testkit.NoErr(t, w.client.SendDatagram(make([]byte, size)))
		testkit.Equal(t, len(testkit.Must(w.server.ReceiveDatagram(t.Context()))(t)), size)
		testkit.ErrIs(t, w.client.SendDatagram(make([]byte, size+1)), transport.ErrDatagramTooLarge)
		testkit.Equal(t, w.client.Stats().DatagramsDropped, uint64(0))
	})
}
