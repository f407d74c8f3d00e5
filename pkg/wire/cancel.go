package wire

import "oxymoq/pkg/model"

// Unsubscribe ends a subscription from the subscriber's side (drafts up to 16;
// draft 16 section 9.12).
type Unsubscribe struct{ RequestID uint64 } // of the SUBSCRIBE or PUBLISH

// Kind returns KindUnsubscribe.
func (*Unsubscribe) Kind() MessageKind { return KindUnsubscribe }

func (m *Unsubscribe) appendBody(e *encoder) { e.uint(m.RequestID) }

func (m *Unsubscribe) parseBody(d *decoder) { m.RequestID = d.uint("Request ID") }

// FetchCancel ends a FETCH from the requester's side (drafts up to 16; draft 16
// section 9.18).
type FetchCancel struct{ RequestID uint64 }

// Kind returns KindFetchCancel.
func (*FetchCancel) Kind() MessageKind { return KindFetchCancel }

func (m *FetchCancel) appendBody(e *encoder) { e.uint(m.RequestID) }

func (m *FetchCancel) parseBody(d *decoder) { m.RequestID = d.uint("Request ID") }

// PublishNamespaceDone withdraws a namespace (drafts up to 16). Draft 16 names
// it by the request, draft 14 by itself.
type PublishNamespaceDone struct {
	RequestID uint64          // draft 16
	Namespace model.Namespace // draft 14
}

// Kind returns KindPublishNamespaceDone.
func (*PublishNamespaceDone) Kind() MessageKind { return KindPublishNamespaceDone }

func (m *PublishNamespaceDone) appendBody(e *encoder) {
	e.withdrawn(m.RequestID, m.Namespace)
}

func (m *PublishNamespaceDone) parseBody(d *decoder) {
	m.RequestID, m.Namespace = d.withdrawn()
}

// PublishNamespaceCancel says that a namespace that was accepted is no longer
// wanted (drafts up to 16); it is named as in PublishNamespaceDone.
type PublishNamespaceCancel struct {
	RequestID uint64          // draft 16
	Namespace model.Namespace // draft 14
	Code      model.RequestCode
	Reason    string
}

// Kind returns KindPublishNamespaceCancel.
func (*PublishNamespaceCancel) Kind() MessageKind { return KindPublishNamespaceCancel }

func (m *PublishNamespaceCancel) appendBody(e *encoder) {
	e.withdrawn(m.RequestID, m.Namespace)
	e.uint(RequestCodeToWire(e.ctx.Draft, KindPublishNamespace, m.Code))
	e.string("Reason Phrase", m.Reason, MaxReasonLen)
}

func (m *PublishNamespaceCancel) parseBody(d *decoder) {
	m.RequestID, m.Namespace = d.withdrawn()
	m.Code = RequestCodeFromWire(d.ctx.Draft, KindPublishNamespace, d.uint("Error Code"))
	m.Reason = d.string("Reason Phrase", MaxReasonLen)
}

func (e *encoder) withdrawn(id uint64, ns model.Namespace) {
	if e.table.namesNamespaces {
		e.wholeNamespace(ns)
	} else {
		e.uint(id)
	}
}

func (d *decoder) withdrawn() (id uint64, ns model.Namespace) {
	if d.table.namesNamespaces {
		return 0, d.wholeNamespace("Track Namespace")
	}
	return d.uint("Request ID"), nil
}

// UnsubscribeNamespace ends a SubscribeNamespace (draft 14 section 9.29).
type UnsubscribeNamespace struct{ Prefix model.Namespace }

// Kind returns KindUnsubscribeNamespace.
func (*UnsubscribeNamespace) Kind() MessageKind { return KindUnsubscribeNamespace }

func (m *UnsubscribeNamespace) appendBody(e *encoder) { e.prefix(m.Prefix) }

func (m *UnsubscribeNamespace) parseBody(d *decoder) {
	m.Prefix = d.prefix("Track Namespace Prefix")
}
