package receiver

import (
	"io"
	"time"
)

// Progress shows how far a Receiver is, while it runs.
type Progress struct {
	// Every is the time between two lines; 0: none.
	Every time.Duration
	// JSON has an object a line, for programs.
	JSON bool
	// InPlace writes each line over the one before, as on a terminal.
	InPlace bool
	Out     io.Writer
	// To, if set, is given the Status instead, each time and at the end. It is
	// called by Run and must not wait.
	To func(*Status)
}

// On a terminal a line that is too long is cut and not continued, and what is
// written next begins where it did.
const (
	cutLines  = "\x1b[?7l"
	wrapLines = "\x1b[?7h"
	clearRest = "\x1b[K"
)

// ticks returns what tells when to show.
func (p *Progress) ticks() (ticks <-chan time.Time, stop func()) {
	if p == nil || p.Every <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(p.Every)
	return t.C, t.Stop
}

func (p *Progress) show(st *Status) {
	switch {
	case p.To != nil:
		p.To(st)
	case p.JSON:
		_, _ = p.Out.Write(st.JSON())
	case p.InPlace:
		_, _ = p.Out.Write([]byte("\r" + cutLines + st.Line() + clearRest + wrapLines + "\r"))
	default:
		_, _ = p.Out.Write([]byte(st.Line() + "\n")) // a spool never fails
	}
}

// end clears the line.
func (p *Progress) end() {
	if p != nil && p.InPlace && p.Every > 0 {
		_, _ = p.Out.Write([]byte("\r" + clearRest))
	}
}
