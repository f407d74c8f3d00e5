package mlog

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// recordSeparator begins each record of a JSON text sequence (RFC 7464).
const recordSeparator = 0x1e

// field is a member of a JSON object, and fields an object with its members in
// their order.
type (
	field struct {
		name  string
		value any
	}
	fields []field
)

// appendRecord appends one record of a JSON text sequence.
func appendRecord(b []byte, f fields) []byte {
	return append(f.append(append(b, recordSeparator)), '\n')
}

// append appends the object.
func (f fields) append(b []byte) []byte {
	b = append(b, '{')
	for i, m := range f {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(append(appendString(b, m.name), ':'), m.value)
	}
	return append(b, '}')
}

// appendValue appends a value. The types that events are made of are written
// without reflection: there is an event for each object.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case fields:
		return v.append(b)
	case []fields:
		b = append(b, '[')
		for i, f := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = f.append(b)
		}
		return append(b, ']')
	case string:
		return appendString(b, v)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case uint8:
		return strconv.AppendUint(b, uint64(v), 10)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	return appendAny(b, value)
}

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendAny(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendAny appends what package json makes of a value, which is a string or a
// list of such.
func appendAny(b []byte, value any) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // strings never fail
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte{'\n'})...)
}
