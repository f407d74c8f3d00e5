package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"oxymoq/pkg/admin"
	"oxymoq/pkg/observe"
)

// MaxAnswer is how many bytes an answer may have: a state with a hundred thousand
// tracks.
const MaxAnswer = 128 << 20

// Config says which relay to ask, and as whom.
type Config struct {
	// Address is a socket, as "unix:/path" or "/path", or a URL of http or https, or a
	// host with its port.
	Address string
	// Token is shown to the relay; empty: none is.
	Token string
	// TLS is for https; nil: the certificates of the system are trusted.
	TLS *tls.Config
	// Dial opens connections, of network "tcp" or "unix"; nil: those of the machine.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client asks one relay. Its methods may be called from any goroutine; those of
// several that read events after a restart of the relay may miss some.
type Client struct {
	address string
	base    url.URL
	token   string
	http    http.Client
	limit   int64 // MaxAnswer

	mu    sync.Mutex
	state *observe.State // the newest
	etag  string
	run   string // of the events that were told last
}

var (
	_ observe.Source  = (*Client)(nil)
	_ observe.Control = (*Client)(nil)
)

// Error is what a relay answered instead of what it was asked for.
type Error struct {
	Status  int
	Code    string // as in admin.Problem; empty if it was not one
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Is lets errors.Is find what the code means: an error of package observe, or
// ErrDenied.
func (e *Error) Is(target error) bool {
	switch e.Code {
	case admin.CodeNoTrack:
		return target == observe.ErrNoTrack
	case admin.CodeNoSession:
		return target == observe.ErrNoSession
	case admin.CodeRemain:
		return target == observe.ErrRemain
	}
	return target == ErrDenied && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// ErrDenied is what an Error is if the relay wants a token, or a better one.
var ErrDenied = errors.New("the relay does not grant that")

// New returns a Client for the address. It connects when it is asked first.
func New(c Config) (*Client, error) {
	transport := &http.Transport{
		TLSClientConfig: c.TLS, TLSHandshakeTimeout: admin.ReadTimeout, IdleConnTimeout: admin.IdleTimeout / 2,
		MaxResponseHeaderBytes: admin.MaxHeader, Proxy: http.ProxyFromEnvironment,
	}
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	transport.DialContext = dial
	client := &Client{address: c.Address, token: c.Token, limit: MaxAnswer, http: http.Client{
		Transport: transport,
		// A token must not follow to where it does not belong.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	path, isSocket := strings.CutPrefix(c.Address, "unix:")
	if isSocket || filepath.IsAbs(path) {
		if path == "" {
			return nil, fmt.Errorf("%q has no path of a socket", c.Address)
		}
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, "unix", path) }
		transport.DisableCompression, transport.Proxy = true, nil
		client.base = url.URL{Scheme: "http", Host: "localhost"}
		return client, nil
	}
	address := c.Address
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not an address of an admin API", c.Address)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "", u.User != nil:
		return nil, fmt.Errorf("%q is not an address of an admin API: it must be a socket or http(s)://HOST:PORT", c.Address)
	}
	client.base = url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/"), RawPath: strings.TrimSuffix(u.EscapedPath(), "/")}
	return client, nil
}

// Address is where the relay is asked.
func (c *Client) Address() string { return c.address }

// Close closes the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// request is one question.
type request struct {
	method string
	path   []string // segments, unescaped
	query  url.Values
	header http.Header
	body   any // nil: none
}

// do asks and returns the answer if its status is one of a success, or 304.
func (c *Client) do(ctx context.Context, q request) (*http.Response, error) {
	var body io.Reader
	if q.body != nil {
		b, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	escaped := make([]string, len(q.path))
	for i, segment := range q.path {
		escaped[i] = url.PathEscape(segment)
	}
	u := c.base
	u.Path = c.base.Path + "/" + strings.Join(q.path, "/")
	u.RawPath = c.base.EscapedPath() + "/" + strings.Join(escaped, "/")
	u.RawQuery = q.query.Encode()
	r, err := http.NewRequestWithContext(ctx, q.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, q.header)
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // it names the URL, which is no help for a socket
		}
		return nil, fmt.Errorf("the relay at %s does not answer: %w", c.address, err)
	}
	if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotModified {
		defer resp.Body.Close()
		return nil, c.refusal(resp)
	}
	return resp, nil
}

// refusal is what an answer says that is no success.
func (c *Client) refusal(resp *http.Response) error {
	var p admin.Problem
	err := json.NewDecoder(io.LimitReader(resp.Body, admin.MaxBody)).Decode(&p)
	if err != nil || p.Message == "" {
		return &Error{Status: resp.StatusCode, Message: fmt.Sprintf("%s answers as no relay of oxymoq does: %s", c.address, resp.Status)}
	}
	return &Error{Status: resp.StatusCode, Code: p.Code, Message: p.Message}
}

// read asks and reads JSON into v.
func (c *Client) read(ctx context.Context, q request, v any) error {
	resp, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.decode(ctx, resp, v)
}

// decode reads the JSON of an answer into v.
func (c *Client) decode(ctx context.Context, resp *http.Response, v any) error {
	limited := &io.LimitedReader{R: resp.Body, N: c.limit + 1}
	if err := json.NewDecoder(limited).Decode(v); err != nil {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case limited.N == 0:
			return fmt.Errorf("the answer of %s has more than %d bytes", c.address, c.limit)
		}
		return fmt.Errorf("the answer of %s cannot be read: %w", c.address, err)
	}
	_, _ = io.Copy(io.Discard, limited) // so that the connection can be used again
	return nil
}

// order asks for something that has no answer.
func (c *Client) order(ctx context.Context, body any, path ...string) error {
	resp, err := c.do(ctx, request{method: http.MethodPost, path: path, body: body})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// State returns the present state.
func (c *Client) State(ctx context.Context) (*observe.State, error) {
	c.mu.Lock()
	before, etag := c.state, c.etag
	c.mu.Unlock()
	header := http.Header{}
	if before != nil {
		header.Set("If-None-Match", etag)
	}
	resp, err := c.do(ctx, request{method: http.MethodGet, path: []string{"v1", "state"}, header: header})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	s := new(observe.State)
	if resp.StatusCode == http.StatusNotModified && before != nil {
		*s = *before
		at, err := time.Parse(time.RFC3339Nano, resp.Header.Get(admin.HeaderTime))
		if err != nil {
			return nil, fmt.Errorf("the relay at %s does not tell the time of its state", c.address)
		}
		s.Time = at
		return s, nil
	}
	if err := c.decode(ctx, resp, s); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.state, c.etag = s, resp.Header.Get("ETag")
	c.mu.Unlock()
	return s, nil
}

// Track returns one track, or observe.ErrNoTrack.
func (c *Client) Track(ctx context.Context, id string) (*observe.TrackDetail, error) {
	d := new(observe.TrackDetail)
	if err := c.read(ctx, request{method: http.MethodGet, path: []string{"v1", "tracks", id}}, d); err != nil {
		return nil, err
	}
	return d, nil
}

const (
	// pollWait is how long one request waits for events.
	pollWait = 25 * time.Second
	// pollSlack is how long before the end of a context a request must be answered,
	// so that its connection can be used again.
	pollSlack = 500 * time.Millisecond
)

// Events returns what happened after an event's number, and waits for an event if
// nothing did. After a restart of the relay everything is new.
func (c *Client) Events(ctx context.Context, after uint64) (events []observe.Event, skipped uint64, err error) {
	for {
		wait := pollWait
		if end, ok := ctx.Deadline(); ok {
			wait = min(wait, time.Until(end)-pollSlack)
		}
		c.mu.Lock()
		run := c.run
		c.mu.Unlock()
		query := url.Values{"after": {fmt.Sprint(after)}, "wait": {max(wait, 0).String()}}
		if run != "" {
			query.Set("run", run)
		}
		var e admin.Events
		if err := c.read(ctx, request{method: http.MethodGet, path: []string{"v1", "events"}, query: query}, &e); err != nil {
			return nil, 0, err
		}
		c.mu.Lock()
		c.run = e.Run
		c.mu.Unlock()
		switch {
		case len(e.Events) > 0:
			return e.Events, e.Skipped, nil
		case run != "" && e.Run != run:
			after = 0
		case wait <= 0: // there is no time for another request
			<-ctx.Done()
			return nil, 0, context.Cause(ctx)
		}
	}
}

// Kick ends a session, or returns observe.ErrNoSession.
func (c *Client) Kick(ctx context.Context, session, reason string) error {
	return c.order(ctx, admin.Kick{Reason: reason}, "v1", "sessions", session, "kick")
}

// Purge forgets the objects of a track, or returns observe.ErrNoTrack.
func (c *Client) Purge(ctx context.Context, track string) error {
	return c.order(ctx, nil, "v1", "tracks", track, "purge")
}

// Drain asks all peers to leave; see observe.Control.
func (c *Client) Drain(ctx context.Context, uri string, within time.Duration) error {
	return c.order(ctx, admin.Drain{URI: uri, Within: within.String()}, "v1", "drain")
}

// Access returns what the relay lets this client do.
func (c *Client) Access(ctx context.Context) (g admin.Grant, err error) {
	err = c.read(ctx, request{method: http.MethodGet, path: []string{"v1", "access"}}, &g)
	return g, err
}

// LogLevel returns the level of the relay's log.
func (c *Client) LogLevel(ctx context.Context) (string, error) {
	var l admin.LogLevel
	err := c.read(ctx, request{method: http.MethodGet, path: []string{"v1", "log-level"}}, &l)
	return l.Level, err
}

// SetLogLevel sets the level of the relay's log, as in "INFO" or "WARN,session=DBG4".
func (c *Client) SetLogLevel(ctx context.Context, level string) error {
	var l admin.LogLevel
	return c.read(ctx, request{method: http.MethodPut, path: []string{"v1", "log-level"}, body: admin.LogLevel{Level: level}}, &l)
}

// Ready returns nil if the relay takes new sessions.
func (c *Client) Ready(ctx context.Context) error {
	var h admin.Health
	return c.read(ctx, request{method: http.MethodGet, path: []string{"readyz"}}, &h)
}
