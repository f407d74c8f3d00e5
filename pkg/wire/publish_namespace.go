package wire

import "oxymoq/pkg/model"

// PublishNamespace says that tracks below a namespace can be had (section 10.15).
type PublishNamespace struct {
	RequestID uint64
	Namespace model.Namespace
	Params    Params
}

// Kind returns KindPublishNamespace.
func (*PublishNamespace) Kind() MessageKind { return KindPublishNamespace }

func (m *PublishNamespace) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.wholeNamespace(m.Namespace)
	e.params(inPublishNamespace, &m.Params)
}

func (m *PublishNamespace) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Namespace = d.wholeNamespace("Track Namespace")
	m.Params = d.params(inPublishNamespace)
}
