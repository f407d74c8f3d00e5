package wire

import "oxymoq/pkg/model"

// SubscribeNamespace asks which namespaces exist below a prefix (section 10.18).
type SubscribeNamespace struct {
	RequestID uint64
	Prefix    model.Namespace
	Params    Params
	Options   NamespaceOptions // draft 16: what is asked for
}

// Kind returns KindSubscribeNamespace.
func (*SubscribeNamespace) Kind() MessageKind { return KindSubscribeNamespace }

func (m *SubscribeNamespace) appendBody(e *encoder) {
	e.uint(m.RequestID)
	e.prefix(m.Prefix)
	if e.table.subscribeOptions {
		if m.Options > WantBoth {
			e.fail("unknown Subscribe Options %d", m.Options)
		}
		e.uint(uint64(m.Options))
	}
	e.params(inSubscribeNamespace, &m.Params)
}

func (m *SubscribeNamespace) parseBody(d *decoder) {
	m.RequestID = d.uint("Request ID")
	m.Prefix = d.prefix("Track Namespace Prefix")
	if d.table.subscribeOptions {
		options := d.uint("Subscribe Options")
		if options > uint64(WantBoth) {
			d.fail("Subscribe Options", errValue)
		}
		m.Options = NamespaceOptions(options)
	}
	m.Params = d.params(inSubscribeNamespace)
}

// NamespaceOptions say what a SubscribeNamespace of draft 16 asks for (its section 9.25).
type NamespaceOptions uint8

// Options; their values are the wire's.
const (
	WantTracks     NamespaceOptions = 0 // a PUBLISH of every track
	WantNamespaces NamespaceOptions = 1 // a NAMESPACE of every namespace
	WantBoth       NamespaceOptions = 2
)
