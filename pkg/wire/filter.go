package wire

import "oxymoq/pkg/model"

// Filter types of drafts up to 19 (section 5.1.2).
const (
	filterNextGroupStart = 1
	filterLargestObject  = 2
	filterAbsoluteStart  = 3
	filterAbsoluteRange  = 4
)

func (e *encoder) filter18(f model.Filter) {
	switch f.Kind {
	case model.FilterNone: // {0,0} means the same and is the only way to say it in an update
		e.uint(filterAbsoluteStart)
		e.location(model.Location{})
	case model.FilterRelative:
		if f.Back != 0 {
			e.fail("draft %v cannot express a filter that starts %d groups back", e.ctx.Draft, f.Back-1)
		}
		e.uint(filterNextGroupStart)
	case model.FilterNextObject:
		e.uint(filterLargestObject)
	case model.FilterAbsolute:
		end, ranged := f.End.Get()
		switch {
		case !ranged:
			e.uint(filterAbsoluteStart)
			e.location(f.Start)
		case end.Object.Set:
			e.fail("draft %v cannot express a filter that ends inside a group", e.ctx.Draft)
		default:
			e.uint(filterAbsoluteRange)
			e.location(f.Start)
			e.groupEnd(f)
		}
	default:
		e.fail("unknown filter kind %d", f.Kind)
	}
}

func (d *decoder) filter18(field string) model.Filter {
	switch typ := d.uint(field); typ {
	case filterNextGroupStart:
		return model.NextGroup
	case filterLargestObject:
		return model.NextObject
	case filterAbsoluteStart:
		return model.From(d.location(field))
	case filterAbsoluteRange:
		f := model.From(d.location(field))
		f.End = model.Some(model.EndLocation{Group: d.groupEnd(field, f.Start.Group)})
		return f
	default:
		return d.privateFilter(field, typ)
	}
}

// Filter types of draft 22 (its section 9.20).
const (
	filter22None = iota
	filter22Relative
	filter22Start
	filter22GroupEnd
	filter22Range
	filter22NextObject
)

func (e *encoder) filter22(f model.Filter) {
	switch f.Kind {
	case model.FilterNone:
		e.uint(filter22None)
	case model.FilterRelative:
		e.uint(filter22Relative)
		e.uint(f.Back)
	case model.FilterNextObject:
		e.uint(filter22NextObject)
	case model.FilterAbsolute:
		end, ranged := f.End.Get()
		switch {
		case !ranged:
			e.uint(filter22Start)
			e.location(f.Start)
		case !end.Object.Set:
			e.uint(filter22GroupEnd)
			e.location(f.Start)
			e.groupEnd(f)
		default:
			e.uint(filter22Range)
			e.location(f.Start)
			e.groupEnd(f)
			e.uint(end.Object.Value)
		}
	default:
		e.fail("unknown filter kind %d", f.Kind)
	}
}

func (d *decoder) filter22(field string) model.Filter {
	switch typ := d.uint(field); typ {
	case filter22None:
		return model.Filter{}
	case filter22Relative:
		return model.Filter{Kind: model.FilterRelative, Back: d.uint(field)}
	case filter22NextObject:
		return model.NextObject
	case filter22Start:
		return model.From(d.location(field))
	case filter22GroupEnd, filter22Range:
		f := model.From(d.location(field))
		end := model.EndLocation{Group: d.groupEnd(field, f.Start.Group)}
		if typ == filter22Range {
			end.Object = model.Some(d.uint(field))
		}
		f.End = model.Some(end)
		return f
	default:
		if d.err == nil {
			d.fail(field, unknownNumber(typ))
		}
		return model.Filter{}
	}
}

// groupEnd writes the End Group of f, since draft 17 as the distance from its
// start.
func (e *encoder) groupEnd(f model.Filter) {
	switch {
	case f.End.Value.Group < f.Start.Group:
		e.fail("filter ends in group %d and starts in %d", f.End.Value.Group, f.Start.Group)
	case e.table.absoluteGroupEnd:
		e.uint(f.End.Value.Group)
	default:
		e.uint(f.End.Value.Group - f.Start.Group)
	}
}

// groupEnd reads an End Group. One before the start is possible up to draft 16;
// it refuses the request (draft 16, section 9.9).
func (d *decoder) groupEnd(field string, start uint64) uint64 {
	if d.table.absoluteGroupEnd {
		end := d.uint(field)
		if end < start && d.err == nil {
			d.refuse(field, model.InvalidRange, errEndBeforeStart)
		}
		return end
	}
	end := d.r.Add(start, d.uint(field), errOverflow)
	d.check(field)
	return end
}
