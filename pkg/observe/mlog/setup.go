package mlog

import (
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/wire"
)

// setup is what opens a session. Up to draft 16 the two sides have messages of
// their own, and in draft 14 they agree on a version in them.
func setup(draft model.Draft, e session.TraceEvent, m *wire.Setup) fields {
	options := setupOptions(m)
	if !wire.NamesRequests(draft) {
		return fields{{"setup_options", options}}
	}
	var f fields
	switch typeOf(e.Name, m) {
	case "client_setup":
		if m.Versions != nil {
			f = fields{{"number_of_supported_versions", len(m.Versions)}, {"supported_versions", m.Versions}}
		}
	case "server_setup":
		if len(m.Versions) == 1 {
			f = fields{{"selected_version", m.Versions[0]}}
		}
	}
	return append(f, field{"number_of_parameters", len(options)}, field{"setup_parameters", options})
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
	if v, ok := m.MaxRequestID.Get(); ok {
		all = append(all, fields{{"name", "max_request_id"}, {"value", v}})
	}
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
