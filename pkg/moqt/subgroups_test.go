package moqt_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport/memtr"
)

// layers publishes a track of which the test writes subgroups.
func (st *stage) layers() *track.Track {
	log := track.New(track.Config{})
	st.mux.Handle(&moqt.LocalTrack{Name: cam, Log: log})
	return log
}

type layer struct {
	t     *testing.T
	group uint64
	w     *track.Writer
}

func openLayer(t *testing.T, log *track.Track, group, subgroup uint64) layer {
	t.Helper()
	w := testkit.Must(log.OpenSubgroup(track.SubgroupKey{Group: group, Subgroup: subgroup}, track.SubgroupInfo{
		First: track.FirstYes, Form: hall.Native(false),
	}))(t)
	return layer{t, group, w}
}

func (l layer) put(ids ...uint64) {
	l.t.Helper()
	for _, id := range ids {
		testkit.NoErr(l.t, l.w.Append(track.ObjectHeader{ID: id}, []byte(payload(l.group, id))))
	}
	synctest.Wait()
}

// TestSubgroups are one group to the reader, in order of ID, whichever comes
// first; when the group is over what follows tells.
func TestSubgroups(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		log := st.layers()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		base, extra := openLayer(t, log, 1, 0), openLayer(t, log, 1, 1)
		extra.put(1, 3)
		base.put(0)
		g := accept(t, r, 1)
		want(t, g, 0, 2)
		base.put(2, 4)
		want(t, g, 2, 5)
		testkit.NoErr(t, base.w.Close())
		extra.put(5)
		testkit.NoErr(t, extra.w.Close())
		want(t, g, 5, 6)
		began := time.Now()
		openLayer(t, log, 2, 0).put(0)
		wantEnd(t, g, io.EOF)
		if d := time.Since(began); d != moqt.DefaultPatience {
			t.Errorf("the end of the group is known after %v", d)
		}
		want(t, accept(t, r, 2), 0, 1)
	})
}

// TestOneStreamForEachObject of a group.
func TestOneStreamForEachObject(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		log := st.layers()
		r := st.subscribe(st.dial(moqt.Dialer{}))
		result := follow(t, r)
		for group := uint64(1); group < 4; group++ {
			for id := range uint64(5) {
				l := openLayer(t, log, group, id)
				l.put(id)
				testkit.NoErr(t, l.w.Close())
				<-time.After(3 * time.Second) // a group is not over because nothing comes
			}
		}
		log.End(model.DoneTrackEnded, "")
		check(t, "objects", result(), "1/0-4 2/0-4 3/0-4")
	})
}

// TestOneSubgroupIsCut: what the other brings still comes, but the group does not
// end well.
func TestOneSubgroupIsCut(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		log := st.layers()
		s := st.dial(moqt.Dialer{})
		r, o := st.subscribe(s), st.subscribe(st.dial(moqt.Dialer{}))
		result := follow(t, o)
		base, extra := openLayer(t, log, 1, 0), openLayer(t, log, 1, 1)
		base.put(0)
		extra.put(1)
		<-time.After(time.Second)
		extra.w.Abort(model.ResetExcessiveLoad)
		base.put(2)
		testkit.NoErr(t, base.w.Close())
		g := accept(t, r, 1)
		want(t, g, 0, 3)
		wantEnd(t, g, remote(moqt.ExcessiveLoadGroupErrorCode))
		log.End(model.DoneTrackEnded, "")
		check(t, "objects", result(), "1/0-2 !1/3-2/0")
	})
}

// TestFetchAfterTheEnd works for a while.
func TestFetchAfterTheEnd(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		group(t, w, 1, 3)
		s := st.dial(moqt.Dialer{})
		w.Close()
		synctest.Wait()
		fetch := func() error {
			f, err := s.Fetch(t.Context(), cam, moqt.Location{}, moqt.Location{Group: 9})
			if err == nil {
				err = f.Close()
			}
			return err
		}
		testkit.NoErr(t, fetch())
		<-time.After(moqt.Afterglow + time.Second)
		testkit.ErrIs(t, fetch(), &moqt.RequestError{Code: model.DoesNotExist, Remote: true})
	})
}

// TestPastCannotBeHad is told, and what is live comes.
func TestPastCannotBeHad(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		w := st.publish()
		for seq := range uint64(3) {
			group(t, w, seq+1, 2)
		}
		st.server.Handler = &noFetch{TrackMux: st.mux}
		r := st.subscribe(st.dial(moqt.Dialer{}), moqt.StartAt(moqt.FromGroupsBack(1)))
		result := follow(t, r)
		synctest.Wait()
		group(t, w, 4, 2)
		<-time.After(time.Minute)
		w.Close()
		check(t, "objects", result(), "!2/0-3/0 4/0-1")
	})
}

// noFetch refuses to show the past.
type noFetch struct{ *moqt.TrackMux }

func (n *noFetch) Fetch(_ context.Context, r *moqt.FetchRequest) {
	_ = r.Reject(&moqt.RequestError{Code: model.NotSupported})
}

// TestThroughARelay: a reader whose connection is
// lost again and again, misses nothing.
func TestThroughARelay(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		hub := relay.New(relay.Config{})
		ctx, stop := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		t.Cleanup(func() { stop(); serving.Wait(); hub.Wait() })
		var mu sync.Mutex
		var lossy []moqt.Conn
		connect := func(breaks bool) func(context.Context, string, *tls.Config) (moqt.Conn, error) {
			return func(context.Context, string, *tls.Config) (moqt.Conn, error) {
				client, server := memtr.Pair(memtr.WithDelay(time.Millisecond))
				serving.Go(func() { _ = hub.Serve(ctx, server) })
				if breaks {
					mu.Lock()
					defer mu.Unlock()
					lossy = append(lossy, client, server)
				}
				return client, nil
			}
		}
		mux := moqt.NewTrackMux()
		w := testkit.Must(mux.PublishTrack(t.Context(), cam))(t)
		publisher := testkit.Must((&moqt.Dialer{Handler: mux, Connect: connect(false)}).Dial(t.Context(), "moqt://relay"))(t)
		defer publisher.Close()
		testkit.Must(publisher.Announce(t.Context(), cam.Namespace))(t)
		reader := testkit.Must((&moqt.Dialer{Reconnect: true, Connect: connect(true)}).Dial(t.Context(), "moqt://relay"))(t)
		defer reader.Close()
		r := testkit.Must(reader.Subscribe(t.Context(), cam))(t)
		result := follow(t, r)
		<-time.After(time.Second)
		var wanted []string
		for seq := range uint64(20) {
			g := testkit.Must(w.OpenGroup(seq))(t)
			for id := range uint64(20) {
				put(t, g, id, id+1)
				<-time.After(20 * time.Millisecond)
				if (seq*20+id)%37 == 0 {
					mu.Lock()
					for _, c := range lossy {
						memtr.Break(c, nil)
					}
					lossy = nil
					mu.Unlock()
				}
			}
			testkit.NoErr(t, g.Close())
			wanted = append(wanted, fmt.Sprintf("%d/0-19", seq))
		}
		<-time.After(time.Minute)
		w.Close()
		check(t, "objects", result(), strings.Join(wanted, " "))
	})
}
