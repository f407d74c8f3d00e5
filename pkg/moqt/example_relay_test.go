package moqt_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"sync"

	"oxymoq/pkg/moqt"
	"oxymoq/pkg/transport/memtr"
)

// dialer returns what dials a server in memory.
func dialer(s *moqt.Server, h moqt.Handler) *moqt.Dialer {
	return &moqt.Dialer{Handler: h, Connect: func(ctx context.Context, _ string, _ *tls.Config) (moqt.Conn, error) {
		client, server := memtr.Pair()
		go func() { _ = s.ServeConn(context.WithoutCancel(ctx), server) }()
		return client, nil
	}}
}

// payload is different for every object.
func payload(group, object uint64) string { return fmt.Sprintf("group %d, object %d", group, object) }

// wantFrames checks every byte and ID of the objects of a group.
func wantFrames(gr *moqt.GroupReader, want uint64) (got uint64, err error) {
	frame := moqt.NewFrame(0)
	for {
		if err := gr.ReadFrame(frame); err == io.EOF {
			return got, nil
		} else if err != nil {
			return got, err
		}
		if id, _ := frame.ObjectID(); id != got || string(frame.Body()) != payload(gr.GroupSequence(), got) {
			return got, fmt.Errorf("object %d of group %d is %d: %q", got, gr.GroupSequence(), id, frame.Body())
		}
		if got++; got > want {
			return got, fmt.Errorf("more than %d objects", want)
		}
	}
}

// A relay that is written by hand, as many do it: it copies one track to two
// destinations. (Package relay is one that is ready, with a log, routing and
// more.) One destination dies in the middle of a group, and the other loses
// nothing.
func Example_relayLoop() {
	ctx := context.Background()
	const groups, objects = 3, 100
	name := moqt.Track("live/cam1", "video")

	// The origin has a track.
	origin := moqt.NewTrackMux()
	live, err := origin.PublishTrack(ctx, name)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream, err := dialer(&moqt.Server{Handler: origin}, nil).Dial(ctx, "moqt://origin")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer upstream.Close()

	// Two destinations take what they are offered and check it. The first
	// dies with the tenth object of the second group.
	var receiving sync.WaitGroup
	var mortal *moqt.Session
	died := make(chan struct{})
	receiving.Add(1)
	destination := func(take func(context.Context, *moqt.TrackReader)) *moqt.Server {
		mux := moqt.NewTrackMux()
		if err := mux.HandlePublish(name.Namespace, take); err != nil {
			fmt.Println(err)
		}
		return &moqt.Server{Handler: mux}
	}
	first := destination(func(ctx context.Context, track *moqt.TrackReader) {
		frame := moqt.NewFrame(0)
		for group := range track.Groups(ctx) {
			for range 10 {
				_ = group.ReadFrame(frame)
			}
			if group.GroupSequence() == 1 {
				mortal.Close()
				close(died)
				return
			}
		}
	})
	complete := make(chan struct{})
	second := destination(func(ctx context.Context, track *moqt.TrackReader) {
		defer receiving.Done()
		for received := 1; ; received++ {
			group, err := track.AcceptGroup(ctx)
			if err != nil {
				fmt.Println("the track ends:", err)
				return
			}
			n, err := wantFrames(group, objects)
			fmt.Println("group", group.GroupSequence(), "has", n, "objects, error:", err)
			if received == groups {
				close(complete)
			}
		}
	})
	src, err := upstream.Subscribe(ctx, name)
	if err != nil {
		fmt.Println(err)
		return
	}
	var dests []*moqt.TrackWriter
	for _, s := range []*moqt.Server{first, second} {
		downstream, err := dialer(s, nil).Dial(ctx, "moqt://destination")
		if err != nil {
			fmt.Println(err)
			return
		}
		defer downstream.Close()
		if s == first {
			mortal = downstream
		}
		dest, err := downstream.Publish(ctx, name)
		if err != nil {
			fmt.Println(err)
			return
		}
		dests = append(dests, dest)
	}

	var relaying sync.WaitGroup
	relaying.Go(func() { relayTrack(src, dests) })

	frame := moqt.NewFrame(64)
	for g := range uint64(groups) {
		group, err := live.OpenGroup(g)
		if err != nil {
			fmt.Println(err)
			return
		}
		for o := range uint64(objects) {
			if g == 1 && o == objects/2 {
				<-died
			}
			frame.Reset()
			frame.WriteString(payload(g, o))
			if err := group.WriteFrame(frame); err != nil {
				fmt.Println(err)
				return
			}
		}
		if err := group.Close(); err != nil {
			fmt.Println(err)
		}
	}
	live.Close()
	relaying.Wait()
	<-complete
	for _, d := range dests {
		d.Close()
	}
	receiving.Wait()
	// Unordered output:
	// group 0 has 100 objects, error: <nil>
	// group 1 has 100 objects, error: <nil>
	// group 2 has 100 objects, error: <nil>
	// the track ends: EOF
}

// relayTrack is the loop that the documentation of gomoqt gives, word for word but
// for the handling of errors: a destination that fails is left out instead of
// ending the work for those after it.
func relayTrack(src *moqt.TrackReader, dests []*moqt.TrackWriter) {
	for {
		gr, err := src.AcceptGroup(context.Background())
		if err != nil {
			break
		}

		go func(gr *moqt.GroupReader) {
			defer gr.Close()
			seq := gr.GroupSequence()
			writers := make([]*moqt.GroupWriter, 0, len(dests))
			for _, dest := range dests {
				gw, err := dest.OpenGroup(seq)
				if err != nil {
					continue
				}
				writers = append(writers, gw)
			}
			frame := moqt.NewFrame(0)
			for {
				err := gr.ReadFrame(frame)
				if err != nil {
					if err == io.EOF {
						for _, gw := range writers {
							gw.Close()
						}
					} else {
						// Handle error
						for _, gw := range writers {
							gw.CancelWrite(moqt.InternalGroupErrorCode)
						}
					}
					break
				}
				for _, gw := range writers {
					err = gw.WriteFrame(frame)
					if err != nil {
						continue
					}
				}
			}
		}(gr)
	}
}
