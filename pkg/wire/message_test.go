package wire

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oxymoq/pkg/model"
	"oxymoq/pkg/varint"
)

func TestMessagesBothWays(t *testing.T) {
	for _, r := range allRows() {
		t.Run(r.name, func(t *testing.T) {
			want := annotated(t, r.wire)
			got, err := AppendMessage([]byte("before"), r.ctx, r.msg)
			if err != nil {
				t.Fatalf("append: %v", err)
			}
			if diff := firstDifference(t, r.wire, got[len("before"):]); diff != "" {
				t.Errorf("append: %s\n got %x\nwant %x", diff, got[len("before"):], want)
			}
			typ, body, err := frame(want)
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParseMessage(r.ctx, typ, body)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if diff := cmp.Diff(r.msg, back); diff != "" {
				t.Errorf("parse (-want +got):\n%s", diff)
			}
		})
	}
}

// A message that is cut short is refused, unless what is left is a message
// too: the lists at the end of some may end anywhere between two entries.
func TestEveryTruncationOfEveryMessage(t *testing.T) {
	for _, r := range allRows() {
		typ, body, err := frame(annotated(t, r.wire))
		if err != nil {
			t.Fatal(err)
		}
		for n := range body {
			m, err := ParseMessage(r.ctx, typ, body[:n])
			if errors.Is(err, varint.ErrTruncated) {
				t.Errorf("%s cut to %d bytes: asks for more of a bounded body", r.name, n)
			}
			if err == nil {
				again, err := AppendMessage(nil, r.ctx, m)
				if err != nil {
					t.Errorf("%s cut to %d bytes: read but not written: %v", r.name, n, err)
				} else if _, rest, _ := frame(again); !cmp.Equal(rest, body[:n]) {
					t.Errorf("%s cut to %d bytes: read as something else: %x", r.name, n, rest)
				}
			} else if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Offset > n || pe.Message == "" {
				t.Errorf("%s cut to %d bytes: error without a place: %v", r.name, n, err)
			}
		}
	}
}

func TestTrailingByteIsRefused(t *testing.T) {
	for _, r := range allRows() {
		typ, body, err := frame(annotated(t, r.wire))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := ParseMessage(r.ctx, typ, append(body[:len(body):len(body)], 0)); err == nil {
			t.Errorf("%s: accepted one byte more as %+v", r.name, m)
		}
	}
}

// What a message holds must not change when the buffer is used again.
func TestParsedMessagesDoNotAlias(t *testing.T) {
	for _, r := range allRows() {
		typ, body, err := frame(annotated(t, r.wire))
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMessage(r.ctx, typ, body)
		if err != nil {
			t.Fatal(err)
		}
		clear(body)
		if diff := cmp.Diff(r.msg, m); diff != "" {
			t.Errorf("%s changed with its buffer (-want +got):\n%s", r.name, diff)
		}
	}
}

// Every message of the drafts has a row, so that none is forgotten above.
func TestEveryMessageHasARow(t *testing.T) {
	for _, d := range spoken {
		table, err := tableOf(d)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, r := range rowsOf(d) {
			seen[table.messageFor(r.msg.Kind(), r.ctx).name] = true
		}
		for _, m := range table.messages {
			if !seen[m.name] {
				t.Errorf("draft %v: no row for %s", d, m.name)
			}
			if got := newMessage(m.kind).Kind(); got != m.kind {
				t.Errorf("newMessage(%v) is a %v", m.kind, got)
			}
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		draft model.Draft
		typ   uint64
		kind  MessageKind
	}{
		{model.Draft14, 0x20, KindSetup},
		{model.Draft14, 0x08, KindRequestError},
		{model.Draft16, 0x08, KindNamespace},
		{model.Draft18, 0x51, KindSubscribeTracks},
		{model.Draft16, 0x51, 0},
		{13, 0x20, 0},
	} {
		if k, ok := KindOf(tt.draft, tt.typ); k != tt.kind || ok != (tt.kind != 0) {
			t.Errorf("type 0x%x of draft %v: %v, %v", tt.typ, tt.draft, k, ok)
		}
	}
}
