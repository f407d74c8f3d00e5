package wire

import (
	"cmp"
	"slices"

	"oxymoq/pkg/model"
)

// Setup opens a session, one from each side (section 10.3).
type Setup struct {
	Path              model.Opt[string] // client only, raw QUIC only; with query
	Authority         model.Opt[string] // as Path
	MaxTokenCacheSize model.Opt[uint64] // bytes
	Implementation    model.Opt[string]
	Tokens            []Token
	MaxRequestID      model.Opt[uint64] // drafts up to 16: as in the message; absent: 0
	Versions          []uint64          // draft 14: VersionNumbers that the client offers, or the one that the server selects
	Unknown           model.Properties  // options we do not know, in wire order
}

// Setup Options (section 15.4).
const (
	optionPath              = 0x01
	optionMaxRequestID      = 0x02 // drafts up to 16
	optionToken             = 0x03
	optionMaxTokenCacheSize = 0x04
	optionAuthority         = 0x05
	optionImplementation    = 0x07
)

// VersionNumber returns the number that stands for a draft in Setup.Versions
// (draft 14 section 9.3.1).
func VersionNumber(d model.Draft) uint64 { return 0xff000000 + uint64(d) }

// Kind returns KindSetup.
func (*Setup) Kind() MessageKind { return KindSetup }

func (m *Setup) appendBody(e *encoder) {
	var known model.Properties
	text := func(typ uint64, v model.Opt[string]) {
		if v.Set {
			known = append(known, model.Property{Type: typ, Bytes: []byte(v.Value)})
		}
	}
	text(optionPath, m.Path)
	if n, ok := m.MaxRequestID.Get(); ok {
		if e.table.options[optionMaxRequestID] == "" {
			e.fail("draft %v has no MAX_REQUEST_ID", e.ctx.Draft)
		}
		known = append(known, model.Property{Type: optionMaxRequestID, Int: n})
	}
	for _, t := range m.Tokens {
		value := encoder{kind: e.kind, ctx: e.ctx}
		value.token(t)
		if value.err != nil {
			e.fail("%w", value.err)
		}
		known = append(known, model.Property{Type: optionToken, Bytes: value.b})
	}
	if n, ok := m.MaxTokenCacheSize.Get(); ok {
		known = append(known, model.Property{Type: optionMaxTokenCacheSize, Int: n})
	}
	text(optionAuthority, m.Authority)
	text(optionImplementation, m.Implementation)
	if e.ctx.Receiver == Client || e.ctx.WebTransport {
		if m.Path.Set || m.Authority.Set {
			e.fail("PATH and AUTHORITY are for clients on raw QUIC")
		}
	}
	all := mergeOptions(e, known, m.Unknown)
	m.appendVersions(e)
	if e.table.countedOptions {
		e.uint(uint64(len(all)))
	}
	e.keyValues(all)
}

// appendVersions writes the versions that a client offers or the one that a
// server has selected.
func (m *Setup) appendVersions(e *encoder) {
	switch {
	case !e.table.versions && len(m.Versions) > 0:
		e.fail("draft %v has no versions in SETUP", e.ctx.Draft)
	case !e.table.versions:
	case len(m.Versions) == 0:
		e.fail("no version")
	case e.ctx.Receiver == Client && len(m.Versions) > 1:
		e.fail("a server selects one version, not %d", len(m.Versions))
	default:
		if e.ctx.Receiver == Server {
			e.uint(uint64(len(m.Versions)))
		}
		for _, v := range m.Versions {
			e.uint(v)
		}
	}
}

// parseVersions reads what appendVersions writes. Every version takes at least
// one byte, so that an absurd number of them ends with the input.
func (m *Setup) parseVersions(d *decoder) {
	n := uint64(1)
	if d.ctx.Receiver == Server {
		if n = d.uint("Number of Supported Versions"); n == 0 {
			d.fail("Number of Supported Versions", errValue)
		}
	}
	for ; n > 0 && d.err == nil; n-- {
		m.Versions = append(m.Versions, d.uint("Version"))
	}
}

// mergeOptions returns both lists as one, in the order of their types.
func mergeOptions(e *encoder, known, unknown model.Properties) model.Properties {
	all := make(model.Properties, 0, len(known)+len(unknown))
	for _, u := range unknown {
		if name, ok := e.table.options[u.Type]; ok {
			e.fail("option %s among the unknown ones", name)
		}
		for len(known) > 0 && known[0].Type < u.Type {
			all, known = append(all, known[0]), known[1:]
		}
		all = append(all, u)
	}
	return append(all, known...)
}

func (m *Setup) parseBody(d *decoder) {
	if d.table.versions {
		m.parseVersions(d)
	}
	more := func() bool { return d.r.Len() > 0 }
	if d.table.countedOptions {
		n := d.uint("Number of Parameters")
		more = func() bool { n--; return n != ^uint64(0) }
	}
	list := kvpReader{r: d.r, absolute: d.table.absoluteTypes}
	var seen [optionImplementation + 1]bool
	for d.err == nil && more() {
		p, err := list.next()
		d.r = list.r // for the offset in errors
		if err != nil {
			d.fail("Setup Options", err)
			return
		}
		if d.isImplementation(m, p) {
			m.Implementation = model.Some(string(p.Bytes))
			continue
		}
		name, known := d.table.options[p.Type]
		if !known {
			m.Unknown = append(m.Unknown, p.clone())
			continue
		}
		if seen[p.Type] && p.Type != optionToken {
			d.fail(name, errDuplicate)
			return
		}
		seen[p.Type] = true
		m.option(d, name, p)
	}
	if d.table.absoluteTypes { // they come in any order
		slices.SortStableFunc(m.Unknown, func(a, b model.Property) int { return cmp.Compare(a.Type, b.Type) })
	}
}

// option stores a known option after checking it.
func (m *Setup) option(d *decoder, name string, p kvp) {
	misplaced := d.ctx.Receiver == Client || d.ctx.WebTransport
	switch p.Type {
	case optionPath:
		m.Path = model.Some(string(p.Bytes))
		if misplaced {
			d.failCode(name, model.InvalidPath, errNotPermitted)
		} else if !validPath(m.Path.Value) {
			d.failCode(name, model.MalformedPath, errValue)
		}
	case optionAuthority:
		m.Authority = model.Some(string(p.Bytes))
		if misplaced {
			d.failCode(name, model.InvalidAuthority, errNotPermitted)
		} else if !validAuthority(m.Authority.Value) {
			d.failCode(name, model.MalformedAuthority, errValue)
		}
	case optionToken:
		inner := decoder{ctx: d.ctx, table: d.table, message: d.message, code: d.code}
		inner.base = d.r.Offset() - len(p.Bytes)
		inner.r.Reset(d.table.varint, p.Bytes)
		t := inner.token(name)
		if inner.err != nil {
			d.err = inner.err
			return
		}
		if d.ctx.Receiver == Server && (t.Action == TokenDelete || t.Action == TokenUseAlias) {
			d.fail(name, errNotPermitted)
		}
		m.Tokens = append(m.Tokens, t)
	case optionMaxRequestID:
		m.MaxRequestID = model.Some(p.Int)
	case optionMaxTokenCacheSize:
		m.MaxTokenCacheSize = model.Some(p.Int)
	case optionImplementation:
		m.Implementation = model.Some(string(p.Bytes))
	}
}
