package timeline

import (
	"fmt"
	"strings"
	"time"
)

// Kind is what a line is about.
type Kind string

// Kinds of lines.
const (
	Control    Kind = "control"    // a message
	Data       Kind = "data"       // objects: of a subgroup, of a fetch, of datagrams of a group
	Loss       Kind = "loss"       // packets that were lost, datagrams that were dropped
	Reset      Kind = "reset"      // a stream that one side gave up
	Connection Kind = "connection" // its beginning and its end
	Note       Kind = "note"       // what a trace says of itself
)

// Kinds are all there are.
var Kinds = []Kind{Control, Data, Loss, Reset, Connection, Note}

// NoStream is the stream of what happens on none.
const NoStream = -1

// item is what becomes a line, as one side saw it.
type item struct {
	at     time.Duration
	kind   Kind
	local  bool // it goes in no direction
	sent   bool // from the side of the trace to the other
	stream int64
	what   string // in capitals: SUBSCRIBE
	track  string
	text   string
	key    string // the same for the item of the other side; empty: it has none there
	fold   *fold
	count  int // of packets or datagrams, for losses
}

// fold is many objects in one item.
type fold struct {
	alias            uint64
	aliased          bool // alias is known
	request          uint64
	group, lastGroup uint64
	subgroup         uint64
	header           bool // group and subgroup are those of a header
	first, last      uint64
	objects          int
	bytes            uint64
	ended            time.Duration // when the last object came
	end              string        // how the stream ended
	kind             foldKind
}

type foldKind uint8

const (
	subgroupFold foldKind = iota
	fetchFold
	datagramFold
)

// object adds an object, or the mark of a status or of a range.
func (f *fold) object(at time.Duration, group, object, size uint64) {
	if f.objects == 0 {
		f.first = object
		if !f.header {
			f.group = group
		}
	}
	if f.kind == fetchFold {
		f.lastGroup = group
	}
	f.last, f.ended = object, at
	f.objects++
	f.bytes += size
}

// text describes the fold, whose item began at the given time.
func (f *fold) text(began time.Duration) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case f.kind == fetchFold && f.objects > 0:
		add("request %d", f.request)
		add("from %d/%d to %d/%d", f.group, f.first, f.lastGroup, f.last)
	case f.kind == fetchFold:
		add("request %d", f.request)
	case f.kind == datagramFold:
		add("group %d", f.group)
	default:
		add("group %d/%d", f.group, f.subgroup)
	}
	switch {
	case f.objects == 0:
		add("no object")
	case f.kind != fetchFold && f.first == f.last:
		add("object %d", f.first)
	case f.kind != fetchFold:
		add("objects %d–%d", f.first, f.last)
	}
	if f.objects > 0 {
		if f.objects != 1 {
			add("%d objects", f.objects)
		}
		add("%s", size(f.bytes))
	}
	if took := f.ended - began; f.objects > 1 {
		add("in %s", milliseconds(took))
	}
	if f.end != "" {
		add("%s", f.end)
	}
	return strings.Join(parts, ", ")
}

// size is a number of bytes for readers.
func size(n uint64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	}
	return fmt.Sprintf("%d MB", (n+500_000)/1_000_000)
}

// milliseconds is a time for readers, who compare it with others.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d.Abs() < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", ms)
	case d.Abs() < 10*time.Second:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
