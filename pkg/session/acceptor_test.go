package session

import (
	"context"

	"oxymoq/pkg/model"
)

// acceptAll is a Handler that accepts everything.
type acceptAll struct{}

func (acceptAll) Subscribe(_ context.Context, r *SubscribeRequest) { _, _ = r.Accept(Offer{}, nil) }
func (acceptAll) Publish(_ context.Context, r *PublishRequest) {
	_, _ = r.Accept(Change{}, acceptor{})
}
func (acceptAll) Fetch(ctx context.Context, r *FetchRequest) {
	if r.Accept(FetchInfo{End: r.Range.End}) != nil {
		return
	}
	if st, _, header, err := r.Open(ctx); err == nil {
		_, _ = st.Write(header)
		_ = st.Close()
		r.Finish()
	}
}
func (acceptAll) TrackStatus(_ context.Context, r *TrackStatusRequest)    { _ = r.Accept(Offer{}) }
func (acceptAll) PublishNamespace(_ context.Context, r *NamespaceRequest) { _ = r.Accept() }
func (acceptAll) SubscribeNamespace(_ context.Context, r *PrefixRequest) {
	if f, err := r.Accept(nil); err == nil {
		_ = f.Namespace(model.Namespace{"x"})
	}
}
func (acceptAll) SubscribeTracks(_ context.Context, r *PrefixRequest) { _, _ = r.Accept(nil) }
