// Package archtest holds the house together: it is a test, and no code.
//
// It parses every Go file of the module and fails if a package imports what its
// row in the table of rules does not name, if a draft is named where drafts have
// no business, if a package has no documentation or a name that says nothing,
// if a file is too long, or if a file names a path of somebody's machine. Each
// failure comes with the reason of the rule.
//
// The linter's import rules are written from the same table, so that an editor
// shows a wrong import at once. After a change of the table:
//
//	go test ./internal/archtest -update
//
// The same command writes docs/conformance.md: the duties of a relay, which are
// listed here, with the tests whose doc comments say that they show them.
//
// It does not judge style; that is the linter's business. A rule that proves
// wrong is changed here together with a record in docs/adr, not worked round.
// The package starts no goroutines.
package archtest
