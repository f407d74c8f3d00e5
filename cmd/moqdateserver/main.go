// Command moqdateserver publishes the date, one object a second.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/date"
	"oxymoq/internal/door"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

// endpoint is what the URL of the server ends with, as with moxygen.
const endpoint = "/moq-date"

// flags are the settings as the command line has them.
type flags struct {
	port                       door.Port
	relay                      door.Target
	dialect                    door.Dialect
	events                     door.Events
	ns, mode, url              string
	perObject, perGroup        bool
	utc, properties            bool
	publish, direct            bool
	transactionLimit, delivery time.Duration
}

func main() {
	var f flags
	p := f.program()
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, &f, p.Flags) })
}

// program declares the flags.
func (f *flags) program() *cli.Program {
	p := cli.New("moqdateserver", "publishes the date as a MoQT track, one object a second")
	p.Flags.Group("Track")
	p.Flags.StringVar(&f.ns, "ns", "moq-date", "`namespace` of the track; \"/\" separates its fields")
	p.Flags.StringVar(&f.mode, "mode", string(date.StreamPerGroup), "how objects travel: one stream per minute (`spg`), one per object (spo), or datagram")
	p.Flags.BoolVar(&f.perGroup, "stream_per_group", false, "the same as -mode spg")
	p.Flags.BoolVar(&f.perObject, "stream_per_object", false, "the same as -mode spo")
	p.Flags.DurationVar(&f.delivery, "delivery_timeout", 0, time.Millisecond, "how old (`ms`) objects may get before they are dropped, here and by relays; 0: never")
	p.Flags.BoolVar(&f.utc, "utc", false, "minute lines in UTC instead of local time")
	p.Flags.BoolVar(&f.properties, "test_properties", false, "put moxygen's two test properties on minute lines")
	p.Flags.Group("Own port")
	p.Flags.BoolVar(&f.direct, "listen", true, "serve subscribers directly")
	f.port.Declare(p, 9667)
	p.Flags.Group("Relay")
	p.Flags.StringVar(&f.url, "relay_url", "", "`URL` of a relay to publish at too, as in moqt://localhost:9668/moq-relay")
	p.Flags.BoolVar(&f.publish, "publish", false, "offer the track by PUBLISH instead of waiting for SUBSCRIBE")
	p.Flags.DurationVar(&f.transactionLimit, "relay_transaction_timeout", 120*time.Second, time.Second, "how long (`s`) the relay may take to answer a request")
	f.relay.Declare(p, "relay_connect_timeout")
	p.Flags.Group("Protocol")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Example("moqdateserver", "the date on port 9667, for moqtextclient -connect_url moqt://localhost:9667/moq-date …")
	p.Example("moqdateserver -relay_url moqt://localhost:9668/moq-relay", "through a relay as well")
	return p
}

// travel says how objects travel: -mode, or what older versions had for it.
func (f *flags) travel(set *cli.FlagSet) (date.Mode, error) {
	mode, err := date.ParseMode(f.mode)
	if err != nil {
		return "", cli.Usagef("%v", err)
	}
	for _, old := range []struct {
		name string
		on   bool
		mode date.Mode
	}{{"stream_per_group", f.perGroup, date.StreamPerGroup}, {"stream_per_object", f.perObject, date.StreamPerObject}} {
		if !old.on {
			continue
		}
		if f.perGroup && f.perObject || set.IsSet("mode") && mode != old.mode {
			return "", cli.Usagef("-%s is the same as -mode %s, and something else is asked for too", old.name, old.mode)
		}
		mode = old.mode
	}
	return mode, nil
}

func run(ctx context.Context, env *cli.Env, f *flags, set *cli.FlagSet) (err error) {
	mode, err := f.travel(set)
	if err != nil {
		return err
	}
	ns := model.ParseNamespace(f.ns, "/")
	if err := (model.FullTrackName{Namespace: ns, Name: date.Name}).Validate(); err != nil {
		return cli.Usagef("namespace %q: %v", f.ns, err)
	}
	if !f.direct && f.url == "" {
		return cli.Usagef("with -nolisten a -relay_url is needed")
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return err
	}
	zone := time.Local
	if f.utc {
		zone = time.UTC
	}
	pub := date.NewPublisher(ns, date.Clock{Mode: mode, Zone: zone, TestProperties: f.properties})
	mux := moqt.NewTrackMux()
	pub.Serve(mux)
	pub.Expire(f.delivery)
	cfg := session.Config{Handler: mux, Implementation: "oxymoq-date/" + cli.Release(), Strict: f.dialect.Strict(), Profile: f.dialect.Profile(), Log: env.Log}
	var relay *moqt.Registrar
	if f.url != "" {
		relay = &moqt.Registrar{Registration: moqt.Registration{Mux: mux, Namespace: ns, Timeout: f.transactionLimit, Log: env.Log}}
		if relay.Target, relay.Dial, err = f.relay.Options(env, f.url, cfg); err != nil {
			return err
		}
		relay.Dial.Protocols = protocols
		if f.publish {
			relay.Namespace, relay.Tracks = nil, []*moqt.LocalTrack{pub.Track()}
		}
	}

	end, err := f.events.Trace(env, mlog.Unknown, "moqdateserver", &cfg, &f.port.Trace)
	if err != nil {
		return err
	}
	defer end(&err)
	if relay != nil {
		relay.Dial.Session.Trace, relay.Dial.Trace = cfg.Trace, f.port.Trace
	}

	// Sessions outlive the signal until the subscribers know that the track
	// has ended.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := make(chan error, 3) // listener, publisher, relay
	var running sync.WaitGroup
	if f.direct {
		f.port.Protocols, f.port.Strict, f.port.Paths = protocols, f.dialect.Strict(), []string{endpoint}
		l, err := f.port.Listen(env)
		if err != nil {
			return err
		}
		defer l.Close()
		server := &moqt.Server{Session: cfg, Log: env.Log}
		running.Go(func() { failed <- server.Serve(serving, l) })
		fmt.Fprintf(env.Err, "moqdateserver is ready: %s, %s, namespace %s, track %s\n", door.URL(l, endpoint), door.WebURL(l, endpoint), f.ns, date.Name)
	}
	name, _ := time.Now().In(zone).Zone()
	env.Log.Info("minute lines are in the time zone " + name)
	publishing, conclude := context.WithCancel(ctx)
	defer conclude()
	running.Go(func() { failed <- pub.Run(publishing) })
	if relay != nil {
		running.Go(func() { failed <- relay.Run(publishing, serving) })
	}
	select {
	case <-ctx.Done():
		err = context.Cause(ctx)
	case err = <-failed:
	}
	conclude()
	mux.Linger(farewell)
	stop()
	running.Wait()
	return err
}

// farewell is how long the last messages have to reach the subscribers.
const farewell = time.Second
