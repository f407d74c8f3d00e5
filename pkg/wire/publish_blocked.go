package wire

import "oxymoq/pkg/model"

// PublishBlocked says that a track could not be published for want of stream
// credit (section 10.20).
type PublishBlocked struct {
	Suffix model.Namespace
	Name   string
}

// Kind returns KindPublishBlocked.
func (*PublishBlocked) Kind() MessageKind { return KindPublishBlocked }

func (m *PublishBlocked) appendBody(e *encoder) {
	e.trackName(model.FullTrackName{Namespace: m.Suffix, Name: m.Name})
}

func (m *PublishBlocked) parseBody(d *decoder) {
	n := d.trackName()
	m.Suffix, m.Name = n.Namespace, n.Name
}
