package namespace

import (
	"iter"
	"slices"

	"oxymoq/pkg/model"
)

// Tree maps namespaces to sets of values. The zero value is an empty tree.
type Tree[V comparable] struct {
	root node[V]
	size int
}

// node is a namespace: the fields on the way from the root. It exists as long
// as it or a node below it has a value.
type node[V comparable] struct {
	children map[string]*node[V]
	name     model.Namespace // set while values is not empty
	values   []V             // in the order of insertion
}

// Len returns the number of values in the tree.
func (t *Tree[V]) Len() int { return t.size }

// Insert adds v at ns and reports whether it was not there yet. The tree keeps
// ns, which must not be modified afterwards.
func (t *Tree[V]) Insert(ns model.Namespace, v V) bool {
	n := &t.root
	for _, field := range ns {
		child := n.children[field]
		if child == nil {
			child = new(node[V])
			if n.children == nil {
				n.children = make(map[string]*node[V])
			}
			n.children[field] = child
		}
		n = child
	}
	if slices.Contains(n.values, v) {
		return false
	}
	n.name = ns
	n.values = append(n.values, v)
	t.size++
	return true
}

// Remove takes v from ns and reports whether it was there. Nodes that hold
// nothing any more go with it.
func (t *Tree[V]) Remove(ns model.Namespace, v V) bool {
	if !t.root.remove(ns, v) {
		return false
	}
	t.size--
	return true
}

// remove takes v from the node that the fields of rest lead to, and drops
// empty nodes on the way back.
func (n *node[V]) remove(rest model.Namespace, v V) bool {
	if len(rest) > 0 {
		child := n.children[rest[0]]
		if child == nil || !child.remove(rest[1:], v) {
			return false
		}
		if len(child.values) == 0 && len(child.children) == 0 {
			delete(n.children, rest[0])
		}
		if len(n.children) == 0 {
			n.children = nil // a map never shrinks
		}
		return true
	}
	i := slices.Index(n.values, v)
	if i < 0 {
		return false
	}
	n.values = slices.Delete(n.values, i, i+1)
	if len(n.values) == 0 {
		n.values, n.name = nil, nil
	}
	return true
}

// At yields the values at exactly ns, in the order of insertion.
func (t *Tree[V]) At(ns model.Namespace) iter.Seq[V] {
	return func(yield func(V) bool) {
		n := t.root.find(ns)
		if n == nil {
			return
		}
		for _, v := range n.values {
			if !yield(v) {
				return
			}
		}
	}
}

// Covering yields every value at a prefix of ns, ns itself included, with that
// prefix: the longest prefix first, and within one in the order of insertion.
// It routes a SUBSCRIBE to those who offer its namespace.
func (t *Tree[V]) Covering(ns model.Namespace) iter.Seq2[model.Namespace, V] {
	return func(yield func(model.Namespace, V) bool) {
		t.root.covering(ns, yield)
	}
}

// Below yields every value whose namespace has the prefix, prefix itself
// included, with its namespace; in no particular order.
func (t *Tree[V]) Below(prefix model.Namespace) iter.Seq2[model.Namespace, V] {
	return func(yield func(model.Namespace, V) bool) {
		if n := t.root.find(prefix); n != nil {
			n.below(yield)
		}
	}
}

// Overlaps yields every value whose namespace is a prefix of ns or has ns as
// its prefix, once each.
func (t *Tree[V]) Overlaps(ns model.Namespace) iter.Seq2[model.Namespace, V] {
	return func(yield func(model.Namespace, V) bool) {
		if len(ns) > 0 && !t.root.covering(ns[:len(ns)-1], yield) {
			return
		}
		if n := t.root.find(ns); n != nil {
			n.below(yield)
		}
	}
}

func (n *node[V]) find(ns model.Namespace) *node[V] {
	for _, field := range ns {
		if n = n.children[field]; n == nil {
			return nil
		}
	}
	return n
}

// covering walks down first, so that the longest prefix comes first; it
// reports whether yield wants more.
func (n *node[V]) covering(rest model.Namespace, yield func(model.Namespace, V) bool) bool {
	if len(rest) > 0 {
		if child := n.children[rest[0]]; child != nil && !child.covering(rest[1:], yield) {
			return false
		}
	}
	return n.each(yield)
}

func (n *node[V]) below(yield func(model.Namespace, V) bool) bool {
	if !n.each(yield) {
		return false
	}
	for _, child := range n.children {
		if !child.below(yield) {
			return false
		}
	}
	return true
}

func (n *node[V]) each(yield func(model.Namespace, V) bool) bool {
	for _, v := range n.values {
		if !yield(n.name, v) {
			return false
		}
	}
	return true
}
