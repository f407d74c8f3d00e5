// Command servercerts makes the certificate of scripts/create-server-certs.sh: one
// that browsers accept by its SHA-256, and our clients towards this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
)

// The names of the files, which servers, clients and web pages know.
const (
	certName = "certificate.pem"
	keyName  = "certificate.key"
	hashName = "certificate_fingerprint.hex" // 32 bytes, whatever it is called
)

func main() {
	var dir string
	p := program(&dir)
	p.Main(func(_ context.Context, env *cli.Env) error { return run(env, dir, time.Now()) })
}

func program(dir *string) *cli.Program {
	p := cli.New("create-server-certs.sh", "makes a certificate for servers on this machine, or at the names and addresses that are given as arguments too")
	p.Flags.Group("Files")
	p.Flags.StringVar(dir, "dir", "certs", "`directory` for "+certName+", "+keyName+" and "+hashName)
	p.Example("create-server-certs.sh relay.example 192.0.2.7", "a certificate for a relay that others reach by this name and address")
	p.Example("create-server-certs.sh -dir ../moq-encoder-player/certs", "in the place where the pages of a web server there look for its fingerprint")
	return p
}

// run makes the pair in dir for DefaultHosts and the arguments.
func run(env *cli.Env, dir string, now time.Time) error {
	hosts := certs.DefaultHosts()
	for _, h := range env.Args {
		if err := checkHost(h); err != nil {
			return err
		}
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	cert, err := certs.SelfSigned(now, hosts...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the directory: %w", err)
	}
	certFile, keyFile := filepath.Join(dir, certName), filepath.Join(dir, keyName)
	replaced := exists(certFile) || exists(keyFile)
	if err := certs.WritePair(cert, certFile, keyFile); err != nil {
		return fmt.Errorf("cannot make a certificate in %s: %w", dir, err)
	}
	if err := certs.WriteFingerprint(cert, filepath.Join(dir, hashName)); err != nil {
		return fmt.Errorf("cannot make a certificate in %s: %w", dir, err)
	}
	if replaced {
		fmt.Fprintf(env.Err, "The certificate that was there is replaced; servers that run with it take the new one by themselves.\n")
	}
	fmt.Fprintf(env.Out, "certificate  %s\nprivate key  %s\nvalid until  %s\nfor          %s\nSHA-256      %x\n",
		certFile, keyFile, cert.Leaf.NotAfter.Local().Format("2006-01-02 15:04"), strings.Join(hosts, ", "), certs.Fingerprint(cert))
	return nil
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// hostName is what may stand in a certificate as a name, also with a wildcard.
var hostName = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

func checkHost(h string) error {
	if _, err := netip.ParseAddr(h); err == nil {
		return nil
	}
	if len(h) > 253 || !hostName.MatchString(h) {
		return cli.Usagef("%q is neither a host name nor an IP address", h)
	}
	return nil
}
