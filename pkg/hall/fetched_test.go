package hall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/wire"
)

// fetchOf begins a FETCH of 1/0 to 1/9 that the test answers.
func (p *pair) fetchOf(answer func(context.Context, session.SendStream, *wire.FetchEncoder)) *session.Fetch {
	p.t.Helper()
	p.fetched = func(ctx context.Context, r *session.FetchRequest) {
		if err := r.Accept(session.FetchInfo{End: at(1, 9)}); err != nil {
			p.t.Error(err)
			return
		}
		st, enc, header, err := r.Open(ctx)
		if err == nil {
			_, err = st.Write(header)
		}
		if err != nil {
			p.t.Error(err)
			return
		}
		answer(ctx, st, enc)
		r.Finish()
	}
	return testkit.Must(p.client.Fetch(p.t.Context(), session.FetchOptions{Track: testTrack, Range: model.Range{Start: at(1, 0), End: at(1, 9)}}))(p.t)
}

func put(t *testing.T, st session.SendStream, enc *wire.FetchEncoder, i wire.FetchItem, payload string) {
	t.Helper()
	i.PayloadLen = uint64(len(payload))
	b := testkit.Must(enc.Append(nil, i))(t)
	_, _ = st.Write(append(b, payload...)) // the reader may have gone
}

// items reads a source as "1/0 payload" and "unknown 1/1..1/4", up to its error.
func items(ctx context.Context, source egress.ObjectSource) (string, error) {
	var all []string
	for {
		item, err := source.Next(ctx)
		if err != nil {
			return strings.Join(all, ", "), err
		}
		if o := item.Object; o != nil {
			all = append(all, fmt.Sprintf("%v %s", o.Location, o.Payload[0]))
		} else {
			all = append(all, "unknown "+item.Unknown.String())
		}
	}
}

func TestPassing(t *testing.T) {
	connected(t, nil, func(t *testing.T, p *pair) {
		f := p.fetchOf(func(_ context.Context, st session.SendStream, enc *wire.FetchEncoder) {
			put(t, st, enc, wire.FetchItem{Location: at(1, 0), Priority: 5, Subgroup: 9}, "a")
			put(t, st, enc, wire.FetchItem{Kind: wire.FetchEndUnknown, Location: at(1, 3)}, "")
			put(t, st, enc, wire.FetchItem{Kind: wire.FetchEndNonExistent, Location: at(1, 5)}, "")
			put(t, st, enc, wire.FetchItem{Location: at(1, 6), Priority: 5, Datagram: true}, "b")
			put(t, st, enc, wire.FetchItem{Kind: wire.FetchEndUnknown, Location: at(1, 9)}, "")
			_ = st.Close()
		})
		log := track.New(track.Config{})
		fill := log.BeginFill()
		defer fill.Close()
		got, err := items(t.Context(), Passing(f, p.client, fill, at(1, 0)))
		if want := "1/0 a, unknown 1/1..1/3, 1/6 b, unknown 1/7..1/9"; got != want || err != io.EOF {
			t.Errorf("got %s, %v", got, err)
		}
		log.ObserveLargest(at(1, 9))
		kept := contents(t, log)
		if len(kept) != 2 || kept[0].Subgroup != 9 || kept[0].Priority != model.Some(uint8(5)) || !kept[1].Datagram {
			t.Errorf("kept %+v", kept)
		}
	})
}

// TestPassingIsCancelled in the middle of what the publisher sends.
func TestPassingIsCancelled(t *testing.T) {
	for _, within := range []bool{false, true} {
		connected(t, nil, func(t *testing.T, p *pair) {
			ended := make(chan struct{})
			f := p.fetchOf(func(ctx context.Context, st session.SendStream, enc *wire.FetchEncoder) {
				put(t, st, enc, wire.FetchItem{Location: at(1, 0), Priority: 5}, "a")
				if within {
					b := testkit.Must(enc.Append(nil, wire.FetchItem{Location: at(1, 1), Priority: 5, PayloadLen: 100}))(t)
					_, _ = st.Write(append(b, "half"...))
				}
				<-ctx.Done()
				<-st.Context().Done()
				close(ended)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			got, err := items(ctx, Passing(f, p.client, nil, at(1, 0)))
			if got != "1/0 a" || err == nil || err == io.EOF {
				t.Errorf("got %s, %v", got, err)
			}
			synctest.Wait()
			<-ended
		})
	}
}

// TestPassingWhatContradicts the log, or itself.
func TestPassingWhatContradicts(t *testing.T) {
	connected(t, nil, func(t *testing.T, p *pair) {
		f := p.fetchOf(func(ctx context.Context, st session.SendStream, enc *wire.FetchEncoder) {
			put(t, st, enc, wire.FetchItem{Location: at(1, 0), Priority: 5}, "another")
			<-ctx.Done()
		})
		log := track.New(track.Config{})
		testkit.NoErr(t, log.AddFetched(&track.FetchedObject{Location: at(1, 0), Priority: model.Some(uint8(5)), Form: Native(true), Payload: []byte("one")}))
		fill := log.BeginFill()
		defer fill.Close()
		_, err := items(t.Context(), Passing(f, p.client, fill, at(1, 0)))
		testkit.ErrAs[*track.MalformedError](t, err)
		if !errors.Is(err, &model.StreamError{Code: model.ResetMalformedTrack}) {
			t.Errorf("the stream would be reset because of %v", err)
		}
		f.Cancel()
	})
}
