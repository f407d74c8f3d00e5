package dial

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// defaultPort is used where a URL names none (section 3.1).
const defaultPort = "443"

// Target is where a session is to be made.
type Target struct {
	Host      string // name or address, without brackets
	Port      string
	Path      string // with query; may be empty
	Authority string // host and port as the URL has them
}

// Addr returns host and port for dialling.
func (t Target) Addr() string { return net.JoinHostPort(t.Host, t.Port) }

// String returns the URL.
func (t Target) String() string { return "moqt://" + t.Authority + t.Path }

// Parse reads a moqt:// URL (section 3.1). Errors are sentences for the user.
func Parse(raw string) (Target, error) {
	if raw == "" {
		return Target{}, errors.New("no URL was given; use moqt://host:port/path")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Target{}, fmt.Errorf("%q is not a URL: %w", raw, errors.Unwrap(err))
	}
	switch u.Scheme {
	case "moqt":
	case "https":
		return Target{}, fmt.Errorf("%q asks for WebTransport, which this version does not speak yet; use moqt:// for raw QUIC", raw)
	case "":
		return Target{}, fmt.Errorf("%q has no scheme; use moqt://host:port/path", raw)
	default:
		return Target{}, fmt.Errorf("%q has the unknown scheme %q; use moqt://host:port/path", raw, u.Scheme)
	}
	if u.Hostname() == "" {
		return Target{}, fmt.Errorf("%q names no host; use moqt://host:port/path", raw)
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
	return Target{Host: u.Hostname(), Port: port, Path: path, Authority: u.Host}, nil
}
