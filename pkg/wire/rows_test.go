package wire

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

// row is a control message and its exact bytes. Each line of wire holds the hex
// of a field and, after two spaces, its name in the draft.
type row struct {
	name string
	ctx  Context
	msg  Message
	wire string
}

// field is one line of annotated bytes.
type field struct {
	name  string
	bytes []byte
}

// fields takes annotated bytes apart.
func fields(t testing.TB, wire string) []field {
	t.Helper()
	var list []field
	for line := range strings.Lines(wire) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		digits, name, _ := strings.Cut(line, "  ")
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatalf("annotated line %q: %v", line, err)
		}
		list = append(list, field{strings.TrimSpace(name), b})
	}
	return list
}

// annotated returns the bytes alone.
func annotated(t testing.TB, wire string) []byte {
	t.Helper()
	var b []byte
	for _, f := range fields(t, wire) {
		b = append(b, f.bytes...)
	}
	return b
}

// firstDifference names the field of want in which got differs.
func firstDifference(t testing.TB, want string, got []byte) string {
	off := 0
	for _, f := range fields(t, want) {
		end := off + len(f.bytes)
		if end > len(got) {
			return fmt.Sprintf("ends inside %q, want % x there", f.name, f.bytes)
		}
		if string(got[off:end]) != string(f.bytes) {
			return fmt.Sprintf("%q is % x, want % x", f.name, got[off:end], f.bytes)
		}
		off = end
	}
	if off < len(got) {
		return fmt.Sprintf("goes on with % x", got[off:])
	}
	return ""
}

// Contexts of the rows.
var (
	toServer   = Context{Draft: model.Draft18, Stream: RequestStream, Receiver: Server}
	toClient   = Context{Draft: model.Draft18, Stream: RequestStream, Receiver: Client}
	setupIn    = Context{Draft: model.Draft18, Stream: ControlStream, Receiver: Server}
	setupOut   = Context{Draft: model.Draft18, Stream: ControlStream, Receiver: Client}
	liveVideo  = model.FullTrackName{Namespace: model.Namespace{"live"}, Name: "video"}
	largeToken = Token{Action: TokenUseValue, Type: 300, Value: []byte("secret")}
)

// answering is the context of the answer to a message; of an update on the
// stream of request.
func answering(request, answers MessageKind) Context {
	ctx := toClient
	ctx.Request, ctx.Answers = request, answers
	return ctx
}

// updating is the context of an update on the stream of request.
func updating(request MessageKind) Context {
	ctx := toServer
	ctx.Request = request
	return ctx
}

// spoken are the drafts that sessions are opened with.
var spoken = []model.Draft{model.Draft18, model.Draft16, model.Draft14}

// rowsOf returns all rows of a draft.
func rowsOf(d model.Draft) []row {
	switch d {
	case model.Draft16:
		return rows16()
	case model.Draft14:
		return rows14()
	}
	return controlRows()
}

// allRows returns the rows of all drafts that sessions are opened with.
func allRows() []row {
	var all []row
	for _, d := range spoken {
		for _, r := range rowsOf(d) {
			r.name = d.String() + " " + r.name
			all = append(all, r)
		}
	}
	return all
}

// controlRows returns all rows of draft 18.
func controlRows() []row {
	var all []row
	for _, rows := range [][]row{setupRows, goawayRows, subscribeRows, publishRows, fetchRows, namespaceRows, updateRows, answerRows} {
		all = append(all, rows...)
	}
	return all
}
