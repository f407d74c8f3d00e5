package wire

import (
	"fmt"

	"oxymoq/pkg/model"
)

// paramEncoding is how a parameter's value is written.
type paramEncoding uint8

const (
	asByte            paramEncoding = iota // uint8
	asUint                                 // integer
	asToken                                // length, token
	asLocation                             // two integers
	asFilter18                             // length, type, fields (drafts up to 19)
	asFilter22                             // type, fields; no length (draft 22)
	asNamespacePrefix                      // length, namespace; read without length too
	asNamespace                            // namespace
	asParams                               // length, number of parameters, parameters
)

// paramRow is one parameter of a draft.
type paramRow struct {
	typ      uint64
	name     string
	id       paramID
	encoding paramEncoding
	min, max uint64 // of a number
	repeats  bool
	in       place // the messages that may carry it
}

func (e *encoder) paramValue(row *paramRow, p *Params, k int) {
	switch row.encoding {
	case asByte, asUint:
		v, _ := p.number(row.id)
		if v < row.min || v > row.max {
			e.fail("%s: %d is not allowed", row.name, v)
		}
		if row.encoding == asByte && !p.KeyValues {
			e.byte(byte(v))
		} else {
			e.uint(v)
		}
	case asToken:
		e.prefixed(func() { e.token(p.Tokens[k]) })
	case asLocation:
		if p.KeyValues {
			e.prefixed(func() { e.location(p.LargestObject.Value) })
		} else {
			e.location(p.LargestObject.Value)
		}
	case asFilter18:
		e.prefixed(func() { e.filter18(p.Filter.Value) })
	case asFilter22:
		e.filter22(p.Filter.Value)
	case asNamespacePrefix:
		e.prefixed(func() { e.namespace(p.NamespacePrefix.Value) })
	case asNamespace:
		e.namespace(p.NamespacePrefix.Value)
	case asParams:
		e.prefixed(func() { e.params(inFill, p.Fill) })
	}
}

func (d *decoder) paramValue(row *paramRow, p *Params) {
	keyValues := p.KeyValues || d.table.keyValueParams
	switch row.encoding {
	case asByte, asUint:
		var v uint64
		if row.encoding == asByte && !keyValues {
			v = uint64(d.byte(row.name))
		} else {
			v = d.uint(row.name)
		}
		if d.err == nil && (v < row.min || v > row.max) {
			d.fail(row.name, errValue)
		}
		p.setNumber(row.id, v)
	case asToken:
		d.within(row.name, d.uint(row.name), func() { p.Tokens = append(p.Tokens, d.token(row.name)) })
	case asLocation:
		read := func() { p.LargestObject = model.Some(d.location(row.name)) }
		if keyValues {
			d.keyValue(row.name, read)
		} else {
			read()
		}
	case asFilter18:
		d.within(row.name, d.uint(row.name), func() { p.Filter = model.Some(d.filter18(row.name)) })
	case asFilter22:
		p.Filter = model.Some(d.filter22(row.name))
	case asNamespacePrefix:
		p.NamespacePrefix = model.Some(d.prefixWithOrWithoutLength(row.name))
	case asNamespace:
		p.NamespacePrefix = model.Some(d.namespace(row.name))
	case asParams:
		p.Fill = new(Params)
		d.within(row.name, d.uint(row.name), func() { d.fillWithOrWithoutCount(p.Fill) })
	}
}

// keyValue reads the bytes of a Key-Value-Pair whose type is known by parse,
// which must use them all. What does not add up has a close code of its own.
func (d *decoder) keyValue(field string, parse func()) {
	defer func(code model.SessionCode) { d.code = code }(d.code)
	n := d.uint(field)
	if d.table.keyValueParams {
		d.code = model.KeyValueFormattingError
	}
	d.within(field, n, parse)
}

// unknownNumber is the error of a type that the draft does not define.
func unknownNumber(v uint64) error { return fmt.Errorf("%w 0x%x", errUnknownType, v) }
