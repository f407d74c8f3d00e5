package track

import (
	"math"
	"slices"
	"sort"
	"time"

	"oxymoq/pkg/model"
)

// SubgroupKey names a subgroup of a track.
type SubgroupKey struct{ Group, Subgroup uint64 }

// FirstObject tells whether the first object on a stream is known to be the
// first that was ever published in its subgroup.
type FirstObject uint8

// Values of FirstObject. Drafts up to 16 cannot say.
const (
	FirstUnknown FirstObject = iota
	FirstYes
	FirstNo
)

// SubgroupInfo is what the header of a subgroup stream says.
type SubgroupInfo struct {
	Priority   model.Opt[uint8] // absent: the track's default
	EndOfGroup bool             // the last object before FIN is the group's last
	First      FirstObject
	Properties bool // every object header has a list of properties
	Form       Form
}

// entry is one object in a run.
type entry struct {
	id      uint64
	start   int64  // offset in the log of the header
	end     int64  // offset after the payload; while it is written, what there is
	seq     uint64 // position in the track's order of completion; unfinished while it is written
	arrival int64  // nanoseconds since Track.birth
	head    uint32 // length of the header
	status  model.ObjectStatus
	last    bool // a datagram that ends its group
	sealed  bool // has immutable properties
}

// unfinished is the seq of an object that is being written.
const unfinished = math.MaxUint64

// Bytes that the bookkeeping is taken to cost.
const (
	entryCost    = 80
	runCost      = 512
	groupCost    = 256
	subgroupCost = 192
)

type runState uint8

const (
	runOpen     runState = iota
	runFinished          // FIN: nothing of the subgroup follows
	runReset             // no more comes here, although more may exist
	runEvicted           // its bytes are gone
)

// Run is the objects of one subgroup that travel on one stream, in the order of
// their IDs. Its exported methods return what never changes.
type Run struct {
	track    *Track
	group    *group
	epoch    uint64
	key      SubgroupKey
	info     SubgroupInfo
	datagram bool // holds datagrams, in order of ID, which need not be that of arrival

	// All below is guarded by track.mu.
	log      byteLog
	index    []entry
	trimmed  int   // entries that left the front
	size     int64 // offset up to which readers may go
	partial  bool  // the last entry is being written
	state    runState
	code     model.ResetCode // of runReset
	closed   time.Time       // when it was finished or reset
	first    FirstObject     // of the first entry
	promised uint64          // payload length of the object that is being written
	// The newest of the objects that left the front.
	cutID, cutSeq uint64
	// purged is up to which number objects left because of Purge, expired because
	// of their age.
	purged  int
	expired int
	ended   runState // of an evicted run: the state before, runFinished or not
	waiting lot      // readers

	translations []*translation
}

// Key names the subgroup.
func (r *Run) Key() SubgroupKey { return r.key }

// Priority is the publisher's priority of the subgroup, absent for the default.
func (r *Run) Priority() model.Opt[uint8] { return r.info.Priority }

// EndOfGroup reports whether the end of the run is the end of its group.
func (r *Run) EndOfGroup() bool { return r.info.EndOfGroup }

// HasProperties reports whether objects of the run may have properties.
func (r *Run) HasProperties() bool { return r.info.Properties }

// Form is the form in which the objects are held.
func (r *Run) Form() Form { return r.info.Form }

// FinishedAt returns when the end of the subgroup came, if it has.
func (r *Run) FinishedAt() (time.Time, bool) {
	r.track.mu.Lock()
	defer r.track.mu.Unlock()
	return r.closed, r.state == runFinished
}

// Gone reports whether the run was evicted.
func (r *Run) Gone() bool {
	r.track.mu.Lock()
	defer r.track.mu.Unlock()
	return r.state == runEvicted || r.epoch != r.track.epoch
}

// total is the number of objects that ever were in the run.
func (r *Run) total() int { return r.trimmed + len(r.index) }

// entry returns the object of an absolute number that is retained.
func (r *Run) entry(i int) *entry { return &r.index[i-r.trimmed] }

// last returns the newest object, nil if there is none.
func (r *Run) last() *entry {
	if n := len(r.index); n > 0 {
		return &r.index[n-1]
	}
	return nil
}

// find returns the retained object of an ID, complete or not.
func (r *Run) find(id uint64) *entry {
	i := sort.Search(len(r.index), func(i int) bool { return r.index[i].id >= id })
	if i < len(r.index) && r.index[i].id == id {
		return &r.index[i]
	}
	return nil
}

// prevFor returns the ID before a new last object, absent for the first.
func (r *Run) prevFor() model.Opt[uint64] {
	if e := r.last(); e != nil && !r.datagram {
		return model.Some(e.id)
	}
	return model.Opt[uint64]{}
}

// begin writes a header and, if whole is set, the payload, and appends the entry.
func (r *Run) begin(h ObjectHeader, payload []byte, whole bool) error {
	t := r.track
	head, err := r.info.Form.AppendObject(t.scratch[:0], r.prevFor(), h)
	if err != nil {
		return err
	}
	t.scratch = head
	e := entry{
		id: h.ID, seq: unfinished, arrival: int64(time.Since(t.birth)),
		head: uint32(len(head)), status: h.Status, sealed: h.Immutable,
	}
	if whole {
		r.log.appendWhole(head, payload)
	} else {
		r.log.appendWhole(head, nil)
		r.log.appendSplit(payload)
	}
	e.end = r.log.end
	e.start = e.end - int64(len(head)) - int64(len(payload))
	r.insert(e)
	r.size = r.log.end
	r.partial, r.promised = true, h.PayloadLen
	t.account.add(entryCost)
	return nil
}

// insert appends e; among datagrams it finds its place.
func (r *Run) insert(e entry) {
	if last := r.last(); !r.datagram || last == nil || last.id < e.id {
		r.index = append(r.index, e)
		return
	}
	i := sort.Search(len(r.index), func(i int) bool { return r.index[i].id > e.id })
	r.index = append(r.index, entry{})
	copy(r.index[i+1:], r.index[i:])
	r.index[i] = e
}

// write adds payload to the object that is being written.
func (r *Run) write(p []byte) {
	r.log.appendSplit(p)
	r.last().end = r.log.end
	r.size = r.log.end
}

// cut removes the object that is being written.
func (r *Run) cut() {
	e := r.last()
	r.size = e.start
	r.index = r.index[:len(r.index)-1]
	r.partial = false
	r.track.account.add(-entryCost)
}

// close ends the run and wakes its readers.
func (r *Run) close(s runState, code model.ResetCode) {
	if r.state != runOpen {
		return
	}
	r.state, r.code = s, code
	r.closed = time.Now()
	r.waiting.moveTo(&r.track.waking)
}

// evict drops the bytes and wakes the readers.
func (r *Run) evict(why eviction) {
	t := r.track
	if r.state == runEvicted {
		return
	}
	if r.partial {
		r.cut()
	}
	t.evicted(len(r.index), why)
	t.account.add(-entryCost*int64(len(r.index)) - runCost)
	r.trimmed += len(r.index)
	switch why {
	case evictPurge:
		r.purged = r.trimmed
	case evictExpired:
		r.expired = r.trimmed
	}
	r.index = nil
	r.forgetTranslations()
	r.log.dropAll()
	r.ended, r.state = r.state, runEvicted
	r.waiting.moveTo(&t.waking)
}

// trim drops the first chunk with all objects that begin in it, unless it is
// the last or holds part of the newest object. It returns the bytes freed.
func (r *Run) trim() (freed int64) {
	if len(r.log.chunks) < 2 || len(r.index) == 0 {
		return 0
	}
	c := r.log.chunks[0]
	edge := c.end()
	gone := func(e entry) bool { return e.start < edge }
	var n int
	if r.datagram {
		n = len(r.index)
		r.index = slices.DeleteFunc(r.index, func(e entry) bool {
			if gone(e) {
				r.group.lose(e.id)
			}
			return gone(e)
		})
		n -= len(r.index)
		r.track.dead += n
	} else {
		n = sort.Search(len(r.index), func(i int) bool { return !gone(r.index[i]) })
		if n == len(r.index) {
			return 0
		}
		for _, e := range r.index[:n] {
			r.group.lose(e.id)
		}
		r.cutID, r.cutSeq = r.index[n-1].id, r.index[n-1].seq
		r.index = r.index[n:]
	}
	r.trimmed += n
	r.track.account.add(-entryCost * int64(n))
	r.track.evicted(n, evictMemory)
	freed = int64(cap(c.buf)) + int64(n)*entryCost
	r.log.dropBefore(edge)
	return freed
}

// object fills o with the object of e; its slices are pinned in pins.
func (r *Run) object(o *Object, e *entry, pins []*chunk) []*chunk {
	var head [1][]byte
	h, pins := r.log.pieces(head[:0], pins, e.start, e.start+int64(e.head)) // one piece: written whole
	*o = Object{
		Location: model.Location{Group: r.key.Group, Object: e.id},
		Subgroup: r.key.Subgroup, Datagram: r.datagram, EndOfGroup: e.last,
		Priority: r.info.Priority, Status: e.status,
		Properties: r.info.Form.Properties(h[0]), Form: r.info.Form, Immutable: e.sealed,
		Payload: o.Payload[:0], Arrival: r.track.birth.Add(time.Duration(e.arrival)),
	}
	o.Payload, pins = r.log.pieces(o.Payload, pins, e.start+int64(e.head), e.end)
	return pins
}
