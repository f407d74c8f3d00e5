package dial

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// defaultPort is used where a URL names none (section 3.1).
const defaultPort = "443"

// The schemes of a URL. Draft 18 has "moqt" only, over either transport
// (section 3.1); in the field "https" means WebTransport, as it did up to
// draft 16.
const (
	SchemeMoQT  = "moqt"
	SchemeHTTPS = "https"
)

// Target is where a session is to be made.
type Target struct {
	Scheme    string // SchemeMoQT (also if empty) or SchemeHTTPS
	Host      string // name or address, without brackets
	Port      string
	Path      string // with query; may be empty
	Authority string // host and port as the URL has them
}

// Addr returns host and port for dialling.
func (t Target) Addr() string { return net.JoinHostPort(t.Host, t.Port) }

// String returns the URL.
func (t Target) String() string { return cmp.Or(t.Scheme, SchemeMoQT) + "://" + t.Authority + t.Path }

// request returns the URL of the CONNECT request of WebTransport: the scheme
// changes, path and query stay (section 3.1.1).
func (t Target) request() string {
	path := t.Path
	if !strings.HasPrefix(path, "/") { // it is empty or only a query
		path = "/" + path
	}
	return SchemeHTTPS + "://" + t.Authority + path
}

// Parse reads a moqt:// or https:// URL. Errors are sentences for the user.
func Parse(raw string) (Target, error) {
	const form = "use moqt://host:port/path for raw QUIC or https://host:port/path for WebTransport"
	if raw == "" {
		return Target{}, errors.New("no URL was given; " + form)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Target{}, fmt.Errorf("%q is not a URL: %w", raw, errors.Unwrap(err))
	}
	switch u.Scheme {
	case SchemeMoQT, SchemeHTTPS:
	case "":
		return Target{}, fmt.Errorf("%q has no scheme; %s", raw, form)
	default:
		return Target{}, fmt.Errorf("%q has the unknown scheme %q; %s", raw, u.Scheme, form)
	}
	if u.Hostname() == "" {
		return Target{}, fmt.Errorf("%q names no host; %s", raw, form)
	}
	if u.User != nil {
		return Target{}, fmt.Errorf("%q has a user name, which MoQT cannot carry", raw)
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return Target{}, fmt.Errorf("%q has the port %q; ports are 1 to 65535", raw, port)
	}
	path := u.EscapedPath()
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	return Target{Scheme: u.Scheme, Host: u.Hostname(), Port: port, Path: path, Authority: u.Host}, nil
}
