// Package namespace finds values by namespace prefix.
//
// A relay asks two questions: which publishers offer a namespace that covers
// this track (Covering), and which namespaces lie below the prefix that a
// subscriber is interested in (Below). Both are answered by a Tree, in which a
// node is one field deep; prefixes match field by field and byte by byte
// (section 2.4.1), never within a field.
//
// The package knows nothing of sessions, requests or rights; a Tree holds
// whatever its owner puts in. It starts no goroutine and has no lock: a Tree is
// not safe for concurrent use, its owner locks, and keeps the lock until an
// iteration is over. Changing a Tree during an iteration over it is an error.
//
//	var offers namespace.Tree[*session.Session]
//	offers.Insert(model.Namespace{"live"}, s)
//	for prefix, s := range offers.Covering(track.Namespace) {
//		// s offers prefix, of which track.Namespace is a part
//	}
package namespace
