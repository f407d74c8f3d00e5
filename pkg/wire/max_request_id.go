package wire

// MaxRequestID raises the limit of the receiver's Request IDs (drafts up to 16;
// draft 16 section 9.5).
type MaxRequestID struct{ Max uint64 } // every ID must be smaller

// Kind returns KindMaxRequestID.
func (*MaxRequestID) Kind() MessageKind { return KindMaxRequestID }

func (m *MaxRequestID) appendBody(e *encoder) { e.uint(m.Max) }

func (m *MaxRequestID) parseBody(d *decoder) { m.Max = d.uint("Max Request ID") }

// RequestsBlocked says that the sender has requests to make and no Request IDs
// left (drafts up to 16; draft 16 section 9.6).
type RequestsBlocked struct{ Max uint64 } // the limit that stops it

// Kind returns KindRequestsBlocked.
func (*RequestsBlocked) Kind() MessageKind { return KindRequestsBlocked }

func (m *RequestsBlocked) appendBody(e *encoder) { e.uint(m.Max) }

func (m *RequestsBlocked) parseBody(d *decoder) { m.Max = d.uint("Maximum Request ID") }
