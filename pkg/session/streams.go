package session

import (
	"context"
	"errors"
	"io"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// acceptUniStreams serves the peer's control and data streams until the
// connection ends.
func (s *Session) acceptUniStreams() {
	control := make(chan struct{}, 1) // taken by the one control stream
	for {
		stream, err := s.conn.AcceptUniStream(s.ctx)
		if err != nil {
			return
		}
		s.loops.Go(func() {
			if err := s.serveUniStream(stream, control); err != nil {
				s.fail(err)
			}
		})
	}
}

// serveUniStream finds out what a stream is and reads it to its end. An error
// that is returned may close the session.
func (s *Session) serveUniStream(stream transport.ReceiveStream, control chan struct{}) error {
	w := newWindow(stream, s.cfg.Draft, s.cfg.Limits.HeaderTimeout)
	var typ uint64
	var header int
	err := w.parse(func(in *varint.Reader) error {
		typ = in.Uint()
		header = in.Offset()
		return in.Err()
	})
	if err != nil {
		return s.streamBroken(stream, err)
	}
	kind, err := wire.UniStreamKind(s.cfg.Draft, typ)
	if err != nil {
		return err
	}
	if kind == wire.UniControl {
		select {
		case control <- struct{}{}:
		default:
			return violation("second control stream")
		}
		w.r -= header // the stream type is the type of SETUP as well
		return s.serveControl(&messageReader{window: w})
	}
	select { // data may overtake SETUP
	case <-s.setupDone:
	case <-s.ctx.Done():
		return nil
	}
	switch kind {
	case wire.UniSubgroup:
		return s.serveSubgroup(stream, w, typ)
	case wire.UniFetch:
		return s.serveFetchStream(stream, w)
	default: // padding: read and dropped (section 11.5)
		s.drain(w)
		return nil
	}
}

// streamBroken sorts the ends of a stream whose header did not come: a reset
// or a stall costs only the stream, an early FIN the session.
func (s *Session) streamBroken(stream transport.ReceiveStream, err error) error {
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return violation("a data stream ends within its header")
	case errors.Is(err, errStalled):
		stream.CancelRead(wire.ResetCodeToWire(s.cfg.Draft, model.ResetCancelled))
		return nil
	}
	return err
}

// drain reads to the end of the stream; how it ends does not matter.
func (s *Session) drain(w *window) {
	buf := make([]byte, windowSize)
	for {
		if _, err := w.read(buf); err != nil {
			return
		}
	}
}

func (s *Session) serveSubgroup(stream transport.ReceiveStream, w *window, typ uint64) error {
	var h wire.SubgroupHeader
	err := w.parse(func(in *varint.Reader) (err error) {
		h, err = wire.ParseSubgroupHeader(s.cfg.Draft, typ, in)
		return err
	})
	if err != nil {
		return s.streamBroken(stream, err)
	}
	if s.trace != nil {
		copied := h
		s.traced(false, stream, &copied)
	}
	in, code := s.await(h.TrackAlias)
	if in == nil {
		stream.CancelRead(wire.ResetCodeToWire(s.cfg.Draft, code))
		return nil
	}
	r := &SubgroupReader{
		s: s, in: in, Header: h, stream: stream, window: w,
		form: wire.FormOf(s.cfg.Draft, h.Properties),
	}
	if s.trace != nil {
		r.trace = r.traceObject
	}
	in.streamBegan()
	defer in.streamEnded()
	stop := context.AfterFunc(in.ctx, func() { r.Cancel(model.ResetCancelled) })
	defer stop()
	in.receiver.ReceiveSubgroup(r)
	r.Cancel(model.ResetCancelled) // unless it was read to its end
	return r.fatal
}

// parking holds data that came before the message that explains its alias
// (section 11.4.2). Guarded by Session.mu.
type parking struct {
	byAlias   map[uint64]*parkingLot
	streams   int
	datagrams int
}

// parkingLot is what waits for one alias.
type parkingLot struct {
	known     chan struct{} // closed when the alias is registered or refused
	in        *Inbound      // nil: refused
	waiting   int           // streams
	datagrams []parkedDatagram
}

type parkedDatagram struct {
	raw  []byte
	came time.Time
}

// lotLocked returns the lot of an alias, making it if need be.
func (p *parking) lotLocked(alias uint64) *parkingLot {
	lot := p.byAlias[alias]
	if lot == nil {
		lot = &parkingLot{known: make(chan struct{})}
		p.byAlias[alias] = lot
	}
	return lot
}

// await returns the subscription of an alias, waiting for it if need be. It
// returns nil and a code for the sender if there is none.
func (s *Session) await(alias uint64) (*Inbound, model.ResetCode) {
	s.mu.Lock()
	if in := s.inbound[alias]; in != nil {
		s.mu.Unlock()
		return in, 0
	}
	if s.gone.has(alias) {
		s.mu.Unlock()
		return nil, model.ResetCancelled
	}
	if s.parked.streams >= s.cfg.Limits.ParkedStreams {
		s.mu.Unlock()
		return nil, model.ResetExcessiveLoad
	}
	lot := s.parked.lotLocked(alias)
	lot.waiting++
	s.parked.streams++
	s.mu.Unlock()

	timeout := time.NewTimer(s.cfg.Limits.AliasWait)
	defer timeout.Stop()
	select {
	case <-lot.known:
	case <-timeout.C:
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked.streams--
	lot.waiting--
	s.tidyLocked(alias, lot)
	return lot.in, model.ResetCancelled
}

// tidyLocked forgets a lot in which nothing waits any more.
func (s *Session) tidyLocked(alias uint64, lot *parkingLot) {
	if lot.waiting == 0 && len(lot.datagrams) == 0 && s.parked.byAlias[alias] == lot {
		delete(s.parked.byAlias, alias)
	}
}

// register makes an Inbound known under its alias and lets in what waited.
func (s *Session) register(in *Inbound) error {
	s.mu.Lock()
	if s.inbound[in.alias] != nil {
		s.mu.Unlock()
		return &model.SessionError{Code: model.DuplicateTrackAlias, Reason: "track alias is in use for another track"}
	}
	s.inbound[in.alias] = in
	lot := s.parked.byAlias[in.alias]
	var datagrams []parkedDatagram
	if lot != nil {
		lot.in = in
		close(lot.known)
		datagrams = lot.datagrams
		s.parked.datagrams -= len(datagrams)
		lot.datagrams = nil
		delete(s.parked.byAlias, in.alias)
	}
	s.mu.Unlock()
	for _, d := range datagrams {
		if time.Since(d.came) <= s.cfg.Limits.AliasWait {
			s.deliverDatagram(in, d.raw)
		}
	}
	return nil
}

// forgetAlias drops what waits for an alias that was refused.
func (s *Session) forgetAlias(alias uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inbound[alias] != nil {
		return
	}
	s.gone.add(alias)
	if lot := s.parked.byAlias[alias]; lot != nil {
		close(lot.known)
		s.parked.datagrams -= len(lot.datagrams)
		delete(s.parked.byAlias, alias)
	}
}

// receiveDatagrams serves datagrams until the connection ends.
func (s *Session) receiveDatagrams() {
	select {
	case <-s.setupDone:
	case <-s.ctx.Done():
		return
	}
	for {
		b, err := s.conn.ReceiveDatagram(s.ctx)
		if err != nil {
			return
		}
		if err := s.receiveDatagram(b); err != nil {
			s.fail(err)
			return
		}
	}
}

func (s *Session) receiveDatagram(b []byte) error {
	d, padding, err := wire.ParseDatagram(s.cfg.Draft, b)
	if err != nil || padding {
		return datagramError(err)
	}
	if s.trace != nil {
		copied := d
		s.traced(false, nil, &copied)
	}
	s.mu.Lock()
	in := s.inbound[d.TrackAlias]
	if in == nil {
		if !s.gone.has(d.TrackAlias) && s.parked.datagrams < s.cfg.Limits.ParkedDatagrams {
			lot := s.parked.lotLocked(d.TrackAlias)
			lot.datagrams = append(lot.datagrams, parkedDatagram{b, time.Now()})
			s.parked.datagrams++
			s.expireDatagrams(d.TrackAlias, lot)
		}
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	in.receiver.ReceiveDatagram(&d)
	return nil
}

// datagramError makes an end within a datagram final: no more bytes can come.
func datagramError(err error) error {
	if errors.Is(err, varint.ErrTruncated) {
		return violation("datagram ends within its header")
	}
	return err
}

// expireDatagrams drops the datagrams of a lot when their alias stays unknown;
// one timer per lot, started with its first datagram.
func (s *Session) expireDatagrams(alias uint64, lot *parkingLot) {
	if len(lot.datagrams) != 1 {
		return
	}
	t := time.AfterFunc(s.cfg.Limits.AliasWait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.parked.datagrams -= len(lot.datagrams)
		lot.datagrams = nil
		s.tidyLocked(alias, lot)
	})
	context.AfterFunc(s.ctx, func() { t.Stop() })
}

func (s *Session) deliverDatagram(in *Inbound, raw []byte) {
	if d, _, err := wire.ParseDatagram(s.cfg.Draft, raw); err == nil { // it parsed before
		in.receiver.ReceiveDatagram(&d)
	}
}
