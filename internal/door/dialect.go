package door

import (
	"fmt"
	"strconv"
	"strings"

	"oxymoq/internal/cli"
	"oxymoq/pkg/session"
)

// Dialect says what is spoken on a connection.
type Dialect struct {
	versions []string
}

// Declare adds the flags.
func (d *Dialect) Declare(p *cli.Program) {
	p.Flags.ListVar(&d.versions, "versions", nil,
		"`drafts` of MoQT that may be spoken, as in "+strings.Join(spoken(), ",")+"; without it all that are")
}

// spoken are the numbers of the drafts, best first.
func spoken() (numbers []string) {
	for _, token := range session.Protocols() {
		draft, _ := session.DraftOf(token)
		numbers = append(numbers, strconv.Itoa(int(draft)))
	}
	return numbers
}

// Protocols returns the application protocols of the drafts that the flags
// allow, best first, or a *cli.UsageError.
func (d *Dialect) Protocols() ([]string, error) {
	all := session.Protocols()
	if len(d.versions) == 0 {
		return all, nil
	}
	wanted := make(map[string]bool)
	for _, v := range d.versions {
		wanted[v] = true
	}
	var allowed []string
	for i, number := range spoken() {
		if wanted[number] {
			allowed = append(allowed, all[i])
			delete(wanted, number)
		}
	}
	for _, v := range d.versions {
		if wanted[v] {
			return nil, cli.Usagef("-versions: %s, use %s", unspoken(v), strings.Join(spoken(), ","))
		}
	}
	return allowed, nil
}

func unspoken(v string) string {
	if _, err := strconv.ParseUint(v, 10, 8); err != nil {
		return fmt.Sprintf("%q is not the number of a draft", v)
	}
	return fmt.Sprintf("draft %s is not spoken here", v)
}
