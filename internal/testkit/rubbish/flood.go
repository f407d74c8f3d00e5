package main

import (
	"fmt"
	"strings"

	"oxymoq/pkg/model"
)

// Sizes of the floods.
const (
	floodStreams    = 4000
	floodDatagrams  = 20_000
	floodRequests   = 3000
	floodNamespaces = 1500
	floodBytes      = 16 << 20
)

// load are the codes with which a relay may refuse to be flooded.
var load = []model.SessionCode{
	model.ProtocolViolation, model.TooManyRequests, model.ControlMessageTimeout, model.DataStreamTimeout, model.KeyValueFormattingError,
}

// requests opens as many request streams as it may, up to n, and then cancels
// them all: the relay must give the credit back.
func (p *peer) requests(n int, request func(int) []byte) {
	for i := range n {
		st, err := p.conn.TryOpenStream()
		if err != nil {
			break
		}
		_, _ = st.Write(request(i))
		defer st.CancelRead(1)
		defer st.CancelWrite(1)
	}
}

// floods send more than anybody needs. The relay may refuse or close with a
// code of the draft; it must not fall over, and must let go of everything.
func floods() []attack {
	return []attack{
		{"streams that stop in their head", ready, func(p *peer) {
			for range floodStreams {
				if st, err := p.conn.TryOpenUniStream(); err == nil {
					_, _ = st.Write(x("15 07"))
				}
			}
		}, load, true},
		{"streams of unknown tracks", ready, func(p *peer) {
			for i := range floodStreams {
				if st, err := p.conn.TryOpenUniStream(); err == nil {
					_, _ = st.Write(cat(0x15, 100+i, 1, 0, []byte{128}, 0, 0, 10, "x"))
				}
			}
		}, load, true},
		{"streams that are reset at once", ready, func(p *peer) {
			for range floodStreams {
				p.uni(x("15")).CancelWrite(1)
			}
		}, load, true},
		{"streams of one subgroup each", published, func(p *peer) {
			for i := range floodStreams {
				p.uni(cat(0x15, 7, i, 0, []byte{128}, 0, 0, 100, make([]byte, 100))).Close()
			}
		}, load, true},
		{"request streams without requests", ready, func(p *peer) {
			p.requests(floodStreams, func(int) []byte { return x("03") })
		}, load, true},
		{"subscriptions to nothing", ready, func(p *peer) {
			for i := range floodRequests {
				p.bidi(subscribe(4000+2*i, own(fmt.Sprint(i)), 0)).Close()
			}
		}, load, true},
		{"subscriptions that wait for a publisher", ready, func(p *peer) {
			p.requests(floodRequests, func(i int) []byte {
				return subscribe(4000+2*i, own(fmt.Sprint("later", i)), 1, 4, 3_600_000)
			})
		}, load, true},
		{"namespaces of 4000 bytes", ready, func(p *peer) {
			p.requests(floodNamespaces, func(i int) []byte {
				return message(typePublishNamespace, 4000+2*i, space("rubbish", fmt.Sprint(i), strings.Repeat("n", 4000)), 0)
			})
		}, load, true},
		{"publications", ready, func(p *peer) {
			p.requests(floodRequests, func(i int) []byte { return publish(4000+2*i, own(fmt.Sprint("flood", i)), i) })
		}, load, true},
		{"datagrams of unknown tracks", ready, func(p *peer) {
			for i := range floodDatagrams {
				p.datagram(0, i, 1, 2, []byte{128}, make([]byte, 1000))
			}
		}, load, true},
		{"one object without end", published, func(p *peer) {
			st := p.uni(subgroup(7, 1, 0, 0, huge))
			for range floodBytes >> 20 {
				_, _ = st.Write(make([]byte, 1<<20))
			}
		}, load, true},
		{"tokens", ready, func(p *peer) {
			for i := range floodRequests {
				p.bidi(subscribe(4000+2*i, own(fmt.Sprint(i)), 1, 0x03, 103, x("01"), cat(i%128, 0), make([]byte, 100))).Close()
			}
		}, append(load, model.AuthTokenCacheOverflow, model.DuplicateAuthTokenAlias), true},
	}
}
