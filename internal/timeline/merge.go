package timeline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Direction says which way the things of a row went.
type Direction int8

// Directions.
const (
	AtLeft  Direction = iota // nowhere: it happened on the left side
	AtRight                  // or on the right one
	ToRight                  // from the left side to the right one
	ToLeft
)

// Row is one line of a story.
type Row struct {
	At     time.Duration // by the clock of the left side, since that began; of what was sent: when
	Dir    Direction
	Kind   Kind
	Stream int64  // NoStream: none
	What   string // in capitals: SUBSCRIBE; may be empty
	Track  string
	Text   string
	// Delay is how long it took to the other side, if Known.
	Delay time.Duration
	Known bool
	// Missing says that the other side's trace goes on and does not have it.
	Missing bool
}

// Story is what happened on a connection.
type Story struct {
	Left, Right *Trace // Right is nil if only one side is known
	Rows        []Row
	Clocks      Clocks
}

// Clocks is what is known of two clocks.
type Clocks struct {
	// Ahead is how far the right side's clock is ahead of the left one's, when
	// both tell the time of day; Told says whether they do.
	Ahead time.Duration
	Told  bool
	// Pairs is how many messages were found on both sides; 0: the times of day
	// are all there is to go by.
	Pairs int
	// Trip is the shortest way there and back together, if there are messages in
	// Both directions. Otherwise the shortest way is taken for none.
	Trip time.Duration
	Both bool

	shift time.Duration // what is to be added to times of the right side
}

// Errors of Merge. Test with errors.Is.
var (
	// ErrSameSide says that both traces are of the client, or of the server.
	ErrSameSide = errors.New("both traces are of the same side")
	// ErrOtherConnection says that the traces have nothing in common.
	ErrOtherConnection = errors.New("the traces are of different connections")
)

// Merge makes one story of a trace, or of those of both sides. The client is
// left.
//
// The clocks of two traces are put together by the messages that both have: the
// way from left to right is taken to be as long as the way back, at its shortest.
func Merge(a, b *Trace) (*Story, error) {
	if b == nil {
		s := &Story{Left: a, Right: nil}
		s.Rows = rowsOf(a.items, AtLeft)
		s.sort()
		return s, nil
	}
	if a.Role == b.Role && a.Role != "" {
		return nil, fmt.Errorf("%w, the %s: %s and %s", ErrSameSide, a.Role, a.Name, b.Name)
	}
	if a.Role == Server || b.Role == Client {
		a, b = b, a
	}
	s := &Story{Left: a, Right: b}
	pairs := match(a.items, b.items)
	if len(pairs) == 0 && a.ID != b.ID {
		return nil, fmt.Errorf("%w: %s and %s", ErrOtherConnection, a.Name, b.Name)
	}
	s.Clocks = clocks(a, b, pairs)
	s.Rows = s.together(pairs)
	s.sort()
	return s, nil
}

// Between names the sides of a row.
func (s *Story) Between(d Direction) (from, to string) {
	left, right := s.names()
	switch d {
	case AtLeft:
		return left, ""
	case AtRight:
		return right, ""
	case ToLeft:
		return right, left
	}
	return left, right
}

// names are those of the sides, as far as they are known.
func (s *Story) names() (left, right string) {
	other := map[Role]string{Client: string(Server), Server: string(Client), "": "peer"}
	left = string(s.Left.Role)
	if left == "" {
		left = "here"
	}
	right = other[s.Left.Role]
	if s.Right != nil && s.Right.Role != "" {
		right = string(s.Right.Role)
		if s.Left.Role == "" {
			left = other[s.Right.Role]
		}
	}
	return left, right
}

func (s *Story) sort() {
	slices.SortStableFunc(s.Rows, func(a, b Row) int { return cmp.Compare(a.At, b.At) })
}

// rowsOf makes rows of items that are on one side only; at is AtLeft or AtRight.
func rowsOf(items []*item, at Direction) []Row {
	rows := make([]Row, 0, len(items))
	for _, it := range items {
		rows = append(rows, it.row(at))
	}
	return rows
}

func (it *item) row(at Direction) Row {
	r := Row{At: it.at, Dir: at, Kind: it.kind, Stream: it.stream, What: it.what, Track: it.track, Text: it.text}
	switch {
	case it.local:
	case it.sent == (at == AtLeft):
		r.Dir = ToRight
	default:
		r.Dir = ToLeft
	}
	return r
}

// pair is the same thing on both sides.
type pair struct {
	left, right *item
}

// match finds items of both sides that are the same, each at most once: those of
// one key in their order.
func match(left, right []*item) []pair {
	type key struct {
		toRight bool
		text    string
	}
	waiting := map[key][]*item{}
	for _, it := range right {
		if it.key != "" {
			k := key{!it.sent, it.key}
			waiting[k] = append(waiting[k], it)
		}
	}
	var pairs []pair
	for _, it := range left {
		if it.key == "" {
			continue
		}
		k := key{it.sent, it.key}
		if w := waiting[k]; len(w) > 0 {
			pairs = append(pairs, pair{it, w[0]})
			waiting[k] = w[1:]
		}
	}
	return pairs
}

// clocks estimates how far the clocks are apart, by control messages, or if there
// are none by everything that has a pair.
func clocks(a, b *Trace, pairs []pair) Clocks {
	var c Clocks
	c.estimate(pairs, func(p pair) bool { return p.left.kind == Control })
	if c.Pairs == 0 {
		c.estimate(pairs, func(pair) bool { return true })
	}
	c.Told = !a.Began.IsZero() && !b.Began.IsZero()
	if !c.Told {
		return c
	}
	apart := b.Began.Sub(a.Began)
	if c.Pairs == 0 {
		c.shift = apart
	}
	c.Ahead = apart - c.shift
	return c
}

func (c *Clocks) estimate(pairs []pair, counts func(pair) bool) {
	var there, back time.Duration // the shortest, with the difference of the clocks added or subtracted
	var some, more bool
	for _, p := range pairs {
		if !counts(p) {
			continue
		}
		c.Pairs++
		if later := p.right.at - p.left.at; p.left.sent {
			if !some || later < there {
				some, there = true, later
			}
		} else if !more || -later < back {
			more, back = true, -later
		}
	}
	switch {
	case some && more:
		c.Both, c.Trip = true, there+back
		c.shift = -(there - back) / 2
	case some:
		c.shift = -there
	case more:
		c.shift = back
	}
}

// together makes rows of the items of both sides.
func (s *Story) together(pairs []pair) []Row {
	partner := make(map[*item]*item, 2*len(pairs))
	for _, p := range pairs {
		partner[p.left], partner[p.right] = p.right, p.left
	}
	rows := make([]Row, 0, len(s.Left.items)+len(s.Right.items)-len(pairs))
	for _, side := range []struct {
		t, other    *Trace
		at          Direction
		shift, seen time.Duration // seen: until when the other side tells, by the left clock
	}{
		{s.Left, s.Right, AtLeft, 0, s.Right.Length + s.Clocks.shift},
		{s.Right, s.Left, AtRight, s.Clocks.shift, s.Left.Length},
	} {
		for _, it := range side.t.items {
			other := partner[it]
			if other != nil && !it.sent {
				continue // it is in the row of its sender
			}
			r := it.row(side.at)
			r.At += side.shift
			switch {
			case other != nil:
				arrived := other.at
				if side.at == AtLeft {
					arrived += s.Clocks.shift
				}
				r.Delay, r.Known = arrived-r.At, true
				r.Text = joined(it, other, r.Delay)
			case it.key != "" && it.kind != Connection && !side.other.cut && r.At < side.seen:
				r.Missing = true
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// held is by how much later than the first of a stream the last object arrives,
// relative to when they were sent, so that it is told: others, or losses, have
// held it up.
const held = 2 * time.Millisecond

// joined is the text of what both sides saw, with what the reader saw of it
// otherwise; delay is that of the beginning.
func joined(sent, read *item, delay time.Duration) string {
	text := sent.text
	if sent.fold == nil || read.fold == nil {
		return text
	}
	if read.fold.objects != sent.fold.objects {
		text += fmt.Sprintf(", %d of them read", read.fold.objects)
	}
	if sent.fold.end == "" && read.fold.end != "" {
		text += ", " + read.fold.end
	}
	if later := (read.fold.ended - read.at) - (sent.fold.ended - sent.at); later >= held && sent.fold.objects > 1 {
		text += ", the last +" + clock(delay+later)
	}
	return text
}
