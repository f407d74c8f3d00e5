package main

import (
	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// caller is what the commands have in common that connect to a relay or server.
type caller struct {
	target  door.Target
	dialect door.Dialect
	events  door.Events
	url     string
}

// options says whom to connect to and how; h answers the requests of the other
// side and may be nil. end is to be called with the result of the command.
func (c *caller) options(env *cli.Env, h session.Handler) (t dial.Target, o dial.KeepOptions, end func(*error), err error) {
	protocols, err := c.dialect.Protocols()
	if err != nil {
		return t, o, nil, err
	}
	if t, o, err = c.target.Options(env, c.url, sessionConfig(env, &c.dialect, h)); err != nil {
		return t, o, nil, err
	}
	o.Protocols = protocols
	end, err = c.events.Trace(env, mlog.Client, name, &o.Session, &o.Trace)
	return t, o, end, err
}

// sessionConfig is the configuration of every session of the program.
func sessionConfig(env *cli.Env, d *door.Dialect, h session.Handler) session.Config {
	return session.Config{
		Handler: h, Implementation: "oxymoq-test/" + cli.Release(),
		Strict: d.Strict(), Profile: d.Profile(), Log: env.Log,
	}
}
