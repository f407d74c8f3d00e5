package session

import (
	"fmt"

	"oxymoq/pkg/auth"
	"oxymoq/pkg/model"
	"oxymoq/pkg/wire"
)

// tokenOverhead is what each cached token costs besides its value (section
// 10.3.1.4).
const tokenOverhead = 16

// tokenCache resolves the tokens of one peer (section 10.2.2). Guarded by
// Session.mu.
type tokenCache struct {
	limit, used uint64
	byAlias     map[uint64]auth.Token
}

// resolve turns the tokens of one message into values. A *model.SessionError
// closes the session, a *model.RequestError refuses the message. Tokens that
// are registered stay so even if the message fails. In a SETUP a token that
// does not fit is used once and not kept.
func (c *tokenCache) resolve(tokens []wire.Token, setup bool) ([]auth.Token, error) {
	var out []auth.Token
	var unknown error
	for _, t := range tokens {
		switch t.Action {
		case wire.TokenUseValue:
			out = append(out, auth.Token{Type: t.Type, Value: t.Value})
		case wire.TokenRegister:
			tok := auth.Token{Type: t.Type, Value: t.Value}
			out = append(out, tok)
			if _, taken := c.byAlias[t.Alias]; taken {
				return nil, &model.SessionError{Code: model.DuplicateAuthTokenAlias, Reason: fmt.Sprintf("token alias %d is in use", t.Alias)}
			}
			cost := tokenOverhead + uint64(len(t.Value))
			if c.used+cost > c.limit {
				if setup {
					continue
				}
				return nil, &model.SessionError{Code: model.AuthTokenCacheOverflow, Reason: fmt.Sprintf("token cache of %d bytes is full", c.limit)}
			}
			c.used += cost
			if c.byAlias == nil {
				c.byAlias = map[uint64]auth.Token{}
			}
			c.byAlias[t.Alias] = tok
		case wire.TokenUseAlias:
			tok, ok := c.byAlias[t.Alias]
			if !ok {
				unknown = &model.RequestError{Code: model.RequestUnauthorized, Reason: fmt.Sprintf("token alias %d is unknown", t.Alias)}
				continue
			}
			out = append(out, tok)
		case wire.TokenDelete:
			tok, ok := c.byAlias[t.Alias]
			if !ok {
				unknown = &model.RequestError{Code: model.RequestUnauthorized, Reason: fmt.Sprintf("token alias %d is unknown", t.Alias)}
				continue
			}
			c.used -= tokenOverhead + uint64(len(tok.Value))
			delete(c.byAlias, t.Alias)
		}
	}
	return out, unknown
}
