package door

import (
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/session"
)

// Target is a server to connect to, and what to trust it by.
type Target struct {
	fingerprint, ca string
	insecure, retry bool
	timeout         time.Duration
}

// DefaultTimeout is how long the first connection may take.
const DefaultTimeout = time.Second

// Declare adds the flags; timeout is the name of the one for the time that the
// first connection may take.
func (d *Target) Declare(p *cli.Program, timeout string) {
	p.Flags.DurationVar(&d.timeout, timeout, DefaultTimeout, time.Millisecond, "how long (`ms`) a connection may take")
	p.Flags.BoolVar(&d.retry, "retry", false, "keep trying even if the first connection fails")
	p.Flags.BoolVar(&d.insecure, "insecure", false, "do not verify the server's certificate")
	p.Flags.StringVar(&d.fingerprint, "fingerprint", "", "SHA-256 in `hex` of the only certificate to accept")
	p.Flags.StringVar(&d.ca, "ca", "", "`file` in PEM with the only certificates to trust")
}

// Options returns where url leads and how to connect. What is trusted beyond
// the usual is said on the log.
func (d *Target) Options(env *cli.Env, url string, cfg session.Config) (dial.Target, dial.KeepOptions, error) {
	target, err := dial.Parse(url)
	if err != nil {
		return target, dial.KeepOptions{}, cli.Usagef("%v", err)
	}
	conf, note, err := certs.ClientConfig(certs.ClientOptions{
		Host: target.Host, Insecure: d.insecure, Fingerprint: d.fingerprint, CAFile: d.ca,
	})
	if err != nil {
		return target, dial.KeepOptions{}, err
	}
	if note != "" {
		env.Log.Info(note)
	}
	return target, dial.KeepOptions{
		Options:    dial.Options{TLS: conf, Timeout: d.timeout, Session: cfg},
		RetryFirst: d.retry, Log: env.Log,
	}, nil
}
