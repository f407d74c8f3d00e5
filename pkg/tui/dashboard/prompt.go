package dashboard

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/tui/draw"
)

// promptKind is what the last line of the screen asks for.
type promptKind uint8

const (
	noPrompt      promptKind = iota
	filterPrompt             // applies as it is typed
	commandPrompt            // after ":"
	groupPrompt              // a group of the track that is open
	confirmPrompt            // yes or no
)

// maxInput is how much can be typed.
const maxInput = 200

// prompt is a question in the last line.
type prompt struct {
	kind     promptKind
	question string
	input    textinput.Model
	before   string // the filter as it was
	yes      func() tea.Cmd
}

// ask opens a line to type in.
func (p *prompt) ask(kind promptKind, question, value string) {
	p.kind, p.question, p.before = kind, question, value
	p.input = textinput.New()
	p.input.Prompt = ""
	p.input.CharLimit = maxInput
	p.input.SetVirtualCursor(false)
	p.input.SetValue(value)
	p.input.Focus()
}

// confirm asks before something is done.
func (p *prompt) confirm(question string, yes func() tea.Cmd) {
	*p = prompt{kind: confirmPrompt, question: question, yes: yes}
}

func (p *prompt) close() { *p = prompt{} }

// line is the prompt as it is shown.
func (p *prompt) line(t *draw.Theme) string {
	if p.kind == confirmPrompt {
		return " " + t.Paint(draw.Warn, t.Plain(p.question)) + "  y yes  n no"
	}
	return " " + t.Paint(draw.Accent, p.question) + t.Plain(draw.Clean(p.input.Value())) + t.Reverse(" ")
}
