package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"oxymoq/internal/cli"
	"oxymoq/internal/moqtest"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// client asks for one track and judges what comes.
type client struct {
	caller
	set *cli.FlagSet

	request, order, track                 string
	start, end                            string
	join                                  int64
	forwarding                            int
	startGroup, startObject               uint64
	lastGroup, perGroup, firstSize, size  uint64
	groupStep, objectStep                 uint64
	lastObject, integer, variable         int64
	marked                                bool
	frequency, publisherTimeout, delivery time.Duration
	drops                                 int
	limit                                 time.Duration
}

// unset stands for what follows from other flags.
const unset = -1

func (f *client) program() *cli.Program {
	d := moqtest.Defaults()
	p := cli.New(name+" client", "asks for a track of moq-test-00 and tells whether it came as it is")
	f.set = p.Flags
	p.Flags.Group("Track")
	p.Flags.IntVar(&f.forwarding, "forwarding_preference", 0, "how objects travel: 0 a subgroup for each group, 1 for each object, 2 two for each group, 3 datagrams")
	p.Flags.Uint64Var(&f.startGroup, "start_group", 0, "first `group`")
	p.Flags.Uint64Var(&f.startObject, "start_object", 0, "first `object` of each group")
	p.Flags.Uint64Var(&f.lastGroup, "last_group", d.Last.Group, "last `group`")
	p.Flags.Int64Var(&f.lastObject, "last_object_in_track", unset, "last `object` of each group; -1: as many as -objects_per_group allows")
	p.Flags.Uint64Var(&f.perGroup, "objects_per_group", d.PerGroup, "`number` that bounds the objects of a group")
	p.Flags.Uint64Var(&f.firstSize, "size_of_object_zero", d.FirstSize, "`bytes` of the first object of each group")
	p.Flags.Uint64Var(&f.size, "size_of_object_greater_than_zero", d.Size, "`bytes` of the others")
	p.Flags.DurationVar(&f.frequency, "object_frequency", 50*time.Millisecond, time.Millisecond, "time (`ms`) between objects")
	p.Flags.Uint64Var(&f.groupStep, "group_increment", 1, "`difference` of successive groups")
	p.Flags.Uint64Var(&f.objectStep, "object_increment", 1, "`difference` of successive objects")
	p.Flags.BoolVar(&f.marked, "send_end_of_group_markers", false, "the last object of each group is an END_OF_GROUP")
	p.Flags.Int64Var(&f.integer, "test_integer_extension", unset, "`n`: objects have a property of type 2n; -1: none")
	p.Flags.Int64Var(&f.variable, "test_variable_extension", unset, "`n`: objects have a property of type 2n+1; -1: none")
	p.Flags.DurationVar(&f.publisherTimeout, "publisher_delivery_timeout", 0, time.Millisecond, "OBJECT_DELIVERY_TIMEOUT (`ms`) of the track; 0: none")
	p.Flags.StringVar(&f.track, "track", moqtest.TrackName, "`name` of the track")
	p.Flags.Group("Request")
	p.Flags.StringVar(&f.request, "request", "subscribe", "`subscribe`, fetch, or publish: SUBSCRIBE_TRACKS here, and PUBLISH on another session")
	p.Flags.StringVar(&f.order, "publish_order", subscribeFirst, "what comes first of -request publish: `"+subscribeFirst+"` or "+publishFirst)
	p.Flags.StringVar(&f.start, "start_location", "", "where -request fetch begins, as `group,object`; the whole track by default")
	p.Flags.StringVar(&f.end, "end_location", "", "where it ends, as `group,object`, before that object, or 0 for the whole group")
	p.Flags.Int64Var(&f.join, "join_start", 0, "subscribes in the middle of the track and fetches its past: from this `group`, or, if negative, so many groups back")
	p.Flags.DurationVar(&f.delivery, "delivery_timeout", 0, time.Millisecond, "delivery timeout (`ms`) of the subscription; 0: none")
	p.Flags.IntVar(&f.drops, "datagram_drops_allowed_percentage", moqtest.DefaultDrops, "how many datagrams in a `hundred` may be lost; one always may")
	p.Flags.DurationVar(&f.limit, "transaction_timeout", 0, time.Millisecond, "how long (`ms`) all may take; 0: as long as the track, twice, and some seconds")
	p.Flags.Group("Connection")
	p.Flags.StringVar(&f.url, "url", "moqt://localhost:9999/test", "`URL` of the server or relay")
	f.target.Declare(p, "connect_timeout")
	p.Flags.Group("Protocol")
	f.dialect.Declare(p)
	f.events.Declare(p)
	p.Example("moqtest client -insecure -last_group 2 -objects_per_group 5", "three groups of six objects")
	p.Example("moqtest client -insecure -request fetch -last_group 4 -start_location 2,0 -end_location 3,0", "two groups of five, by FETCH")
	return p
}

// Values of -publish_order, as moxygen has them.
const (
	subscribeFirst = "subscribe_first"
	publishFirst   = "publish_first"
)

// params puts the flags of the track together.
func (f *client) params() (moqtest.Params, error) {
	p := moqtest.Params{
		Start: model.Location{Group: f.startGroup, Object: f.startObject}, Last: model.Location{Group: f.lastGroup}, PerGroup: f.perGroup,
		FirstSize: f.firstSize, Size: f.size, Interval: f.frequency, GroupStep: f.groupStep, ObjectStep: f.objectStep,
		EndOfGroup: f.marked, Timeout: f.publisherTimeout,
	}
	if f.forwarding < 0 || f.forwarding > int(moqtest.Datagrams) {
		return p, cli.Usagef("-forwarding_preference is %d; it can be 0 to %d", f.forwarding, moqtest.Datagrams)
	}
	p.Forwarding = moqtest.Forwarding(f.forwarding)
	for _, o := range []struct {
		name  string
		value int64
		set   func(uint64)
	}{
		{"test_integer_extension", f.integer, func(v uint64) { p.IntProperty = model.Some(v) }},
		{"test_variable_extension", f.variable, func(v uint64) { p.BytesProperty = model.Some(v) }},
	} {
		if o.value < unset {
			return p, cli.Usagef("-%s is %d", o.name, o.value)
		}
		if o.value != unset {
			o.set(uint64(o.value))
		}
	}
	switch {
	case f.lastObject == unset:
		p = p.Filled()
	case f.lastObject < unset:
		return p, cli.Usagef("-last_object_in_track is %d", f.lastObject)
	default:
		p.Last.Object = uint64(f.lastObject)
	}
	// What cannot be written, such as a pause of less than a millisecond, is lost.
	written, err := moqtest.Parse(p.Namespace())
	if err != nil {
		return p, cli.Usagef("there is no such track: %v", err)
	}
	return written, nil
}

// ask puts the flags together.
func (f *client) ask() (moqtest.Ask, error) {
	p, err := f.params()
	a := moqtest.Ask{Params: p, Track: f.track, Timeout: f.delivery}
	if err != nil {
		return a, err
	}
	switch f.request {
	case "subscribe":
	case "fetch":
		a.Request = moqtest.Fetch
	case "publish":
		a.Request = moqtest.Publish
	default:
		return a, cli.Usagef("-request is %q; it can be subscribe, fetch or publish", f.request)
	}
	if f.set.IsSet("join_start") {
		if a.Request != moqtest.Subscribe {
			return a, cli.Usagef("-join_start is for -request subscribe")
		}
		a.Request, a.From = moqtest.Join, moqtest.JoinFrom{Group: uint64(f.join)}
		if f.join < 0 {
			a.From = moqtest.JoinFrom{Relative: true, Group: uint64(-f.join)}
		}
	}
	switch f.order {
	case subscribeFirst:
	case publishFirst:
		a.PublishFirst = true
	default:
		return a, cli.Usagef("-publish_order is %q; it can be %s or %s", f.order, subscribeFirst, publishFirst)
	}
	if f.start == "" && f.end == "" {
		return a, nil
	}
	if a.Request != moqtest.Fetch {
		return a, cli.Usagef("-start_location and -end_location are for -request fetch")
	}
	a.Range, err = f.ranged(p)
	return a, err
}

// ranged reads the two locations.
func (f *client) ranged(p moqtest.Params) (r model.Range, err error) {
	r = model.Range{Start: p.First(), End: p.End()}
	if f.start != "" {
		if r.Start, err = location("start_location", f.start); err != nil {
			return r, err
		}
	}
	if f.end != "" {
		if r.End, err = location("end_location", f.end); err != nil {
			return r, err
		}
		r.End.Object-- // exclusive; 0 becomes the largest, which is the whole group
	}
	if r.Empty() {
		return r, cli.Usagef("nothing lies between -start_location and -end_location")
	}
	return r, nil
}

func location(flag, text string) (l model.Location, err error) {
	group, object, ok := strings.Cut(text, ",")
	if ok {
		l.Group, err = strconv.ParseUint(group, 10, 62)
	}
	if ok && err == nil {
		l.Object, err = strconv.ParseUint(object, 10, 62)
	}
	if !ok || err != nil {
		return l, cli.Usagef("-%s is %q and not of the form group,object", flag, text)
	}
	return l, nil
}

func (f *client) run(ctx context.Context, env *cli.Env) (err error) {
	if len(env.Args) > 0 {
		return cli.Usagef("%q was not expected", env.Args[0])
	}
	a, err := f.ask()
	if err != nil {
		return err
	}
	target, options, end, err := f.options(env, nil)
	if err != nil {
		return err
	}
	defer end(&err)
	limit := f.limit
	if limit == 0 {
		c := moqtest.Case{Ask: a}
		limit = c.Limit()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("nothing more within %v", limit))
	defer cancel()
	c := moqtest.Client{Drops: f.drops, Strict: f.dialect.Strict(), Connect: func(ctx context.Context, h session.Handler) (*session.Session, error) {
		o := options.Options
		o.Session.Handler = h
		return dial.Dial(ctx, target, o)
	}}
	began := time.Now()
	if err := c.Perform(ctx, a); err != nil {
		if _, ok := errors.AsType[*moqtest.Failure](err); ok {
			return fmt.Errorf("FAILURE: %w", err)
		}
		return err
	}
	fmt.Fprintf(env.Out, "SUCCESS: all of %d objects in %.1f s\n", a.Params.Count(), time.Since(began).Seconds())
	return nil
}
