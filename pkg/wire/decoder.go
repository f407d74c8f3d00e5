package wire

import (
	"errors"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// The rules that input can break, in words for people.
var (
	errUnknownType     = errors.New("unknown type")
	errWrongStream     = errors.New("does not travel on this stream")
	errWrongReceiver   = errors.New("is not for this side")
	errWrongAnswer     = errors.New("does not answer such a request")
	errShort           = errors.New("ends before its last field")
	errTrailing        = errors.New("bytes left after the last field")
	errTooLong         = errors.New("too long")
	errOverflow        = errors.New("exceeds 2^64-1")
	errValue           = errors.New("value not allowed")
	errTooManyField    = errors.New("more than 32 fields")
	errNoField         = errors.New("no fields")
	errEmptyField      = errors.New("field of length 0")
	errNotPermitted    = errors.New("not permitted here")
	errDuplicate       = errors.New("more than once")
	errEmptyProperties = errors.New("bit for properties set and length 0")
)

// decoder reads the fields of one bounded structure. The first field that
// breaks a rule ends it: later reads return zero values, so a message reads all
// its fields without asking.
type decoder struct {
	r       varint.Reader
	base    int // offset of the first byte of r in the message
	ctx     Context
	table   *draftTable
	message string
	code    model.SessionCode // of a structure that does not add up
	err     *ParseError
	soft    *ParseError // a broken rule that does not end the session
}

// fail records that a field broke a rule.
func (d *decoder) fail(field string, err error) { d.failCode(field, d.code, err) }

func (d *decoder) failCode(field string, code model.SessionCode, err error) {
	if d.err == nil {
		d.err = &ParseError{Message: d.message, Field: field, Offset: d.base + d.r.Offset(), Err: err, Code: code}
		d.r.Fail(err)
	}
}

// check turns an error of the reader into one of the field. A body is bounded:
// running out of it is a mistake of the peer, not a wish for more bytes.
func (d *decoder) check(field string) {
	if err := d.r.Err(); err != nil && d.err == nil {
		if err == varint.ErrTruncated {
			err = errShort
		}
		d.fail(field, err)
	}
}

func (d *decoder) uint(field string) uint64 {
	v := d.r.Uint()
	d.check(field)
	return v
}

func (d *decoder) byte(field string) byte {
	v := d.r.Byte()
	d.check(field)
	return v
}

// flag reads a byte that is 0 or 1.
func (d *decoder) flag(field string) bool {
	v := d.byte(field)
	if v > 1 {
		d.fail(field, errValue)
	}
	return v == 1
}

// string reads a length of at most max and as many bytes.
func (d *decoder) string(field string, max uint64) string {
	b := d.r.LengthPrefixed(max, errTooLong)
	d.check(field)
	return string(b)
}

// rest reads all bytes that are left, as a copy; nil if there are none.
func (d *decoder) rest() []byte { return append([]byte(nil), d.r.Rest()...) }

func (d *decoder) location(field string) model.Location {
	return model.Location{Group: d.uint(field), Object: d.uint(field)}
}

// namespace reads a Track Namespace, whole or a part of one, in the structure
// of section 2.4.1.
func (d *decoder) namespace(field string) model.Namespace {
	n := d.uint(field)
	if n > maxNamespaceFields {
		d.fail(field, errTooManyField)
	}
	if d.err != nil || n == 0 {
		return nil
	}
	ns := make(model.Namespace, 0, n)
	left := uint64(maxNameLen)
	for range n {
		f := d.string(field, left)
		if d.err == nil && f == "" {
			d.fail(field, errEmptyField)
		}
		if d.err != nil {
			return nil
		}
		left -= uint64(len(f))
		ns = append(ns, f)
	}
	return ns
}

// wholeNamespace reads a Track Namespace that is not a part of one.
func (d *decoder) wholeNamespace(field string) model.Namespace {
	ns := d.namespace(field)
	if len(ns) == 0 && d.table.namespacesHaveFields {
		d.fail(field, errNoField)
	}
	return ns
}

// prefix reads a Track Namespace Prefix.
func (d *decoder) prefix(field string) model.Namespace {
	ns := d.namespace(field)
	if len(ns) == 0 && d.table.prefixesHaveFields && !d.ctx.Quirks.EmptyPrefix {
		d.fail(field, errNoField)
	}
	return ns
}

// trackName reads a namespace and a name, which share one limit.
func (d *decoder) trackName() model.FullTrackName {
	ns := d.wholeNamespace("Track Namespace")
	return model.FullTrackName{Namespace: ns, Name: d.string("Track Name", uint64(maxNameLen-ns.Len()))}
}

// within reads a value of n bytes by parse, which must use them all.
func (d *decoder) within(field string, n uint64, parse func()) {
	outer, base := d.r, d.base
	inner := outer.Sub(n)
	if err := outer.Err(); err != nil {
		d.r = outer
		d.check(field)
		return
	}
	d.base += d.r.Offset()
	d.r = inner
	parse()
	if d.err == nil && d.r.Len() > 0 {
		d.fail(field, errTrailing)
	}
	d.r, d.base = outer, base
	if d.err != nil {
		d.r.Fail(d.err)
	}
}

// trackProperties reads the properties that take the rest of a message.
func (d *decoder) trackProperties() model.Properties {
	if !d.table.trackProperties {
		return nil
	}
	offset := d.base + d.r.Offset()
	p, err := ParseProperties(PropertyFormOf(d.ctx.Draft), TrackProperties, d.r.Rest())
	if pe, ok := errors.AsType[*ParseError](err); ok && d.err == nil {
		pe.Message, pe.Field, pe.Offset = d.message, "Track Properties", pe.Offset+offset
		if pe.Fatal() {
			d.err = pe
		} else {
			d.softly(pe)
		}
	}
	return p
}

// requestID reads the Request ID of what answers or ends a request, where it is
// not the stream that says which.
func (d *decoder) requestID() uint64 {
	if !d.table.requestIDs {
		return 0
	}
	return d.uint("Request ID")
}

// softly records a broken rule that leaves the session alive. The first counts.
func (d *decoder) softly(e *ParseError) {
	if d.soft == nil {
		d.soft = e
	}
}

// insist makes a request that would be refused end the session: what was read is
// no request.
func (d *decoder) insist() {
	if d.soft != nil && d.soft.Request.Set && d.err == nil {
		d.soft.Request = model.Opt[model.RequestCode]{}
		d.soft.Code = model.ProtocolViolation
		d.err, d.soft = d.soft, nil
	}
}

// refuse records that only the request must be refused.
func (d *decoder) refuse(field string, code model.RequestCode, err error) {
	d.softly(&ParseError{Message: d.message, Field: field, Offset: d.base + d.r.Offset(), Err: err, Request: model.Some(code)})
}
