package wire

import "oxymoq/pkg/model"

// renderOlder changes what renderMessage has made into what the vectors of
// drafts 16 and 14 have.
func renderOlder(out map[string]any, ctx Context, m Message) {
	for newer, older := range map[string]string{"options": "parameters", "track_properties": "track_extensions"} {
		if v, ok := out[newer]; ok {
			out[older] = v
			delete(out, newer)
		}
	}
	switch m := m.(type) {
	case *Goaway:
		delete(out, "timeout")
		delete(out, "request_id")
	case *SubscribeOK:
		out["request_id"] = dec(m.RequestID)
	case *FetchOK:
		out["request_id"] = dec(m.RequestID)
	case *RequestOK:
		out["request_id"] = dec(m.RequestID)
		delete(out, "track_extensions")
	case *RequestError:
		out["request_id"], out["error_code"] = dec(m.RequestID), dec(RequestCodeToWire(ctx.Draft, ctx.Answers, m.Code))
		delete(out, "redirect")
	case *PublishDone:
		out["request_id"], out["status_code"] = dec(m.RequestID), dec(DoneCodeToWire(ctx.Draft, m.Code))
	case *RequestUpdate:
		out["existing_request_id"] = dec(m.Existing)
	case *SubscribeNamespace:
		out["subscribe_options"] = dec(uint64(m.Options))
	case *MaxRequestID:
		out["max_request_id"] = dec(m.Max)
	case *RequestsBlocked:
		out["maximum_request_id"] = dec(m.Max)
	case *Unsubscribe:
		out["request_id"] = dec(m.RequestID)
	case *FetchCancel:
		out["request_id"] = dec(m.RequestID)
	case *PublishNamespaceDone:
		renderWithdrawn(out, ctx, m.RequestID, m.Namespace)
	case *PublishNamespaceCancel:
		renderWithdrawn(out, ctx, m.RequestID, m.Namespace)
		out["error_code"] = dec(RequestCodeToWire(ctx.Draft, KindPublishNamespace, m.Code))
		out["reason"] = hexOf(m.Reason)
	case *UnsubscribeNamespace:
		out["track_namespace_prefix"] = renderNamespace(m.Prefix)
	}
	if ctx.Draft == model.Draft14 {
		renderDraft14(out, ctx, m)
	}
}

func renderWithdrawn(out map[string]any, ctx Context, id uint64, ns model.Namespace) {
	if ctx.Draft == model.Draft14 {
		out["track_namespace"] = renderNamespace(ns)
	} else {
		out["request_id"] = dec(id)
	}
}

// renderDraft14 adds what is a field in draft 14 and a parameter or a property in
// our messages.
func renderDraft14(out map[string]any, ctx Context, m Message) {
	delete(out, "track_extensions")
	switch m := m.(type) {
	case *Setup:
		versions := []any{}
		for _, v := range m.Versions {
			versions = append(versions, dec(v))
		}
		if ctx.Receiver == Server {
			out["supported_versions"] = versions
		} else {
			out["selected_version"] = versions[0]
		}
	case *Subscribe:
		renderSubscription14(out, &m.Params)
	case *TrackStatus:
		renderSubscription14(out, &m.Params)
	case *SubscribeOK:
		renderTrack14(out, &m.Params, m.TrackProperties)
	case *Publish:
		renderTrack14(out, &m.Params, m.TrackProperties)
		delete(out, "expires")
		out["forward"] = dec(truth(m.Params.Forward.Value))
	case *Fetch:
		out["subscriber_priority"], out["group_order"] = dec(uint64(m.Params.SubscriberPriority.Value)), dec(uint64(m.Params.GroupOrder.Value))
	case *FetchOK:
		renderTrack14(out, &m.Params, m.TrackProperties)
		for _, field := range []string{"expires", "content_exists", "largest"} {
			delete(out, field)
		}
		out["group_order"] = dec(uint64(m.Params.GroupOrder.Value))
	case *RequestUpdate:
		renderSubscription14(out, &m.Params)
		delete(out, "existing_request_id")
		delete(out, "group_order")
		delete(out, "filter")
		f := m.Params.Filter.Value
		out["subscription_request_id"], out["start"], out["end_group"] = dec(m.Existing), renderLocation(f.Start), "0"
		if f.End.Set {
			out["end_group"] = dec(f.End.Value.Group + 1)
		}
	case *RequestOK:
		switch ctx.Answers {
		case KindPublish:
			renderSubscription14(out, &m.Params)
		case KindTrackStatus:
			renderTrack14(out, &m.Params, m.TrackProperties)
			out["track_alias"] = dec(m.TrackAlias)
		default:
			delete(out, "parameters")
		}
	case *RequestError:
		delete(out, "retry_interval")
	case *SubscribeNamespace:
		delete(out, "subscribe_options")
	}
}

func renderSubscription14(out map[string]any, p *Params) {
	out["subscriber_priority"], out["group_order"] = dec(uint64(p.SubscriberPriority.Value)), dec(uint64(p.GroupOrder.Value))
	out["forward"], out["filter"] = dec(truth(p.Forward.Value)), renderFilter(model.Draft14, p.Filter.Value)
}

// renderTrack14 also puts the parameters that are track properties where the
// vectors have them.
func renderTrack14(out map[string]any, p *Params, props model.Properties) {
	out["expires"], out["group_order"] = dec(p.Expires.Value), dec(uint64(orderOf(props)))
	out["content_exists"], out["largest"] = dec(truth(p.LargestObject.Set)), any(nil)
	if p.LargestObject.Set {
		out["largest"] = renderLocation(p.LargestObject.Value)
	}
	params := p.without()
	params.ObjectDeliveryTimeout = intOf(props, model.PropObjectDeliveryTimeout)
	params.MaxCacheDuration = intOf(props, model.PropMaxCacheDuration)
	out["parameters"] = renderParams(model.Draft14, params)
}
