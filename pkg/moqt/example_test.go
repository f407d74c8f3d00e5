package moqt_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"time"

	"oxymoq/pkg/moqt"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/memtr"
)

// write publishes a group of objects.
func write(track *moqt.TrackWriter, seq moqt.GroupSequence, texts ...string) {
	group, err := track.OpenGroup(seq)
	if err != nil {
		log.Print(err)
		return
	}
	frame := moqt.NewFrame(100)
	for _, text := range texts {
		frame.Reset()
		frame.WriteString(text)
		if err := group.WriteFrame(frame); err != nil {
			log.Print(err)
			return
		}
	}
	if err := group.Close(); err != nil {
		log.Print(err)
	}
}

// A server with one live track, and a client that reads it, over UDP.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	serverTLS, clientTLS := trust()

	mux := moqt.NewTrackMux()
	news, err := mux.PublishTrack(ctx, moqt.Track("radio", "news"))
	if err != nil {
		log.Fatal(err)
	}
	l, err := listen.Listen("localhost:0", listen.Config{TLS: serverTLS, Protocols: session.Protocols()})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	server := &moqt.Server{Handler: mux} // with Addr and TLS, ListenAndServe makes the listener
	go server.Serve(ctx, l)

	session, err := moqt.Dial(ctx, "moqt://"+l.Addr().String(), &moqt.Dialer{TLS: clientTLS})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	track, err := session.Subscribe(ctx, moqt.Track("radio", "news"))
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		write(news, 1, "good morning", "it rains")
		news.Close()
	}()
	for frame, err := range track.Objects(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v %s\n", frame.Location(), frame.Body())
	}
	// Output:
	// 1/0 good morning
	// 1/1 it rains
}

// A publisher announces a namespace to a relay, which subscribes when somebody
// wants a track.
func Example_throughARelay() {
	ctx := context.Background()
	hub := relay.New(relay.Config{})
	connect := through(hub)

	mux := moqt.NewTrackMux()
	news, err := mux.PublishTrack(ctx, moqt.Track("radio", "news"))
	if err != nil {
		log.Fatal(err)
	}
	publisher, err := moqt.Dial(ctx, "moqt://relay", &moqt.Dialer{Handler: mux, Connect: connect})
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	if _, err := publisher.Announce(ctx, moqt.ParseNamespace("radio")); err != nil {
		log.Fatal(err)
	}

	listener, err := moqt.Dial(ctx, "moqt://relay", &moqt.Dialer{Connect: connect})
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()
	for found, err := range listener.Announcements(ctx, nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("found", found.Namespace)
		break
	}
	track, err := listener.Subscribe(ctx, moqt.Track("radio", "news"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("subscribers:", news.Subscribers())
	write(news, 1, "good morning", "it rains")
	news.Close()
	for group, err := range track.Groups(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		for frame, err := range group.Frames(nil) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s\n", frame.Body())
		}
	}
	// Output:
	// found radio
	// subscribers: 1
	// good morning
	// it rains
}

// through returns what connects to a relay in memory.
func through(hub *relay.Relay) func(context.Context, string, *tls.Config) (moqt.Conn, error) {
	return func(ctx context.Context, _ string, _ *tls.Config) (moqt.Conn, error) {
		client, server := memtr.Pair()
		go hub.Serve(context.WithoutCancel(ctx), server)
		return client, nil
	}
}

// A relay in ten lines: routing, one upstream subscription for all subscribers,
// a log for late joiners and fetches.
func Example_relay() {
	ctx, stop := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer stop()
	serverTLS, _ := trust()

	hub := relay.New(relay.Config{})
	l, err := listen.Listen("localhost:0", listen.Config{TLS: serverTLS, Protocols: session.Protocols()})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	for {
		conn, err := l.Accept(ctx)
		if err != nil {
			break
		}
		go hub.Serve(ctx, conn)
	}
	hub.Wait()
	fmt.Println("over")
	// Output: over
}

// Who comes late can begin with the past.
func ExampleStartAt() {
	ctx := context.Background()
	mux := moqt.NewTrackMux()
	news, err := mux.PublishTrack(ctx, moqt.Track("radio", "news"))
	if err != nil {
		log.Fatal(err)
	}
	write(news, 1, "good morning", "it rains")
	write(news, 2, "good day", "it still rains")
	write(news, 3, "good evening", "it rained")

	session, err := dialer(&moqt.Server{Handler: mux}, nil).Dial(ctx, "moqt://radio")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	track, err := session.Subscribe(ctx, moqt.Track("radio", "news"), moqt.StartAt(moqt.FromGroupsBack(1)))
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		write(news, 4, "good night")
		news.Close()
	}()
	for frame, err := range track.Objects(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v %s\n", frame.Location(), frame.Body())
	}
	// Output:
	// 2/0 good day
	// 2/1 it still rains
	// 3/0 good evening
	// 3/1 it rained
	// 4/0 good night
}

func ExampleSession_Fetch() {
	ctx := context.Background()
	mux := moqt.NewTrackMux()
	news, err := mux.PublishTrack(ctx, moqt.Track("radio", "news"))
	if err != nil {
		log.Fatal(err)
	}
	write(news, 1, "good morning", "it rains")
	write(news, 2, "good day", "it still rains")

	session, err := dialer(&moqt.Server{Handler: mux}, nil).Dial(ctx, "moqt://radio")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	past, err := session.Fetch(ctx, moqt.Track("radio", "news"), moqt.Location{Group: 1, Object: 1}, moqt.Location{Group: 2, Object: 0})
	if err != nil {
		log.Fatal(err)
	}
	defer past.Close()
	for frame, err := range past.Frames(nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v %s\n", frame.Location(), frame.Body())
	}
	// Output:
	// 1/1 it rains
	// 2/0 good day
}

// Tests can bring their own transport: package memtr has one in memory, which
// also runs on the virtual time of testing/synctest.
func ExampleDialer_connect() {
	ctx := context.Background()
	server := &moqt.Server{Handler: moqt.NewTrackMux()}
	d := moqt.Dialer{Connect: func(ctx context.Context, addr string, _ *tls.Config) (moqt.Conn, error) {
		near, far := memtr.Pair(memtr.WithDelay(5 * time.Millisecond))
		go server.ServeConn(context.WithoutCancel(ctx), far)
		return near, nil
	}}
	session, err := d.Dial(ctx, "moqt://test")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	_, err = session.Subscribe(ctx, moqt.Track("no", "track"))
	fmt.Println(err)
	// Output: request refused by the peer with DOES_NOT_EXIST: there is no such track here
}

// A track that begins when somebody wants it, and ends when nobody does.
func ExampleTrackMux_HandleFunc() {
	ctx := context.Background()
	mux := moqt.NewTrackMux()
	err := mux.HandleFunc(moqt.ParseNamespace("square"), func(ctx context.Context, w *moqt.TrackWriter) error {
		write(w, 1, "the square of "+w.Name().Name)
		<-ctx.Done() // until nobody listens
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	session, err := dialer(&moqt.Server{Handler: mux}, nil).Dial(ctx, "moqt://squares")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	track, err := session.Subscribe(ctx, moqt.Track("square", "7"))
	if err != nil {
		log.Fatal(err)
	}
	for frame, err := range track.Objects(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", frame.Body())
		break
	}
	// Output: the square of 7
}
