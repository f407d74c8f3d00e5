// Package auth says who may do what: every request of every session passes one
// Authorizer before it has any effect.
//
// It decides and does not enforce. The session asks, refuses the request with
// the error that it is given, and ends the request when the Grant ends. Reading
// a token alias, or the wire form of a token, is the session's business too:
// tokens arrive here resolved, as type and bytes.
//
// The package starts no goroutine of its own and has no lock; Grant.Bound starts
// one per revocable grant, which ends with the returned context. An Authorizer
// is called by many sessions at once and must be safe for that.
//
// An Authorizer that lets everybody watch but only holders of a token publish:
//
//	auth.Func(func(_ context.Context, r auth.Request) (auth.Grant, error) {
//		if r.Action.Publishes() && !slices.ContainsFunc(r.Tokens, trusted) {
//			return auth.Grant{}, auth.Deny("publishing needs a token")
//		}
//		return auth.Grant{}, nil
//	})
package auth
