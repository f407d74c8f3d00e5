package hall

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// seen is an object as a log holds it, without what differs from log to log.
type seen struct {
	Location   model.Location
	Subgroup   uint64
	Datagram   bool
	EndOfGroup bool
	Priority   model.Opt[uint8]
	Status     model.ObjectStatus
	Properties []byte
	Payload    string
}

// contents reads a log from beginning to end.
func contents(t *testing.T, log *track.Track) (all []seen) {
	t.Helper()
	r := log.Range(model.Range{End: log.Largest().Value}, model.Ascending)
	defer r.Close()
	for {
		item, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if o := item.Object; o != nil {
			s := seen{o.Location, o.Subgroup, o.Datagram, o.EndOfGroup, o.Priority, o.Status, append([]byte(nil), o.Properties...), ""}
			for _, p := range o.Payload {
				s.Payload += string(p)
			}
			all = append(all, s)
		}
	}
}

// TestFromLogToLog: what a log holds is the same in the log at the other end
// of a session.
func TestFromLogToLog(t *testing.T) {
	connected(t, nil, func(t *testing.T, p *pair) {
		ours := track.New(track.Config{})
		p.deliver(ours, Options{})
		there := newCopying(p)
		in := testkit.Must(p.client.Subscribe(t.Context(), session.SubscribeOptions{Track: testTrack}, there))(t)
		props := list(t, form18, model.Property{Type: 6, Int: 7}, model.Property{Type: model.PropImmutable, Bytes: []byte{4, 7}})
		for _, info := range []track.SubgroupInfo{
			{Priority: model.Some(uint8(3)), First: track.FirstYes, Form: Native(false)},
			{First: track.FirstNo, Properties: true, EndOfGroup: true, Form: Native(true)},
		} {
			key := track.SubgroupKey{Group: 1, Subgroup: uint64(info.First)}
			w := testkit.Must(ours.OpenSubgroup(key, info))(t)
			for i := range uint64(3) {
				h := track.ObjectHeader{ID: 10*key.Subgroup + i, From: Native(true)}
				if info.Properties && i != 1 {
					h.Properties = props
				}
				testkit.NoErr(t, w.Append(h, []byte("payload")[:2*i]))
			}
			testkit.NoErr(t, w.Close())
		}
		for _, d := range []track.Datagram{
			{Location: at(2, 0), Form: Native(true), Payload: []byte("x")},
			{Location: at(2, 1), Priority: model.Some(uint8(200)), Properties: props, Form: Native(true), Payload: []byte("y")},
			{Location: at(2, 2), EndOfGroup: true, Form: Native(true), Payload: []byte("z")},
			{Location: at(3, 4), Status: model.StatusEndOfGroup, Form: Native(true)},
		} {
			testkit.NoErr(t, ours.AppendDatagram(&d))
			synctest.Wait()
		}
		testkit.Equal(t, contents(t, there.log), contents(t, ours), cmpopts.EquateEmpty())
		if n := len(contents(t, ours)); n != 10 {
			t.Errorf("the test is about %d objects", n)
		}
		ours.End(model.DoneTrackEnded, "over")
		<-in.Context().Done()
		if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneTrackEnded}) {
			t.Errorf("ended with %v", err)
		}
		if len(there.err) > 0 {
			t.Error(<-there.err)
		}
	})
}

// TestReplay also delivers what was there before.
func TestReplay(t *testing.T) {
	for _, replay := range []bool{false, true} {
		connected(t, nil, func(t *testing.T, p *pair) {
			ours := track.New(track.Config{})
			w := testkit.Must(ours.OpenSubgroup(track.SubgroupKey{Group: 1}, track.SubgroupInfo{Form: Native(false)}))(t)
			testkit.NoErr(t, w.Append(track.ObjectHeader{}, []byte("x")))
			p.deliver(ours, Options{Replay: replay})
			there := newCopying(p)
			testkit.Must(p.client.Subscribe(t.Context(), session.SubscribeOptions{Track: testTrack}, there))(t)
			synctest.Wait()
			if got := there.log.Largest().Set; got != replay {
				t.Errorf("replay %v: received %v", replay, got)
			}
		})
	}
}

// TestRevise passes on what changed, and nothing else.
func TestRevise(t *testing.T) {
	connected(t, nil, func(t *testing.T, p *pair) {
		ours := track.New(track.Config{})
		p.deliver(ours, Options{})
		there := newCopying(p)
		in := testkit.Must(p.client.Subscribe(t.Context(), session.SubscribeOptions{Track: testTrack}, there))(t)
		append1 := func(group uint64) {
			w := testkit.Must(ours.OpenSubgroup(track.SubgroupKey{Group: group}, track.SubgroupInfo{Form: Native(false)}))(t)
			testkit.NoErr(t, w.Append(track.ObjectHeader{}, []byte("x")))
			testkit.NoErr(t, w.Close())
			synctest.Wait()
		}
		change := func(c session.Change) {
			t.Helper()
			testkit.Must(in.Update(t.Context(), c))(t)
		}
		append1(1)
		change(session.Change{Forward: model.Some(false)})
		append1(2)
		change(session.Change{Forward: model.Some(true), Priority: model.Some(uint8(1))})
		append1(3)
		change(session.Change{Filter: model.Some(model.From(at(5, 0)))})
		append1(4)
		append1(5)
		change(session.Change{ObjectTimeout: model.Some(time.Second), SubgroupTimeout: model.Some(time.Second)})
		append1(6)
		var groups []uint64
		for _, o := range contents(t, there.log) {
			groups = append(groups, o.Location.Group)
		}
		if d := cmp.Diff([]uint64{1, 3, 5, 6}, groups); d != "" {
			t.Errorf("groups (-want +got):\n%s", d)
		}
	})
}

// TestDeliverTellsHowItEnded: the code and the number of streams.
func TestDeliverTellsHowItEnded(t *testing.T) {
	revoked := make(chan struct{})
	for _, tt := range []struct {
		name  string
		grant auth.Grant
		end   func(in *session.Inbound)
		want  error
	}{
		{"expired", auth.Grant{}, nil, &model.DoneError{Code: model.DoneExpired}},
		{"revoked", auth.Grant{Revoked: revoked}, func(*session.Inbound) { close(revoked) }, &model.DoneError{Code: model.DoneUnauthorized}},
		{"cancelled", auth.Grant{}, func(in *session.Inbound) { in.Cancel(model.ResetCancelled) }, &model.StreamError{Code: model.ResetCancelled}},
	} {
		a := auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
			if r.Action == auth.Setup {
				return auth.Grant{}, nil
			}
			g := tt.grant
			if tt.end == nil {
				g.Expires = time.Now().Add(time.Second)
			}
			return g, nil
		})
		connected(t, a, func(t *testing.T, p *pair) {
			revoked = make(chan struct{}) // in the bubble
			if tt.grant.Revoked != nil {
				tt.grant.Revoked = revoked
			}
			ours := track.New(track.Config{})
			p.deliver(ours, Options{})
			in := testkit.Must(p.client.Subscribe(t.Context(), session.SubscribeOptions{Track: testTrack}, newCopying(p)))(t)
			synctest.Wait()
			if tt.end != nil {
				tt.end(in)
			}
			<-in.Context().Done()
			if err := context.Cause(in.Context()); !errors.Is(err, tt.want) {
				t.Errorf("%s: ended with %v", tt.name, err)
			}
			synctest.Wait()
			if n := ours.Counters().Subscribers.Load(); n != 0 {
				t.Errorf("%s: %d subscribers are left", tt.name, n)
			}
		})
	}
}
