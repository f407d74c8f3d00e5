package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
)

// list is an ObjectSource of fixed items, then an error.
func list(end error, items ...track.Item) ObjectSource {
	return SourceFunc(func(context.Context) (track.Item, error) {
		if len(items) == 0 {
			return track.Item{}, end
		}
		it := items[0]
		items = items[1:]
		return it, nil
	})
}

// object is an item of a source.
func object(group, id uint64, payload string) track.Item {
	return track.Item{Object: &track.Object{
		Location: model.Location{Group: group, Object: id}, Payload: [][]byte{[]byte(payload)}, Form: formA,
	}}
}

func unknown(to model.Location) track.Item { return track.Item{Unknown: model.Range{End: to}} }

// text returns what came on the only stream, with long runs of a letter cut.
func (f *fakeSession) text() (data, end string) {
	if len(f.streams) == 0 {
		return "", "none"
	}
	st := f.streams[0]
	st.mu.Lock()
	defer st.mu.Unlock()
	data = string(st.data)
	for strings.Contains(data, "xxxx") {
		data = strings.ReplaceAll(data, "xxxx", "x")
	}
	switch {
	case st.fin:
		end = "fin"
	case st.reset.Set:
		end = model.ResetCode(st.reset.Value).String()
	default:
		end = "open"
	}
	return data, end
}

func TestFetchStream(t *testing.T) {
	failed := errors.New("source failed")
	large := strings.Repeat("x", 4096)
	for _, row := range []struct {
		name   string
		opts   FetchOptions
		source ObjectSource
		want   string
		end    string
		err    error
	}{
		{"objects", FetchOptions{}, list(io.EOF, object(1, 0, "a"), object(1, 2, ""), object(4, 0, "b")),
			"\n1/0 1 p9 a\n1/2 0 p9 \n4/0 1 p9 b", "fin", nil},
		{"nothing", FetchOptions{}, list(io.EOF), "", "fin", nil},
		{"large payloads", FetchOptions{}, list(io.EOF, object(1, 0, large), object(1, 1, large), object(1, 2, "a")),
			"\n1/0 4096 p9 x\n1/1 4096 p9 x\n1/2 1 p9 a", "fin", nil},
		{"markers are left out", FetchOptions{}, list(io.EOF, object(1, 0, "a"),
			track.Item{Object: &track.Object{Location: model.Location{Group: 1, Object: 1}, Status: model.StatusEndOfGroup}}),
			"\n1/0 1 p9 a", "fin", nil},
		{"unknown range, marked", FetchOptions{MarkUnknown: true},
			list(io.EOF, object(1, 0, "a"), unknown(model.Location{Group: 3, Object: 4}), object(4, 0, "b")),
			"\n1/0 1 p9 a\nunknown 3/4\n4/0 1 p9 b", "fin", nil},
		{"unknown range, not marked", FetchOptions{}, list(io.EOF, object(1, 0, large), unknown(model.Location{Group: 3})),
			"\n1/0 4096 p9 x", "UNKNOWN_OBJECT_STATUS", ErrUnknownRange},
		{"unknown range in descending order", FetchOptions{MarkUnknown: true, Order: model.Descending}, list(io.EOF, unknown(model.Location{Group: 3})),
			"", "UNKNOWN_OBJECT_STATUS", ErrUnknownRange},
		{"source fails", FetchOptions{}, list(failed), "", "INTERNAL_ERROR", failed},
		{"source fails with a code", FetchOptions{}, list(&model.StreamError{Code: model.ResetMalformedTrack}),
			"", "MALFORMED_TRACK", &model.StreamError{Code: model.ResetMalformedTrack}},
		{"an object that cannot be expressed", FetchOptions{}, list(io.EOF, object(unencodableGroup, 0, "")),
			"", "INTERNAL_ERROR", varint.ErrTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				f := newFakeSession(formA)
				s := NewScheduler(ctx, f, nil)
				row.opts.RequestID, row.opts.Default = 5, 9
				err := s.ServeFetch(ctx, row.opts, row.source)
				if !errors.Is(err, row.err) {
					t.Errorf("error = %v, want %v", err, row.err)
				}
				data, end := f.text()
				if data != "fetch 5\n"+row.want || end != row.end {
					t.Errorf("stream = %q, %s", data, end)
				}
				if b := f.streams[0].boundary; b != len("fetch 5\n") {
					t.Errorf("boundary at %d", b)
				}
				cancel()
				s.Wait()
			})
		})
	}
}

func TestFetchFromTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFakeSession(formA)
		s := NewScheduler(ctx, f, nil)
		tr := track.New(track.Config{})
		tr.LiveFrom(model.Location{})
		for g := range uint64(3) {
			w := open(t, tr, g*1000, 0)
			bring(t, w, 0, 1)
			must(t, w.Close())
		}
		var c observe.Subscriber
		for _, row := range []struct {
			order model.GroupOrder
			want  string
		}{
			{model.Ascending, "\n0/0 7 p0 payload\n0/1 7 p0 payload\n1000/0 7 p0 payload\n1000/1 7 p0 payload\n2000/0 7 p0 payload\n2000/1 7 p0 payload"},
			{model.Descending, "\n2000/0 7 p0 payload\n2000/1 7 p0 payload\n1000/0 7 p0 payload\n1000/1 7 p0 payload\n0/0 7 p0 payload\n0/1 7 p0 payload"},
		} {
			rr := tr.Range(model.Range{End: tr.Largest().Value}, row.order)
			must(t, s.ServeFetch(ctx, FetchOptions{Order: row.order, Counters: &c}, FromLog(rr)))
			rr.Close()
			if data, end := f.text(); data != "fetch 0\n"+row.want || end != "fin" {
				t.Errorf("%v: stream = %q, %s", row.order, data, end)
			}
			f.streams = nil
		}
		if got := c.Snapshot(); got.ObjectsOut != 12 || got.Streams != 2 {
			t.Errorf("counters = %+v", got)
		}
		cancel()
		s.Wait()
	})
}

func TestFetchEndsEarly(t *testing.T) {
	endless := SourceFunc(func(context.Context) (track.Item, error) { return object(1, 0, strings.Repeat("x", 4096)), nil })
	silent := SourceFunc(func(ctx context.Context) (track.Item, error) { <-ctx.Done(); return track.Item{}, ctx.Err() })
	for _, row := range []struct {
		name   string
		source ObjectSource
		do     func(f *fakeSession, cancel, endSession context.CancelFunc)
		setup  func(f *fakeSession)
		end    string
	}{
		{"cancelled while the source is waited for", silent, func(_ *fakeSession, cancel, _ context.CancelFunc) { cancel() }, nil, "CANCELLED"},
		{"cancelled inside Write", endless, func(_ *fakeSession, cancel, _ context.CancelFunc) { cancel() },
			func(f *fakeSession) { f.write = stuck }, "CANCELLED"},
		{"STOP_SENDING", endless, func(f *fakeSession, _, _ context.CancelFunc) { f.streams[0].refuse() },
			func(f *fakeSession) { f.write = stuck }, "CANCELLED"},
		{"session ends inside Write", endless, func(_ *fakeSession, _, end context.CancelFunc) { end() },
			func(f *fakeSession) { f.write = stuck }, "SESSION_CLOSED"},
		{"cancelled without credit", endless, func(_ *fakeSession, cancel, _ context.CancelFunc) { cancel() },
			func(f *fakeSession) { f.credit = 0 }, "none"},
		{"session ends without credit", endless, func(_ *fakeSession, _, end context.CancelFunc) { end() },
			func(f *fakeSession) { f.credit = 0 }, "none"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sessionCtx, endSession := context.WithCancel(t.Context())
				ctx, cancel := context.WithCancel(t.Context())
				f := newFakeSession(formA)
				if row.setup != nil {
					row.setup(f)
				}
				s := NewScheduler(sessionCtx, f, nil)
				result := make(chan error, 1)
				go func() { result <- s.ServeFetch(ctx, FetchOptions{}, row.source) }()
				synctest.Wait()
				row.do(f, cancel, endSession)
				if err := <-result; err == nil {
					t.Error("no error")
				}
				if _, end := f.text(); end != row.end {
					t.Errorf("the stream ended with %s", end)
				}
				cancel()
				endSession()
				s.Wait()
				if err := s.ServeFetch(t.Context(), FetchOptions{}, row.source); err == nil {
					t.Error("a fetch after the end of the session")
				}
			})
		})
	}
}

// TestFetchYieldsToSubscriptions sends a fetch of lower priority beside a live
// subscription over a slow session.
func TestFetchYieldsToSubscriptions(t *testing.T) {
	inHouse(t, func(t *testing.T, h *house) {
		h.f.write = func(*fakeStream, []byte) error { time.Sleep(10 * time.Millisecond); return nil }
		h.start(func(o *Options) { o.Priority = 1 })
		n := 0
		source := SourceFunc(func(context.Context) (track.Item, error) {
			if n++; n > 20 {
				return track.Item{}, io.EOF
			}
			return object(1, uint64(n), strings.Repeat("x", 4096)), nil
		})
		done := make(chan error, 1)
		go func() { done <- h.s.ServeFetch(t.Context(), FetchOptions{Priority: 200}, source) }()
		w := open(t, h.tr, 1, 0)
		for id := range uint64(10) {
			bring(t, w, id)
			time.Sleep(20 * time.Millisecond)
		}
		synctest.Wait()
		for _, st := range h.f.streams {
			st.mu.Lock()
			want := firstUrgency
			if strings.HasPrefix(string(st.data), "fetch") {
				want++
			}
			if st.urgency != want {
				t.Errorf("urgency %d of %.10q", st.urgency, st.data)
			}
			st.mu.Unlock()
		}
		must(t, <-done)
	})
}

func TestErrorsOfFetchesNameTheRange(t *testing.T) {
	f := fetch{}
	err := f.add(track.Item{Unknown: model.Range{Start: model.Location{Group: 3}, End: model.Location{Group: 4}}})
	if got := fmt.Sprint(err); !strings.Contains(got, "3/0..4/0") {
		t.Errorf("error = %q", got)
	}
	if c := resetCode(&transport.StreamError{Remote: true}); c != model.ResetCancelled {
		t.Errorf("code = %v", c)
	}
}
