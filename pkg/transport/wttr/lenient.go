package wttr

import "strings"

// This file holds every way in which the header fields of the choice of a
// protocol are understood although they are not what the text asks for, with the
// peers that need it. A strict Server or Offer does without all of them. None
// changes what is sent.

// same reports whether two names mean the same protocol. The text compares bytes;
// HTTP libraries have been seen to change the letter case of what looks like a
// token to them.
func same(ours, theirs string, strict bool) bool {
	return ours == theirs || !strict && strings.EqualFold(ours, theirs)
}

// parseLoosely reads a list that is none of structured-field strings: names
// without quotes (picoquic and moqtail until 2026), in single quotes or with a
// quote missing, and members that are empty or stand between tabs and blanks
// where none may be. ok says that what is left looks like names.
func parseLoosely(fields []string) (names []string, ok bool) {
	for member := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, _, _ := strings.Cut(member, ";") // parameters
		name = strings.TrimFunc(name, func(r rune) bool { return r == ' ' || r == '\t' || r == '"' || r == '\'' })
		if name == "" {
			continue
		}
		if len(names) > maxOffered || strings.ContainsFunc(name, func(r rune) bool { return !ofName(r) }) {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// ofName reports whether a name that is read loosely may have r. Names of MoQT
// are made of these; anything else is a sign that something else is meant.
func ofName(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._/+", r)
}
