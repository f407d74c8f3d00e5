// Command rubbish plays a hostile peer to a running relay, for the end-to-end
// script of the same name. It is no part of what is built for users.
//
// It opens raw QUIC connections and sends on every type of stream and datagram,
// in every state of a session, what no peer should: wrong types, lengths of up
// to 2^64-1, messages cut short, streams reset in the middle, thousands of
// streams, random bytes. Each attack says how it must end: with a session code of
// the draft, or with a session that still answers. The relay must publish the
// track moq-date/date, as moqrelayserver -demo does.
//
// The bytes are written here by hand, so that package wire is not its own judge.
//
// One goroutine per attack, at most width at once.
//
//	rubbish -url moqt://localhost:9668/moq-relay -seed 7
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/quictr"
)

// Bounds of the whole program and of one attack; the longest attack waits for a
// timeout of the relay.
const (
	programTime = 2 * time.Minute
	attackTime  = 40 * time.Second
)

// width is how many attacks go on at once.
const width = 32

func main() {
	to := flag.String("url", "", "`URL` of the relay")
	seed := flag.Uint64("seed", 1, "`number` that the random attacks begin with")
	only := flag.String("only", "", "play only the attacks whose `name` contains this")
	random := flag.Int("random", 200, "`number` of random attacks")
	flag.Parse()
	u, err := url.Parse(*to)
	if err != nil || u.Host == "" {
		fmt.Fprintln(os.Stderr, "rubbish: -url is needed, as in moqt://localhost:9668/moq-relay.")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), programTime)
	defer cancel()
	r := &run{addr: u.Host, path: u.Path, only: *only}
	r.all(ctx, append(attacks(), randomAttacks(*seed, *random)...))
	r.all(ctx, floods())
	if r.failed > 0 {
		fmt.Fprintf(os.Stderr, "rubbish: %d of %d attacks did not end as they must; seed %d.\n", r.failed, r.played, *seed)
		os.Exit(1)
	}
	fmt.Printf("%d attacks ended as they must: %d closed sessions, %d did not disturb theirs.\n", r.played, r.closed, r.played-r.closed)
}

// run is what all attacks have in common, and their result.
type run struct {
	addr, path, only string

	mu                     sync.Mutex
	played, failed, closed int
}

// all plays attacks side by side.
func (r *run) all(ctx context.Context, list []attack) {
	var running sync.WaitGroup
	turn := make(chan struct{}, width)
	for _, a := range list {
		if !strings.Contains(a.name, r.only) {
			continue
		}
		turn <- struct{}{}
		running.Go(func() {
			defer func() { <-turn }()
			ctx, cancel := context.WithTimeout(ctx, attackTime)
			defer cancel()
			closed, err := r.play(ctx, a)
			for crowded(err) && ctx.Err() == nil {
				closed, err = r.play(ctx, a)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.played++
			if closed {
				r.closed++
			}
			if err != nil {
				r.failed++
				fmt.Printf("%s: %v\n", a.name, err)
			}
		})
	}
	running.Wait()
}

// crowded reports that the relay's queue of new connections was full, which
// says nothing of the attack: whole bursts of them come at once.
func crowded(err error) bool {
	e, ok := errors.AsType[*quic.TransportError](err)
	return errors.Is(err, quictr.ErrRefused) || ok && e.ErrorCode == quic.ConnectionRefused
}

// dial opens a connection on which nothing was said.
func (r *run) dial(ctx context.Context) (transport.Conn, error) {
	conf := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13}
	return quictr.Dial(ctx, r.addr, conf, quictr.Options{})
}
