package table

import "strings"

// Filter selects rows by their text, whatever its case: the words must all be in
// it; "!word" must not be; "~word" needs its letters in that order only. The
// zero value matches all.
type Filter struct {
	text  string
	terms []term
}

type term struct {
	word         string
	fuzzy, never bool
}

// ParseFilter reads a filter. It never fails: an empty one matches all.
func ParseFilter(s string) Filter {
	f := Filter{text: strings.TrimSpace(s)}
	for word := range strings.FieldsSeq(strings.ToLower(s)) {
		t := term{word: word}
		if t.word, t.never = strings.CutPrefix(t.word, "!"); t.never && t.word == "" {
			continue
		}
		if t.word, t.fuzzy = strings.CutPrefix(t.word, "~"); t.word != "" {
			f.terms = append(f.terms, t)
		}
	}
	return f
}

// String returns what was parsed.
func (f Filter) String() string { return f.text }

// Empty reports whether it matches all.
func (f Filter) Empty() bool { return len(f.terms) == 0 }

func (f Filter) matches(r Row) bool {
	if f.Empty() {
		return true
	}
	var b strings.Builder
	b.WriteString(r.Find)
	for _, c := range r.Cells {
		b.WriteByte(' ')
		b.WriteString(c.Text)
	}
	return f.Match(b.String())
}

// Match reports whether a text is selected.
func (f Filter) Match(text string) bool {
	text = strings.ToLower(text)
	for _, t := range f.terms {
		found := strings.Contains(text, t.word)
		if t.fuzzy {
			found = inOrder(text, t.word)
		}
		if found == t.never {
			return false
		}
	}
	return true
}

// inOrder reports whether the letters of word are in text in that order.
func inOrder(text, word string) bool {
	for _, want := range word {
		i := strings.IndexRune(text, want)
		if i < 0 {
			return false
		}
		text = text[i+len(string(want)):]
	}
	return true
}
