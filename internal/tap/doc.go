// Package tap writes results in TAP version 14
// (testanything.org/tap-version-14-specification.html): a version, comments, a plan
// and points with blocks of YAML. Whatever text there is, it stays within its field,
// so that no peer can write lines of a result.
//
// It does not know what is tested. It has no goroutines and no locks; a Writer is
// for one goroutine at a time.
//
//	w := tap.NewWriter(os.Stdout)
//	w.Version()
//	w.Plan(1)
//	w.Point(true, "setup-only", "", []tap.Field{{Key: "duration_ms", Value: int64(12)}})
//	if err := w.Err(); err != nil { … }
package tap
