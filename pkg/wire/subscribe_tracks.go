package wire

import "oxymoq/pkg/model"

// SubscribeTracks asks for a Publish of every track below a prefix (section 10.19).
type SubscribeTracks struct {
	RequestID uint64
	Prefix    model.Namespace
	Params    Params
}

// Kind returns KindSubscribeTracks.
func (*SubscribeTracks) Kind() MessageKind { return KindSubscribeTracks }

func (m *SubscribeTracks) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.namespace(m.Prefix)
	e.params(inSubscribeTracks, &m.Params)
}

func (m *SubscribeTracks) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Prefix = d.namespace("Track Namespace Prefix")
	m.Params = d.params(inSubscribeTracks)
}
