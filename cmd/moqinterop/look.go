package main

import (
	"context"
	"encoding/json"
	"fmt"

	"oxymoq/internal/cli"
	"oxymoq/internal/probe"
	"oxymoq/pkg/session"
)

// look performs no cases but looks at one server.
func look(ctx context.Context, env *cli.Env, f *flags, set *cli.FlagSet) error {
	url := f.probe + f.doctor
	switch {
	case f.probe != "" && f.doctor != "":
		return cli.Usagef("-probe and -doctor exclude each other")
	case url == "":
		return cli.Usagef("-json needs -probe or -doctor")
	case len(f.cases) > 0:
		return cli.Usagef("-probe and -doctor perform no cases, so there is no use for -test")
	case set.IsSet("mlog_path") || set.IsSet("qlog_dir"):
		return cli.Usagef("-probe and -doctor write no traces")
	case len(env.Args) > 0:
		return cli.Usagef("%q was not expected", env.Args[0])
	}
	protocols, err := f.dialect.Protocols()
	if err != nil {
		return err
	}
	target, options, err := f.target.Options(env, url, session.Config{Implementation: "oxymoq-probe/" + cli.Release()})
	if err != nil {
		return err
	}
	options.Protocols = protocols
	o := probe.Options{Target: target, Dial: options.Options}
	if f.doctor != "" {
		return diagnose(ctx, env, f, o)
	}
	report, err := probe.Probe(ctx, o)
	if err != nil {
		return err
	}
	write := report.Text
	if f.json {
		write = report.JSON
	}
	if err := write(env.Out); err != nil {
		return err
	}
	if !report.Accepted() {
		return fmt.Errorf("%v takes no session; -doctor says why", target)
	}
	return nil
}

// diagnose tells of each stage as soon as it is known.
func diagnose(ctx context.Context, env *cli.Env, f *flags, o probe.Options) error {
	lines := json.NewEncoder(env.Out)
	lines.SetEscapeHTML(false)
	failure, err := probe.Diagnose(ctx, o, func(c probe.Check) {
		if f.json {
			_ = lines.Encode(c) // who does not read has the code
		} else {
			fmt.Fprintln(env.Out, c)
		}
	})
	if err == nil && failure != nil {
		err = fmt.Errorf("there is no session with %v: it fails at %q", o.Target, failure.Stage)
	}
	return err
}
