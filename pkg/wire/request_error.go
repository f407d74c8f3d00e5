package wire

import "oxymoq/pkg/model"

// RequestError refuses a request or an update (section 10.6).
type RequestError struct {
	RequestID uint64 // drafts up to 16
	Code      model.RequestCode
	// RetryInterval is the time in ms after which the request may be made
	// again; absent: do not retry. (The wire has 0 for absent, else ms+1.)
	// Draft 14 does not send it.
	RetryInterval model.Opt[uint64]
	Reason        string
	Redirect      *model.Redirect // with model.Redirected only; not sent up to draft 16
}

// Kind returns KindRequestError.
func (*RequestError) Kind() MessageKind { return KindRequestError }

func (m *RequestError) appendBody(e *encoder) {
	e.requestID(m.RequestID)
	e.uint(RequestCodeToWire(e.ctx.Draft, e.ctx.Answers, m.Code))
	if e.table.retryInterval {
		e.retryInterval(m.RetryInterval)
	}
	e.string("Reason Phrase", m.Reason, MaxReasonLen)
	switch {
	case !e.table.redirect: // the code became that of an internal error
	case (m.Code == model.Redirected) != (m.Redirect != nil):
		e.fail("code %v and redirect do not fit together", m.Code)
	case m.Redirect != nil:
		m.appendRedirect(e)
	}
}

func (e *encoder) retryInterval(interval model.Opt[uint64]) {
	retry := uint64(0)
	if ms, ok := interval.Get(); ok {
		retry = ms + 1
		if retry == 0 {
			e.fail("retry interval exceeds 2^64-2 ms")
		}
	}
	e.uint(min(retry, e.kind.Max()))
}

func (m *RequestError) appendRedirect(e *encoder) {
	if m.Redirect.ConnectURI != "" && e.ctx.Receiver == Server {
		e.fail("only a server may name a Connect URI")
	}
	var name model.FullTrackName // empty: unchanged
	if m.Redirect.Track != nil {
		name = *m.Redirect.Track
	}
	if name.Name != "" && namespaceScoped(e.ctx.Request) {
		e.fail("track name in a redirect of %v", e.ctx.Request)
	}
	e.string("Connect URI", m.Redirect.ConnectURI, MaxMessageLen)
	e.trackName(name)
}

func (m *RequestError) parseBody(d *decoder) {
	m.RequestID = d.requestID()
	m.Code = d.requestCode(d.uint("Error Code"))
	if d.table.retryInterval {
		if retry := d.uint("Retry Interval"); retry > 0 {
			m.RetryInterval = model.Some(retry - 1)
		}
	}
	m.Reason = d.string("Reason Phrase", MaxReasonLen)
	if m.Code == model.Redirected && d.table.redirect && d.err == nil {
		m.parseRedirect(d)
	}
}

func (m *RequestError) parseRedirect(d *decoder) {
	m.Redirect = &model.Redirect{ConnectURI: d.string("Connect URI", MaxMessageLen)}
	if m.Redirect.ConnectURI != "" && d.ctx.Receiver == Server {
		d.fail("Connect URI", errNotPermitted)
	}
	name := d.trackName()
	if name.Name != "" && namespaceScoped(d.ctx.Request) {
		d.fail("Track Name", errNotPermitted)
	}
	if len(name.Namespace) > 0 || name.Name != "" {
		m.Redirect.Track = &name
	}
}

// namespaceScoped reports whether a request is for a namespace, so that a
// redirect of it has no track name (section 10.6.1).
func namespaceScoped(k MessageKind) bool {
	return k == KindPublishNamespace || k == KindSubscribeNamespace
}
