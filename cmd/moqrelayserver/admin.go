package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"oxymoq/internal/certs"
	"oxymoq/internal/cli"
	"oxymoq/pkg/admin"
)

// adminFlags are the settings of the admin API as the command line has them.
type adminFlags struct {
	addresses, hosts           []string
	token, cert, key, clientCA string
	tracks                     int
}

// Values of -admin that are no address.
const (
	adminAuto = "auto" // a socket where moqtop finds it
	adminOff  = "off"
)

// socketScheme begins an address that is a path.
const socketScheme = "unix:"

func (f *adminFlags) declare(p *cli.Program) {
	p.Flags.Group("Admin API")
	p.Flags.ListVar(&f.addresses, "admin", []string{adminAuto}, "`addresses` of the admin API: auto (a socket that moqtop finds), unix:PATH, a TCP port of this machine, HOST:PORT, or off")
	p.Flags.StringVar(&f.token, "admin_token", "", "`file` of tokens, in lines \"read TOKEN\" and \"control TOKEN\", that TCP addresses want; without it those of this machine are for reading")
	p.Flags.StringVar(&f.cert, "admin_cert", "", "certificate `file` in PEM for TCP addresses; without one they have no TLS")
	p.Flags.StringVar(&f.key, "admin_key", "", "private key `file` in PEM")
	p.Flags.StringVar(&f.clientCA, "admin_client_ca", "", "`file` in PEM with the authorities whose clients may connect to TCP addresses; without -admin_token they may do everything")
	p.Flags.ListVar(&f.hosts, "admin_hosts", nil, "`names` by which TCP addresses may be asked for, besides IP addresses, localhost and those of -admin_cert")
	p.Flags.IntVar(&f.tracks, "admin_metric_tracks", admin.DefaultTracks, "`number` of tracks that have metrics of their own; others are added up")
}

// adminAddress is where the API is served.
type adminAddress struct {
	network string // "tcp" or "unix"
	at      string
	auto    bool
}

// parse reads -admin.
func (f *adminFlags) parse() (all []adminAddress, err error) {
	for _, s := range f.addresses {
		path, isPath := strings.CutPrefix(s, socketScheme)
		host, port, splitErr := net.SplitHostPort(s)
		if _, err := strconv.ParseUint(s, 10, 16); err == nil {
			host, port, splitErr = "localhost", s, nil
		}
		switch _, portErr := strconv.ParseUint(port, 10, 16); {
		case s == adminOff && len(f.addresses) > 1:
			return nil, cli.Usagef("-admin: off and addresses together make no sense")
		case s == adminOff:
			return nil, nil
		case s == adminAuto:
			all = append(all, adminAddress{network: "unix", auto: true})
		case isPath && path != "":
			all = append(all, adminAddress{network: "unix", at: path})
		case splitErr == nil && portErr == nil:
			all = append(all, adminAddress{network: "tcp", at: net.JoinHostPort(host, port)})
		default:
			return nil, cli.Usagef("-admin %s is neither auto, off, unix:PATH, a port, nor an address with its port", s)
		}
	}
	return all, nil
}

// String returns the address as the flag has it.
func (a adminAddress) String() string {
	if a.network == "unix" {
		return socketScheme + a.at
	}
	return a.at
}

// loopback reports whether an address can be reached from this machine only.
func (a adminAddress) loopback() bool {
	host, _, _ := net.SplitHostPort(a.at)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// adminServer is the API with its addresses.
type adminServer struct {
	env       *cli.Env
	addresses []adminAddress
	listeners []net.Listener // open
	tls       *tls.Config    // nil: none
	source    *certs.Source
	flags     adminFlags

	mu   sync.Mutex // guards what follows
	tcp  admin.Access
	api  *admin.API   // nil: not served yet
	over http.Handler // TCP addresses
}

// server reads the flags, and the files that they name.
func (f *adminFlags) server(env *cli.Env) (s *adminServer, err error) {
	s = &adminServer{env: env, flags: *f}
	if s.addresses, err = f.parse(); err != nil {
		return nil, err
	}
	if err := f.protect(s); err != nil {
		return nil, err
	}
	for _, a := range s.addresses {
		if a.network == "tcp" && s.tcp.Open > admin.Nothing && !a.loopback() {
			return nil, cli.Usagef("-admin %s: others can reach that address; it needs -admin_token, or -admin_client_ca with -admin_cert", a)
		}
	}
	return s, nil
}

// open opens the addresses; relay is what the relay itself serves.
func (s *adminServer) open(relay net.Addr) error {
	for _, a := range s.addresses {
		ln, err := a.listen(relay)
		switch {
		case err != nil && a.auto:
			s.env.Log.Warn("the admin API has no socket, see -admin", "because", err)
			continue
		case err != nil:
			s.close()
			return fmt.Errorf("-admin %s: %w", a, err)
		case a.network == "tcp" && !a.loopback() && s.tls == nil:
			s.env.Log.Warn("tokens of the admin API cross the network in the clear, see -admin_cert", "address", a)
		}
		s.listeners = append(s.listeners, ln)
	}
	return nil
}

// listen opens one address.
func (a adminAddress) listen(relay net.Addr) (net.Listener, error) {
	path := a.at
	if a.auto {
		_, port, err := net.SplitHostPort(relay.String())
		if err != nil {
			return nil, err
		}
		if path, err = admin.SocketPath(port); err != nil {
			return nil, err
		}
	}
	if a.network == "unix" {
		return admin.ListenSocket(path)
	}
	ln, err := net.Listen("tcp", a.at) //nolint:noctx // it is local and does not wait
	if at, ok := errors.AsType[*net.OpError](err); ok {
		err = at.Err // the address is named anyway
	}
	return ln, err
}

// protect says what clients of TCP addresses may do, and what they must show for it.
func (f *adminFlags) protect(s *adminServer) (err error) {
	s.tcp = admin.Access{Open: admin.Read, Hosts: f.hosts}
	switch {
	case (f.cert == "") != (f.key == ""):
		return cli.Usagef("the certificate of the admin API needs its key: give both -admin_cert and -admin_key")
	case f.clientCA != "" && f.cert == "":
		return cli.Usagef("-admin_client_ca needs -admin_cert and -admin_key: clients show certificates over TLS only")
	case f.tracks < 1:
		return cli.Usagef("-admin_metric_tracks is %d; it must be at least 1", f.tracks)
	}
	if f.cert != "" {
		if s.source, _, err = certs.ServerSource(f.cert, f.key, time.Now()); err != nil {
			return fmt.Errorf("-admin_cert: %w", err)
		}
		s.tls = &tls.Config{GetCertificate: s.source.GetCertificate, MinVersion: tls.VersionTLS13}
		if leaf, err := x509.ParseCertificate(s.source.Current().Certificate[0]); err == nil {
			s.tcp.Hosts = append(s.tcp.Hosts, leaf.DNSNames...)
		}
	}
	if f.clientCA != "" {
		s.tls.ClientAuth, s.tls.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		pem, err := os.ReadFile(f.clientCA)
		if err != nil {
			return fmt.Errorf("-admin_client_ca: %w", err)
		}
		if !s.tls.ClientCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("-admin_client_ca: %s has no certificate in PEM", f.clientCA)
		}
		s.tcp.Open, s.tcp.Certified = admin.Nothing, admin.Control
	}
	if f.token != "" {
		if s.tcp.Tokens, err = admin.ReadTokens(f.token); err != nil {
			return fmt.Errorf("-admin_token: %w", err)
		}
		if info, err := os.Stat(f.token); err == nil && info.Mode().Perm()&0o077 != 0 {
			s.env.Log.Warn("other users of this machine can read the tokens of the admin API", "file", f.token)
		}
		s.tcp.Open, s.tcp.Certified = admin.Nothing, admin.Nothing
	}
	return nil
}

// serve answers until ctx ends.
func (s *adminServer) serve(ctx context.Context, c admin.Config) {
	api := admin.New(c)
	var running sync.WaitGroup
	defer running.Wait()
	s.mu.Lock()
	s.api, s.over = api, api.Handler(s.tcp)
	s.mu.Unlock()
	if s.source != nil {
		running.Go(func() { s.source.Keep(ctx, s.env.Log) })
	}
	for _, ln := range s.listeners {
		var handler http.Handler = http.HandlerFunc(s.overTCP)
		conf := s.tls
		if ln.Addr().Network() == "unix" {
			handler, conf = api.Handler(admin.Access{Open: admin.Control, AnyHost: true}), nil // the file system says who may
		}
		running.Go(func() {
			if err := admin.Serve(ctx, ln, conf, handler, s.env.Log); err != nil {
				s.env.Log.Error(err.Error(), "address", ln.Addr().String())
			}
		})
	}
}

// overTCP answers a request to a TCP address, by the rules of the moment.
func (s *adminServer) overTCP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	h := s.over
	s.mu.Unlock()
	h.ServeHTTP(w, r)
}

// take makes the tokens and names of other flags hold for requests from now on, and
// reads the tokens again. If they are refused, what holds stays.
func (s *adminServer) take(f *adminFlags) error {
	next := s.flags
	next.token, next.hosts = f.token, f.hosts
	n, err := next.server(s.env)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flags, s.tcp = next, n.tcp
	if s.api != nil {
		s.over = s.api.Handler(s.tcp)
	}
	return nil
}

// close closes what serve does not.
func (s *adminServer) close() {
	for _, ln := range s.listeners {
		ln.Close()
	}
}

// explain says where the API is.
func (s *adminServer) explain() {
	for _, ln := range s.listeners {
		at := ln.Addr().String()
		switch {
		case ln.Addr().Network() == "unix":
			at = socketScheme + at
		case s.tls != nil:
			at = "https://" + at
		default:
			at = "http://" + at
		}
		fmt.Fprintf(s.env.Err, "The admin API is at %s.\n", at)
	}
}

// logLevels lets the API see and change what is logged.
type logLevels struct{ *cli.Levels }

// Level is for admin.Levels, as is SetLevel.
func (l logLevels) Level() string           { return l.String() }
func (l logLevels) SetLevel(s string) error { return l.Set(s) }
