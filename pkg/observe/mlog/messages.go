package mlog

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// message is a MOQTControlMessage of the schema. The fields are those of the
// latest draft of it, with what older drafts of MoQT have beside: what draft 14
// writes in fields of a message stands among its parameters, and codes are those
// of draft 18.
func message(draft model.Draft, e session.TraceEvent, m wire.Message) fields {
	f := fields{{"type", typeOf(e.Name, m)}}
	if wire.NamesRequests(draft) {
		f = append(f, reference(m)...)
	}
	return append(f, content(draft, e, m)...)
}

// typeOf returns the schema's name of a message, which is that of its draft in
// small letters.
func typeOf(name string, m wire.Message) string {
	if name == "" {
		name = m.Kind().String()
	}
	return strings.ToLower(name)
}

// reference is which request a message is about, where requests share a stream.
func reference(m wire.Message) fields {
	var id uint64
	switch m := m.(type) {
	case *wire.SubscribeOK:
		id = m.RequestID
	case *wire.FetchOK:
		id = m.RequestID
	case *wire.RequestOK:
		id = m.RequestID
	case *wire.RequestError:
		id = m.RequestID
	case *wire.PublishDone:
		id = m.RequestID
	case *wire.Unsubscribe:
		id = m.RequestID
	case *wire.FetchCancel:
		id = m.RequestID
	case *wire.PublishNamespaceDone:
		if m.Namespace != nil {
			return fields{{"track_namespace", namespace(m.Namespace)}}
		}
		id = m.RequestID
	case *wire.PublishNamespaceCancel:
		if m.Namespace != nil {
			return fields{{"track_namespace", namespace(m.Namespace)}}
		}
		id = m.RequestID
	default:
		return nil
	}
	return fields{{"request_id", id}}
}

// content is what a message says beside its type and the request that it is
// about.
func content(draft model.Draft, e session.TraceEvent, m wire.Message) fields {
	switch m := m.(type) {
	case *wire.Setup:
		return setup(draft, e, m)
	case *wire.Goaway:
		f := fields{{"new_session_uri", raw([]byte(m.NewSessionURI))}}
		if !wire.NamesRequests(draft) {
			f = append(f, field{"timeout", m.Timeout})
		}
		return optional(f, "request_id", m.RequestID)
	case *wire.Subscribe:
		return with(request(m.RequestID, m.Track), m.Params)
	case *wire.SubscribeOK:
		f := with(fields{{"track_alias", m.TrackAlias}}, m.Params)
		return trackProperties(f, m.TrackProperties)
	case *wire.Publish:
		f := append(request(m.RequestID, m.Track), field{"track_alias", m.TrackAlias})
		return trackProperties(with(f, m.Params), m.TrackProperties)
	case *wire.PublishDone:
		f := fields{{"status_code", uint64(m.Code)}}
		return reason(optional(f, "stream_count", m.StreamCount), m.Reason)
	case *wire.Fetch:
		return with(fetch(m), m.Params)
	case *wire.FetchOK:
		end := uint8(0)
		if m.EndOfTrack {
			end = 1
		}
		f := with(fields{{"end_of_track", end}, {"end_location", location(m.End)}}, m.Params)
		return trackProperties(f, m.TrackProperties)
	case *wire.TrackStatus:
		return with(request(m.RequestID, m.Track), m.Params)
	case *wire.RequestUpdate:
		f := fields{{"request_id", m.RequestID}}
		if wire.NamesRequests(draft) {
			f = append(f, field{"existing_request_id", m.Existing})
		}
		return with(f, m.Params)
	case *wire.RequestOK:
		return trackProperties(with(nil, m.Params), m.TrackProperties)
	case *wire.RequestError:
		f := fields{{"error_code", uint64(m.Code)}}
		return reason(optional(f, "retry_interval", m.RetryInterval), m.Reason)
	case *wire.MaxRequestID:
		return fields{{"request_id", m.Max}}
	case *wire.RequestsBlocked:
		return fields{{"maximum_request_id", m.Max}}
	}
	return namespaceContent(m)
}

// namespaceContent is content for messages that name no track.
func namespaceContent(m wire.Message) fields {
	switch m := m.(type) {
	case *wire.PublishNamespace:
		return with(fields{{"request_id", m.RequestID}, {"track_namespace", namespace(m.Namespace)}}, m.Params)
	case *wire.PublishNamespaceCancel:
		return reason(fields{{"error_code", uint64(m.Code)}}, m.Reason)
	case *wire.SubscribeNamespace:
		f := fields{{"request_id", m.RequestID}, {"track_namespace_prefix", namespace(m.Prefix)}}
		switch m.Options { // without: tracks in draft 16, both in draft 14, namespaces later
		case wire.WantNamespaces:
			f = append(f, field{"subscribe_options", "namespace"})
		case wire.WantBoth:
			f = append(f, field{"subscribe_options", "both"})
		}
		return with(f, m.Params)
	case *wire.UnsubscribeNamespace:
		return fields{{"track_namespace_prefix", namespace(m.Prefix)}}
	case *wire.SubscribeTracks:
		return with(fields{{"request_id", m.RequestID}, {"track_namespace_prefix", namespace(m.Prefix)}}, m.Params)
	case *wire.Namespace:
		return fields{{"track_namespace_suffix", namespace(m.Suffix)}}
	case *wire.NamespaceDone:
		return fields{{"track_namespace_suffix", namespace(m.Suffix)}}
	case *wire.PublishBlocked:
		return fields{{"track_namespace_suffix", namespace(m.Suffix)}, {"track_name", byteString(m.Name)}}
	}
	return nil
}

func request(id uint64, t model.FullTrackName) fields {
	return fields{{"request_id", id}, {"track_namespace", namespace(t.Namespace)}, {"track_name", byteString(t.Name)}}
}

func fetch(m *wire.Fetch) fields {
	f := fields{{"request_id", m.RequestID}}
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
