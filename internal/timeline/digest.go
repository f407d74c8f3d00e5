package timeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// lossGap is how long after one lost packet another one counts as lost with it.
const lossGap = 10 * time.Millisecond

// digest makes items of the events of one side.
type digest struct {
	t *Trace

	streams  map[int64]string      // the track that the requests of a stream are about
	shared   map[int64]bool        // streams that carry all requests
	requests map[oneWay]string     // by Request ID
	aliases  map[oneWay][]aliasUse // by Track Alias
	folds    map[oneWay]*item      // by stream ID
	grams    map[datagrams]*item   // by group
	ends     map[oneWay]string     // how streams ended
	last     *item                 // the newest
	handlers map[string]func(*rawEvent) error
}

// oneWay is an ID in one of the directions, since each side has its own.
type oneWay struct {
	sent bool
	id   uint64
}

// datagrams are those of one group.
type datagrams struct {
	sent         bool
	alias, group uint64
}

// aliasUse is what a Track Alias means from some time on.
type aliasUse struct {
	at    time.Duration
	track string
}

func newDigest(t *Trace) *digest {
	d := &digest{
		t: t, streams: map[int64]string{}, shared: map[int64]bool{}, requests: map[oneWay]string{}, aliases: map[oneWay][]aliasUse{},
		folds: map[oneWay]*item{}, grams: map[datagrams]*item{}, ends: map[oneWay]string{},
	}
	d.handlers = map[string]func(*rawEvent) error{
		"moqt:control_message_created": d.sentOrRead(true, d.message),
		"moqt:control_message_parsed":  d.sentOrRead(false, d.message),
		"moqt:subgroup_header_created": d.sentOrRead(true, d.subgroup),
		"moqt:subgroup_header_parsed":  d.sentOrRead(false, d.subgroup),
		"moqt:subgroup_object_created": d.sentOrRead(true, d.object),
		"moqt:subgroup_object_parsed":  d.sentOrRead(false, d.object),
		"moqt:fetch_header_created":    d.sentOrRead(true, d.fetch),
		"moqt:fetch_header_parsed":     d.sentOrRead(false, d.fetch),
		"moqt:fetch_object_created":    d.sentOrRead(true, d.fetched),
		"moqt:fetch_object_parsed":     d.sentOrRead(false, d.fetched),
		"moqt:object_datagram_created": d.sentOrRead(true, d.datagram),
		"moqt:object_datagram_parsed":  d.sentOrRead(false, d.datagram),
		"packet_sent":                  d.sentOrRead(true, d.packet),
		"packet_received":              d.sentOrRead(false, d.packet),
		"packet_lost":                  d.lost,
		"datagram_dropped":             d.dropped,
		"congestion_state_updated":     d.congestion,
		"connection_started":           d.started,
		"connection_closed":            d.closed,
		"alpn_information":             d.protocol,
	}
	return d
}

func (d *digest) sentOrRead(sent bool, f func(*rawEvent, bool) error) func(*rawEvent) error {
	return func(ev *rawEvent) error { return f(ev, sent) }
}

// event takes one event. Those that make no line are passed over.
func (d *digest) event(ev *rawEvent) error {
	space, name, _ := strings.Cut(ev.Name, ":")
	if space == "moqt" {
		name = ev.Name
	}
	handle := d.handlers[name]
	switch {
	case space == "loglevel":
		handle = d.word
	case space != "moqt" && space != "transport" && space != "recovery" && space != "quic" && space != "connectivity":
		return nil
	}
	if handle == nil {
		return nil
	}
	if err := handle(ev); err != nil {
		return fmt.Errorf("%s: %w", ev.Name, err)
	}
	return nil
}

// decode reads the data of an event.
func decode(ev *rawEvent, to any) error {
	if len(ev.Data) == 0 {
		return fmt.Errorf("it has no data")
	}
	if err := json.Unmarshal(ev.Data, to); err != nil {
		return plain(err)
	}
	return nil
}

func (d *digest) add(it *item) {
	d.t.items = append(d.t.items, it)
	d.last = it
}

// note adds a line about the trace itself.
func (d *digest) note(at time.Duration, text string) {
	d.add(&item{at: at, kind: Note, local: true, stream: NoStream, text: text})
}

// subgroup begins a stream of objects.
func (d *digest) subgroup(ev *rawEvent, sent bool) error {
	var h struct {
		Stream   uint64  `json:"stream_id"`
		Alias    uint64  `json:"track_alias"`
		Group    uint64  `json:"group_id"`
		Subgroup *uint64 `json:"subgroup_id"`
	}
	if err := decode(ev, &h); err != nil {
		return err
	}
	f := &fold{alias: h.Alias, aliased: true, group: h.Group, header: true}
	if h.Subgroup != nil {
		f.subgroup = *h.Subgroup
	}
	d.open(ev, oneWay{sent, h.Stream}, "SUBGROUP", f)
	return nil
}

// open adds an item for a stream of objects.
func (d *digest) open(ev *rawEvent, id oneWay, what string, f *fold) *item {
	it := &item{at: ev.at, kind: Data, sent: id.sent, stream: streamID(id.id), what: what, key: fmt.Sprintf("s%d", id.id), fold: f}
	f.ended = ev.at
	d.folds[id] = it
	d.add(it)
	return it
}

// streamID is a stream for an item. QUIC has none above 1<<62.
func streamID(id uint64) int64 { return int64(min(id, 1<<62)) }

// rawObject is what the events of objects have in common.
type rawObject struct {
	Stream   uint64  `json:"stream_id"`
	Alias    uint64  `json:"track_alias"`
	Group    uint64  `json:"group_id"`
	Subgroup *uint64 `json:"subgroup_id"`
	Object   uint64  `json:"object_id"`
	Length   uint64  `json:"object_payload_length"`
	Payload  struct {
		Length uint64 `json:"length"`
	} `json:"object_payload"`
}

func (o *rawObject) size() uint64 { return max(o.Length, o.Payload.Length) }

func (d *digest) object(ev *rawEvent, sent bool) error {
	var o rawObject
	if err := decode(ev, &o); err != nil {
		return err
	}
	it := d.folds[oneWay{sent, o.Stream}]
	if it == nil { // its header is missing: events were dropped
		it = d.open(ev, oneWay{sent, o.Stream}, "SUBGROUP", &fold{})
	}
	if o.Subgroup != nil {
		it.fold.subgroup = *o.Subgroup
	}
	it.fold.object(ev.at, o.Group, o.Object, o.size())
	return nil
}

func (d *digest) fetch(ev *rawEvent, sent bool) error {
	var h struct {
		Stream  uint64 `json:"stream_id"`
		Request uint64 `json:"request_id"`
	}
	if err := decode(ev, &h); err != nil {
		return err
	}
	it := d.open(ev, oneWay{sent, h.Stream}, "FETCHED", &fold{kind: fetchFold, request: h.Request})
	it.track = d.requests[oneWay{!sent, h.Request}]
	return nil
}

func (d *digest) fetched(ev *rawEvent, sent bool) error {
	var o rawObject
	if err := decode(ev, &o); err != nil {
		return err
	}
	it := d.folds[oneWay{sent, o.Stream}]
	if it == nil {
		it = d.open(ev, oneWay{sent, o.Stream}, "FETCHED", &fold{kind: fetchFold})
	}
	it.fold.object(ev.at, o.Group, o.Object, o.size())
	return nil
}

func (d *digest) datagram(ev *rawEvent, sent bool) error {
	var o rawObject
	if err := decode(ev, &o); err != nil {
		return err
	}
	id := datagrams{sent, o.Alias, o.Group}
	it := d.grams[id]
	if it == nil {
		it = &item{
			at: ev.at, kind: Data, sent: sent, stream: NoStream, what: "DATAGRAMS", key: fmt.Sprintf("d%d/%d", o.Alias, o.Group),
			fold: &fold{kind: datagramFold, alias: o.Alias, aliased: true},
		}
		d.grams[id] = it
		d.add(it)
	}
	it.fold.object(ev.at, o.Group, o.Object, o.size())
	return nil
}

// packet looks for frames that end streams. Most packets have none, which is
// seen without decoding them.
func (d *digest) packet(ev *rawEvent, sent bool) error {
	if !bytes.Contains(ev.Data, []byte(`"fin"`)) && !bytes.Contains(ev.Data, []byte(`"reset_stream`)) && !bytes.Contains(ev.Data, []byte(`"stop_sending"`)) {
		return nil
	}
	var p struct {
		Frames []struct {
			Type   string          `json:"frame_type"`
			Stream uint64          `json:"stream_id"`
			Fin    bool            `json:"fin"`
			Code   json.RawMessage `json:"error_code"`
			Raw    *uint64         `json:"raw_error_code"`
		} `json:"frames"`
	}
	if err := decode(ev, &p); err != nil {
		return err
	}
	for _, f := range p.Frames {
		switch {
		case f.Type == "stream" && f.Fin:
			if id := (oneWay{sent, f.Stream}); d.ends[id] == "" {
				d.ends[id] = "fin"
			}
		case f.Type == "reset_stream" || f.Type == "reset_stream_at":
			d.givenUp(ev, sent, f.Stream, "RESET_STREAM", d.code(f.Code, f.Raw))
			d.ends[oneWay{sent, f.Stream}] = "reset"
		case f.Type == "stop_sending":
			d.givenUp(ev, sent, f.Stream, "STOP_SENDING", d.code(f.Code, f.Raw))
		}
	}
	return nil
}

// givenUp adds an item for the first of the frames that say so.
func (d *digest) givenUp(ev *rawEvent, sent bool, stream uint64, what, code string) {
	id := oneWay{sent, stream}
	if what == "STOP_SENDING" {
		id.id |= 1 << 63 // no stream has such an ID
	}
	if d.ends[id] == "reset" {
		return
	}
	d.ends[id] = "reset"
	of := oneWay{sent == (what == "RESET_STREAM"), stream} // who writes the stream
	it := &item{at: ev.at, kind: Reset, sent: sent, stream: streamID(stream), what: what, text: code, key: fmt.Sprintf("%s%d", what, stream)}
	if objects := d.folds[of]; objects != nil {
		it.fold = objects.fold // for its track
	} else {
		it.track = d.streams[it.stream]
	}
	d.add(it)
}

// end makes the texts that need to know all of the trace.
func (d *digest) end(at time.Duration) {
	d.t.Length = at
	for _, it := range d.t.items {
		f := it.fold
		if f == nil {
			continue
		}
		if f.aliased && it.track == "" {
			it.track = d.trackOf(oneWay{it.sent == (it.what != "STOP_SENDING"), f.alias}, it.at)
		}
		if it.kind == Reset {
			it.text = strings.TrimSpace(fmt.Sprintf("%s  group %d/%d", it.text, f.group, f.subgroup))
			it.fold = nil
			continue
		}
		if it.stream != NoStream {
			f.end = d.ends[oneWay{it.sent, uint64(it.stream)}]
		}
		it.text = f.text(it.at)
	}
}

// trackOf returns what an alias meant at a time. Objects may overtake the answer
// that says it.
func (d *digest) trackOf(id oneWay, at time.Duration) string {
	uses := d.aliases[id]
	if len(uses) == 0 {
		return fmt.Sprintf("alias %d", id.id)
	}
	track := uses[0].track
	for _, u := range uses {
		if u.at <= at {
			track = u.track
		}
	}
	return track
}
