package flv

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Types of values on the wire (AMF 0 section 2.1; annex E.4.4.2).
const (
	amfNumber      = 0
	amfBoolean     = 1
	amfString      = 2
	amfObject      = 3
	amfNull        = 5
	amfUndefined   = 6
	amfReference   = 7
	amfECMAArray   = 8
	amfObjectEnd   = 9
	amfStrictArray = 10
	amfDate        = 11
	amfLongString  = 12
	amfUnsupported = 13
	amfXML         = 15
	amfTypedObject = 16
	amfAMF3        = 17
)

// Property is a value with a name.
type Property struct {
	Name  string
	Value any
}

// Object is an object: its properties in their order, of which none has the empty
// name.
type Object []Property

// Array is an ECMA array, which is an object that says how many properties it has.
type Array []Property

// Undefined is the value of what has none, and of a type that AMF itself calls
// unsupported.
type Undefined struct{}

// Date is a point in time.
type Date struct {
	Millis float64 // since 1970 in UTC
	Zone   int16   // in minutes; reserved by AMF 0, used by annex E.4.4.3
}

// ParseScript parses the data of a tag of script data: a name and a value, in AMF 0.
// The value is a float64, bool, string, Object, Array, []any, Date, Undefined or
// nil. XML is a string, and an object of a class an Object without its name. What
// comes behind the value is not looked at. Errors are *FormatError, with the offset
// in data, and *UnsupportedError for references and AMF 3.
func ParseScript(data []byte) (name string, value any, err error) {
	p := &amfParser{cursor: cursor{b: data}}
	name = p.name()
	for name == dataFrame && p.err == nil {
		name = p.name()
	}
	value = p.value(0)
	if p.err != nil {
		return "", nil, p.err
	}
	return name, value, nil
}

type amfParser struct {
	cursor
	values int
}

// name reads a value that must be a string.
func (p *amfParser) name() string {
	if t := p.uint8("the type of the name"); t != amfString && p.err == nil {
		p.off--
		p.fail("the name has type %d, must be a string", t)
	}
	return p.shortString("the name")
}

func (p *amfParser) shortString(what string) string {
	return string(p.bytes(p.uint16("the length of "+what), what))
}

func (p *amfParser) longString() string {
	n := p.uint32("the length of a string")
	if n > MaxTagData && p.err == nil {
		p.fail("a string of %d bytes does not fit in a tag", n)
	}
	return string(p.bytes(int(n&MaxTagData), "a string"))
}

// value reads a value that is in depth others.
func (p *amfParser) value(depth int) any {
	begin := p.off
	t := p.uint8("the type of a value")
	if p.err != nil {
		return nil
	}
	p.values++
	switch {
	case depth > MaxScriptDepth:
		p.off = begin
		p.fail("values are more than %d deep in one another", MaxScriptDepth)
		return nil
	case p.values > MaxScriptValues:
		p.off = begin
		p.fail("there are more than %d values", MaxScriptValues)
		return nil
	}
	switch t {
	case amfNumber:
		return p.number()
	case amfBoolean:
		return p.uint8("a boolean") != 0
	case amfString:
		return p.shortString("a string")
	case amfObject:
		return Object(p.properties(depth, -1))
	case amfNull:
		return nil
	case amfUndefined, amfUnsupported:
		return Undefined{}
	case amfECMAArray:
		return Array(p.properties(depth, int(p.uint32("the length of an array"))))
	case amfStrictArray:
		return p.strictArray(depth)
	case amfDate:
		return Date{p.number(), int16(p.uint16("the time zone of a date"))}
	case amfLongString, amfXML:
		return p.longString()
	case amfTypedObject:
		p.shortString("the class of an object")
		return Object(p.properties(depth, -1))
	case amfReference:
		p.err = unsupported(Script, "a reference")
	case amfAMF3:
		p.err = unsupported(Script, "AMF 3")
	default:
		p.off = begin
		p.fail("values of type %d are not defined", t)
	}
	return nil
}

func (p *amfParser) number() float64 {
	if b := p.bytes(8, "a number"); b != nil {
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return 0
}

// properties reads properties up to the mark of their end. What an array says of
// its length is often wrong; announced is that, or -1.
func (p *amfParser) properties(depth, announced int) []Property {
	list := []Property{}
	for p.err == nil && !endsWithoutMark(&p.cursor, announced, len(list)) {
		begin := p.off
		name := p.shortString("the name of a property")
		if name == "" && p.err == nil {
			if end := p.uint8("the end of an object"); end != amfObjectEnd {
				p.off = begin
				p.fail("a property has no name")
			}
			break
		}
		list = append(list, Property{name, p.value(depth + 1)})
	}
	return list
}

func (p *amfParser) strictArray(depth int) []any {
	n := p.uint32("the length of an array")
	list := []any{}
	for i := uint32(0); i < n && p.err == nil; i++ {
		list = append(list, p.value(depth+1))
	}
	return list
}

// AppendScript appends the data of a tag of script data. The value is one that
// ParseScript returns. It fails for others, and for such that ParseScript would
// refuse.
func AppendScript(b []byte, name string, value any) ([]byte, error) {
	if len(name) > math.MaxUint16 {
		return b, fmt.Errorf("FLV: a name has %d bytes, at most %d", len(name), math.MaxUint16)
	}
	a := &amfAppender{b: appendShortString(append(b, amfString), name)}
	if err := a.value(value, 0); err != nil {
		return b, err
	}
	return a.b, nil
}

type amfAppender struct {
	b      []byte
	values int
}

func appendShortString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func (a *amfAppender) number(v float64) {
	a.b = binary.BigEndian.AppendUint64(a.b, math.Float64bits(v))
}

func (a *amfAppender) value(value any, depth int) error {
	a.values++
	switch {
	case depth > MaxScriptDepth:
		return fmt.Errorf("FLV: values of script data are more than %d deep in one another", MaxScriptDepth)
	case a.values > MaxScriptValues:
		return fmt.Errorf("FLV: there are more than %d values of script data", MaxScriptValues)
	}
	switch v := value.(type) {
	case nil:
		a.b = append(a.b, amfNull)
	case Undefined:
		a.b = append(a.b, amfUndefined)
	case float64:
		a.b = append(a.b, amfNumber)
		a.number(v)
	case bool:
		a.b = append(a.b, amfBoolean, 0)
		if v {
			a.b[len(a.b)-1] = 1
		}
	case string:
		return a.text(v)
	case Date:
		a.b = append(a.b, amfDate)
		a.number(v.Millis)
		a.b = binary.BigEndian.AppendUint16(a.b, uint16(v.Zone))
	case Object:
		a.b = append(a.b, amfObject)
		return a.properties(v, depth)
	case Array:
		a.b = binary.BigEndian.AppendUint32(append(a.b, amfECMAArray), uint32(len(v)))
		return a.properties(v, depth)
	case []any:
		a.b = binary.BigEndian.AppendUint32(append(a.b, amfStrictArray), uint32(len(v)))
		for _, e := range v {
			if err := a.value(e, depth+1); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("FLV: script data has no values of type %T", value)
	}
	return nil
}

func (a *amfAppender) text(s string) error {
	if len(s) > MaxTagData {
		return fmt.Errorf("FLV: a string of %d bytes does not fit in a tag", len(s))
	}
	if len(s) <= math.MaxUint16 {
		a.b = appendShortString(append(a.b, amfString), s)
		return nil
	}
	a.b = binary.BigEndian.AppendUint32(append(a.b, amfLongString), uint32(len(s)))
	a.b = append(a.b, s...)
	return nil
}

func (a *amfAppender) properties(list []Property, depth int) error {
	for _, p := range list {
		if p.Name == "" || len(p.Name) > math.MaxUint16 {
			return fmt.Errorf("FLV: the name of a property has %d bytes, must be 1 to %d", len(p.Name), math.MaxUint16)
		}
		a.b = appendShortString(a.b, p.Name)
		if err := a.value(p.Value, depth+1); err != nil {
			return err
		}
	}
	a.b = append(a.b, 0, 0, amfObjectEnd)
	return nil
}
