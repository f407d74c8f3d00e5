// Package taptest reads TAP version 14 as package tap writes it, and fails where a
// strict reader would, for the tests of programs that write results.
//
// It does not judge them. It has no goroutines and no locks.
//
//	d, err := taptest.Parse(out.String())
package taptest
