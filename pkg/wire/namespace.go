package wire

import "oxymoq/pkg/model"

// Namespace reports a namespace to a SubscribeNamespace (section 10.16).
type Namespace struct{ Suffix model.Namespace }

// Kind returns KindNamespace.
func (*Namespace) Kind() MessageKind { return KindNamespace }

func (m *Namespace) appendBody(e *encoder) { e.namespace(m.Suffix) }

func (m *Namespace) parseBody(d *decoder) { m.Suffix = d.namespace("Track Namespace Suffix") }
