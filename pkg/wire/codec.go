package wire

import (
	"fmt"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// ParseError says where input broke which rule. It is the only error type of
// the package apart from varint.ErrTruncated, which asks for more bytes.
type ParseError struct {
	Message string // "SUBSCRIBE", "SUBGROUP_HEADER", …
	Field   string // the draft's name of the field; may be empty
	Offset  int    // bytes from the start of the body or header
	Err     error
	// Code is what the session must be closed with, unless Request or
	// Malformed is set.
	Code model.SessionCode
	// Request, if set, is what only the request must be refused with; the
	// session stays.
	Request model.Opt[model.RequestCode]
	// Malformed says that the bytes are legal but the track is malformed; the
	// session stays.
	Malformed bool
}

// Error names message, field, offset and rule.
func (e *ParseError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s: %v (byte %d)", e.Message, e.Err, e.Offset)
	}
	return fmt.Sprintf("%s: %s: %v (byte %d)", e.Message, e.Field, e.Err, e.Offset)
}

// Unwrap returns the rule that was broken.
func (e *ParseError) Unwrap() error { return e.Err }

// Fatal reports whether the session must be closed.
func (e *ParseError) Fatal() bool { return !e.Request.Set && !e.Malformed }

// StreamKind is where a control message was read.
type StreamKind uint8

// Where control messages travel.
const (
	ControlStream StreamKind = iota
	RequestStream
)

// Role is the side of a session.
type Role uint8

// The sides.
const (
	Client Role = iota
	Server
)

// Context is what a decoder must know besides the bytes. It never guesses.
type Context struct {
	Draft  model.Draft
	Stream StreamKind
	// Request is the kind of the request on whose stream the message travels:
	// KindSubscribe, KindPublish, KindFetch, …
	Request MessageKind
	// Answers is what a RequestOK or RequestError answers: Request, or
	// KindRequestUpdate. Other messages ignore it. Where a draft has a type for
	// each, it need not be stated to read them.
	Answers MessageKind
	// Receiver is the side that reads the message.
	Receiver Role
	// WebTransport says that the carrier already has path and authority.
	WebTransport bool
	// Strict turns off what is taken of every peer beyond the text of the draft,
	// and Quirks turn on what is taken of a certain one; see lenient.go.
	Strict bool
	Quirks Quirks
}

// VarintKind returns the integer encoding of a draft.
func VarintKind(d model.Draft) varint.Kind {
	if d <= 16 {
		return varint.QUIC
	}
	return varint.MoQ
}

// body is what every message implements besides Kind: its fields after Type and
// Length.
type body interface {
	Message
	appendBody(e *encoder)
	parseBody(d *decoder)
}

// AppendMessage appends the whole message: type, length, payload. It fails if
// the draft cannot express m or if a limit is exceeded; b is then returned as
// it was.
func AppendMessage(b []byte, ctx Context, m Message) ([]byte, error) {
	t, err := tableOf(ctx.Draft)
	if err != nil {
		return b, err
	}
	row := t.messageFor(m.Kind(), ctx)
	bd, ok := m.(body)
	switch {
	case row == nil && t.message(m.Kind()) != nil:
		return b, fmt.Errorf("draft %v has no %v message that answers %v", ctx.Draft, m.Kind(), ctx.Answers)
	case row == nil || !ok:
		return b, fmt.Errorf("draft %v has no %v message", ctx.Draft, m.Kind())
	}
	if !row.on.has(ctx.Stream) {
		return b, fmt.Errorf("%s does not travel on this stream", row.name)
	}
	e := encoder{b: b, kind: t.varint, ctx: ctx, table: t}
	e.uint(row.typ)
	e.b = append(e.b, 0, 0)
	start := len(e.b)
	bd.appendBody(&e)
	n := len(e.b) - start
	if e.err == nil && n > MaxMessageLen {
		e.err = fmt.Errorf("payload has %d bytes, at most %d are allowed", n, MaxMessageLen)
	}
	if e.err != nil {
		return b, fmt.Errorf("%s: %w", row.name, e.err)
	}
	e.b[start-2], e.b[start-1] = byte(n>>8), byte(n)
	return e.b, nil
}

// ParseMessage reads the payload of a control message of the given type number.
// Everything in the result is a copy; body may be reused. If the error is a
// *ParseError that is not Fatal, the message is returned beside it.
func ParseMessage(ctx Context, typ uint64, body []byte) (Message, error) {
	t, err := tableOf(ctx.Draft)
	if err != nil {
		return nil, err
	}
	row := t.messageOfType(typ)
	if row == nil {
		return nil, &ParseError{Message: MessageName(ctx.Draft, typ), Err: errUnknownType, Code: model.ProtocolViolation}
	}
	if ctx.Answers == 0 {
		ctx.Answers = row.answers.only() // the type says it
	}
	if err := row.permits(ctx); err != nil {
		return nil, &ParseError{Message: row.name, Err: err, Code: model.ProtocolViolation}
	}
	m := newMessage(row.kind)
	d := decoder{ctx: ctx, table: t, message: row.name, code: model.ProtocolViolation}
	d.r.Reset(t.varint, body)
	m.parseBody(&d)
	if d.err == nil && d.r.Len() > 0 {
		d.fail("Length", errTrailing)
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case d.soft != nil:
		return m, d.soft
	}
	return m, nil
}

// permits returns an error if a message may not be read in the context.
func (row *messageRow) permits(ctx Context) error {
	switch {
	case !row.on.has(ctx.Stream):
		return errWrongStream
	case !row.to.has(ctx.Receiver):
		return errWrongReceiver
	case !row.answers.has(ctx.Answers):
		return errWrongAnswer
	}
	return nil
}

// MessageName returns the draft's name of the message of a type number, or the
// number in hex.
func MessageName(d model.Draft, typ uint64) string {
	if t, err := tableOf(d); err == nil {
		if row := t.messageOfType(typ); row != nil {
			return row.name
		}
	}
	return fmt.Sprintf("message 0x%x", typ)
}

// OpensRequest reports whether a message of the kind may be the first of a
// request, which up to draft 16 need not have a stream of its own.
func OpensRequest(d model.Draft, k MessageKind) bool {
	t, err := tableOf(d)
	if err != nil {
		return false
	}
	row := t.message(k)
	return row != nil && row.opens
}
