package moqt

import (
	"io"
	"slices"

	"oxymoq/pkg/model"
)

// Frame is an object on its way in or out: a payload, properties, and the
// object's place. It belongs to the caller and is made to be used again: reading
// into a Frame and writing one allocate nothing in the long run.
//
// A Frame that was read keeps its object ID when it is written again, so that a
// relay preserves the IDs. After Reset it has none, and gets the next free one
// of the group it is written to.
//
// A Frame is for one goroutine at a time.
type Frame struct {
	body   []byte
	props  Properties
	at     Location
	placed bool // at.Object is set
}

// NewFrame returns an empty frame with room for a payload of capacity bytes; it
// grows as needed.
func NewFrame(capacity int) *Frame { return &Frame{body: make([]byte, 0, max(capacity, 0))} }

// Body returns the payload. It is valid until the frame is read into, reset or
// written to.
func (f *Frame) Body() []byte { return f.body }

// Len returns the length of the payload in bytes.
func (f *Frame) Len() int { return len(f.body) }

// Cap returns the room for a payload in bytes.
func (f *Frame) Cap() int { return cap(f.body) }

// Write appends to the payload. It never fails.
func (f *Frame) Write(p []byte) (int, error) {
	f.body = append(f.body, p...)
	return len(p), nil
}

// WriteString appends to the payload.
func (f *Frame) WriteString(s string) (int, error) {
	f.body = append(f.body, s...)
	return len(s), nil
}

// WriteTo writes the payload to w. It does not change the frame.
func (f *Frame) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(f.body)
	return int64(n), err
}

// Reset makes the frame empty and keeps its memory.
func (f *Frame) Reset() { *f = Frame{body: f.body[:0]} }

// Clone returns a copy that shares nothing with f that changes.
func (f *Frame) Clone() *Frame {
	c := *f
	c.body = slices.Clone(f.body)
	return &c
}

// Location returns the place of the object that was read.
func (f *Frame) Location() Location { return f.at }

// ObjectID returns the object's ID; ok is false if it has none yet.
func (f *Frame) ObjectID() (id uint64, ok bool) { return f.at.Object, f.placed }

// SetObjectID says which ID the object has in the group it is written to.
func (f *Frame) SetObjectID(id uint64) { f.at.Object, f.placed = id, true }

// Properties returns the properties of the object, which must not be changed.
func (f *Frame) Properties() Properties { return f.props }

// SetProperties gives the object properties, in ascending order of type. The
// list must not be changed afterwards.
func (f *Frame) SetProperties(p Properties) { f.props = p }

// fill makes f the object o, and returns the memory that f had.
func (f *Frame) fill(o *model.Object) (spare []byte) {
	spare = f.body
	*f = Frame{body: o.Payload, props: o.Properties, at: o.Location, placed: true}
	return spare
}
