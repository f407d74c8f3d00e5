package wire

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// kvp is one Key-Value-Pair (section 1.4.3). Bytes aliases the input.
type kvp model.Property

// clone returns p with bytes of its own; none are nil.
func (p kvp) clone() model.Property {
	p.Bytes = append([]byte(nil), p.Bytes...)
	return model.Property(p)
}

// kvpReader reads a list of Key-Value-Pairs that takes the rest of r.
type kvpReader struct {
	r        varint.Reader
	absolute bool // types are written whole, not as deltas (draft 14)
	prev     uint64
}

func (l *kvpReader) more() bool { return l.r.Len() > 0 }

// next reads one pair. Its errors are the rules themselves, without a place.
func (l *kvpReader) next() (p kvp, err error) {
	p.Type = l.r.Uint()
	if !l.absolute {
		p.Type = l.r.Add(l.prev, p.Type, errOverflow)
	}
	l.prev = p.Type
	if p.Type&1 == 0 {
		p.Int = l.r.Uint()
	} else {
		p.Bytes = l.r.LengthPrefixed(MaxPropertyLen, errTooLong)
	}
	if err := l.r.Err(); err == varint.ErrTruncated {
		return kvp{}, errShort // the list is bounded; no more bytes will come
	} else if err != nil {
		return kvp{}, err
	}
	return p, nil
}
