package moqtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"oxymoq/pkg/model"
)

// Suite is one of moxygen's conformance suites, named by its number of cases.
type Suite uint8

// Suites: that of moxygen's conformance_test.sh up to August 2026, and the one
// after it.
const (
	Suite50 Suite = 50
	Suite80 Suite = 80
)

// Case is one case of a suite.
type Case struct {
	Suite   Suite
	Number  int // from 1
	Section string
	Name    string
	Ask     Ask
	// Lane names cases that are performed one after the other on one track, so
	// that later ones find what earlier ones have left in a cache; empty: alone.
	Lane string
}

// ID is suite and number, as in "80-07".
func (c *Case) ID() string { return fmt.Sprintf("%d-%02d", c.Suite, c.Number) }

// Expect is what a case is to end with.
type Expect uint8

// Expectations.
const (
	ExpectPass Expect = iota
	// ExpectRefused: a strict publisher refuses the track.
	ExpectRefused
)

// Expected returns how the case ends if all is well, and why, if it is not that
// the track comes. Every draft can express every case: what differs between them
// is whether a fetch tells that an object was a datagram, which the comparison
// forgives.
func (c *Case) Expected(strict bool) (Expect, string) {
	if strict && c.Ask.Params.OfTracksOnly() {
		return ExpectRefused, fmt.Sprintf("property %#x is defined for tracks only", 2*c.Ask.Params.IntProperty.Value)
	}
	return ExpectPass, ""
}

// Limit is how long the case may take: twice as long as the track, and slack.
func (c *Case) Limit() time.Duration {
	limit := slack
	if c.Ask.Request != Fetch {
		limit += 2 * c.Ask.Params.Duration()
	}
	if c.Ask.Request == Join {
		limit += JoinAfter
	}
	return limit
}

// slack is for connecting, and for a machine that does other things.
const slack = 20 * time.Second

// UnknownError says that a suite has no such case.
type UnknownError struct {
	Suite Suite
	Case  string
}

// Error says which there are.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no case %q; suite %d has 1 to %d", e.Case, e.Suite, e.Suite)
}

// Select returns the cases of a suite with some numbers, as in "7" or "80-07", in
// the order of the suite; all if there are none. It fails with an *UnknownError.
func Select(suite Suite, numbers []string) ([]Case, error) {
	all := Cases(suite)
	if len(numbers) == 0 {
		return all, nil
	}
	wanted := map[int]bool{}
	for _, text := range numbers {
		n, err := strconv.Atoi(strings.TrimPrefix(text, fmt.Sprintf("%d-", suite)))
		if err != nil || n < 1 || n > len(all) {
			return nil, &UnknownError{suite, text}
		}
		wanted[n] = true
	}
	return slices.DeleteFunc(all, func(c Case) bool { return !wanted[c.Number] }), nil
}

// Cases returns the cases of a suite in their order; none of another number.
func Cases(suite Suite) (all []Case) {
	var sections []section
	switch suite {
	case Suite50:
		sections = suite50()
	case Suite80:
		sections = suite80()
	}
	for _, s := range sections {
		for _, c := range s.cases {
			c.Suite, c.Number, c.Section = suite, len(all)+1, s.name
			all = append(all, c)
		}
	}
	return all
}

// section is a part of a suite.
type section struct {
	name  string
	cases []Case
}

// change is one parameter of a case that differs from the defaults.
type change func(*Ask)

// tracked returns a case with a track of moxygen's defaults but for changes.
func tracked(request Request, name string, f Forwarding, groups, perGroup uint64, changes ...change) Case {
	p := Defaults()
	p.Forwarding, p.Last.Group, p.PerGroup, p.Interval = f, groups, perGroup, 50*time.Millisecond
	p.Last.Object = noObject
	a := Ask{Request: request, Params: p}
	for _, c := range changes {
		c(&a)
	}
	if a.Params.Last.Object == noObject {
		a.Params = a.Params.Filled()
	}
	return Case{Name: name, Ask: a}
}

// noObject stands for a last object that follows from the rest.
const noObject = model.MaxID

func subscribe(name string, f Forwarding, groups, perGroup uint64, changes ...change) Case {
	return tracked(Subscribe, name, f, groups, perGroup, changes...)
}

func fetch(name string, f Forwarding, groups, perGroup uint64, changes ...change) Case {
	return tracked(Fetch, name, f, groups, perGroup, changes...)
}

func startGroup(g uint64) change  { return func(a *Ask) { a.Params.Start.Group = g } }
func startObject(o uint64) change { return func(a *Ask) { a.Params.Start.Object = o } }
func lastObject(o uint64) change  { return func(a *Ask) { a.Params.Last.Object = o } }
func groupStep(n uint64) change   { return func(a *Ask) { a.Params.GroupStep = n } }
func objectStep(n uint64) change  { return func(a *Ask) { a.Params.ObjectStep = n } }
func integer(n uint64) change     { return func(a *Ask) { a.Params.IntProperty = model.Some(n) } }
func variable(n uint64) change    { return func(a *Ask) { a.Params.BytesProperty = model.Some(n) } }

func sizes(first, others uint64) change {
	return func(a *Ask) { a.Params.FirstSize, a.Params.Size = first, others }
}

func every(ms int) change {
	return func(a *Ask) { a.Params.Interval = time.Duration(ms) * time.Millisecond }
}

func marked(a *Ask) { a.Params.EndOfGroup = true }

func subscriberTimeout(ms int) change {
	return func(a *Ask) { a.Timeout = time.Duration(ms) * time.Millisecond }
}

func publisherTimeout(ms int) change {
	return func(a *Ask) { a.Params.Timeout = time.Duration(ms) * time.Millisecond }
}

// String returns the number of cases.
func (s Suite) String() string { return strconv.Itoa(int(s)) }
