package moqtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"oxymoq/internal/tap"
)

// Report writes results in TAP version 14 as they come, and keeps them for JUnit.
type Report struct {
	tap     *tap.Writer
	results []Result
	begun   time.Time
}

// NewReport begins a report of n results on w; about are lines that say of what.
func NewReport(w io.Writer, n int, about ...string) *Report {
	r := &Report{tap: tap.NewWriter(w), begun: time.Now()}
	r.tap.Version()
	for _, line := range about {
		r.tap.Comment("%s", line)
	}
	r.tap.Plan(n)
	return r
}

// Add writes a result.
func (r *Report) Add(res Result) {
	r.results = append(r.results, res)
	block := []tap.Field{{Key: "duration_ms", Value: res.Took.Milliseconds()}, {Key: "section", Value: res.Case.Section}}
	if res.Draft != "" {
		block = append(block, tap.Field{Key: "draft", Value: res.Draft}, tap.Field{Key: "transport", Value: res.Kind})
	}
	if res.Note != "" {
		block = append(block, tap.Field{Key: "expected_refusal", Value: res.Note})
	}
	if res.Err != nil {
		block = append(block, tap.Field{Key: "message", Value: res.Err.Error()})
	}
	r.tap.Point(res.Err == nil, res.Case.ID()+" "+res.Case.Name, "", block)
}

// End says how many have passed, or why not all were performed. It returns the
// first error of the writer.
func (r *Report) End(why error) error {
	if why != nil {
		r.tap.BailOut(why.Error())
		return r.tap.Err()
	}
	passed := 0
	for _, res := range r.results {
		if res.Err == nil {
			passed++
		}
	}
	r.tap.Comment("%d of %d passed in %.1f s", passed, len(r.results), time.Since(r.begun).Seconds())
	return r.tap.Err()
}

// The elements of a JUnit file, as far as programs that read them agree upon them.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"` // seconds
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes all results as an XML file of JUnit: a suite for each draft and
// transport, a class for each section.
func (r *Report) JUnit(w io.Writer) error {
	var all junitSuites
	var took []time.Duration
	at := map[string]int{}
	for _, res := range r.results {
		name := strings.TrimSpace(fmt.Sprintf("moq-test-00 suite %d %s %s", res.Case.Suite, res.Draft, res.Kind))
		i, known := at[name]
		if !known {
			i = len(all.Suites)
			at[name] = i
			all.Suites = append(all.Suites, junitSuite{Name: name})
			took = append(took, 0)
		}
		s := &all.Suites[i]
		c := junitCase{Class: res.Case.Section, Name: res.Case.ID() + " " + res.Case.Name, Time: seconds(res.Took)}
		if res.Err != nil {
			s.Failures++
			c.Failure = &junitFailure{Message: res.Err.Error()}
		}
		s.Tests++
		took[i] += res.Took
		s.Time = seconds(took[i])
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
