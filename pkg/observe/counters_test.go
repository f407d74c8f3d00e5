package observe

import (
	"reflect"
	"sync/atomic"
	"testing"
)

// fill stores a different number in every counter of the struct behind p.
func fill(p any) {
	next := uint64(0)
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch c := v.Addr().Interface().(type) {
		case *Delays: // copied by its own method
		case *atomic.Uint64:
			next++
			c.Store(next)
		case *atomic.Int64:
			next++
			c.Store(int64(next))
		default:
			switch v.Kind() {
			case reflect.Struct:
				for i := range v.NumField() {
					walk(v.Field(i))
				}
			case reflect.Array:
				for i := range v.Len() {
					walk(v.Index(i))
				}
			}
		}
	}
	walk(reflect.ValueOf(p).Elem())
}

func TestSnapshotCopiesEveryCounter(t *testing.T) {
	var track Track
	var subscriber Subscriber
	var session Session
	var relay Relay
	for _, p := range []any{&track, &subscriber, &session, &relay} {
		fill(p)
	}
	for _, row := range []struct {
		name           string
		counters, copy any
	}{
		{"track", &track, track.Snapshot()},
		{"subscriber", &subscriber, subscriber.Snapshot()},
		{"session", &session, session.Snapshot()},
		{"relay", &relay, relay.Snapshot()},
	} {
		from, to := reflect.ValueOf(row.counters).Elem(), reflect.ValueOf(row.copy)
		for i := range from.NumField() {
			name := from.Type().Field(i).Name
			switch from.Field(i).Addr().Interface().(type) {
			case *Delays: // copied by a method of its own
				continue
			}
			got := to.FieldByName(name)
			if !got.IsValid() {
				t.Errorf("%s snapshot lacks %s", row.name, name)
				continue
			}
			switch c := from.Field(i).Addr().Interface().(type) {
			case *atomic.Uint64:
				if got.Uint() != c.Load() {
					t.Errorf("%s %s = %d, want %d", row.name, name, got.Uint(), c.Load())
				}
			case *atomic.Int64:
				if got.Int() != c.Load() {
					t.Errorf("%s %s = %d, want %d", row.name, name, got.Int(), c.Load())
				}
			case *Drops:
				if got.Interface() != c.Snapshot() {
					t.Errorf("%s %s = %v, want %v", row.name, name, got, c.Snapshot())
				}
			default:
				t.Errorf("%s %s is no counter", row.name, name)
			}
		}
	}
}

func TestDropsAreCountedByReason(t *testing.T) {
	var s Subscriber
	s.Drop(DropTimeout, 2)
	s.Drop(DropEvicted, 3)
	got := s.Snapshot().Dropped
	if got[DropTimeout] != 2 || got[DropEvicted] != 3 || got.Total() != 5 {
		t.Errorf("dropped = %v", got)
	}
}

func TestEveryDropReasonHasAName(t *testing.T) {
	seen := map[string]bool{}
	for r := range DropReason(DropReasons) {
		if n := r.String(); n == "" || seen[n] {
			t.Errorf("reason %d has name %q", r, n)
		} else {
			seen[n] = true
		}
	}
	if got := DropReason(200).String(); got != "DropReason(200)" {
		t.Errorf("unknown reason = %q", got)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	var s Subscriber
	if n := testing.AllocsPerRun(100, func() { s.ObjectsOut.Add(1); s.Drop(DropTorn, 1); _ = s.Snapshot() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
