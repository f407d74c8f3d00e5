package door

import (
	"cmp"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// Target is a server to connect to, and what to trust it by.
type Target struct {
	// Timeout is the default of the flag for it; 0: DefaultTimeout.
	Timeout time.Duration

	fingerprint, ca             string
	carrier                     string
	prefix                      string // of the names of the flags
	insecure, retry, quic, qmux bool
	timeout                     time.Duration
}

// DefaultTimeout is how long the first connection may take.
const DefaultTimeout = time.Second

// Declare adds the flags; timeout is the name of the one for the time that the
// first connection may take.
func (d *Target) Declare(p *cli.Program, timeout string) {
	p.Flags.DurationVar(&d.timeout, timeout, cmp.Or(d.Timeout, DefaultTimeout), time.Millisecond, "how long (`ms`) a connection may take")
	p.Flags.StringVar(&d.carrier, "transport", "auto", "what carries the session: `quic` (raw), wt (WebTransport), qmux (QMux over TCP and TLS), or auto: what the URL says, moqt:// for quic, https:// for wt")
	p.Flags.BoolVar(&d.quic, "quic_transport", false, "the same as -transport quic")
	p.Flags.BoolVar(&d.retry, "retry", false, "keep trying even if the first connection fails")
	p.Flags.BoolVar(&d.insecure, "insecure", false, "do not verify the server's certificate")
	p.Flags.StringVar(&d.fingerprint, "fingerprint", "", "SHA-256 in `hex` of the only certificate to accept")
	p.Flags.StringVar(&d.ca, "ca", "", "`file` in PEM with the only certificates to trust")
}

// DeclareUpstream adds the flags for the relays that a relay connects to; those of
// Declare would be mistaken for flags of its own port.
func (d *Target) DeclareUpstream(p *cli.Program) {
	d.timeout, d.prefix = d.Timeout, "upstream_"
	p.Flags.StringVar(&d.carrier, "upstream_transport", "auto", "what carries the sessions to other relays: `quic` (raw), wt (WebTransport), qmux, or auto: what the URL says")
	p.Flags.BoolVar(&d.insecure, "upstream_insecure", false, "do not verify the certificates of other relays")
	p.Flags.StringVar(&d.fingerprint, "upstream_fingerprint", "", "SHA-256 in `hex` of the only certificate of other relays to accept")
	p.Flags.StringVar(&d.ca, "upstream_ca", "", "`file` in PEM with the only certificates of other relays to trust")
}

// DeclareQMUX adds another name for -transport qmux, which moxygen's clients
// have. Servers have a Port with a flag of that name.
func (d *Target) DeclareQMUX(p *cli.Program) {
	p.Flags.BoolVar(&d.qmux, "qmux", false, "the same as -transport qmux")
}

// Options returns where url leads and how to connect. What is trusted beyond
// the usual is said on the log.
func (d *Target) Options(env *cli.Env, url string, cfg session.Config) (dial.Target, dial.KeepOptions, error) {
	target, err := dial.Parse(url)
	if err != nil {
		return target, dial.KeepOptions{}, cli.Usagef("%v", err)
	}
	carrier, err := d.transport()
	if err != nil {
		return target, dial.KeepOptions{}, err
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
		Options:    dial.Options{TLS: conf, Timeout: d.timeout, Transport: carrier, Session: cfg},
		RetryFirst: d.retry, Log: env.Log,
	}, nil
}

// carriers are the values of -transport.
var carriers = map[string]transport.Kind{
	"auto": "", "quic": transport.QUIC, "wt": transport.WebTransport, "qmux": transport.QMUX,
}

// transport returns what the flags ask for, empty for what the URL says.
func (d *Target) transport() (transport.Kind, error) {
	kind, ok := carriers[d.carrier]
	if !ok {
		return "", cli.Usagef("-%stransport is %q; it can be quic, wt, qmux or auto", d.prefix, d.carrier)
	}
	for _, short := range []struct {
		set  bool
		kind transport.Kind
		name string
	}{{d.quic, transport.QUIC, "-quic_transport"}, {d.qmux, transport.QMUX, "-qmux"}} {
		switch {
		case short.set && kind != "" && kind != short.kind:
			return "", cli.Usagef("%s and another transport, %s, are asked for; use one", short.name, kind)
		case short.set:
			kind = short.kind
		}
	}
	return kind, nil
}

// Patience returns how long the first connection may take, and whether to keep
// trying if it fails.
func (d *Target) Patience() (timeout time.Duration, retry bool) { return d.timeout, d.retry }
