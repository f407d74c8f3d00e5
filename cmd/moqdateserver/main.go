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
	"oxymoq/pkg/session"
)

// endpoint is what the URL of the server ends with, as with moxygen.
const endpoint = "/moq-date"

// flags are the settings as the command line has them.
type flags struct {
	port             door.Port
	relay            door.Target
	ns, mode, url    string
	utc, properties  bool
	publish, direct  bool
	transactionLimit time.Duration
}

func main() {
	p := cli.New("moqdateserver", "publishes the date as a MoQT track, one object a second")
	var f flags
	p.Flags.Group("Track")
	p.Flags.StringVar(&f.ns, "ns", "moq-date", "`namespace` of the track; \"/\" separates its fields")
	p.Flags.StringVar(&f.mode, "mode", string(date.StreamPerGroup), "how objects travel: one stream per minute (`spg`), one per object (spo), or datagram")
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
	p.Example("moqdateserver", "the date on port 9667, for moqtextclient -connect_url moqt://localhost:9667/moq-date …")
	p.Example("moqdateserver -relay_url moqt://localhost:9668/moq-relay", "through a relay as well")
	p.Main(func(ctx context.Context, env *cli.Env) error { return run(ctx, env, f) })
}

func run(ctx context.Context, env *cli.Env, f flags) error {
	mode, err := date.ParseMode(f.mode)
	if err != nil {
		return cli.Usagef("%v", err)
	}
	ns := model.ParseNamespace(f.ns, "/")
	if err := (model.FullTrackName{Namespace: ns, Name: date.Name}).Validate(); err != nil {
		return cli.Usagef("namespace %q: %v", f.ns, err)
	}
	if !f.direct && f.url == "" {
		return cli.Usagef("with -nolisten a -relay_url is needed")
	}
	zone := time.Local
	if f.utc {
		zone = time.UTC
	}
	pub := date.NewPublisher(ns, date.Clock{Mode: mode, Zone: zone, TestProperties: f.properties})
	mux := moqt.NewTrackMux()
	pub.Serve(mux)
	cfg := session.Config{Handler: mux, Implementation: "oxymoq-date/" + cli.Release(), Log: env.Log}

	var relay *moqt.Registrar
	if f.url != "" {
		relay = &moqt.Registrar{Registration: moqt.Registration{Mux: mux, Namespace: ns, Timeout: f.transactionLimit, Log: env.Log}}
		if relay.Target, relay.Dial, err = f.relay.Options(env, f.url, cfg); err != nil {
			return err
		}
		if f.publish {
			relay.Namespace, relay.Tracks = nil, []*moqt.LocalTrack{pub.Track()}
		}
	}

	// Sessions outlive the signal until the subscribers know that the track
	// has ended.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := make(chan error, 3) // listener, publisher, relay
	var running sync.WaitGroup
	if f.direct {
		l, err := f.port.Listen(env)
		if err != nil {
			return err
		}
		defer l.Close()
		server := &moqt.Server{Session: cfg, Log: env.Log}
		running.Go(func() { failed <- server.Serve(serving, l) })
		fmt.Fprintf(env.Err, "moqdateserver is ready: %s, namespace %s, track %s\n", door.URL(l, endpoint), f.ns, date.Name)
	}
	name, _ := time.Now().In(zone).Zone()
	env.Log.Info("minute lines are in the time zone " + name)
	publishing, end := context.WithCancel(ctx)
	defer end()
	running.Go(func() { failed <- pub.Run(publishing) })
	if relay != nil {
		running.Go(func() { failed <- relay.Run(publishing, serving) })
	}
	select {
	case <-ctx.Done():
		err = context.Cause(ctx)
	case err = <-failed:
	}
	end()
	mux.Linger(farewell)
	stop()
	running.Wait()
	return err
}

// farewell is how long the last messages have to reach the subscribers.
const farewell = time.Second
