package relay

import (
	"context"
	"errors"
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// filtered subscribes with a filter.
func (a *actor) filtered(f model.Filter) *session.Inbound {
	a.t.Helper()
	in, err := a.subscribe(date, session.Change{Filter: model.Some(f)})
	if err != nil {
		a.t.Fatal(err)
	}
	return in
}

func between(start model.Location, endGroup uint64) model.Filter {
	return model.Filter{Kind: model.FilterAbsolute, Start: start, End: model.Some(model.EndLocation{Group: endGroup})}
}

// Duties: 30, 31.
func TestFilters(t *testing.T) {
	for _, tt := range []struct {
		name   string
		filter model.Filter
		want   string
	}{
		{"none", model.Filter{}, "5/2 5/3 6/0 6/1 7/0"},
		{"next object", model.NextObject, "5/2 5/3 6/0 6/1 7/0"},
		{"next group", model.NextGroup, "6/0 6/1 7/0"},
		{"absolute start to come", model.From(loc(6, 1)), "6/1 7/0"},
		{"absolute start in the past", model.From(loc(1, 1)), "5/2 5/3 6/0 6/1 7/0"},
		{"absolute range", between(loc(5, 3), 6), "5/3 6/0 6/1"},
		{"the rest of a group", between(loc(5, 3), 5), "5/3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, Config{}, func(t *testing.T, s *stage) {
				pub, all, out := s.live()
				g := pub.stream(out, 5, 0, 2)
				all.want("before", "5/0 5/1")
				a := s.join()
				in := a.filtered(tt.filter)
				g.write(2)
				g.Close()
				pub.stream(out, 6, 0, 2).Close()
				pub.stream(out, 7, 0, 1)
				a.want(tt.name, tt.want)
				all.want("who asked for all", "5/2 5/3 6/0 6/1 7/0")
				if end, ok := tt.filter.End.Get(); ok {
					pub.stream(out, end.Group+4, 0, 1)
					pass(time.Second)
					if err := context.Cause(in.Context()); !errors.Is(err, &model.DoneError{Code: model.DoneSubscriptionEnded}) {
						t.Errorf("after its end: %v", err)
					}
				}
			})
		})
	}
}

// Duties: 30.
func TestFilterThatIsOver(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a := s.join(), s.join()
		pub.publish("moq-date", "date", largest(5, 2))
		invalid := &model.RequestError{Code: model.InvalidRange, Remote: true}
		if _, err := a.subscribe(date, session.Change{Filter: model.Some(between(loc(3, 0), 4))}); !errors.Is(err, invalid) {
			t.Errorf("SUBSCRIBE: %v", err)
		}
		in := a.filtered(between(loc(3, 0), 9))
		if _, err := in.Update(t.Context(), session.Change{Filter: model.Some(between(loc(3, 0), 4))}); !errors.Is(err, invalid) {
			t.Errorf("REQUEST_UPDATE: %v", err)
		}
		pub.stream(pub.outbound("date"), 5, 3, 1)
		a.want("the old terms hold", "5/3")
	})
}

// TestUpdateOfRange widens and narrows a subscription.
// Duties: 30, 34.
func TestUpdateOfRange(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a := s.join(), s.join()
		pub.publish("moq-date", "date", session.Offer{})
		in := a.filtered(between(loc(5, 0), 5))
		out := pub.outbound("date")
		five := pub.stream(out, 5, 0, 1)
		a.want("within", "5/0")
		update := func(f model.Filter) {
			t.Helper()
			if _, err := in.Update(t.Context(), session.Change{Filter: model.Some(f)}); err != nil {
				t.Error(err)
			}
		}
		update(between(loc(5, 0), 6))
		five.write(1)
		six := pub.stream(out, 6, 0, 2)
		a.want("wider", "5/1 6/0 6/1")
		update(between(loc(6, 3), 9))
		five.write(1)
		six.write(3) // 6/2, 6/3, 6/4
		pub.stream(out, 7, 0, 1)
		a.want("narrower, in the middle of a stream", "6/2 6/3 6/4 7/0")
	})
}

// Duties: 27, 34.
func TestUpdateOfPriority(t *testing.T) {
	play(t, Config{}, func(t *testing.T, s *stage) {
		pub, a, out := s.live()
		in := a.in[0]
		if _, err := in.Update(t.Context(), session.Change{
			Priority: model.Some(uint8(3)), ObjectTimeout: model.Some(time.Second), SubgroupTimeout: model.Some(time.Second),
		}); err != nil {
			t.Error(err)
		}
		pub.stream(out, 1, 0, 1)
		a.want("objects go on", "1/0")
		if out.Terms().Priority != model.DefaultPriority || out.Terms().ObjectTimeout != 0 {
			t.Errorf("terms of the subscriber were passed upstream: %+v", out.Terms())
		}
	})
}
