package config

import (
	"context"
	"crypto/sha256"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"oxymoq/internal/cli"
)

// lookEvery is how often Live looks whether files have changed.
const lookEvery = 2 * time.Second

// Change makes a running program take up a flag.
type Change struct {
	Flag string
	// Apply takes up what the flag is set to now. If it fails, what was in use must
	// stay in use.
	Apply func() error
	// File is a file that the flag names, which is read again when it changes too;
	// empty: none.
	File string
}

// Fresh returns the flags of a program anew, and how to take up those of them that are
// live (cli.FlagSet.Live) once they are loaded.
type Fresh func() (p *cli.Program, changes func() []Change)

// Live keeps a running program to its configuration.
type Live struct {
	env     *cli.Env
	fresh   Fresh
	files   []string // that flags name
	inUse   cli.Values
	content map[string][sha256.Size]byte // of files, when they were taken up
}

// NewLive looks at the configuration file of a program that begins, and at others
// that its flags name and that are read again when they change.
func NewLive(env *cli.Env, fresh Fresh, files ...string) *Live {
	l := &Live{env: env, fresh: fresh, files: files, inUse: maps.Clone(env.Start)}
	l.content = l.digest()
	return l
}

// Run takes up the configuration whenever a value comes from hangup, and when its
// file, or one that it names, has changed and has then stayed the same between two
// looks. It returns when ctx ends. What is wrong is logged, and changes nothing.
func (l *Live) Run(ctx context.Context, hangup <-chan os.Signal) {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	seen := l.content
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			seen = l.digest()
			l.again()
		case <-ticks.C:
			now := l.digest()
			if settled := same(now, seen); settled && !same(now, l.content) {
				l.again()
			}
			seen = now
		}
	}
}

// again reads everything again and takes up what it can.
func (l *Live) again() {
	before := l.content
	l.content = l.digest() // before it is read: what changes meanwhile is read once more
	p, changes := l.fresh()
	now, err := l.env.Load(p)
	if err != nil {
		l.env.Log.Error("the configuration in use stays", "because", err)
		return
	}
	keys := p.Flags.Names()
	var changed, fixed []string
	l.files = nil
	able := make(map[string]Change)
	for _, c := range changes() {
		able[c.Flag] = c
		if c.File != "" {
			l.files = append(l.files, c.File)
		}
	}
	for _, name := range sortedNames(keys) {
		c, live := able[name]
		differs := now[name] != l.inUse[name] || c.File != "" && l.content[c.File] != before[c.File]
		switch {
		case !differs && c.File == "":
		case !live:
			fixed = append(fixed, keys[name].String())
		default:
			if err := c.Apply(); err != nil {
				l.env.Log.Error("the value in use stays", "key", keys[name].String(), "because", err)
				continue
			}
			if l.inUse[name] = now[name]; differs {
				changed = append(changed, keys[name].String())
			}
		}
	}
	l.content = l.taken(l.content)
	l.env.Log.Info("the configuration was read again", "changed", orNothing(changed))
	if len(fixed) > 0 {
		l.env.Log.Warn("what changed here is taken up only when the program starts again", "keys", strings.Join(fixed, ", "))
	}
}

// taken adds files that are named only since now to those whose content is known.
func (l *Live) taken(content map[string][sha256.Size]byte) map[string][sha256.Size]byte {
	all := l.digest()
	for file := range all {
		if before, known := content[file]; known {
			all[file] = before
		}
	}
	return all
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// sortedNames returns the names of flags, without their other names.
func sortedNames(keys map[string]cli.Key) (names []string) {
	for name, k := range keys {
		if name == k.Flag {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// digest returns what is in the files now. What is no file, or too long, counts as
// empty.
func (l *Live) digest() map[string][sha256.Size]byte {
	sums := make(map[string][sha256.Size]byte)
	for _, file := range append([]string{l.env.File}, l.files...) {
		if file == "" {
			continue
		}
		sums[file] = [sha256.Size]byte{}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue // a fifo would be emptied
		}
		if content, err := load(file); err == nil {
			sums[file] = sha256.Sum256(content)
		}
	}
	return sums
}

func same(a, b map[string][sha256.Size]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for file, sum := range a {
		if other, ok := b[file]; !ok || other != sum {
			return false
		}
	}
	return true
}
