package model

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Limits of names (section 2.4.1).
const (
	// MaxNamespaceFields is the largest number of fields of a namespace.
	MaxNamespaceFields = 32
	// MaxFullTrackNameLen is the largest total length in bytes of all
	// namespace fields and the track name.
	MaxFullTrackNameLen = 4096
)

// Namespace is a Track Namespace or a prefix of one: an ordered tuple of byte
// strings, compared exactly. The empty namespace is the prefix of all.
type Namespace []string

// ParseNamespace splits s at sep. An empty s gives the empty namespace; empty
// fields (a leading or doubled separator) are refused by Validate.
func ParseNamespace(s, sep string) Namespace {
	if s == "" {
		return nil
	}
	return strings.Split(s, sep)
}

// Validate reports whether n obeys the limits of section 2.4.1.
func (n Namespace) Validate() error {
	if len(n) > MaxNamespaceFields {
		return fmt.Errorf("namespace has %d fields, at most %d are allowed", len(n), MaxNamespaceFields)
	}
	for i, f := range n {
		if f == "" {
			return fmt.Errorf("namespace field %d is empty", i)
		}
	}
	if n.Len() > MaxFullTrackNameLen {
		return fmt.Errorf("namespace has %d bytes, at most %d are allowed", n.Len(), MaxFullTrackNameLen)
	}
	return nil
}

// Len returns the total length of the fields in bytes.
func (n Namespace) Len() int {
	total := 0
	for _, f := range n {
		total += len(f)
	}
	return total
}

// Equal reports whether both have the same fields.
func (n Namespace) Equal(o Namespace) bool { return slices.Equal(n, o) }

// HasPrefix reports whether the first fields of n are exactly those of p.
func (n Namespace) HasPrefix(p Namespace) bool {
	return len(p) <= len(n) && slices.Equal(n[:len(p)], p)
}

// Join returns the namespace of n's fields followed by those of suffix.
func (n Namespace) Join(suffix Namespace) Namespace {
	return slices.Concat(n, suffix)
}

// Key returns a string that is equal for equal namespaces and different for
// different ones; it serves as a map key and is not for people.
func (n Namespace) Key() string {
	var b strings.Builder
	for _, f := range n {
		b.WriteByte(byte(len(f) >> 8))
		b.WriteByte(byte(len(f)))
		b.WriteString(f)
	}
	return b.String()
}

// String returns the printable form of section 1.5: fields joined by "-", with
// every byte outside [A-Za-z0-9_] written as ".xx".
func (n Namespace) String() string {
	var b strings.Builder
	for i, f := range n {
		if i > 0 {
			b.WriteByte('-')
		}
		appendPrintable(&b, f)
	}
	return b.String()
}

// FullTrackName identifies a track within a scope: its namespace and its name.
type FullTrackName struct {
	Namespace Namespace
	Name      string
}

// Validate reports whether the name obeys the limits of section 2.4.1.
func (f FullTrackName) Validate() error {
	if err := f.Namespace.Validate(); err != nil {
		return err
	}
	if len(f.Namespace) == 0 {
		return errors.New("namespace has no field")
	}
	if n := f.Namespace.Len() + len(f.Name); n > MaxFullTrackNameLen {
		return fmt.Errorf("full track name has %d bytes, at most %d are allowed", n, MaxFullTrackNameLen)
	}
	return nil
}

// Equal reports whether both name the same track.
func (f FullTrackName) Equal(o FullTrackName) bool {
	return f.Name == o.Name && f.Namespace.Equal(o.Namespace)
}

// Key returns a map key, unique per name; it is not for people.
func (f FullTrackName) Key() string { return f.Namespace.Key() + "\xff\xff" + f.Name }

// String returns the printable form of section 1.5: namespace, "--", name.
func (f FullTrackName) String() string {
	var b strings.Builder
	b.WriteString(f.Namespace.String())
	b.WriteString("--")
	appendPrintable(&b, f.Name)
	return b.String()
}

// ParseFullTrackName reads the printable form of section 1.5 and rejects
// anything that String would not have written.
func ParseFullTrackName(s string) (FullTrackName, error) {
	ns, name, ok := strings.Cut(s, "--")
	if !ok {
		return FullTrackName{}, fmt.Errorf("track name %q has no %q between namespace and name", s, "--")
	}
	var f FullTrackName
	if ns != "" {
		for field := range strings.SplitSeq(ns, "-") {
			raw, err := parsePrintable(field)
			if err != nil {
				return FullTrackName{}, err
			}
			f.Namespace = append(f.Namespace, raw)
		}
	}
	raw, err := parsePrintable(name)
	if err != nil {
		return FullTrackName{}, err
	}
	f.Name = raw
	if f.String() != s {
		return FullTrackName{}, fmt.Errorf("track name %q is not in its canonical form %q", s, f)
	}
	return f, f.Validate()
}

const hexDigits = "0123456789abcdef"

func literal(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func appendPrintable(b *strings.Builder, s string) {
	for i := range len(s) {
		if c := s[i]; literal(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('.')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
}

func parsePrintable(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '.' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("escape at the end of %q is cut short", s)
		}
		hi, lo := strings.IndexByte(hexDigits, s[i+1]), strings.IndexByte(hexDigits, s[i+2])
		if hi < 0 || lo < 0 {
			return "", fmt.Errorf("%q is not an escape", s[i:i+3])
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), nil
}

// Location is the place of an object in its track (section 1.4.2). Locations
// are ordered by group, then by object.
type Location struct {
	Group, Object uint64
}

// Compare returns -1, 0 or +1 as l comes before, is, or comes after o.
func (l Location) Compare(o Location) int {
	return cmp.Or(cmp.Compare(l.Group, o.Group), cmp.Compare(l.Object, o.Object))
}

// Less reports whether l comes before o.
func (l Location) Less(o Location) bool { return l.Compare(o) < 0 }

// Next returns the location one object later in the same group; the last
// object ID of a group is followed by the start of the next group.
func (l Location) Next() Location {
	if l.Object == MaxID {
		return Location{Group: l.Group + 1}
	}
	return Location{Group: l.Group, Object: l.Object + 1}
}

// Prev returns the location before l in the order of Less: one object earlier,
// or the very last of the group before. {0,0} has none and returns itself.
func (l Location) Prev() Location {
	switch {
	case l.Object > 0:
		return Location{Group: l.Group, Object: l.Object - 1}
	case l.Group > 0:
		return Location{Group: l.Group - 1, Object: MaxID}
	}
	return l
}

// String returns "group/object".
func (l Location) String() string { return fmt.Sprintf("%d/%d", l.Group, l.Object) }

// MaxID is the largest group or object ID. As the object of an end it stands
// for "the whole group".
const MaxID = 1<<64 - 1
