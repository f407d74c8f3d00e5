package moqt_test

import (
	"context"
	"sync"
	"testing"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

// TestTokens: they go with the subscription and with the fetch of its backlog.
func TestTokens(t *testing.T) {
	onStage(t, func(t *testing.T, st *stage) {
		var mu sync.Mutex
		seen := map[auth.Action]string{}
		st.server.Session.Authorizer = auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
			mu.Lock()
			defer mu.Unlock()
			for _, tok := range r.Tokens {
				seen[r.Action] = string(tok.Value)
			}
			return auth.Grant{}, nil
		})
		w := st.publish()
		g := testkit.Must(w.OpenGroup(1))(t)
		put(t, g, 0, 2)
		s := testkit.Must(st.dial(moqt.Dialer{}).Current(t.Context()))(t)
		got := make(chan model.Object, 10)
		sub := &moqt.Subscriber{Track: cam, Start: moqt.FromGroupsBack(0), Tokens: []auth.Token{{Value: []byte("secret")}}, Emit: func(o model.Object) { got <- o }}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- sub.Run(ctx, s) }()
		<-got
		<-got
		cancel()
		<-over
		mu.Lock()
		defer mu.Unlock()
		if seen[auth.Subscribe] != "secret" || seen[auth.Fetch] != "secret" || seen[auth.Setup] != "" {
			t.Errorf("tokens came with %v", seen)
		}
	})
}
