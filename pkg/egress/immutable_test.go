package egress

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// TestImmutablePropertiesInAnotherForm: they are rewritten, which is told once, or
// the subscription ends.
func TestImmutablePropertiesInAnotherForm(t *testing.T) {
	for _, row := range []struct {
		name     string
		form     track.Form
		keep     bool
		datagram bool
		told     int
		ends     bool
	}{
		{"stream, the same form", formA, true, false, 0, false},
		{"stream, rewritten", formB, false, false, 1, false},
		{"stream, kept", formB, true, false, 0, true},
		{"datagram, the same form", formA, true, true, 0, false},
		{"datagram, rewritten", formB, false, true, 1, false},
		{"datagram, kept", formB, true, true, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, row.form)
				defer h.close()
				told := 0
				h.sub.OnRewrite(func() { told++ })
				h.start(func(o *Options) { o.KeepImmutable = row.keep })
				if row.datagram {
					for id := range uint64(2) {
						must(t, h.tr.AppendDatagram(&track.Datagram{Location: model.Location{Group: 1, Object: id}, Immutable: true, Form: formA, Payload: []byte("x")}))
					}
				} else {
					w := open(t, h.tr, 1, 0)
					for id := range uint64(2) {
						must(t, w.Append(track.ObjectHeader{ID: id, Immutable: true}, []byte("x")))
					}
				}
				synctest.Wait()
				if told != row.told {
					t.Errorf("told %d times, want %d", told, row.told)
				}
				if !row.ends {
					return
				}
				h.wantDone(model.DoneInternalError, 0)
				if n := h.c.Dropped[observe.DropUnencodable].Load(); n == 0 {
					t.Error("nothing was counted")
				}
			})
		})
	}
}

func TestImmutablePropertiesOnFetchStreams(t *testing.T) {
	immutable := func(id uint64) track.Item {
		it := object(1, id, "x")
		it.Object.Immutable = true
		return it
	}
	for _, row := range []struct {
		name string
		form track.Form
		keep bool
		told int
		end  string
		err  error
	}{
		{"the same form", formA, true, 0, "fin", nil},
		{"rewritten", formB, false, 1, "fin", nil},
		{"kept", formB, true, 0, "INTERNAL_ERROR", errImmutable},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				f := newFakeSession(row.form)
				s := NewScheduler(ctx, f, nil)
				told := 0
				err := s.ServeFetch(ctx, FetchOptions{KeepImmutable: row.keep, OnRewrite: func() { told++ }}, list(io.EOF, object(1, 0, "x"), immutable(1), immutable(2)))
				if _, end := f.text(); !errors.Is(err, row.err) || told != row.told || end != row.end {
					t.Errorf("%v, told %d times, %s", err, told, end)
				}
				cancel()
				s.Wait()
			})
		})
	}
}
