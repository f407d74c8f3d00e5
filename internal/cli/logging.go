package cli

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// Category is the key of the attribute that puts a logger into a category:
// log.With(cli.Category, "session"). Levels may differ between categories.
const Category = "cat"

// Levels says what is logged: a level for all, and other levels for categories.
// It is a flag.Value in the notation of folly's --logging: "INFO",
// "WARN,session=DBG4". The zero value is INFO.
//
// DBG0 is slog.LevelDebug and each of DBG1 to DBG9 one step below it; DBG is
// below them all, so that it lets everything pass.
//
// Levels may be set while they are in use, from any goroutine.
type Levels struct{ now atomic.Pointer[levels] }

// levels are not changed after they were set.
type levels struct {
	all        slog.Level
	categories map[string]slog.Level
}

// debugAll is the level of DBG.
const debugAll = slog.LevelDebug - 10

var levelNames = map[string]slog.Level{
	"DBG": debugAll, "DEBUG": debugAll, "INFO": slog.LevelInfo,
	"WARN": slog.LevelWarn, "WARNING": slog.LevelWarn,
	"ERR": slog.LevelError, "ERROR": slog.LevelError,
	"CRITICAL": slog.LevelError + 4, "FATAL": slog.LevelError + 8,
}

// Set reads the notation. It changes nothing if it returns an error.
func (l *Levels) Set(s string) error {
	parsed := levels{}
	for item := range strings.SplitSeq(s, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		category, text, named := strings.Cut(item, "=")
		if !named {
			category, text = "", item
		}
		level, ok := parseLevel(text)
		if !ok {
			return fmt.Errorf("%q is no level; use ERR, WARN, INFO, DBG1 to DBG9 or DBG", text)
		}
		if category = strings.TrimPrefix(category, "."); category == "" {
			parsed.all = level
			continue
		}
		if parsed.categories == nil {
			parsed.categories = make(map[string]slog.Level)
		}
		parsed.categories[category] = level
	}
	l.now.Store(&parsed)
	return nil
}

// String returns the notation. The flag set asks a nil one too, for the default.
func (l *Levels) String() string {
	if l == nil {
		return levelName(slog.LevelInfo)
	}
	now := l.get()
	var b strings.Builder
	b.WriteString(levelName(now.all))
	for _, category := range slices.Sorted(maps.Keys(now.categories)) {
		b.WriteString("," + category + "=" + levelName(now.categories[category]))
	}
	return b.String()
}

func (l *Levels) get() levels {
	if now := l.now.Load(); now != nil {
		return *now
	}
	return levels{}
}

// Of returns the lowest level that is logged in a category. Categories nest by
// dots: what holds for "session" holds for "session.fetch", unless that has a
// level of its own.
func (l *Levels) Of(category string) slog.Level {
	now := l.get()
	if now.categories == nil {
		return now.all
	}
	for category != "" {
		if level, ok := now.categories[category]; ok {
			return level
		}
		dot := strings.LastIndexByte(category, '.')
		category = category[:max(dot, 0)]
	}
	return now.all
}

func parseLevel(s string) (slog.Level, bool) {
	s = strings.ToUpper(s)
	if level, ok := levelNames[s]; ok {
		return level, true
	}
	if digit, ok := strings.CutPrefix(s, "DBG"); ok && len(digit) == 1 && digit[0] >= '0' && digit[0] <= '9' {
		return slog.LevelDebug - slog.Level(digit[0]-'0'), true
	}
	return 0, false
}

// levelName is what a log line shows of a level; slog.LevelDebug is plain DBG.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERR"
	case l >= slog.LevelWarn:
		return "WARN"
	case l >= slog.LevelInfo:
		return "INFO"
	case l >= slog.LevelDebug:
		return "DBG"
	case l > debugAll:
		return fmt.Sprintf("DBG%d", slog.LevelDebug-l)
	}
	return "DBG"
}
