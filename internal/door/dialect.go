package door

import (
	"slices"
	"strconv"
	"strings"

	"oxymoq/internal/cli"
	"oxymoq/pkg/session"
)

// Dialect says what is spoken on a connection.
type Dialect struct {
	versions []string
	strict   bool
	quirks   quirks
}

// Environment variables of the public interop tests, which have names of their
// own for -versions. The first outweighs the second.
const (
	variableDraft    = "MOQT_DRAFT"
	variableVersions = "MOQT_VERSIONS"
)

// Declare adds the flags.
func (d *Dialect) Declare(p *cli.Program) {
	p.Flags.ListVar(&d.versions, "versions", nil,
		"`drafts` of MoQT that may be spoken, the preferred first, as in "+strings.Join(spoken(), ",")+", which is what there is; "+
			variableDraft+" and "+variableVersions+" set it too")
	p.Flags.BoolVar(&d.strict, "strict", false, "take peers by the letter of the drafts: without what is known of their faults and allowed for")
	d.quirks = quirksAuto
	p.Flags.Var(&d.quirks, "quirks", "the `peer` whose faults are allowed for: "+strings.Join(quirksNames(), ", ")+"; auto goes by how it introduces itself")
	p.Flags.Variable("versions", variableDraft)
	p.Flags.Variable("versions", variableVersions)
}

// Strict is for session.Config and Port: peers are taken by the letter.
func (d *Dialect) Strict() bool { return d.strict }

// Profile is for session.Config: what peers are taken for, empty for what their
// SETUP says.
func (d *Dialect) Profile() string {
	if d.quirks == quirksAuto {
		return ""
	}
	return string(d.quirks)
}

// quirks is a name of quirksNames.
type quirks string

// quirksAuto leaves it to how peers introduce themselves.
const quirksAuto quirks = "auto"

func (q *quirks) String() string { return string(*q) }

// Set is called with the value of the flag.
func (q *quirks) Set(name string) error {
	if name != string(quirksAuto) {
		if _, err := session.ProfileNamed(name); err != nil {
			return err
		}
	}
	*q = quirks(name)
	return nil
}

func quirksNames() []string {
	names := []string{string(quirksAuto), session.NoProfile}
	for _, p := range session.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// spoken are the numbers of the drafts, best first.
func spoken() []string { return Drafts(session.Protocols()) }

// Drafts returns the numbers of the drafts that application protocols stand for.
func Drafts(protocols []string) (numbers []string) {
	for _, token := range protocols {
		numbers = append(numbers, Draft(token))
	}
	return numbers
}

// Draft returns the number of the draft that an application protocol stands for,
// or the protocol if that is not spoken here.
func Draft(protocol string) string {
	if draft, ok := session.DraftOf(protocol); ok {
		return draft.String()
	}
	return protocol
}

// Protocols returns the application protocols of the drafts that the flags
// allow, the preferred first, or a *cli.UsageError.
func (d *Dialect) Protocols() (allowed []string, err error) {
	all := session.Protocols()
	if len(d.versions) == 0 {
		return all, nil
	}
	for _, v := range d.versions {
		number, ok := draftNumber(v)
		if !ok {
			return nil, cli.Usagef("-versions: %q is not the number of a draft, use %s", v, strings.Join(spoken(), ","))
		}
		at := slices.Index(spoken(), number)
		if at < 0 {
			return nil, cli.Usagef("-versions: draft %s is not spoken here, use %s", number, strings.Join(spoken(), ","))
		}
		if !slices.Contains(allowed, all[at]) {
			allowed = append(allowed, all[at])
		}
	}
	return allowed, nil
}

// draftNumber understands a draft as users name it: its number, or "draft-16" as
// the interop tests have it, or its application protocol.
func draftNumber(v string) (number string, ok bool) {
	if draft, ok := session.DraftOf(v); ok {
		return draft.String(), true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(v, "draft-"), 10, 8)
	return strconv.FormatUint(n, 10), err == nil
}
