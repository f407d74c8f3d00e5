package relay

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
)

// backfillTime is how long a subscriber that joins by group waits for what the
// publisher has of that group.
const backfillTime = 2 * time.Second

// backfilling is a backfill that is under way.
type backfilling struct {
	over     chan struct{}
	deserted bool // set before over is closed: who did it has left meanwhile
}

// recall prepares the log for a subscription that begins in the past and is to get
// what there is of it: by policy, or because such peers expect it.
func (d *downstream) recall(ctx context.Context, f model.Filter) {
	if f.Kind != model.FilterAbsolute || d.largest.Value.Less(f.Start) {
		return
	}
	d.replay = d.t.replays(f) || d.peer.session.Quirks().JoinsByGroup
	if d.replay {
		d.backfill(ctx)
	}
}

// backfill puts into the log what was published of the present group before the
// relay had subscribed, for who is promised the group and fetches nothing: a
// catalog may be older than the subscription, and never come again. A publisher
// that does not serve fetches leaves the log as it is. Other subscribers whose
// filter lets it pass get it too, late. Of many who need it one asks.
func (d *downstream) backfill(ctx context.Context) {
	largest, some := d.largest.Get()
	rng := model.Range{Start: model.Location{Group: largest.Group}, End: largest}
	t, r := d.t, d.t.r
	for some && ctx.Err() == nil && (t.log.HasSilent(rng) || !t.log.Covered(rng)) {
		r.mu.Lock()
		b, mine := t.backfill, t.backfill == nil
		if mine {
			b = &backfilling{over: make(chan struct{})}
			t.backfill = b
		}
		r.mu.Unlock()
		if mine {
			t.fillGroup(ctx, rng)
			r.mu.Lock()
			t.backfill, b.deserted = nil, ctx.Err() != nil
			r.mu.Unlock()
			close(b.over)
			return
		}
		select {
		case <-b.over:
			some = b.deserted
		case <-ctx.Done():
		}
	}
}

// fillGroup gets what is missing of a group from a publisher, unless fetches have
// brought it, of which subscribers do not hear.
func (t *relayTrack) fillGroup(ctx context.Context, rng model.Range) {
	r := t.r
	r.mu.Lock()
	publishers, lives := t.fetchableLocked(), map[*peer]context.Context{}
	for pub, u := range t.ups {
		lives[pub] = u.in.Context()
	}
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, backfillTime)
	defer cancel()
	covered := t.log.Covered(rng)
	for _, pub := range publishers {
		life := lives[pub]
		if life == nil {
			continue // the log is of what others send
		}
		var err error
		if covered {
			log := t.log.Range(rng, model.Ascending)
			err = t.replayInto(ctx, life, egress.FromLog(log), rng.End.Group)
			log.Close()
		} else {
			err = t.fetchInto(ctx, life, pub, rng, rng.End.Group)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		pub.log.Debug("not backfilled", "track", t.name, "range", rng, "because", err)
	}
}

// fetchInto fetches a range from a publisher into the log, as if it came now.
func (t *relayTrack) fetchInto(ctx, life context.Context, pub *peer, rng model.Range, present uint64) error {
	fill := t.log.BeginFill()
	defer fill.Close()
	pub.counters.RequestsOut.Add(1)
	up, err := pub.session.Fetch(ctx, session.FetchOptions{Track: t.name, Range: rng, Order: model.Ascending})
	if err != nil {
		return err
	}
	defer up.Cancel()
	info, err := up.OK(ctx)
	if err != nil {
		return err
	}
	if info.End.Less(rng.End) {
		rng.End = info.End
	}
	err = t.replayInto(ctx, life, hall.Passing(up, pub.session, nil, rng.Start), present)
	if err == nil {
		fill.MarkKnown(rng)
	}
	return err
}

// replayInto puts objects into the log as if they came now: the cursors of those who
// are promised them find them. Whether their subgroups go on only the publisher
// knows, so they stay open while its subscription lives, but for those of groups
// before present, which are over.
func (t *relayTrack) replayInto(ctx, life context.Context, source egress.ObjectSource, present uint64) error {
	writers := map[track.SubgroupKey]*track.Writer{}
	for {
		item, err := source.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			for _, w := range writers {
				if w.Key().Group < present {
					_ = w.Close() // it fails if the log has gone on without
				}
			}
			return nil
		case err != nil:
			return err
		case item.Object == nil || item.Object.Datagram: // not known there either, or not to be had again
			continue
		}
		o := item.Object
		key := track.SubgroupKey{Group: o.Group, Subgroup: o.Subgroup}
		w := writers[key]
		if w == nil {
			first := track.FirstNo
			if o.Location.Object == 0 {
				first = track.FirstYes
			}
			w, err = t.log.OpenSubgroup(key, track.SubgroupInfo{
				Priority: o.Priority, First: first, Properties: true, Form: o.Form,
			})
			if err != nil {
				return err
			}
			writers[key] = w
			context.AfterFunc(life, func() { w.Abort(model.ResetCancelled) })
		}
		h := track.ObjectHeader{ID: o.Location.Object, Properties: o.Properties, From: o.Form, PayloadLen: uint64(o.PayloadLen()), Status: o.Status}
		if err := w.Append(h, slices.Concat(o.Payload...)); err != nil {
			return err
		}
	}
}
