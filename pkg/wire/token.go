package wire

import "oxymoq/pkg/model"

// TokenAction is the Alias Type of a Token (section 10.2.2).
type TokenAction uint8

// Token actions.
const (
	TokenDelete   TokenAction = 0
	TokenRegister TokenAction = 1
	TokenUseAlias TokenAction = 2
	TokenUseValue TokenAction = 3
)

// Token is an authorization token or a reference to one (section 10.2.2).
type Token struct {
	Action TokenAction
	Alias  uint64 // unless TokenUseValue
	Type   uint64 // TokenRegister, TokenUseValue
	Value  []byte // TokenRegister, TokenUseValue
}

func (a TokenAction) hasAlias() bool { return a != TokenUseValue }
func (a TokenAction) hasValue() bool { return a == TokenRegister || a == TokenUseValue }

func (e *encoder) token(t Token) {
	if t.Action > TokenUseValue {
		e.fail("unknown token action %d", t.Action)
	}
	e.uint(uint64(t.Action))
	if t.Action.hasAlias() {
		e.uint(t.Alias)
	}
	if t.Action.hasValue() {
		e.uint(t.Type)
		e.b = append(e.b, t.Value...)
	}
}

// token reads a Token that takes the rest of d. What does not add up has a
// close code of its own.
func (d *decoder) token(field string) (t Token) {
	defer func(code model.SessionCode) { d.code = code }(d.code)
	d.code = model.KeyValueFormattingError
	action := d.uint(field)
	if action > uint64(TokenUseValue) {
		d.fail(field, unknownNumber(action))
		return t
	}
	t.Action = TokenAction(action)
	if t.Action.hasAlias() {
		t.Alias = d.uint(field)
	}
	if t.Action.hasValue() {
		t.Type = d.uint(field)
		t.Value = d.rest()
	}
	if d.r.Len() > 0 {
		d.fail(field, errTrailing)
	}
	return t
}
