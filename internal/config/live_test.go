package config

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"oxymoq/internal/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a program that follows its file, on virtual time.
type running struct {
	t      *testing.T
	file   string
	hangup chan os.Signal
	log    lockedLog

	levels, wait string
	hosts        []string
	applied      int
	broken       error // what taking up a host leads to
	named        string
}

type lockedLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// follow runs a program with a file of this content, in a bubble.
func follow(t *testing.T, content string, test func(*running), args ...string) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := &running{t: t, file: filepath.Join(dir, "relay.yaml"), hangup: make(chan os.Signal)}
		r.write(content)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		var s settings
		env := &cli.Env{Out: io.Discard, Err: io.Discard}
		code := program(&s).Exec(ctx, env, append([]string{"-config", r.file}, args...), nothing, func(_ context.Context, env *cli.Env) error {
			env.Log = slog.New(slog.NewTextHandler(&r.log, nil))
			live := NewLive(env, r.fresh)
			go func() {
				defer close(ended)
				live.Run(ctx, r.hangup)
			}()
			synctest.Wait()
			test(r)
			return nil
		})
		cancel()
		<-ended
		if code != cli.ExitDone {
			t.Errorf("code %d", code)
		}
	})
}

func (r *running) fresh() (*cli.Program, func() []Change) {
	var s settings
	p := program(&s)
	return p, func() []Change {
		set := func(to *string, flag string) func() error {
			return func() error {
				*to = p.Flags.Lookup(flag).Value.String()
				r.applied++
				return nil
			}
		}
		return []Change{
			{Flag: "logging", Apply: set(&r.levels, "logging")},
			{Flag: "wait", Apply: set(&r.wait, "wait")},
			{Flag: "hosts", File: r.named, Apply: func() error {
				if r.broken == nil {
					r.hosts = s.Hosts
					r.applied++
				}
				return r.broken
			}},
		}
	}
}

func (r *running) write(content string) {
	if err := os.WriteFile(r.file, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// said returns what was logged since the last call, after so much time.
func (r *running) said(after time.Duration) string {
	time.Sleep(after) // virtual
	synctest.Wait()
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	defer r.log.b.Reset()
	return r.log.b.String()
}

// settled is when a change has been taken up for sure.
const settled = 3 * lookEvery

func (r *running) wants(said string, words ...string) {
	r.t.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			r.t.Errorf("said %q, want %q", said, w)
		}
	}
}

func TestFileChanges(t *testing.T) {
	follow(t, "limits:\n  wait: 5s\n", func(r *running) {
		if said := r.said(time.Hour); said != "" {
			t.Errorf("said %q though nothing changed", said)
		}
		r.write("limits:\n  wait: 6s\nlog:\n  levels: WARN\n")
		r.wants(r.said(settled), "was read again", `changed="log.levels, limits.wait"`)
		if r.wait != "6s" || r.levels != "WARN" || r.applied != 2 {
			t.Errorf("wait %s, levels %s, %d applied", r.wait, r.levels, r.applied)
		}
		r.write("# only defaults\n")
		r.wants(r.said(settled), `changed="log.levels, limits.wait"`)
		if r.wait != "1s" || r.levels != "INFO" {
			t.Errorf("wait %s, levels %s", r.wait, r.levels)
		}
		if said := r.said(time.Hour); said != "" {
			t.Errorf("said %q though nothing changed", said)
		}
	})
}

func TestChangesThatWait(t *testing.T) {
	follow(t, "", func(r *running) {
		r.write("network:\n  port: 1\n  quic: false\nlimits:\n  wait: 6s\n")
		said := r.said(settled)
		r.wants(said, "changed=limits.wait", "level=WARN", `keys="network.port, network.quic"`)
		if strings.Count(said, "level=WARN") != 1 {
			t.Errorf("more than one warning: %q", said)
		}
		// They still wait, and are told again; a flag outweighs the file.
		r.hangup <- os.Interrupt
		r.wants(r.said(0), "changed=nothing", `keys="network.port, network.quic"`)
		r.write("network:\n  path: x\n")
		if said := r.said(settled); strings.Contains(said, "level=WARN") {
			t.Errorf("said %q of what -path sets", said)
		}
	}, "-path", "/y")
}

func TestHangup(t *testing.T) {
	follow(t, "", func(r *running) {
		r.write("limits:\n  wait: 6s\n")
		r.hangup <- os.Interrupt
		r.wants(r.said(0), "changed=limits.wait") // at once
		if said := r.said(settled); said != "" || r.applied != 1 {
			t.Errorf("taken up twice: %q", said)
		}
	})
}

func TestFaultsChangeNothing(t *testing.T) {
	follow(t, "limits:\n  wait: 5s\n", func(r *running) {
		for content, want := range map[string]string{
			"limits:\n  wiat: 6s\n":                    "relay.yaml:2: unknown key limits.wiat, did you mean limits.wait",
			"limits:\n  wait: 6s\nnetwork: {port: 7}":  "-port is 7 (",
			"limits:\n  wait: 6s\n  ratio: x\n":        "is not a number",
			"limits:\n  wait: 6s\nlog: {levels: LOUD}": "is no level",
		} {
			r.write(content)
			said := r.said(settled)
			r.wants(said, "level=ERROR", "the configuration in use stays", want)
			if strings.Count(said, "\n") != 1 || r.applied != 0 {
				t.Errorf("%d applied, said %q", r.applied, said)
			}
		}
		if err := os.Remove(r.file); err != nil {
			t.Fatal(err)
		}
		r.wants(r.said(settled), "the configuration in use stays", "no such file")
		r.write("limits:\n  wait: 6s\n")
		r.wants(r.said(settled), "changed=limits.wait")
	})
}

// TestHalfAFile: a file that is being written is not read.
func TestHalfAFile(t *testing.T) {
	follow(t, "", func(r *running) {
		for i := range 10 {
			r.write("limits:\n  wait: 6s #" + strings.Repeat("#", i))
			if said := r.said(lookEvery); said != "" {
				t.Fatalf("said %q", said)
			}
		}
		r.wants(r.said(settled), "was read again")
	})
}

// TestNamedFiles: a file that a flag names is looked at too, once the flag names it.
func TestNamedFiles(t *testing.T) {
	secrets := filepath.Join(t.TempDir(), "secrets")
	follow(t, "", func(r *running) {
		r.named = secrets
		r.write("admin:\n  hosts: [x]\n")
		r.wants(r.said(settled), "changed=admin.hosts")
		if said := r.said(time.Hour); said != "" {
			t.Errorf("said %q though nothing changed", said)
		}
		if err := os.WriteFile(secrets, []byte("one"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.wants(r.said(settled), "changed=admin.hosts")
		// What cannot be taken up stays changed.
		r.broken = errors.New("no secret")
		r.write("admin:\n  hosts: [y]\n")
		r.wants(r.said(settled), "the value in use stays", "key=admin.hosts", "no secret", "changed=nothing")
		r.broken = nil
		r.hangup <- os.Interrupt
		r.wants(r.said(0), "changed=admin.hosts")
		if len(r.hosts) != 1 || r.hosts[0] != "y" {
			t.Errorf("hosts %v", r.hosts)
		}
	})
}
