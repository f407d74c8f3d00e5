package model

import "strconv"

// Draft is the number of a revision of draft-ietf-moq-transport.
//
// Only packages model, wire, session, dial and the commands may name a draft;
// internal/archtest holds that rule.
type Draft uint8

// The drafts that the toolkit knows of. Draft18 is the primary one.
const (
	Draft14 Draft = 14
	Draft16 Draft = 16
	Draft18 Draft = 18
	Draft22 Draft = 22
)

// String returns the number in decimal.
func (d Draft) String() string { return strconv.Itoa(int(d)) }
