// Package client asks a relay over its admin API, and gives it orders: a Client is an
// observe.Source and an observe.Control. It finds the relay at a socket of the file
// system or a URL.
//
// Errors of package observe come back as themselves; everything else that the relay
// said is an Error. A Client does not try again: who shows the state decides when.
//
// It starts no goroutines but those of net/http, which end with Close. Its lock
// guards the newest state and the run of the events; nothing is asked under it.
//
//	c, err := client.New(client.Config{Address: "unix:/run/user/1000/oxymoq/relay-9668.sock"})
//	...
//	defer c.Close()
//	state, err := c.State(ctx)
package client
