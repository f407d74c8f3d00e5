package wire

import (
	"encoding/hex"
	"strconv"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

// frame splits a control message into its type and payload. The types of drafts
// up to 16 are so small that both kinds of integers have the same bytes.
func frame(b []byte) (typ uint64, payload []byte, err error) {
	r := varint.NewReader(varint.MoQ, b)
	typ = r.Uint()
	n := uint64(r.Byte())<<8 | uint64(r.Byte())
	payload = r.Bytes(n)
	return typ, payload, r.Err()
}

// vectorContexts returns the Contexts that fit a vector: both receivers if it
// names none, and up to draft 16, where they do not stand in the vectors, all
// requests.
func vectorContexts(d model.Draft, v *vector, b []byte) []Context {
	table, _ := tableOf(d)
	typ, _, _ := frame(b)
	ctx := Context{Draft: d, Stream: RequestStream, WebTransport: v.Context.Transport == "webtransport"}
	row := table.messageOfType(typ)
	if v.Context.Stream == "control" || row != nil && (row.kind == KindSetup || d < model.Draft18 && row.on.has(ControlStream)) {
		ctx.Stream = ControlStream
	}
	requests := []MessageKind{0}
	if d < model.Draft18 && v.Context.Request == "" {
		requests = []MessageKind{0, KindSubscribe, KindPublish, KindFetch, KindTrackStatus, KindPublishNamespace, KindSubscribeNamespace, KindRequestUpdate}
	}
	for _, row := range table.messages {
		if row.name == v.Context.Request {
			requests = []MessageKind{row.kind}
		}
	}
	var all []Context
	for _, ctx.Receiver = range []Role{Client, Server} {
		if v.Context.Receiver != "" && v.Context.Receiver != roleNames[ctx.Receiver] {
			continue
		}
		for _, request := range requests {
			ctx.Request, ctx.Answers = request, request
			all = append(all, ctx)
		}
	}
	return all
}

var roleNames = [...]string{Client: "client", Server: "server"}

func readControlMessage(ctx Context, v *vector, b []byte) reading {
	typ, payload, err := frame(b)
	if err != nil {
		return reading{err: err}
	}
	m, err := ParseMessage(ctx, typ, payload)
	if err != nil {
		return reading{err: err}
	}
	if ctx.Answers == 0 {
		table, _ := tableOf(ctx.Draft)
		ctx.Answers = table.messageOfType(typ).answers.only()
	}
	again, err := AppendMessage(nil, ctx, m)
	if !v.Canonical {
		err = nil // what is read by leniency is not sent
	}
	decoded := renderMessage(ctx, m)
	if _, ok := v.Decoded["message"]; ok { // dispatch on the type
		decoded["message"] = MessageName(ctx.Draft, typ)
	}
	return reading{decoded: decoded, again: again, err: err}
}

func dec(v uint64) string { return strconv.FormatUint(v, 10) }

func hexOf[T string | []byte](v T) string { return hex.EncodeToString([]byte(v)) }

func renderNamespace(ns model.Namespace) []any {
	list := []any{}
	for _, f := range ns {
		list = append(list, hexOf(f))
	}
	return list
}

func renderLocation(l model.Location) map[string]any {
	return map[string]any{"group": dec(l.Group), "object": dec(l.Object)}
}

// renderMessage puts a message into the form of the vectors' "decoded".
func renderMessage(ctx Context, m Message) map[string]any {
	out := map[string]any{}
	name := func(n model.FullTrackName) {
		out["track_namespace"], out["track_name"] = renderNamespace(n.Namespace), hexOf(n.Name)
	}
	params := func(id uint64, p *Params) {
		out["request_id"], out["parameters"] = dec(id), renderParams(ctx.Draft, p)
	}
	switch m := m.(type) {
	case *Setup:
		out["options"] = renderOptions(m)
	case *Goaway:
		out["new_session_uri"], out["timeout"], out["request_id"] = hexOf(m.NewSessionURI), dec(m.Timeout), any(nil)
		if m.RequestID.Set {
			out["request_id"] = dec(m.RequestID.Value)
		}
	case *Subscribe:
		params(m.RequestID, &m.Params)
		name(m.Track)
	case *TrackStatus:
		params(m.RequestID, &m.Params)
		name(m.Track)
	case *SubscribeOK:
		out["track_alias"], out["parameters"] = dec(m.TrackAlias), renderParams(ctx.Draft, &m.Params)
		out["track_properties"] = renderProperties(m.TrackProperties)
	case *Publish:
		params(m.RequestID, &m.Params)
		name(m.Track)
		out["track_alias"], out["track_properties"] = dec(m.TrackAlias), renderProperties(m.TrackProperties)
	case *PublishDone:
		out["status_code"], out["reason"] = dec(uint64(m.Code)), hexOf(m.Reason)
		out["stream_count"] = dec(m.StreamCount.Or(draft18.unknownStreamCount))
	case *Fetch:
		params(m.RequestID, &m.Params)
		out["fetch_type"] = dec(uint64(m.FetchKind))
		if m.FetchKind == FetchStandalone {
			name(m.Track)
			out["start"], out["end"] = renderLocation(m.Range.Start), renderLocation(exclusiveEnd(m.Range.End))
		} else {
			out["joining_request_id"], out["joining_start"] = dec(m.JoiningRequestID), dec(m.JoiningStart)
		}
	case *FetchOK:
		out["end_of_track"], out["end"] = dec(truth(m.EndOfTrack)), renderLocation(exclusiveEnd(m.End))
		out["parameters"], out["track_properties"] = renderParams(ctx.Draft, &m.Params), renderProperties(m.TrackProperties)
	case *PublishNamespace:
		params(m.RequestID, &m.Params)
		out["track_namespace"] = renderNamespace(m.Namespace)
	case *SubscribeNamespace:
		params(m.RequestID, &m.Params)
		out["track_namespace_prefix"] = renderNamespace(m.Prefix)
	case *SubscribeTracks:
		params(m.RequestID, &m.Params)
		out["track_namespace_prefix"] = renderNamespace(m.Prefix)
	case *Namespace:
		out["track_namespace_suffix"] = renderNamespace(m.Suffix)
	case *NamespaceDone:
		out["track_namespace_suffix"] = renderNamespace(m.Suffix)
	case *PublishBlocked:
		out["track_namespace_suffix"], out["track_name"] = renderNamespace(m.Suffix), hexOf(m.Name)
	case *RequestUpdate:
		params(m.RequestID, &m.Params)
	case *RequestOK:
		out["parameters"], out["track_properties"] = renderParams(ctx.Draft, &m.Params), renderProperties(m.TrackProperties)
	case *RequestError:
		renderRequestError(out, m)
	}
	if ctx.Draft < model.Draft18 {
		renderOlder(out, ctx, m)
	}
	return out
}

func renderRequestError(out map[string]any, m *RequestError) {
	out["error_code"], out["reason"], out["retry_interval"] = dec(uint64(m.Code)), hexOf(m.Reason), "0"
	if ms, ok := m.RetryInterval.Get(); ok {
		out["retry_interval"] = dec(ms + 1)
	}
	out["redirect"] = any(nil)
	if r := m.Redirect; r != nil {
		var n model.FullTrackName
		if r.Track != nil {
			n = *r.Track
		}
		out["redirect"] = map[string]any{"connect_uri": hexOf(r.ConnectURI), "track_namespace": renderNamespace(n.Namespace), "track_name": hexOf(n.Name)}
	}
}

func renderOptions(m *Setup) []any {
	list := []any{}
	add := func(typ uint64, value any) { list = append(list, map[string]any{"type": dec(typ), "value": value}) }
	unknown := m.Unknown
	below := func(limit uint64) {
		for len(unknown) > 0 && unknown[0].Type < limit {
			list = append(list, renderProperties(unknown[:1])[0])
			unknown = unknown[1:]
		}
	}
	text := func(typ uint64, v model.Opt[string]) {
		below(typ)
		if v.Set {
			add(typ, hexOf(v.Value))
		}
	}
	text(optionPath, m.Path)
	below(optionMaxRequestID)
	if n, ok := m.MaxRequestID.Get(); ok {
		add(optionMaxRequestID, dec(n))
	}
	below(optionToken)
	for _, t := range m.Tokens {
		add(optionToken, renderToken(t))
	}
	below(optionMaxTokenCacheSize)
	if n, ok := m.MaxTokenCacheSize.Get(); ok {
		add(optionMaxTokenCacheSize, dec(n))
	}
	text(optionAuthority, m.Authority)
	text(optionImplementation, m.Implementation)
	return append(list, renderProperties(unknown)...)
}

func renderToken(t Token) map[string]any {
	out := map[string]any{"alias_type": dec(uint64(t.Action))}
	if t.Action.hasAlias() {
		out["alias"] = dec(t.Alias)
	}
	if t.Action.hasValue() {
		out["token_type"], out["token_value"] = dec(t.Type), hexOf(t.Value)
	}
	return out
}

func renderFilter(d model.Draft, f model.Filter) map[string]any {
	switch f.Kind {
	case model.FilterRelative:
		return map[string]any{"filter_type": "1"}
	case model.FilterNextObject:
		return map[string]any{"filter_type": "2"}
	}
	out := map[string]any{"filter_type": "3", "start": renderLocation(f.Start)}
	if end, ok := f.End.Get(); ok {
		out["filter_type"], out["end_group"] = "4", dec(end.Group)
		if d >= model.Draft18 {
			out["end_group_delta"] = dec(end.Group - f.Start.Group)
		}
	}
	return out
}

func renderParams(d model.Draft, p *Params) []any {
	list := []any{}
	table, _ := tableOf(d)
	for i := range table.params {
		row := &table.params[i]
		for k := range p.count(row.id) {
			var value any
			switch row.encoding {
			case asToken:
				value = renderToken(p.Tokens[k])
			case asLocation:
				value = renderLocation(p.LargestObject.Value)
			case asFilter18:
				value = renderFilter(d, p.Filter.Value)
			case asNamespacePrefix:
				value = renderNamespace(p.NamespacePrefix.Value)
			default:
				n, _ := p.number(row.id)
				value = dec(n)
			}
			list = append(list, map[string]any{"type": dec(row.typ), "value": value})
		}
	}
	return list
}

func renderProperties(p model.Properties) []any {
	list := []any{}
	for _, e := range p {
		entry := map[string]any{"type": dec(e.Type)}
		if e.Type&1 == 0 {
			entry["value"] = dec(e.Int)
		} else {
			entry["value"] = hexOf(e.Bytes)
		}
		if e.Type == model.PropImmutable {
			nested, _ := ParseProperties(form18, ObjectProperties, e.Bytes)
			entry["nested"] = renderProperties(nested)
		}
		list = append(list, entry)
	}
	return list
}
