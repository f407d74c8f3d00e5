package relay

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// What a filling has at hand, in bytes of payload.
const (
	// fillWindow is how far behind the fastest reader another may be; who is
	// further behind asks again for what it lacks.
	fillWindow = 1 << 20
	// fillAhead is how far the filling runs ahead of the fastest reader.
	fillAhead = 64 << 10
	// itemCost is what an item counts for beside its payload.
	itemCost = 128
)

// nextPublisher is how long a publisher may take to answer a fetch while there
// is another to be asked.
const nextPublisher = 500 * time.Millisecond

// filling is a FETCH of the relay that is under way. It brings a range of a track,
// puts it into the log, and hands it to all who want it, or a part of it,
// meanwhile. It goes at the pace of the fastest of them, and is cancelled when the
// last has left.
type filling struct {
	t          *relayTrack
	by         *peer // who asked first
	rng        model.Range
	descending bool
	publishers []*peer // to be asked, the best first
	// patience is the FILL_TIMEOUT of the request, and until when that lasts.
	patience model.Opt[time.Duration]
	until    time.Time

	ctx    context.Context
	cancel context.CancelFunc

	// answered is closed when a publisher has accepted, or none will. What comes
	// next is set before.
	answered chan struct{}
	refused  error
	info     session.FetchInfo
	keep     bool // it goes into the log
	empty    bool // it was refused because there is nothing in the range

	mu      sync.Mutex // after Relay.mu, before nothing
	readers int
	left    bool // no reader is left, and none may come
	items   []fillItem
	first   uint64                    // number of items[0]
	dropped model.Opt[model.Location] // where the last item ended that is no longer at hand
	brought int64                     // bytes of all items
	taken   int64                     // by the fastest reader
	end     error                     // io.EOF: all came
	waiting bool                      // for changed
	changed chan struct{}             // closed and replaced when there is more
	demand  chan struct{}             // the fastest reader has taken something
}

// fillItem is an item and the number of bytes brought up to its end.
type fillItem struct {
	track.Item
	upTo int64
}

// errLagged tells a reader that what it wants next is no longer at hand.
var errLagged = errors.New("the reader of a shared fetch is too far behind")

// beginLocked begins to ask for a range.
func (f *fetch) beginLocked(rng model.Range) *filling {
	n := &filling{
		t: f.t, by: f.peer, rng: rng, descending: f.descending(), publishers: f.publishers, patience: f.req.FillTimeout, until: f.until,
		answered: make(chan struct{}), changed: make(chan struct{}), demand: make(chan struct{}, 1),
	}
	// It outlives the one who began it if others have joined.
	n.ctx, n.cancel = context.WithCancel(context.WithoutCancel(f.ctx))
	f.t.fillings = append(f.t.fillings, n)
	f.t.r.work.Go(n.run)
	return n
}

// run asks and brings.
func (n *filling) run() {
	defer n.cancel()
	up, pub, err := n.ask()
	r := n.t.r
	if err == nil {
		defer up.Cancel()
		r.mu.Lock()
		n.keep = n.t.vouchLocked(pub, n.info.Properties)
		r.mu.Unlock()
	}
	n.refused = err
	close(n.answered)
	if err == nil {
		err = n.bring(up, pub)
	}
	n.mu.Lock()
	n.end = err
	n.announce()
	n.mu.Unlock()
	r.mu.Lock()
	n.t.fillings = slices.DeleteFunc(n.t.fillings, func(o *filling) bool { return o == n })
	r.mu.Unlock()
	n.malformed(pub, err)
}

// ask asks one publisher after the other until one accepts.
func (n *filling) ask() (up *session.Fetch, pub *peer, err error) {
	err = errNoPublisher
	for i, pub := range n.publishers {
		patience := n.t.r.cfg.UpstreamTimeout
		if i < len(n.publishers)-1 {
			patience = min(patience, nextPublisher)
		}
		if up, err = n.askOne(pub, patience); err == nil {
			return up, pub, nil
		}
		pub.log.Debug("upstream fetch refused", "track", n.t.name, "range", n.rng, "because", err)
		if n.ctx.Err() != nil {
			break
		}
	}
	return nil, nil, err
}

// askOne makes the request of one publisher and waits for the answer.
func (n *filling) askOne(pub *peer, patience time.Duration) (*session.Fetch, error) {
	ctx, cancel := context.WithTimeoutCause(n.ctx, patience, errNoAnswer)
	defer cancel()
	pub.counters.RequestsOut.Add(1)
	n.by.note(slog.LevelInfo, observe.KindFetch, n.t, "fetch upstream", "range", n.rng, "publisher", pub.id)
	order := model.Ascending
	if n.descending {
		order = model.Descending
	}
	up, err := pub.session.Fetch(ctx, session.FetchOptions{Track: n.t.name, Range: n.rng, Order: order, FillTimeout: n.patience})
	if err != nil {
		return nil, err
	}
	if n.info, err = up.OK(ctx); err != nil {
		up.Cancel()
	}
	if n.empty = errors.Is(err, &model.RequestError{Code: model.NoObjects, Remote: true}); n.empty {
		n.info, err = session.FetchInfo{End: n.rng.End, Properties: n.t.log.Properties()}, nil
	}
	return up, err
}

// bring hands out what comes, until its end.
func (n *filling) bring(up *session.Fetch, pub *peer) error {
	var log *track.Fill
	if n.keep {
		log = n.t.log.BeginFill()
		defer log.Close()
	}
	known := knowing{log: log, largest: n.t.log.Largest, rng: n.rng, end: n.info.End, descending: n.descending}
	if n.empty {
		known.all()
		return io.EOF
	}
	for source := hall.Passing(up, pub.session, log, n.rng.Start); ; {
		if err := n.await(); err != nil {
			return err
		}
		item, err := source.Next(n.ctx)
		if err == io.EOF {
			known.all()
		}
		if err != nil {
			return err
		}
		if o := item.Object; o != nil {
			own := *o // the source uses its own again; the payload is not
			own.Properties = slices.Clone(o.Properties)
			own.Payload = slices.Clone(o.Payload)
			item.Object = &own
			if n.keep && n.rng.Contains(o.Location) {
				n.t.log.ObserveLargest(o.Location)
			}
		}
		known.item(item)
		n.put(item)
	}
}

// await waits until the fastest reader has come near enough.
func (n *filling) await() error {
	for {
		n.mu.Lock()
		ahead := n.brought - n.taken
		n.mu.Unlock()
		if ahead < fillAhead {
			return nil
		}
		select {
		case <-n.demand:
		case <-n.ctx.Done():
			return n.ctx.Err()
		}
	}
}

// put hands out an item, and lets go of what is older than the window.
func (n *filling) put(item track.Item) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.brought += itemCost
	if item.Object != nil {
		n.brought += int64(item.Object.PayloadLen())
	}
	n.items = append(n.items, fillItem{item, n.brought})
	old := 0
	for old < len(n.items)-1 && n.items[old].upTo <= min(n.taken, n.brought-fillWindow) {
		old++
	}
	if old > 0 {
		n.dropped = model.Some(through(n.items[old-1].Item))
		n.items = slices.Delete(n.items, 0, old)
		n.first += uint64(old)
	}
	n.announce()
}

// announce wakes who waits for more.
func (n *filling) announce() {
	if n.waiting {
		close(n.changed)
		n.changed, n.waiting = make(chan struct{}), false
	}
}

// through returns the last location of which an item tells.
func through(i track.Item) model.Location {
	if i.Object != nil {
		return i.Object.Location
	}
	return i.Unknown.End
}

// at returns the item of a number, waiting for it. After the last it returns
// io.EOF, or why there is no more.
func (n *filling) at(ctx context.Context, number uint64) (track.Item, error) {
	for {
		n.mu.Lock()
		switch {
		case number < n.first:
			n.mu.Unlock()
			return track.Item{}, errLagged
		case number-n.first < uint64(len(n.items)):
			item := n.items[number-n.first]
			if n.taken < item.upTo {
				n.taken = item.upTo
				select {
				case n.demand <- struct{}{}:
				default: // it was told
				}
			}
			n.mu.Unlock()
			return item.Item, nil
		case n.end != nil:
			defer n.mu.Unlock()
			return track.Item{}, n.end
		}
		n.waiting = true
		changed := n.changed
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return track.Item{}, context.Cause(ctx)
		}
	}
}

// leave is called by each reader once. The last cancels the request.
func (n *filling) leave() {
	n.mu.Lock()
	n.readers--
	n.left = n.readers == 0
	last := n.left
	n.mu.Unlock()
	if last {
		n.cancel()
	}
}

// malformed ends the subscription to a publisher whose fetch contradicts what
// is known of the track.
func (n *filling) malformed(pub *peer, err error) {
	if _, ok := errors.AsType[*track.MalformedError](err); !ok {
		return
	}
	r := n.t.r
	r.mu.Lock()
	u := n.t.ups[pub]
	r.mu.Unlock()
	if u != nil {
		u.failed(err)
	}
}

// part is what one fetch reads of a filling: an egress.ObjectSource that tells of
// all of its range, what is unknown included.
type part struct {
	*filling
	rng    model.Range
	number uint64                    // of the item to be read next
	pos    model.Opt[model.Location] // up to where it was told
	over   bool
}

var _ egress.ObjectSource = (*part)(nil)

// Next returns what comes next within the range. It waits as long as ctx allows,
// which may end with errFilled: then the rest is unknown.
func (p *part) Next(ctx context.Context) (track.Item, error) {
	for !p.over {
		item, err := p.fetch(ctx)
		switch {
		case err == io.EOF && p.info.End.Less(p.rng.End):
			return p.rest(p.info.End.Next())
		case err == io.EOF:
			p.over = true
			return item, err
		case err == errLagged:
			return item, err
		case err != nil && (p.refused != nil && err == p.refused || errors.Is(err, errFilled)):
			return p.rest(p.rng.Start)
		case err != nil:
			return item, err
		}
		p.number++
		if item.Object != nil {
			l := item.Object.Location
			switch {
			case p.rng.Contains(l):
				p.pos = model.Some(l)
				return item, nil
			case p.passed(l):
				p.over = true
			}
			continue
		}
		u := item.Unknown
		if u.Start.Less(p.rng.Start) {
			u.Start = p.rng.Start
		}
		if p.rng.End.Less(u.End) {
			u.End = p.rng.End
		}
		if !u.Empty() {
			p.pos = model.Some(u.End)
			return track.Item{Unknown: u}, nil
		}
	}
	return track.Item{}, io.EOF
}

// fetch returns the next item of the filling once that was accepted.
func (p *part) fetch(ctx context.Context) (track.Item, error) {
	select {
	case <-p.answered:
	case <-ctx.Done():
		return track.Item{}, context.Cause(ctx)
	}
	if p.refused != nil {
		return track.Item{}, p.refused
	}
	return p.at(ctx, p.number)
}

// passed reports whether l, which is outside of the range, comes after it.
func (p *part) passed(l model.Location) bool {
	if p.descending {
		return l.Group < p.rng.Start.Group
	}
	return p.rng.End.Less(l)
}

// rest ends the part: what lies from the location on and was not told is unknown.
func (p *part) rest(from model.Location) (track.Item, error) {
	p.over = true
	if pos, ok := p.pos.Get(); ok && !p.descending && from.Less(pos.Next()) {
		from = pos.Next()
	}
	if from.Less(p.rng.Start) {
		from = p.rng.Start
	}
	if p.rng.End.Less(from) || p.pos == model.Some(p.rng.End) {
		return track.Item{}, io.EOF
	}
	return track.Item{Unknown: model.Range{Start: from, End: p.rng.End}}, nil
}

// remains returns the ranges that were not told, in the order of the stream.
func (p *part) remains() []model.Range {
	pos, begun := p.pos.Get()
	switch {
	case !begun:
		return []model.Range{p.rng}
	case !p.descending:
		return nonEmpty(model.Range{Start: pos.Next(), End: p.rng.End})
	}
	_, groupEnd := groupOf(pos)
	here := model.Range{Start: pos.Next(), End: groupEnd}
	if p.rng.End.Less(here.End) {
		here.End = p.rng.End
	}
	if pos.Group == 0 {
		return nonEmpty(here)
	}
	start, _ := groupOf(pos)
	return nonEmpty(here, model.Range{Start: p.rng.Start, End: start.Prev()})
}

// groupOf returns the first and the last location of the group of l.
func groupOf(l model.Location) (first, last model.Location) {
	return model.Location{Group: l.Group}, model.Location{Group: l.Group, Object: model.MaxID}
}

func nonEmpty(all ...model.Range) []model.Range {
	return slices.DeleteFunc(all, model.Range.Empty)
}
