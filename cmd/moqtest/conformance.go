package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"oxymoq/internal/cli"
	"oxymoq/internal/door"
	"oxymoq/internal/moqtest"
)

// conformance performs moxygen's suites at a relay.
type conformance struct {
	caller
	set      *cli.FlagSet
	suite    string
	cases    []string
	list     bool
	publish  bool
	parallel int
	drops    int
	junit    string
}

func (f *conformance) program() *cli.Program {
	p := cli.New(name+" conformance", "performs moxygen's conformance suites at a relay and tells the results in TAP version 14")
	f.set = p.Flags
	p.Flags.Group("Cases")
	p.Flags.StringVar(&f.url, "relay", "moqt://localhost:9668/moq-relay", "`URL` of the relay")
	p.Flags.StringVar(&f.suite, "suite", moqtest.Suite80.String(), "`80`, or 50 for the suite before it")
	p.Flags.ListVar(&f.cases, "case", nil, "`numbers` of the cases to perform; without it all")
	p.Flags.BoolVar(&f.list, "list", false, "print numbers and names of the cases and exit")
	p.Flags.BoolVar(&f.publish, "publish", true, "publish the tracks too; -nopublish if another server of "+moqtest.Protocol+" does")
	p.Flags.IntVar(&f.parallel, "parallel", moqtest.DefaultParallel, "`number` of cases at a time")
	p.Flags.IntVar(&f.drops, "datagram_drops_allowed_percentage", moqtest.DefaultDrops, "how many datagrams in a `hundred` may be lost; one always may")
	p.Flags.StringVar(&f.junit, "junit", "", "`file` to write the results to in the form of JUnit")
	p.Flags.Group("Connection")
	f.target.Declare(p, "connect_timeout")
	p.Flags.Group("Protocol")
	f.dialect.Declare(p)
	p.Flags.Alias("draft", "versions")
	f.events.Declare(p)
	p.Example("moqtest conformance -insecure -relay moqt://localhost:9668/moq-relay", "all 80 cases over raw QUIC")
	p.Example("moqtest conformance -insecure -draft 18,16,14 -transport wt -case 1,45", "two cases on each of three drafts over WebTransport")
	return p
}

func (f *conformance) selected() (suite moqtest.Suite, cases []moqtest.Case, err error) {
	n, err := strconv.ParseUint(f.suite, 10, 8)
	suite = moqtest.Suite(n)
	if err != nil || len(moqtest.Cases(suite)) == 0 {
		return 0, nil, cli.Usagef("-suite is %q; it can be %v or %v", f.suite, moqtest.Suite80, moqtest.Suite50)
	}
	if cases, err = moqtest.Select(suite, f.cases); err != nil {
		return 0, nil, cli.Usagef("%v", err)
	}
	return suite, cases, nil
}

// rounds are the protocols of each round: of those that -versions names each has
// its own, otherwise there is one.
func (f *conformance) rounds() (rounds [][]string, err error) {
	protocols, err := f.dialect.Protocols()
	if err != nil || !f.set.IsSet("versions") {
		return [][]string{protocols}, err
	}
	for _, p := range protocols {
		rounds = append(rounds, []string{p})
	}
	return rounds, nil
}

func (f *conformance) run(ctx context.Context, env *cli.Env) (err error) {
	if len(env.Args) > 0 {
		return cli.Usagef("%q was not expected; -case names a case", env.Args[0])
	}
	if f.parallel < 1 {
		return cli.Usagef("-parallel is %d; there must be one case at a time at least", f.parallel)
	}
	suite, cases, err := f.selected()
	if err != nil {
		return err
	}
	if f.list {
		for _, c := range cases {
			fmt.Fprintf(env.Out, "%s %s: %s\n", c.ID(), c.Section, c.Name)
		}
		return nil
	}
	if !f.set.IsSet("logging") {
		if err := env.Levels.Set("WARN"); err != nil { // each case has sessions, and what came of them is on standard output
			return err
		}
	}
	rounds, err := f.rounds()
	if err != nil {
		return err
	}
	target, options, end, err := f.options(env, nil)
	if err != nil {
		return err
	}
	defer end(&err)
	report := moqtest.NewReport(env.Out, len(cases)*len(rounds), name+" "+cli.Release(), fmt.Sprintf("Relay: %v", target), fmt.Sprintf("Suite: %v", suite))
	job := moqtest.Config{
		Target: target, Dial: options.Options, Publish: f.publish, Strict: f.dialect.Strict(),
		Drops: f.drops, Parallel: f.parallel, Done: report.Add, Log: env.Log,
	}
	var failed []error
	for _, protocols := range rounds {
		job.Dial.Protocols = protocols
		err := moqtest.Run(ctx, job, cases)
		if err != nil && !errors.Is(err, moqtest.ErrFailed) {
			return errors.Join(err, report.End(err), f.write(report))
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%v: %w", door.Drafts(protocols), err))
		}
	}
	return errors.Join(errors.Join(failed...), report.End(nil), f.write(report))
}

// write writes the JUnit file, if one is wanted.
func (f *conformance) write(report *moqtest.Report) (err error) {
	if f.junit == "" {
		return nil
	}
	file, err := os.Create(f.junit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return report.JUnit(file)
}
