package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		name     string
		spec     string
		category string
		level    slog.Level
		passes   bool
	}{
		{"nothing given is INFO", "", "", slog.LevelInfo, true},
		{"nothing given hides debugging", "", "", slog.LevelDebug, false},
		{"WARN hides INFO", "WARN", "", slog.LevelInfo, false},
		{"ERR hides WARN", "err", "", slog.LevelWarn, false},
		{"DBG shows all", "DBG", "", slog.LevelDebug - 9, true},
		{"DBG0 is slog's debug", "DBG0", "", slog.LevelDebug, true},
		{"DBG3 shows three steps", "DBG3", "", slog.LevelDebug - 3, true},
		{"DBG3 hides the fourth", "DBG3", "", slog.LevelDebug - 4, false},
		{"a category has its own level", "WARN,session=DBG4", "session", slog.LevelDebug, true},
		{"other categories do not", "WARN,session=DBG4", "relay", slog.LevelInfo, false},
		{"a category may be quieter", "DBG,session=ERR", "session", slog.LevelWarn, false},
		{"categories nest", "session=DBG", "session.fetch", slog.LevelDebug, true},
		{"the nearest category counts", "session=DBG,session.fetch=ERR", "session.fetch", slog.LevelDebug, false},
		{"names only share whole parts", "session=DBG", "sessions", slog.LevelDebug, false},
		{"the root may be named by a dot", ".=WARN", "", slog.LevelInfo, false},
		{"folly's other names", "CRITICAL", "", slog.LevelError, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l Levels
			if err := l.Set(tt.spec); err != nil {
				t.Fatal(err)
			}
			log := slog.New(NewHandler(&bytes.Buffer{}, &l, false)).With(Category, tt.category)
			if got := log.Enabled(context.Background(), tt.level); got != tt.passes {
				t.Errorf("passes %v, want %v", got, tt.passes)
			}
		})
	}
}

// TestLevelsOfALogThatRuns: loggers that were made before obey too.
func TestLevelsOfALogThatRuns(t *testing.T) {
	var l Levels
	log := slog.New(NewHandler(&bytes.Buffer{}, &l, false))
	session := log.With(Category, "session")
	if err := l.Set("WARN,session=DBG4,relay=ERR"); err != nil {
		t.Fatal(err)
	}
	if log.Enabled(t.Context(), slog.LevelInfo) || !session.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the levels that were set later do not count")
	}
	if got := l.String(); got != "WARN,relay=ERR,session=DBG4" {
		t.Errorf("String() = %q", got)
	}
	if err := new(Levels).Set(l.String()); err != nil {
		t.Error(err)
	}
}

func TestWrongLevelChangesNothing(t *testing.T) {
	var l Levels
	if err := l.Set("WARN,x=DBG"); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"LOUD", "DBG10", "DBGx", "session=", "ERR,a=b=c"} {
		if err := l.Set(spec); err == nil {
			t.Errorf("%q was accepted", spec)
		}
	}
	if l.Of("x") != debugAll || l.Of("") != slog.LevelWarn {
		t.Errorf("levels changed to %v", &l)
	}
}

func TestLevelNames(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelError + 4: "ERR", slog.LevelError: "ERR", slog.LevelWarn: "WARN", slog.LevelInfo: "INFO",
		slog.LevelDebug: "DBG", slog.LevelDebug - 4: "DBG4", slog.LevelDebug - 10: "DBG", slog.LevelDebug - 99: "DBG",
	} {
		if got := levelName(level); got != want {
			t.Errorf("levelName(%d) = %q, want %q", level, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(&out, &Levels{}, false)).With(Category, "session", "peer", "[::1]:4433")
	log.WithGroup("quic").Warn("peer is\nslow", "behind", 31, "why", "too far", "err", errors.New(`a "b"`),
		slog.Group("at", "group", 7), "took", 1500*time.Nanosecond, "empty", "")
	want := ` WARN session: peer is slow peer=[::1]:4433 quic.behind=31 quic.why="too far" quic.err="a \"b\"" quic.at.group=7 quic.took=2µs quic.empty=""` + "\n"
	clock := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d\d\d`)
	if got := out.String(); !clock.MatchString(got) || clock.ReplaceAllString(got, "") != want {
		t.Errorf("got  %q\nwant the time and %q", got, want)
	}
}

// everything lets all records pass.
func everything(t *testing.T) *Levels {
	l := new(Levels)
	if err := l.Set("DBG"); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestColourOnlyOnRequest(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(&out, everything(t), true))
	log.Error("x")
	log.Warn("x")
	log.Info("x")
	log.Debug("x")
	for _, colour := range []string{"\x1b[31mERR\x1b[0m", "\x1b[33mWARN\x1b[0m", "\x1b[32mINFO\x1b[0m", "\x1b[2mDBG\x1b[0m"} {
		if !strings.Contains(out.String(), colour) {
			t.Errorf("%q is missing in %q", colour, out.String())
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if !colourful(null, environment(nil)) {
		t.Error("a character device is not taken for a terminal")
	}
	for name, vars := range map[string]map[string]string{
		"NO_COLOR with any value": {"NO_COLOR": "yes"}, "a dumb terminal": {"TERM": "dumb"},
	} {
		if colourful(null, environment(vars)) {
			t.Errorf("%s does not disable colour", name)
		}
	}
	if colourful(&out, environment(nil)) {
		t.Error("a buffer is taken for a terminal")
	}
}

// The handler must treat groups, empty attributes and LogValuers as the
// standard library's do; slogtest reads the lines back as nested maps.
func TestHandlerObeysSlog(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return NewHandler(&out, everything(t), false)
	}, func(*testing.T) map[string]any { return readLine(out.String()) })
}

func readLine(line string) map[string]any {
	m := make(map[string]any)
	var message []string
	for i, word := range strings.Fields(line) {
		key, value, attr := strings.Cut(word, "=")
		switch {
		case i == 0 && strings.Count(word, ":") == 2:
			m[slog.TimeKey] = word
		case !attr && m[slog.LevelKey] == nil:
			m[slog.LevelKey] = word
		case !attr:
			message = append(message, word)
		default:
			at := m
			path := strings.Split(key, ".")
			for _, p := range path[:len(path)-1] {
				if at[p] == nil {
					at[p] = make(map[string]any)
				}
				at = at[p].(map[string]any)
			}
			at[path[len(path)-1]] = value
		}
	}
	m[slog.MessageKey] = strings.Join(message, " ")
	return m
}

func TestLongValuesAreCut(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(&out, new(Levels), false))
	log.Info("published", "namespace", strings.Repeat("é", 4096))
	if n := out.Len(); n > maxAttr+64 || !strings.HasSuffix(out.String(), "…\n") {
		t.Errorf("a line of %d bytes that ends in %q", n, out.String()[n-8:])
	}
}
