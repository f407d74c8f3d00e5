package wttr_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/quicvarint"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/wttr"
)

// capsule is a capsule of any type.
func capsule(typ uint64, body string) []byte {
	b := quicvarint.Append(nil, typ)
	b = quicvarint.Append(b, uint64(len(body)))
	return append(b, body...)
}

func TestCapsules(t *testing.T) {
	const closeType, drainType = 0x2843, 0x78ae
	long := strings.Repeat("r", wttr.MaxReason)
	closed := func(code uint64, reason string) *transport.CloseError {
		return &transport.CloseError{Code: code, Reason: reason, Remote: true}
	}
	for _, row := range []struct {
		name string
		in   []byte
		want *transport.CloseError
		is   error
	}{
		{"close", capsule(closeType, "\x00\x00\x00\x07bye"), closed(7, "bye"), nil},
		{"close without reason", capsule(closeType, "\xff\xff\xff\xff"), closed(1<<32-1, ""), nil},
		{"what follows a close is not read", append(capsule(closeType, "\x00\x00\x00\x00"), 0xff), closed(0, ""), nil},
		{"longest reason", capsule(closeType, "\x00\x00\x00\x00"+long), closed(0, long), nil},
		{"longer reason", capsule(closeType, "\x00\x00\x00\x00"+long+"x"), closed(0, long), nil},
		{"reason that claims to be endless", append(capsule(closeType, "")[:2], append(quicvarint.Append(nil, 1<<61), "\x00\x00\x00\x05"+long...)...), closed(5, long), nil},
		{"reason that is cut off", capsule(closeType, "\x00\x00\x00\x01abc")[:8], closed(1, "a"), nil},
		{"reason that is not UTF-8", capsule(closeType, "\x00\x00\x00\x01\xff"), closed(1, "\uFFFD"), nil},
		{"others are skipped", append(append(capsule(drainType, ""), capsule(0x1234, long)...), capsule(closeType, "\x00\x00\x00\x02x")...), closed(2, "x"), nil},
		{"no code", capsule(closeType, "\x00\x00\x00"), nil, wttr.ErrCapsule},
		{"end", nil, nil, io.EOF},
		{"end after others", capsule(drainType, ""), nil, io.EOF},
		{"end in a type", []byte{0x68}, nil, wttr.ErrCapsule},
		{"end in a length", []byte{0x12, 0x40}, nil, wttr.ErrCapsule},
		{"end before a length", []byte{0x12}, nil, wttr.ErrCapsule},
		{"end in a body", []byte{0x12, 5, 1, 2}, nil, wttr.ErrCapsule},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := wttr.ReadCapsules(bytes.NewReader(row.in))
			if row.want != nil {
				testkit.Equal(t, *testkit.ErrAs[*transport.CloseError](t, err), *row.want)
				return
			}
			testkit.ErrIs(t, err, row.is)
		})
	}
}

func TestAppendCloseCutsReasons(t *testing.T) {
	err := wttr.ReadCapsules(bytes.NewReader(wttr.AppendClose(nil, 3, strings.Repeat("é", wttr.MaxReason))))
	got := testkit.ErrAs[*transport.CloseError](t, err)
	testkit.Equal(t, *got, transport.CloseError{Code: 3, Reason: strings.Repeat("é", wttr.MaxReason/2), Remote: true})
	err = wttr.ReadCapsules(bytes.NewReader(wttr.AppendClose(nil, 3, "x"+strings.Repeat("é", wttr.MaxReason))))
	got = testkit.ErrAs[*transport.CloseError](t, err)
	testkit.Equal(t, got.Reason, "x"+strings.Repeat("é", wttr.MaxReason/2-1))
}

func FuzzCapsules(f *testing.F) {
	f.Add(capsule(0x2843, "\x00\x00\x00\x07bye"))
	f.Add(append(capsule(0x78ae, ""), capsule(0x12, "abc")...))
	f.Add([]byte{0x68, 0x43, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		err := wttr.ReadCapsules(bytes.NewReader(b))
		if err == nil {
			t.Fatal("the end of the stream is no error")
		}
		e, ok := errors.AsType[*transport.CloseError](err)
		if !ok {
			return
		}
		if len(e.Reason) > 3*wttr.MaxReason || e.Code > 1<<32-1 || !e.Remote {
			t.Fatalf("got %v", e)
		}
		again := wttr.ReadCapsules(bytes.NewReader(wttr.AppendClose(nil, uint32(e.Code), e.Reason)))
		if got := testkit.ErrAs[*transport.CloseError](t, again); got.Code != e.Code || !strings.HasPrefix(e.Reason, got.Reason) {
			t.Fatalf("%v came back as %v", e, got)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x40, 0x54, 0})
	f.Add([]byte{0x40, 0x41, 0x40, 0x10, 'x'})
	f.Add([]byte{0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := wttr.ReadHeader(b)
		if err != nil {
			return
		}
		again, err := wttr.ReadHeader(wttr.StreamHeader(id))
		testkit.NoErr(t, err)
		testkit.Equal(t, again, id)
	})
}
