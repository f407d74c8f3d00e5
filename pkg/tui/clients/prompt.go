package clients

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"oxymoq/pkg/tui/draw"
)

// maxInput is how much can be typed.
const maxInput = 200

// prompt is a question in the last line: a line to type in, or yes and no.
type prompt struct {
	open, confirms bool
	question       string
	input          textinput.Model
	typed          func(text string)         // is told of every change; may be nil
	entered        func(text string) tea.Cmd // is told of the end
	left           func()                    // is told that there will be none; may be nil
	yes            func() tea.Cmd
}

// ask opens a line to type in.
func (p *prompt) ask(question, value string, entered func(string) tea.Cmd) {
	*p = prompt{open: true, question: question, entered: entered, input: textinput.New()}
	p.input.Prompt = ""
	p.input.CharLimit = maxInput
	p.input.SetVirtualCursor(false)
	p.input.SetValue(value)
	p.input.Focus()
}

// confirm asks before something is done.
func (p *prompt) confirm(question string, yes func() tea.Cmd) {
	*p = prompt{open: true, confirms: true, question: question, yes: yes}
}

// line is the prompt as it is shown.
func (p *prompt) line(t *draw.Theme) string {
	if p.confirms {
		return " " + t.Paint(draw.Warn, t.Plain(p.question)) + "  y yes  n no"
	}
	return " " + t.Paint(draw.Accent, t.Plain(p.question)) + t.Plain(draw.Clean(p.input.Value())) + t.Reverse(" ")
}

// update gives a message to the line that is typed in.
func (p *prompt) update(msg tea.Msg) (cmd tea.Cmd) {
	if p.confirms {
		return nil
	}
	p.input, cmd = p.input.Update(msg)
	if p.typed != nil {
		p.typed(p.input.Value())
	}
	return cmd
}
