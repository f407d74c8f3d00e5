package relay

import (
	"context"
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// past is an object of a random play that was published.
type past struct {
	model.Location
	payload string
}

// serve answers a FETCH of the relay.
func (p *random) serve(ctx context.Context, r *session.FetchRequest) {
	end := r.Range.End
	if newest, ok := p.newest.Get(); !ok || newest.Less(r.Range.Start) {
		_ = r.Reject(&model.RequestError{Code: model.InvalidRange})
		return
	} else if newest.Less(end) {
		end = newest
	}
	if r.Accept(session.FetchInfo{End: end}) != nil {
		return
	}
	st, enc, b, err := r.Open(ctx)
	for _, o := range p.history {
		if err == nil && r.Range.Contains(o.Location) {
			item := wire.FetchItem{Kind: wire.FetchObject, Location: o.Location, Priority: model.DefaultPriority, Datagram: p.datagrams, PayloadLen: uint64(len(o.payload))}
			if !p.datagrams {
				item.Subgroup = o.Object % p.subgroups
			}
			if b, err = enc.Append(b, item); err == nil {
				_, err = st.Write(append(b, o.payload...))
			}
			b = b[:0]
		}
	}
	if err == nil {
		_, _ = st.Write(b)
		_ = st.Close()
	}
	r.Finish()
}

// catchUp fetches what a new subscription has missed, from some groups back on.
func (p *random) catchUp(sub *randomSubscriber, groups uint64) {
	largest := sub.in.Offer.Largest.Value
	wrong := func(format string, args ...any) {
		p.problems = append(p.problems, fmt.Sprintf("joining fetch of %d groups up to %v: ", groups, largest)+fmt.Sprintf(format, args...))
	}
	f, err := sub.sess.Fetch(p.s.ctx, session.FetchOptions{Join: &session.Join{To: sub.in, Relative: true, Start: groups}})
	if err != nil {
		wrong("%v", err)
		return
	}
	defer f.Cancel()
	for _, o := range p.history {
		if o.Group+groups < largest.Group || largest.Less(o.Location) {
			continue
		}
		item, err := f.Next(p.s.ctx)
		if err != nil || item.Location != o.Location || item.Kind != session.FetchObject {
			wrong("%+v, %v instead of %v", item, err, o.Location)
			return
		}
		if payload, err := f.Payload(); err != nil || string(payload) != o.payload {
			wrong("%v: %d bytes, %v", o.Location, len(payload), err)
			return
		}
	}
	if item, err := f.Next(p.s.ctx); err == nil {
		wrong("%+v is too much", item)
	}
}
