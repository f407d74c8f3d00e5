package wire

import (
	"fmt"
	"slices"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// encoder appends the fields of one message. The first value that cannot be
// written is remembered; what follows is written all the same and thrown away.
type encoder struct {
	b     []byte
	kind  varint.Kind
	ctx   Context
	table *draftTable
	err   error
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

func (e *encoder) uint(v uint64) {
	if v > e.kind.Max() {
		e.fail("%d: %w", v, varint.ErrTooLarge)
		v = 0
	}
	e.b = e.kind.Append(e.b, v)
}

func (e *encoder) byte(v byte) { e.b = append(e.b, v) }

// string writes a length and s.
func (e *encoder) string(field, s string, max int) {
	if len(s) > max {
		e.fail("%s has %d bytes, at most %d are allowed", field, len(s), max)
	}
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) location(l model.Location) {
	e.uint(l.Group)
	e.uint(l.Object)
}

func (e *encoder) namespace(ns model.Namespace) {
	if err := ns.Validate(); err != nil {
		e.fail("%w", err)
	}
	e.uint(uint64(len(ns)))
	for _, f := range ns {
		e.string("namespace field", f, maxNameLen)
	}
}

// wholeNamespace writes a Track Namespace that is not a part of one.
func (e *encoder) wholeNamespace(ns model.Namespace) {
	if len(ns) == 0 && e.table.namespacesHaveFields {
		e.fail("draft %v has no namespace without fields", e.ctx.Draft)
	}
	e.namespace(ns)
}

// prefix writes a Track Namespace Prefix.
func (e *encoder) prefix(ns model.Namespace) {
	if len(ns) == 0 && e.table.prefixesHaveFields {
		e.fail("draft %v has no prefix without fields", e.ctx.Draft)
	}
	e.namespace(ns)
}

// requestID writes the Request ID of what answers or ends a request, where it is
// not the stream that says which.
func (e *encoder) requestID(id uint64) {
	if e.table.requestIDs {
		e.uint(id)
	}
}

func (e *encoder) trackName(n model.FullTrackName) {
	e.wholeNamespace(n.Namespace)
	e.string("track name", n.Name, maxNameLen-n.Namespace.Len())
}

// prefixed writes what write appends, after its length in bytes.
func (e *encoder) prefixed(write func()) {
	start := len(e.b)
	write()
	value := append([]byte(nil), e.b[start:]...)
	e.b = e.b[:start]
	e.uint(uint64(len(value)))
	e.b = append(e.b, value...)
}

// trackProperties writes what is known of a track.
func (e *encoder) trackProperties(p model.Properties) {
	if !e.table.trackProperties {
		return
	}
	e.properties(p)
}

// properties writes the track properties that take the rest of a message. What
// the draft cannot say is left out, unless the track cannot be read without it.
func (e *encoder) properties(p model.Properties) {
	form := PropertyFormOf(e.ctx.Draft)
	e.pairs(form, slices.DeleteFunc(slices.Clone(p), form.cannotSay), insideForm)
}

// keyValues writes a list of Key-Value-Pairs that are no properties.
func (e *encoder) keyValues(p model.Properties) {
	form := PropertyFormOf(e.ctx.Draft)
	e.pairs(form, p, form)
}

func (e *encoder) pairs(form PropertyForm, p model.Properties, inside PropertyForm) {
	b, err := appendPairs(e.b, form, p, inside)
	if err != nil {
		e.fail("%w", err)
		return
	}
	e.b = b
}
