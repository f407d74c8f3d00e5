package main

import (
	"fmt"
	"path/filepath"

	"oxymoq/internal/cli"
)

// What the public interop runner agrees upon with the images of relays: the port,
// and files below the root. See docs/interop-runner.md.
const (
	roleRelay  = "relay"
	runnerPort = 4443
	runnerCert = "certs/cert.pem"
	runnerKey  = "certs/priv.key"
	runnerLogs = "mlog"
	exitUnable = 127 // a role that the program has not
)

// runnerFlags declares the flag that asks for all that, and the runner's names for
// others.
func (f *flags) runnerFlags(p *cli.Program) {
	p.Flags.Group("Public interop runner")
	p.Flags.StringVar(&f.role, "role", "", "`relay`: port 4443, the certificate in /certs and traces into /mlog, if they are there and nothing else is said; MOQT_ROLE sets it too")
	for name, variable := range map[string]string{
		"role": "MOQT_ROLE", "port": "MOQT_PORT", "cert": "MOQT_CERT", "key": "MOQT_KEY", "qlog_dir": "MOQT_MLOG_DIR",
	} {
		p.Flags.Variable(name, variable)
	}
}

// play does what the role asks for; root is where the runner mounts its files.
func (f *flags) play(root string) error {
	switch f.role {
	case "":
		return nil
	case roleRelay:
		f.port.Suggest(runnerPort, filepath.Join(root, runnerCert), filepath.Join(root, runnerKey))
		f.traces.Suggest(filepath.Join(root, runnerLogs))
		return nil
	}
	return &cli.CodeError{Code: exitUnable, Err: fmt.Errorf("-role %s: this program can only be a %s", f.role, roleRelay)}
}
