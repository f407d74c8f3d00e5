package wire

import "oxymoq/pkg/model"

// NamespaceDone withdraws a namespace that was reported (section 10.17).
type NamespaceDone struct{ Suffix model.Namespace }

// Kind returns KindNamespaceDone.
func (*NamespaceDone) Kind() MessageKind { return KindNamespaceDone }

func (m *NamespaceDone) appendBody(e *encoder) { e.namespace(m.Suffix) }

func (m *NamespaceDone) parseBody(d *decoder) { m.Suffix = d.namespace("Track Namespace Suffix") }
