package streamer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/dial"
	"oxymoq/pkg/media"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

// Publisher priorities of the tracks (section 10.2 of the transport): lower is
// sooner. Those of media are moxygen's. A picture that is late is a nuisance,
// sound that is late a gap, and without a catalog there is neither.
const (
	CatalogPriority = 50
	AudioPriority   = 100
	VideoPriority   = 200
)

// What is kept of a track for late joiners and those who lag: as many groups as
// fit. The newest group is kept however long it is, up to about the bytes.
const (
	KeptVideoGroups = 16
	KeptVideoBytes  = 48 << 20
	KeptAudioGroups = 512 // 10 s of single frames
	KeptAudioBytes  = 4 << 20
)

// Farewell is how long subscribers have to get the last objects and to hear that
// the tracks have ended: after the end of the input, and after a signal.
const (
	Farewell      = 10 * time.Second
	ShortFarewell = time.Second
)

// MaxWait is how long a live input waits at the start for the relay, which may
// not be there yet; then what comes is not published to anybody.
const MaxWait = 2 * time.Second

// Tracks are the names of the tracks of a namespace.
type Tracks struct{ Video, Audio string }

// Streamer publishes what an Input has. Set the fields before Run, which is for
// one call.
type Streamer struct {
	Target dial.Target
	Dial   dial.KeepOptions
	// Namespace and Tracks are what the tracks are called.
	Namespace model.Namespace
	Tracks    Tracks
	// Packaging is how a sample becomes an object.
	Packaging packaging.Name
	Options   packaging.Options
	// AudioSpan is how much time of audio a group has; 0: one frame.
	AudioSpan time.Duration
	// NoCatalog leaves out the track that says what tracks there are.
	NoCatalog bool
	// NoPace publishes as fast as the input can be read.
	NoPace bool
	// Loop begins again when a file ends.
	Loop bool
	// Offer offers the tracks by PUBLISH, instead of publishing the namespace.
	// The other way is tried if the relay does not do the first.
	Offer bool
	// Answer is how long the relay may take to accept the namespace; 0: for
	// ever.
	Answer time.Duration
	// Expiry is how old objects may get before they are dropped, here and by
	// relays (OBJECT_DELIVERY_TIMEOUT); 0: as old as they like.
	Expiry time.Duration
	// ExitOnLoss ends Run when the relay is lost, instead of connecting again.
	ExitOnLoss bool
	// Open opens the input. It is called by Run, while the relay is connected to.
	Open func(ctx context.Context) (*Input, error)
	Log  *slog.Logger

	mux      *moqt.TrackMux
	pace     pacer
	gate     gate
	clock    clock
	roster   roster
	bulletin *bulletin // nil: there is no catalog
	// known is closed when the tracks of the input are, registered when they
	// can be had at the relay.
	known, registered chan struct{}

	mu      sync.Mutex // guards what Status reads
	input   *Input
	outputs []*output
	session *moqt.Session
	elapsed time.Duration // media time
	left    uint64        // samples that no track has
}

// Run publishes until the input ends, when it returns nil, or ctx does, when it
// returns the cause. The error is a sentence for the user: the input cannot be
// read or is damaged, after all that is whole was published, or the relay cannot
// be reached or refuses.
func (s *Streamer) Run(ctx context.Context) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.pace.free = s.NoPace
	s.mux = moqt.NewTrackMux()
	s.known, s.registered = make(chan struct{}), make(chan struct{})
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// What was begun outlives the work, so that it can be ended in good order.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var relay, offers sync.WaitGroup
	relay.Go(func() {
		if err := s.register(work, life, &offers); work.Err() == nil {
			stop(err)
		}
	})
	err := s.stream(work, life)
	if work.Err() != nil {
		err = context.Cause(work)
	}
	for _, o := range s.list() {
		o.end()
	}
	s.bulletin.end(s.list())
	stop(err) // the namespace is taken back
	relay.Wait()
	s.leave(ctx, err, &offers)
	return err
}

// leave ends the session, once all have heard that the tracks have ended.
func (s *Streamer) leave(ctx context.Context, err error, offers *sync.WaitGroup) {
	session := s.current()
	if session == nil {
		return
	}
	limit, told := Farewell, ctx.Done()
	if err != nil {
		limit, told = ShortFarewell, nil
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		offers.Wait()
		s.mux.Linger(limit)
	}()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-over:
	case <-t.C:
	case <-told:
		t.Reset(ShortFarewell)
		select {
		case <-over:
		case <-t.C:
		}
	}
	session.Close()
	<-over
}

func (s *Streamer) current() *moqt.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session
}

func (s *Streamer) list() []*output {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outputs
}

// objects returns how many were published.
func (s *Streamer) objects() (n uint64) {
	for _, o := range s.list() {
		n += o.counts().Objects
	}
	return n
}

// register connects to the relay and makes the tracks known there until ctx
// ends, or it is lost and not to come back. What the relay has accepted goes on.
func (s *Streamer) register(ctx, life context.Context, offers *sync.WaitGroup) error {
	opts := s.Dial
	opts.Log = s.Log
	session, err := moqt.Connect(ctx, s.Target, opts, s.mux)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.session = session
	s.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	worked := make(chan struct{})
	watching.Go(func() { s.watch(ctx, session, worked, cancel) })
	select {
	case <-s.known:
		r := registration{
			session: session, namespace: s.Namespace, tracks: &s.roster, offer: s.Offer, answer: s.Answer,
			life: life, offers: offers, log: s.Log,
			accepted: sync.OnceFunc(func() { close(worked); close(s.registered) }),
		}
		err = r.run(ctx)
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// errUseless is said of a relay with which no session lasts.
var errUseless = errors.New("it ends every session at once")

// watch ends what is done if a session is lost that is not to be replaced: any
// with ExitOnLoss, and one that never was of use.
func (s *Streamer) watch(ctx context.Context, session *moqt.Session, worked <-chan struct{}, fail func(error)) {
	accepted := func() bool {
		select {
		case <-worked:
			return true
		default:
			return false
		}
	}
	for {
		find, stop := context.WithCancel(ctx)
		if !accepted() && !s.Dial.RetryFirst { // then one that lasts must come soon
			find, stop = context.WithTimeoutCause(ctx, cmp.Or(s.Dial.Timeout, moqt.DefaultDialTimeout), errUseless)
		}
		now, err := session.Current(find)
		stop()
		if errors.Is(err, errUseless) {
			fail(dial.Failure(s.Target, s.Dial.Options, err))
		}
		if err != nil {
			return // registration ends with the same
		}
		select {
		case <-now.Context().Done():
		case <-ctx.Done():
			return
		}
		switch {
		case session.Stats().Connected: // it has moved
		case !accepted() && !s.Dial.RetryFirst:
			fail(dial.Failure(s.Target, s.Dial.Options, now.Err()))
			return
		case accepted() && s.ExitOnLoss:
			fail(fmt.Errorf("lost %v: %w", s.Target, now.Err()))
			return
		}
	}
}

// stream reads samples and publishes them until the input ends.
func (s *Streamer) stream(ctx, life context.Context) error {
	in, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	if s.Loop && in.Live {
		return fmt.Errorf("%s cannot loop: %w", in.Name, ErrNotRepeatable)
	}
	s.mu.Lock()
	s.input = in
	s.mu.Unlock()
	d := demux(in, s.Log)
	from := look(d)
	if err := s.begin(ctx, life, from, in.Live); err != nil {
		return err
	}
	for before := uint64(0); ; before = s.leftOut() {
		err := s.round(ctx, life, from, func() uint64 { return before + d.leftOut() })
		d.report(s.Log)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("%s: %w", in.Name, err)
		case s.objects() == 0:
			return fmt.Errorf("%s has neither video nor audio that can be published", in.Name)
		case !s.Loop:
			return nil
		}
		if err := in.Rewind(); err != nil {
			return fmt.Errorf("%s: %w", in.Name, bare(err))
		}
		s.clock.rewind()
		d = demux(in, s.Log)
		from = &probe{from: d}
	}
}

// begin makes the tracks of an input known and waits until they can be had at
// the relay; a live input waits no longer than MaxWait.
func (s *Streamer) begin(ctx, life context.Context, from *probe, live bool) error {
	if len(from.head) == 0 {
		return nil // the end, or an error, comes next
	}
	if !s.NoCatalog {
		w, err := s.publish(life, s.CatalogName(), moqt.WithPriority(CatalogPriority), moqt.Keep(KeptCatalogs, KeptCatalogBytes))
		if err != nil {
			return err
		}
		s.bulletin = &bulletin{writer: w, packaging: s.Packaging, log: s.Log}
	}
	for _, sample := range from.head {
		o, err := s.output(life, sample)
		if err != nil {
			return err
		}
		if o.told == nil {
			o.tell(sample.Format)
		}
	}
	s.bulletin.tell(s.list(), false)
	close(s.known)
	var enough <-chan time.Time
	if live {
		s.pace.begin(from.at, from.head[0].DTS)
		t := time.NewTimer(MaxWait)
		defer t.Stop()
		enough = t.C
	}
	select {
	case <-s.registered:
	case <-enough:
		s.Log.Warn("the relay is not there yet; the input is read on")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// output returns the track of a sample, and makes it if there is none yet. The
// caller tells it to the catalog.
func (s *Streamer) output(life context.Context, sample *media.Sample) (*output, error) {
	kind := sample.Format.Codec.Kind()
	for _, o := range s.list() {
		if o.kind == kind {
			return o, nil
		}
	}
	p, err := packaging.NewPacker(s.Packaging, kind, s.Options)
	if err != nil {
		return nil, err
	}
	o := &output{kind: kind, packer: p, log: s.Log, frame: moqt.NewFrame(0)}
	opts := []moqt.TrackOption{moqt.WithPriority(VideoPriority), moqt.Keep(KeptVideoGroups, KeptVideoBytes)}
	o.name = s.Tracks.Video
	if kind == media.Audio {
		opts = []moqt.TrackOption{moqt.WithPriority(AudioPriority), moqt.Keep(KeptAudioGroups, KeptAudioBytes)}
		o.name, o.span = s.Tracks.Audio, s.AudioSpan
	}
	if s.Expiry > 0 {
		ms := uint64(max(1, s.Expiry.Milliseconds()))
		opts = append(opts, moqt.WithProperties(moqt.Properties{{Type: model.PropObjectDeliveryTimeout, Int: ms}}))
	}
	if o.writer, err = s.publish(life, o.name, opts...); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.outputs = append(slices.Clone(s.outputs), o) // others may be reading the list
	slices.SortFunc(s.outputs, func(a, b *output) int { return cmp.Compare(a.kind, b.kind) })
	s.mu.Unlock()
	return o, nil
}

// publish makes a track known to who asks, and to the relay.
func (s *Streamer) publish(life context.Context, name string, opts ...moqt.TrackOption) (*moqt.TrackWriter, error) {
	w, err := s.mux.PublishTrack(life, moqt.TrackName{Namespace: s.Namespace, Name: name}, opts...)
	if err != nil {
		return nil, err
	}
	s.roster.add(w)
	return w, nil
}

// round publishes what a source has. left is how many samples were left out so far.
func (s *Streamer) round(ctx, life context.Context, from source, left func() uint64) error {
	for {
		sample, err := from.Next()
		s.mu.Lock()
		s.elapsed, s.left = s.clock.elapsed(), left()
		s.mu.Unlock()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.clock.set(sample)
		if err := s.gate.pass(ctx); err != nil {
			return err
		}
		if sample.Captured, err = s.pace.wait(ctx, sample.DTS); err != nil {
			return err
		}
		o, err := s.output(life, sample)
		if err != nil {
			return err
		}
		if sample.Key && !o.told.Same(sample.Format) {
			o.tell(sample.Format)
			s.bulletin.tell(s.list(), false)
		}
		if err := o.write(sample); err != nil {
			return err
		}
	}
}

// leftOut is how many samples of the input no track has.
func (s *Streamer) leftOut() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}
