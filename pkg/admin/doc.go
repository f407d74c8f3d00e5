// Package admin shows a relay over HTTP and takes orders for it: its state as JSON,
// also in the shape of moqx's /state, what happens as server-sent events, metrics
// for Prometheus, health, a page for browsers, and, for who may, kick, purge,
// drain, the level of the log and the profiles of net/http/pprof. The paths are the
// table in routes.go; openapi.json describes them.
//
// Who may do what is decided by address: an Access says what everybody may do who
// reaches it, and what tokens and certificates add to that. A socket of the file
// system is for who may open it, a port of the loopback device for reading.
// Requests by names that are not ours are refused, so that a page of a foreign
// origin cannot read through a name that it points here, and so are changes that
// pages of other origins ask for.
//
// The package decides nothing and counts nothing: everything comes from an
// observe.Source and goes to an observe.Control. The state is asked for at most once
// in Freshness, however many read it.
//
// Goroutines: those of net/http, at most MaxConns for connections at each address;
// all have ended when Serve returns. Locks: snapshots has one for the newest state,
// tally one for the series of tracks; neither is held while a client is written to.
//
//	api := admin.New(admin.Config{Source: relay, Control: relay})
//	ln, err := admin.ListenSocket(path)
//	...
//	err = admin.Serve(ctx, ln, api.Handler(admin.Access{Open: admin.Control, AnyHost: true}), log)
package admin
