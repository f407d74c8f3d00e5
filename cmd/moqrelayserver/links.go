package main

import (
	"slices"
	"strings"

	"oxymoq/internal/cli"
	"oxymoq/pkg/model"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
)

// isURL tells the URLs among the values of -upstream from the rules.
func isURL(value string) bool { return strings.Contains(value, "://") }

// links returns the relays to stay connected to, each once with all of its
// prefixes; no prefix is all namespaces.
func (f *flags) links(env *cli.Env) ([]relay.LinkConfig, error) {
	var all []relay.LinkConfig
	for _, value := range f.upstream {
		if !isURL(value) {
			continue
		}
		prefix, url := splitUpstream(value)
		if err := prefix.Validate(); err != nil {
			return nil, cli.Usagef("-upstream %s: %v", value, err)
		}
		target, opts, err := f.other.Options(env, url, session.Config{})
		if err != nil {
			return nil, err
		}
		opts.Protocols, opts.Trace = f.port.Protocols, f.port.Trace
		at := slices.IndexFunc(all, func(l relay.LinkConfig) bool { return l.Target == target })
		if at < 0 {
			at = len(all)
			all = append(all, relay.LinkConfig{Target: target, Dial: opts.Options})
		}
		all[at].Prefixes = append(all[at].Prefixes, prefix)
	}
	return all, nil
}

// splitUpstream splits PREFIX=URL. A URL may have the sign too, behind its scheme.
func splitUpstream(value string) (prefix model.Namespace, url string) {
	scheme, _, _ := strings.Cut(value, "://")
	at := strings.LastIndex(scheme, "=")
	return model.ParseNamespace(value[:max(at, 0)], "/"), value[at+1:]
}
