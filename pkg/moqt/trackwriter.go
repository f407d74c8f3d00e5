package moqt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/track"
)

// What a TrackWriter keeps of its track for late joiners and fetches.
const (
	DefaultKeptGroups = 64
	DefaultKeptBytes  = 64 << 20
)

// TrackOption changes how a track is published.
type TrackOption func(*trackConfig)

type trackConfig struct {
	groups     int
	bytes      int64
	properties Properties
	priority   model.Opt[uint8]
	policy     egress.Policy
}

// Keep says how much of the track stays for late joiners and fetches; see
// DefaultKeptGroups and DefaultKeptBytes.
func Keep(groups int, bytes int64) TrackOption {
	return func(c *trackConfig) { c.groups, c.bytes = groups, bytes }
}

// WithProperties gives the track properties, in ascending order of type.
func WithProperties(p Properties) TrackOption { return func(c *trackConfig) { c.properties = p } }

// WithPriority gives the objects of the track a publisher priority, in the header
// of each stream; lower is sooner. The default is model.DefaultPriority, which is
// not written.
func WithPriority(p uint8) TrackOption { return func(c *trackConfig) { c.priority = model.Some(p) } }

// DropSlow ends the subscription of who is further behind than that. The default
// is to skip to the newest group. A value of 0 is the default, or no limit for
// groups.
func DropSlow(groups int, bytes int64) TrackOption {
	return func(c *trackConfig) {
		c.policy = egress.Policy{MaxGroups: groups, MaxBytes: bytes, Action: egress.EndTooFarBehind}
	}
}

// TrackWriter publishes a track. What is written goes into a log once, however
// many subscribers there are; a slow one delays neither the writer nor the
// others. Its methods may be called from any goroutine.
type TrackWriter struct {
	local    *LocalTrack
	priority model.Opt[uint8]
	ready    func() // tells that the track is there; may be nil
	cancel   context.CancelCauseFunc
	ctx      context.Context // ends with the track
	late     observe.Window

	mu      sync.Mutex
	open    map[uint64]*GroupWriter
	ended   bool
	next    model.Opt[uint64] // the group of AppendGroup
	skipped uint64            // groups that do not exist before it
	inGroup uint64            // of the last datagram
	ids     uint64            // its next object ID
}

// newTrackWriter returns a writer of a track that ends with ctx.
func newTrackWriter(ctx context.Context, name TrackName, opts []TrackOption) (*TrackWriter, error) {
	if err := name.Validate(); err != nil {
		return nil, fmt.Errorf("track %v: %w", name, err)
	}
	c := trackConfig{groups: DefaultKeptGroups, bytes: DefaultKeptBytes}
	for _, o := range opts {
		o(&c)
	}
	if _, err := hall.EncodeProperties(hall.Native(true), c.properties); err != nil {
		return nil, fmt.Errorf("track %v: %w", name, err)
	}
	w := &TrackWriter{
		local: &LocalTrack{Name: name, Policy: c.policy, Log: track.New(track.Config{
			MaxGroups: cmp.Or(c.groups, DefaultKeptGroups), Budget: track.NewBudget(cmp.Or(c.bytes, DefaultKeptBytes)),
		})},
		priority: c.priority,
		open:     map[uint64]*GroupWriter{},
	}
	w.local.Log.SetProperties(c.properties)
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	context.AfterFunc(w.ctx, func() { w.end(EndedTrackErrorCode, "the publisher has ended the track") })
	return w, nil
}

// Name returns the name of the track.
func (w *TrackWriter) Name() TrackName { return w.local.Name }

// Context ends with the track; its cause says why: ErrClosed, the cause of the
// context it was published with, or what became of the session.
func (w *TrackWriter) Context() context.Context { return w.ctx }

// Subscribers returns how many there are at present.
func (w *TrackWriter) Subscribers() int { return int(w.local.Log.Counters().Subscribers.Load()) }

// Counters returns what was written, what of it is kept, and what went out.
func (w *TrackWriter) Counters() observe.TrackSnapshot { return w.local.Log.Counters().Snapshot() }

// Lag returns how long what went out of late had stayed here, from when it was
// written to its hand-over to the transport.
func (w *TrackWriter) Lag() observe.Lag {
	return w.late.Lag(time.Now(), &w.local.Log.Counters().Delays)
}

// Largest returns the location of the newest object; ok is false if there is
// none.
func (w *TrackWriter) Largest() (l Location, ok bool) { return w.local.Log.Largest().Get() }

// Ready tells that the track exists even if nothing is written yet. Writing
// implies it. It matters for tracks on demand, see TrackMux.HandleFunc.
func (w *TrackWriter) Ready() {
	if w.ready != nil {
		w.ready()
	}
}

// OpenGroup begins the group of that sequence, which can be any that was not
// written yet; groups may be open at the same time. It does not wait for
// subscribers. It fails after the end of the track, and with ErrDuplicate if the
// group is open.
func (w *TrackWriter) OpenGroup(seq GroupSequence) (*GroupWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.openGroup(seq, 0)
}

// AppendGroup begins the next group. The first has the Unix time in milliseconds
// as its sequence, so that a publisher that was restarted does not use one twice.
func (w *TrackWriter) AppendGroup() (*GroupWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g, err := w.openGroup(w.upcoming(), w.skipped)
	if err == nil {
		w.skipped = 0
	}
	return g, err
}

func (w *TrackWriter) upcoming() uint64 {
	if next, ok := w.next.Get(); ok {
		return next
	}
	w.next = model.Some(uint64(max(time.Now().UnixMilli(), 0)))
	return w.next.Value
}

// SkipGroups says that the next n groups do not exist: the group that follows
// tells subscribers not to wait for them.
func (w *TrackWriter) SkipGroups(n uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := w.upcoming()
	if n > model.MaxID-next {
		return fmt.Errorf("%d groups after %d: %w", n, next, ErrOrder)
	}
	w.next = model.Some(next + n)
	w.skipped += n
	return nil
}

// DropGroups breaks off all groups before seq that are still being written:
// their readers are told that they are too late.
func (w *TrackWriter) DropGroups(seq GroupSequence) {
	w.mu.Lock()
	var late []*GroupWriter
	for s, g := range w.open {
		if s < seq {
			late = append(late, g)
		}
	}
	w.mu.Unlock()
	for _, g := range late {
		g.CancelWrite(DeliveryTimeoutGroupErrorCode)
	}
}

// over returns why the track has ended. w.mu is held.
func (w *TrackWriter) over() error {
	switch {
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	case w.ended:
		return ErrClosed
	}
	return nil
}

func (w *TrackWriter) openGroup(seq, skipped uint64) (*GroupWriter, error) {
	if err := w.over(); err != nil {
		return nil, err
	}
	if w.open[seq] != nil {
		return nil, fmt.Errorf("group %d: %w", seq, ErrDuplicate)
	}
	g := &GroupWriter{w: w, seq: seq, skipped: skipped}
	w.open[seq] = g
	if next, ok := w.next.Get(); seq < model.MaxID && (!ok || next <= seq) {
		w.next = model.Some(seq + 1)
	}
	w.Ready()
	return g, nil
}

// WriteDatagram sends an object of a group as a datagram, which may be lost and
// must fit into a packet: subscribers whose path is too narrow do not get it.
func (w *TrackWriter) WriteDatagram(seq GroupSequence, f *Frame) error {
	if f == nil {
		return errNoFrame
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.over(); err != nil {
		return err
	}
	id, ok := f.ObjectID()
	if seq != w.inGroup {
		w.inGroup, w.ids = seq, 0
	}
	if !ok {
		id = w.ids
	}
	props, err := hall.EncodeProperties(hall.Native(true), f.props)
	if err != nil {
		return err
	}
	groups, _ := f.props.Int(model.PropPriorGroupIDGap)
	objects, _ := f.props.Int(model.PropPriorObjectIDGap)
	err = w.local.Log.AppendDatagram(&track.Datagram{
		Location: Location{Group: seq, Object: id}, Priority: w.priority, Properties: props, Form: hall.Native(true), Payload: f.body,
		PriorGroupGap: groups, PriorObjectGap: objects,
	})
	if err != nil {
		return err
	}
	w.ids = max(w.ids, id+1)
	if next, ok := w.next.Get(); seq < model.MaxID && (!ok || next <= seq) {
		w.next = model.Some(seq + 1)
	}
	w.Ready()
	return nil
}

// Close ends the track: subscribers get what was written and then learn that it
// has ended. Groups that are open are broken off. It does not wait, and calling
// it again does nothing.
func (w *TrackWriter) Close() error {
	return w.CloseWithError(EndedTrackErrorCode, "the publisher has ended the track")
}

// CloseWithError ends the track for a reason that subscribers are told.
func (w *TrackWriter) CloseWithError(code TrackErrorCode, reason string) error {
	w.end(code, reason)
	w.cancel(ErrClosed)
	return nil
}

// fail ends the track because of what became of its session.
func (w *TrackWriter) fail(err error) {
	w.cancel(err)
	w.end(EndedTrackErrorCode, "")
}

// end ends the log after the groups that are open.
func (w *TrackWriter) end(code model.DoneCode, reason string) {
	w.mu.Lock()
	w.ended = true
	open := make([]*GroupWriter, 0, len(w.open))
	for _, g := range w.open {
		open = append(open, g)
	}
	w.mu.Unlock()
	for _, g := range open {
		g.CancelWrite(CancelledGroupErrorCode)
	}
	w.local.Log.End(code, reason)
}

// GroupWriter writes the objects of one group, in ascending order of ID. They go
// out as they are written. It must be ended with Close or CancelWrite. Its
// methods may be called from any goroutine.
type GroupWriter struct {
	w       *TrackWriter
	seq     uint64
	skipped uint64 // groups before it that do not exist

	mu   sync.Mutex
	log  *track.Writer // nil before the first object
	next uint64        // the smallest ID that may come
	err  error         // after the end
}

// GroupSequence returns the ID of the group.
func (g *GroupWriter) GroupSequence() GroupSequence { return g.seq }

// WriteFrame appends an object. The frame can be used again at once. An object
// without ID gets the one after the last. An error that is not of the frame
// breaks the group off.
func (g *GroupWriter) WriteFrame(f *Frame) error {
	if f == nil {
		return errNoFrame
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.usable(); err != nil {
		return err
	}
	id, placed := f.ObjectID()
	if !placed {
		id = g.next
	} else if id < g.next {
		return fmt.Errorf("object %d of group %d: %w", id, g.seq, ErrOrder)
	}
	props := f.props
	if g.log == nil && g.skipped > 0 {
		props = withGap(props, g.skipped)
	}
	return g.write(id, props, f.body, model.StatusNormal)
}

func (g *GroupWriter) usable() error {
	if g.err == nil && g.w.ctx.Err() != nil {
		return context.Cause(g.w.ctx)
	}
	return g.err
}

// write appends one object and breaks the group off if that fails.
func (g *GroupWriter) write(id uint64, props Properties, payload []byte, s model.ObjectStatus) (err error) {
	h := track.ObjectHeader{ID: id, From: hall.Native(true), Status: s}
	h.PriorGroupGap, _ = props.Int(model.PropPriorGroupIDGap)
	h.PriorObjectGap, _ = props.Int(model.PropPriorObjectIDGap)
	if h.Properties, err = hall.EncodeProperties(h.From, props); err != nil {
		return err // of the argument; the group is as it was
	}
	if g.log == nil {
		first := track.FirstYes
		if id > 0 {
			first = track.FirstNo
		}
		g.log, err = g.w.local.Log.OpenSubgroup(track.SubgroupKey{Group: g.seq}, track.SubgroupInfo{
			Priority: g.w.priority, EndOfGroup: true, First: first, Properties: true, Form: h.From,
		})
	}
	if err == nil {
		err = g.log.Append(h, payload)
	}
	if err != nil {
		g.finish(fmt.Errorf("group %d: %w", g.seq, err))
		g.abort(InternalGroupErrorCode)
		return g.err
	}
	g.next = id + 1
	return nil
}

// withGap adds the property that tells of groups that do not exist.
func withGap(p Properties, groups uint64) Properties {
	if _, ok := p.Int(model.PropPriorGroupIDGap); ok {
		return p
	}
	i, _ := slices.BinarySearchFunc(p, model.PropPriorGroupIDGap, func(q Property, t uint64) int { return cmp.Compare(q.Type, t) })
	return slices.Insert(slices.Clone(p), i, Property{Type: model.PropPriorGroupIDGap, Int: groups})
}

// Close ends the group: it has no further object. Calling it again, or after
// CancelWrite, does nothing.
func (g *GroupWriter) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return nil
	}
	if err := g.usable(); err != nil {
		return err
	}
	if g.log == nil { // without an object nobody would hear of it
		var props Properties
		if err := g.write(0, props, nil, model.StatusEndOfGroup); err != nil {
			return err
		}
	}
	err := g.log.Close()
	if errors.Is(err, track.ErrEvicted) {
		err = nil // all that it had is gone, and so is who could miss its end
	}
	g.finish(fmt.Errorf("group %d: %w", g.seq, ErrClosed))
	return err
}

// CancelWrite breaks the group off: readers get what was written, and then an
// error with the code. After Close it does nothing.
func (g *GroupWriter) CancelWrite(code GroupErrorCode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return
	}
	g.finish(fmt.Errorf("group %d: %w", g.seq, &StreamError{Code: code}))
	g.abort(code)
}

func (g *GroupWriter) abort(code GroupErrorCode) {
	if g.log != nil {
		g.log.Abort(code)
	}
}

// finish takes the group from the list of those that are open.
func (g *GroupWriter) finish(err error) {
	g.err = err
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	if g.w.open[g.seq] == g {
		delete(g.w.open, g.seq)
	}
}
