package admin

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"oxymoq/pkg/observe"
)

// Freshness is how old a state may be that is shown: within it all readers get the
// same one, so that their number does not matter to the relay.
const Freshness = 200 * time.Millisecond

// snapshots keeps the newest state of a Source.
type snapshots struct {
	source observe.Source
	turn   chan struct{} // holds one entry while newest is looked at or changed
	newest *snapshot
	taken  time.Time
}

func newSnapshots(s observe.Source) *snapshots {
	return &snapshots{source: s, turn: make(chan struct{}, 1)}
}

// get returns a state that is at most Freshness old.
func (s *snapshots) get(ctx context.Context) (*snapshot, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.newest != nil && time.Since(s.taken) < Freshness {
		return s.newest, nil
	}
	state, err := s.source.State(ctx)
	if err != nil {
		return nil, err
	}
	s.newest, s.taken = &snapshot{State: state}, time.Now()
	return s.newest, nil
}

// forget has the next reader get a state from after this moment.
func (s *snapshots) forget() {
	s.turn <- struct{}{}
	s.newest = nil
	<-s.turn
}

// snapshot is a state with its JSON, which is made when it is wanted first.
type snapshot struct {
	*observe.State
	once sync.Once
	json []byte
	etag string
	err  error

	zip    sync.Once
	zipped []byte
}

// encode makes the JSON and its tag, which is the same for two states that differ
// in their time only.
func (s *snapshot) encode() ([]byte, string, error) {
	s.once.Do(func() {
		if s.json, s.err = json.Marshal(s.State); s.err != nil {
			return
		}
		timeless := s.json
		if _, after, ok := bytes.Cut(s.json, []byte(`,"relay":`)); ok { // the field after the time
			timeless = after
		}
		sum := sha256.Sum256(timeless)
		s.etag = `W/"` + hex.EncodeToString(sum[:12]) + `"`
		s.json = append(s.json, '\n')
	})
	return s.json, s.etag, s.err
}

// compress returns the JSON of encode, compressed.
func (s *snapshot) compress() []byte {
	s.zip.Do(func() {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is a valid one
		_, _ = z.Write(s.json)                          // a buffer takes everything
		_ = z.Close()
		s.zipped = b.Bytes()
	})
	return s.zipped
}
