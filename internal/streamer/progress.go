package streamer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// Progress tells people or programs how far a Streamer is, while it runs.
type Progress struct {
	// Every is the time between two lines; 0: only the last one.
	Every time.Duration
	// JSON has an object a line, for programs.
	JSON bool
	// InPlace writes each line over the one before, as on a terminal.
	InPlace bool
	Out     io.Writer
}

// Terminal reports whether w is one, or any device that shows text as it comes.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Run writes lines until ctx ends.
func (p *Progress) Run(ctx context.Context, s *Streamer) {
	if p.Every <= 0 {
		return
	}
	t := time.NewTicker(p.Every)
	defer t.Stop()
	for before := s.Status(); ; {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		now := s.Status()
		now.since(before)
		before = now
		p.write(&now)
	}
}

// On a terminal a line that is too long is cut and not continued, and what is
// written next begins where it did.
const (
	cutLines  = "\x1b[?7l"
	wrapLines = "\x1b[?7h"
	clearRest = "\x1b[K"
)

func (p *Progress) write(st *Status) {
	switch {
	case p.JSON:
		fmt.Fprintln(p.Out, st.JSON())
	case p.InPlace:
		fmt.Fprint(p.Out, "\r", cutLines, st.Line(), clearRest, wrapLines, "\r")
	default:
		fmt.Fprintln(p.Out, st.Line())
	}
}

// Finish writes what was done in all since it began, and tells log.
func (p *Progress) Finish(s *Streamer, began time.Time, log *slog.Logger) {
	st := s.Status()
	st.since(Status{Time: began})
	st.Done = true
	if p.JSON {
		fmt.Fprintln(p.Out, st.JSON())
	} else if p.InPlace && p.Every > 0 {
		fmt.Fprint(p.Out, "\r", clearRest)
	}
	if len(st.Tracks) > 0 {
		log.Info(st.Summary())
	}
}
