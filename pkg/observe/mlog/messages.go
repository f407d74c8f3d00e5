package mlog

import (
	"encoding/hex"
	"unicode/utf8"

	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// message is a MOQTControlMessage of the schema.
func message(m wire.Message) fields {
	switch m := m.(type) {
	case *wire.Setup:
		return fields{{"type", "setup"}, {"setup_options", setupOptions(m)}}
	case *wire.Goaway:
		f := fields{{"type", "goaway"}, {"new_session_uri", raw([]byte(m.NewSessionURI))}, {"timeout", m.Timeout}}
		return optional(f, "request_id", m.RequestID)
	case *wire.Subscribe:
		return with(request("subscribe", m.RequestID, m.Track), m.Params)
	case *wire.SubscribeOK:
		f := with(fields{{"type", "subscribe_ok"}, {"track_alias", m.TrackAlias}}, m.Params)
		return trackProperties(f, m.TrackProperties)
	case *wire.Publish:
		f := append(request("publish", m.RequestID, m.Track), field{"track_alias", m.TrackAlias})
		return trackProperties(with(f, m.Params), m.TrackProperties)
	case *wire.PublishDone:
		f := fields{{"type", "publish_done"}, {"status_code", uint64(m.Code)}}
		return reason(optional(f, "stream_count", m.StreamCount), m.Reason)
	case *wire.Fetch:
		return with(fetch(m), m.Params)
	case *wire.FetchOK:
		end := uint8(0)
		if m.EndOfTrack {
			end = 1
		}
		f := with(fields{{"type", "fetch_ok"}, {"end_of_track", end}, {"end_location", location(m.End)}}, m.Params)
		return trackProperties(f, m.TrackProperties)
	case *wire.TrackStatus:
		return with(request("track_status", m.RequestID, m.Track), m.Params)
	case *wire.RequestUpdate:
		return with(fields{{"type", "request_update"}, {"request_id", m.RequestID}}, m.Params)
	case *wire.RequestOK:
		return trackProperties(with(fields{{"type", "request_ok"}}, m.Params), m.TrackProperties)
	case *wire.RequestError:
		f := fields{{"type", "request_error"}, {"error_code", uint64(m.Code)}}
		return reason(optional(f, "retry_interval", m.RetryInterval), m.Reason)
	}
	return namespaceMessage(m)
}

// namespaceMessage is message for those that name no track.
func namespaceMessage(m wire.Message) fields {
	switch m := m.(type) {
	case *wire.PublishNamespace:
		return with(fields{{"type", "publish_namespace"}, {"request_id", m.RequestID}, {"track_namespace", namespace(m.Namespace)}}, m.Params)
	case *wire.SubscribeNamespace:
		return with(fields{{"type", "subscribe_namespace"}, {"request_id", m.RequestID}, {"track_namespace_prefix", namespace(m.Prefix)}}, m.Params)
	case *wire.SubscribeTracks:
		return with(fields{{"type", "subscribe_tracks"}, {"request_id", m.RequestID}, {"track_namespace_prefix", namespace(m.Prefix)}}, m.Params)
	case *wire.Namespace:
		return fields{{"type", "namespace"}, {"track_namespace_suffix", namespace(m.Suffix)}}
	case *wire.NamespaceDone:
		return fields{{"type", "namespace_done"}, {"track_namespace_suffix", namespace(m.Suffix)}}
	case *wire.PublishBlocked:
		return fields{{"type", "publish_blocked"}, {"track_namespace_suffix", namespace(m.Suffix)}, {"track_name", byteString(m.Name)}}
	}
	return fields{{"type", m.Kind().String()}}
}

func request(kind string, id uint64, t model.FullTrackName) fields {
	return fields{{"type", kind}, {"request_id", id}, {"track_namespace", namespace(t.Namespace)}, {"track_name", byteString(t.Name)}}
}

func fetch(m *wire.Fetch) fields {
	f := fields{{"type", "fetch"}, {"request_id", m.RequestID}}
	joining := fields{{"joining_request_id", m.JoiningRequestID}, {"joining_start", m.JoiningStart}}
	switch m.FetchKind {
	case wire.FetchRelativeJoining:
		return append(f, field{"fetch_type", "relative_joining"}, field{"joining_fetch", joining})
	case wire.FetchAbsoluteJoining:
		return append(f, field{"fetch_type", "absolute_joining"}, field{"joining_fetch", joining})
	}
	return append(f, field{"fetch_type", "standalone"}, field{"standalone_fetch", fields{
		{"track_namespace", namespace(m.Track.Namespace)}, {"track_name", byteString(m.Track.Name)},
		{"start_location", location(m.Range.Start)}, {"end_location", location(m.Range.End)},
	}})
}

func trackProperties(f fields, list model.Properties) fields {
	if len(list) == 0 {
		return f
	}
	return append(f, field{"track_properties", properties(list)})
}

func reason(f fields, text string) fields {
	if !utf8.ValidString(text) {
		return append(f, field{"reason_bytes", hex.EncodeToString([]byte(text))})
	}
	return append(f, field{"reason", text})
}

func location(l model.Location) fields {
	return fields{{"group", l.Group}, {"object", l.Object}}
}

func byteString(s string) fields {
	if !utf8.ValidString(s) {
		return fields{{"value_bytes", hex.EncodeToString([]byte(s))}}
	}
	return fields{{"value", s}}
}

func namespace(n model.Namespace) []fields {
	all := make([]fields, 0, len(n))
	for _, f := range n {
		all = append(all, byteString(f))
	}
	return all
}

func setupOptions(m *wire.Setup) []fields {
	all := []fields{}
	text := func(name string, v model.Opt[string]) {
		if v.Set {
			all = append(all, fields{{"name", name}, {"value", v.Value}})
		}
	}
	text("authority", m.Authority)
	text("path", m.Path)
	if v, ok := m.MaxTokenCacheSize.Get(); ok {
		all = append(all, fields{{"name", "max_auth_token_cache_size"}, {"value", v}})
	}
	for _, t := range m.Tokens {
		all = append(all, token(t))
	}
	text("implementation", m.Implementation)
	for _, p := range m.Unknown {
		f := fields{{"name", "unknown"}, {"name_bytes", p.Type}}
		if p.Type%2 == 0 {
			f = append(f, field{"value", p.Int})
		} else {
			f = append(f, field{"length", len(p.Bytes)}, field{"value_bytes", raw(p.Bytes)})
		}
		all = append(all, f)
	}
	return all
}

// token leaves out the value, which is a secret.
func token(t wire.Token) fields {
	f := fields{{"name", "authorization_token"}, {"alias_type", uint64(t.Action)}}
	if t.Action != wire.TokenUseValue {
		f = append(f, field{"token_alias", t.Alias})
	}
	if t.Action == wire.TokenRegister || t.Action == wire.TokenUseValue {
		f = append(f, field{"token_type", t.Type}, field{"token_value", length(uint64(len(t.Value)))})
	}
	return f
}
