package session

import (
	"context"
	"errors"
	"io"
	"time"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// FetchOptions describe a FETCH of ours.
type FetchOptions struct {
	// Track and Range, for a range of any track.
	Track model.FullTrackName
	Range model.Range
	// Join, if set, asks instead for what a subscription of ours has missed:
	// from a group on up to where the subscription began.
	Join *Join

	Order    model.GroupOrder // unset: ascending
	Priority model.Opt[uint8]
	// FillTimeout is how long a relay may spend on what it does not have;
	// absent: as it likes, 0: not at all.
	FillTimeout model.Opt[time.Duration]
	Tokens      []auth.Token
}

// Join says where a joining FETCH begins (section 10.12.2).
type Join struct {
	To *Inbound
	// Relative: Start is a number of groups before the one where the
	// subscription began. Otherwise it is a group ID.
	Relative bool
	Start    uint64
}

// standAlone turns a joining FETCH that the draft does not allow into one of the
// same range that joins nothing.
func (s *Session) standAlone(opts *FetchOptions) error {
	j := opts.Join
	if j == nil || !s.dialect.joinsNextObject {
		return nil
	}
	kind := j.To.Terms.Filter.Kind // none is sent as Largest Object in a SUBSCRIBE
	if j.To.r.kind == wire.KindSubscribe && (kind == model.FilterNone || kind == model.FilterNextObject) {
		return nil
	}
	end, known := j.To.Offer.Largest.Get()
	if !known {
		return &model.RequestError{Code: model.InvalidRange, Reason: "nothing was published before the subscription"}
	}
	opts.Track, opts.Join = j.To.Track, nil
	opts.Range = model.Range{Start: model.Location{Group: j.Start}, End: end}
	if j.Relative {
		opts.Range.Start.Group = end.Group - min(end.Group, j.Start)
	}
	if opts.Range.Empty() {
		return &model.RequestError{Code: model.InvalidRange, Reason: "the range begins after the subscription"}
	}
	return nil
}

// Fetch is a FETCH of ours. Next and Read are for one goroutine.
type Fetch struct {
	s     *Session
	r     *request
	order model.GroupOrder
	info  FetchInfo

	arrived chan *fetchStream // the data stream, at most one
	stream  *fetchStream
}

// FetchInfo is what the publisher told about a FETCH.
type FetchInfo struct {
	End        model.Location // inclusive
	EndOfTrack bool           // nothing comes after End
	Properties model.Properties
}

type fetchStream struct {
	stream  transport.ReceiveStream
	window  *window
	decoder *wire.FetchDecoder
	left    uint64
	end     error
	done    chan error // receives what the session must be closed for, or nil
}

// Fetch asks for objects of the past. It returns when the request was sent;
// OK waits for the answer, Next for objects, which may come before it.
func (s *Session) Fetch(ctx context.Context, opts FetchOptions) (*Fetch, error) {
	if err := s.standAlone(&opts); err != nil {
		return nil, err
	}
	f := &Fetch{s: s, order: opts.Order, arrived: make(chan *fetchStream, 1)}
	if f.order == model.GroupOrderUnset {
		f.order = model.Ascending
	}
	prepare := func(r *request) {
		f.r = r
		s.mu.Lock()
		s.fetches[r.id] = f
		s.mu.Unlock()
		r.onOK = func(m wire.Message) error {
			ok := m.(*wire.FetchOK)
			f.info = FetchInfo{End: ok.End, EndOfTrack: ok.EndOfTrack, Properties: ok.TrackProperties}
			if opts.Join == nil && ok.End.Less(opts.Range.Start) {
				return s.endBeforeStart(f, opts.Range)
			}
			return nil
		}
	}
	_, err := s.begin(ctx, wire.KindFetch, func(id uint64) wire.Message {
		m := &wire.Fetch{RequestID: id, FetchKind: wire.FetchStandalone, Track: opts.Track, Range: opts.Range}
		if j := opts.Join; j != nil {
			m.FetchKind, m.JoiningRequestID, m.JoiningStart = wire.FetchAbsoluteJoining, j.To.ID(), j.Start
			if j.Relative {
				m.FetchKind = wire.FetchRelativeJoining
			}
		}
		m.Params.SubscriberPriority = opts.Priority
		m.Params.Tokens = wireTokens(opts.Tokens)
		m.Params.FillTimeout = inMilliseconds(opts.FillTimeout)
		if opts.Order != model.GroupOrderUnset {
			m.Params.GroupOrder = model.Some(opts.Order)
		}
		return m
	}, prepare)
	if err != nil {
		f.forget()
		return nil, err
	}
	return f, nil
}

// forget drops the Request ID; data that still comes for it is refused.
func (f *Fetch) forget() {
	if f.r == nil {
		return
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.s.fetches[f.r.id] == f {
		delete(f.s.fetches, f.r.id)
	}
}

// OK waits for FETCH_OK. A *model.RequestError is a refusal.
func (f *Fetch) OK(ctx context.Context) (FetchInfo, error) {
	select {
	case <-f.r.answered:
	case <-f.r.ctx.Done():
	case <-ctx.Done():
		return FetchInfo{}, context.Cause(ctx)
	}
	return f.info, f.r.failure()
}

// Cancel stops the FETCH and its stream, also while Next or Read waits in
// another goroutine.
func (f *Fetch) Cancel() {
	f.forget()
	f.r.abandon(model.ResetCancelled) // serveFetchStream stops the stream
}

// Next returns the next object or end of range; what was left of the payload
// before is skipped. It returns io.EOF when everything has come, and the
// refusal if there is one.
func (f *Fetch) Next(ctx context.Context) (wire.FetchItem, error) {
	if f.stream == nil {
		if err := f.waitStream(ctx); err != nil {
			return wire.FetchItem{}, err
		}
	}
	st := f.stream
	if st.end != nil {
		return wire.FetchItem{}, st.end
	}
	if err := skipPayload(&st.left, f.Read); err != nil {
		return wire.FetchItem{}, err
	}
	var item wire.FetchItem
	parse := func(in *varint.Reader) (err error) {
		item, err = st.decoder.Parse(in)
		return err
	}
	err := st.window.parse(parse)
	if errors.Is(err, io.ErrUnexpectedEOF) && st.decoder.End() {
		err = st.window.parse(parse)
	}
	if err != nil {
		return item, f.ended(err)
	}
	if f.s.trace != nil {
		copied := item
		f.s.traced(false, st.stream, &copied)
	}
	st.left = item.PayloadLen
	return item, nil
}

func (f *Fetch) waitStream(ctx context.Context) error {
	select {
	case f.stream = <-f.arrived:
		return nil
	case <-f.r.ctx.Done():
		select { // the stream may have come just before the end
		case f.stream = <-f.arrived:
			return nil
		default:
		}
		f.forget()
		if err := f.r.failure(); err != nil {
			return err
		}
		return errClosedEarly
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Read reads from the payload of the present object; io.EOF at its end.
func (f *Fetch) Read(p []byte) (int, error) {
	st := f.stream
	if st == nil || st.left == 0 {
		return 0, io.EOF
	}
	if uint64(len(p)) > st.left {
		p = p[:st.left]
	}
	n, err := st.window.read(p)
	st.left -= uint64(n)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return n, f.ended(err)
	}
	return n, nil
}

// Payload reads the whole payload of the present object.
func (f *Fetch) Payload() ([]byte, error) {
	if f.stream == nil {
		return nil, io.EOF
	}
	return readPayload(f.stream.left, f.Read)
}

func (f *Fetch) ended(err error) error {
	var fatal error
	f.stream.end, fatal = f.s.streamEnd(f.stream.stream, err)
	f.finish(fatal)
	return f.stream.end
}

// finish lets the goroutine of the data stream go.
func (f *Fetch) finish(fatal error) {
	f.forget()
	select {
	case f.stream.done <- fatal:
	default:
	}
	if f.stream.end != io.EOF {
		f.r.abandon(model.ResetCancelled)
		return
	}
	// All objects are there; FETCH_OK may still be on its way.
	f.s.loops.Go(func() {
		select {
		case <-f.r.answered:
		case <-f.r.ctx.Done():
		}
		f.r.concluded(errAnswered)
	})
}

// serveFetchStream hands a data stream to the Fetch that asked for it and
// stays until it was read.
func (s *Session) serveFetchStream(stream transport.ReceiveStream, w *window) error {
	var id uint64
	err := w.parse(func(in *varint.Reader) (err error) {
		id, err = wire.ParseFetchHeader(s.cfg.Draft, in)
		return err
	})
	if err != nil {
		return s.streamBroken(stream, err)
	}
	if s.trace != nil {
		s.traced(false, stream, &TracedFetch{RequestID: id})
	}
	s.mu.Lock()
	f := s.fetches[id]
	ours := id&1 == s.ids.next&1 && id < s.ids.next
	s.mu.Unlock()
	if f == nil {
		if !ours {
			return violation("fetch stream for a request that was never made")
		}
		stream.CancelRead(wire.ResetCodeToWire(s.cfg.Draft, model.ResetCancelled)) // cancelled meanwhile
		return nil
	}
	st := &fetchStream{stream: stream, window: w, decoder: wire.NewFetchDecoder(s.cfg.Draft, f.order).Of(s.Quirks().Quirks), done: make(chan error, 1)}
	select {
	case f.arrived <- st:
	default:
		return violation("second stream for one FETCH")
	}
	select {
	case fatal := <-st.done:
		return fatal
	case <-f.r.ctx.Done():
		if !f.r.established() { // cancelled or refused; after an answer Next reads on
			select {
			case fatal := <-st.done: // Next cancelled it, because of what came
				return fatal
			default:
			}
			stream.CancelRead(wire.ResetCodeToWire(s.cfg.Draft, model.ResetCancelled))
			return nil
		}
	case <-s.ctx.Done():
		return nil
	}
	select {
	case fatal := <-st.done:
		return fatal
	case <-s.ctx.Done():
		return nil
	}
}

// FetchRequest is a FETCH of the peer.
type FetchRequest struct {
	peerRequest
	Track model.FullTrackName
	// Range is what is asked for, inclusive. For a joining FETCH it is
	// resolved against the subscription already.
	Range model.Range
	// Joined is the subscription of a joining FETCH, else nil.
	Joined      *Outbound
	Order       model.GroupOrder
	Priority    uint8
	FillTimeout model.Opt[time.Duration]
}

func (s *Session) handleFetch(h Handler, r *request, m *wire.Fetch) {
	f := &FetchRequest{
		peerRequest: peerRequest{s, r}, Track: m.Track, Range: m.Range,
		Order: m.Params.GroupOrder.Or(model.Ascending), Priority: m.Params.SubscriberPriority.Or(model.DefaultPriority),
	}
	if ms, ok := m.Params.FillTimeout.Get(); ok {
		f.FillTimeout = model.Some(milliseconds(ms))
	}
	if m.FetchKind != wire.FetchStandalone {
		o, err := s.joined(r.ctx, m.JoiningRequestID)
		if err == nil && s.mayNotJoin(o.Terms()) {
			s.fail(violation("joining FETCH of a subscription whose filter is not Largest Object"))
			return
		}
		if err == nil {
			f.Joined, f.Track = o, o.Track
			f.Range, err = o.joiningRange(m)
		}
		if err != nil {
			_ = r.reject(asRequestError(err))
			return
		}
	}
	if s.trace != nil {
		s.traceFetch(r.ctx, r.id, f.Order)
	}
	h.Fetch(r.ctx, f)
}

// joiningRange computes the range of a joining FETCH: it ends where the
// subscription began (section 10.12.2).
func (o *Outbound) joiningRange(m *wire.Fetch) (model.Range, error) {
	o.updating.Lock() // updates that were sent before apply first
	defer o.updating.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	end, known := o.joining.Get()
	switch {
	case !o.terms.Forward && !o.s.dialect.joinsNextObject:
		return model.Range{}, &model.RequestError{Code: model.InvalidRange, Reason: "the subscription does not forward"}
	case !known:
		return model.Range{}, &model.RequestError{Code: model.InvalidRange, Reason: "nothing was published before the subscription"}
	}
	r := model.Range{End: end, Start: model.Location{Group: m.JoiningStart}}
	if m.FetchKind == wire.FetchRelativeJoining {
		r.Start.Group = end.Group - min(end.Group, m.JoiningStart)
	}
	if r.Empty() {
		return r, &model.RequestError{Code: model.InvalidRange, Reason: "the range begins after the subscription"}
	}
	return r, nil
}

// Accept answers with FETCH_OK. It may be called before or after objects are
// sent; info.End must be known.
func (f *FetchRequest) Accept(info FetchInfo) error {
	return f.r.send(&wire.FetchOK{EndOfTrack: info.EndOfTrack, End: info.End, TrackProperties: info.Properties}, false)
}

// Open opens the data stream and returns it with its encoder; the header is
// the first thing to write and is returned too.
func (f *FetchRequest) Open(ctx context.Context) (transport.SendStream, *wire.FetchEncoder, []byte, error) {
	st, err := f.s.conn.OpenUniStream(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	header := wire.AppendFetchHeader(nil, f.s.cfg.Draft, f.r.id)
	return st, wire.NewFetchEncoder(f.s.cfg.Draft, f.Order).Of(f.s.Quirks().Quirks), header, nil
}

// Finish ends the request after its stream was closed.
func (f *FetchRequest) Finish() {
	f.r.finish(errAnswered)
	f.r.lane.close()
}
