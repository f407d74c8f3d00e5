package probe

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"

	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// seen is what was seen of one attempt to make a session.
type seen struct {
	mu        sync.Mutex
	conns     []*connection // of QUIC, in the order in which they began
	secured   time.Time     // when the server's certificate was there; zero: never
	tls       tls.ConnectionState
	untrusted error     // what is wrong with the certificate
	connected time.Time // when SETUP could be sent; zero: never
	greeted   time.Time // when the server's SETUP was there; zero: never
	setup     wire.Setup
	granted   uint64 // the largest of the MAX_REQUEST_ID messages; 0: none came
}

// connection is one connection of QUIC, by what its trace says.
type connection struct {
	s        *seen
	began    time.Time
	answered bool // something came that TLS could make sense of
	params   *Parameters
	settings []Setting
	hasH3    bool // SETTINGS came
	status   string
	fields   []field // of the answer to CONNECT
}

type field struct{ Name, Value string }

var _ transport.Trace = (*connection)(nil)

// trace is the transport.Tracer of an attempt.
func (s *seen) trace(transport.TraceStart) transport.Trace {
	c := &connection{s: s, began: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
	return c
}

// Close implements transport.Trace.
func (c *connection) Close() {}

// Event implements transport.Trace. The names and forms of the events are those
// of draft-ietf-quic-qlog-quic-events and draft-ietf-quic-qlog-h3-events.
func (c *connection) Event(name string, encode func(io.Writer, time.Time) error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	switch name {
	case "transport:packet_received":
		c.answered = true
		return
	case "transport:parameters_set", "http3:frame_parsed":
	default:
		return
	}
	var b bytes.Buffer
	if encode(&b, time.Now()) != nil {
		return // it is not told, then
	}
	if name == "transport:parameters_set" {
		c.parameters(b.Bytes())
	} else {
		c.frame(b.Bytes())
	}
}

// parameters takes those of the server.
func (c *connection) parameters(data []byte) {
	var p struct {
		Initiator string `json:"initiator"`
		Parameters
	}
	if json.Unmarshal(data, &p) == nil && p.Initiator == "remote" {
		c.params = &p.Parameters
	}
}

// frame takes SETTINGS and the answer to CONNECT.
func (c *connection) frame(data []byte) {
	var e struct {
		Frame struct {
			Type     string `json:"frame_type"`
			Settings []struct {
				Name  string          `json:"name"`
				ID    uint64          `json:"name_bytes"`
				Value json.RawMessage `json:"value"`
			} `json:"settings"`
			Fields []field `json:"header_fields"`
		} `json:"frame"`
	}
	if json.Unmarshal(data, &e) != nil {
		return
	}
	switch e.Frame.Type {
	case "settings":
		c.hasH3, c.settings = true, nil
		for _, s := range e.Frame.Settings {
			if id, ok := settingIDs[s.Name]; ok {
				s.ID = id
			}
			c.settings = append(c.settings, Setting{ID: s.ID, Name: settingName(s.ID), Value: settingValue(s.Value)})
		}
		slices.SortFunc(c.settings, func(a, b Setting) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
	case "headers":
		for _, f := range e.Frame.Fields {
			if f.Name == ":status" {
				c.status, c.fields = f.Value, e.Frame.Fields
			}
		}
	}
}

// settingValue reads the value of a setting, of which some are written as true
// and false.
func settingValue(raw json.RawMessage) uint64 {
	var n uint64
	if json.Unmarshal(raw, &n) == nil {
		return n
	}
	var on bool
	if json.Unmarshal(raw, &on) == nil && on {
		return 1
	}
	return 0
}

// config returns conf with eyes. If lenient, what is wrong with the certificate
// is noted but does not end the attempt.
func (s *seen) config(conf *tls.Config, lenient bool) *tls.Config {
	if conf == nil {
		conf = &tls.Config{}
	}
	conf = conf.Clone()
	verify := conf.VerifyConnection
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		var err error
		if verify != nil {
			err = verify(state)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.secured, s.tls, s.untrusted = time.Now(), state, err
		if lenient {
			return nil
		}
		return err
	}
	return conf
}

// session is the Trace of a session.Config.
func (s *seen) session(*session.Session) session.TraceFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected = time.Now()
	return s.message
}

func (s *seen) message(e session.TraceEvent) {
	if e.Sent {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := e.What.(type) {
	case *wire.Setup:
		s.greeted, s.setup = time.Now(), *m
	case *wire.MaxRequestID:
		s.granted = max(s.granted, m.Max)
	}
}

// connection returns the connection of QUIC that came furthest, the last of
// those: addresses of a host are tried side by side, and so may be dialects of
// WebTransport one after the other. It returns an empty one if there is none.
func (s *seen) connection() *connection {
	best := &connection{s: s}
	rank := func(c *connection) int {
		switch {
		case c.status != "":
			return 4
		case c.hasH3:
			return 3
		case c.params != nil:
			return 2
		case c.answered:
			return 1
		}
		return 0
	}
	for _, c := range s.conns {
		if rank(c) >= rank(best) {
			best = c
		}
	}
	return best
}
