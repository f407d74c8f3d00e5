package session

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

// messageReader reads control messages from a stream. The first byte of a
// message may take for ever; the rest must come within timeout.
type messageReader struct{ window *window }

func newMessageReader(src transport.ReceiveStream, d model.Draft, timeout time.Duration) *messageReader {
	return &messageReader{window: newWindow(src, d, timeout)}
}

// next returns type number and payload of the next message. The payload is
// valid until the next call. io.EOF means that the stream ended between
// messages; an end within one is a protocol violation.
func (r *messageReader) next() (typ uint64, body []byte, err error) {
	var n uint64
	err = r.window.parse(func(in *varint.Reader) error {
		typ = in.Uint()
		if b := in.Bytes(2); b != nil {
			n = uint64(b[0])<<8 | uint64(b[1])
		}
		return in.Err()
	})
	if err == nil {
		body, err = r.window.take(n)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = violation("stream ends within a control message")
	}
	return typ, body, err
}

// window is a small buffer in front of a stream through which headers are
// parsed that arrive in pieces.
type window struct {
	src     transport.ReceiveStream
	kind    varint.Kind
	timeout time.Duration // for the rest of a header once its first byte is there
	buf     []byte
	r, w    int // unread bytes are buf[r:w]
	eof     bool
	in      varint.Reader // of parse: one of its own would be allocated each time
}

// windowSize is the first size of the buffer; longer headers make it grow.
const windowSize = 1024

func newWindow(src transport.ReceiveStream, d model.Draft, timeout time.Duration) *window {
	return &window{src: src, kind: wire.VarintKind(d), timeout: timeout, buf: make([]byte, windowSize)}
}

// fill reads more bytes behind those at hand. It returns io.EOF at the end of
// an empty window and io.ErrUnexpectedEOF if bytes are left over.
func (w *window) fill() error {
	if w.r == w.w {
		w.r, w.w = 0, 0
	}
	if w.w == len(w.buf) {
		if w.r > 0 {
			w.w = copy(w.buf, w.buf[w.r:w.w])
			w.r = 0
		} else {
			w.buf = append(w.buf, make([]byte, len(w.buf))...)
		}
	}
	if w.eof {
		return w.end()
	}
	partial := w.r != w.w
	if partial {
		if err := w.src.SetReadDeadline(time.Now().Add(w.timeout)); err != nil {
			return err
		}
	}
	n, err := w.src.Read(w.buf[w.w:])
	w.w += n
	if partial && err == nil {
		err = w.src.SetReadDeadline(time.Time{})
	}
	switch {
	case n > 0 && err == io.EOF:
		w.eof = true
		return nil
	case n > 0:
		return err
	case err == io.EOF:
		w.eof = true
		return w.end()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errStalled
	}
	return err
}

func (w *window) end() error {
	if w.r == w.w {
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

// errStalled says that a header or message began and did not go on.
var errStalled = errors.New("peer stopped in the middle of a header")

// parse calls f with the bytes at hand, and again with more as long as f asks
// for them by varint.ErrTruncated, then consumes what f read. f sees the same
// bytes each time and must not keep state between failed calls.
func (w *window) parse(f func(*varint.Reader) error) error {
	for {
		if w.r != w.w {
			w.in.Reset(w.kind, w.buf[w.r:w.w])
			err := f(&w.in)
			if err == nil {
				w.r += w.in.Offset()
				return nil
			}
			if !errors.Is(err, varint.ErrTruncated) {
				return err
			}
		}
		if err := w.fill(); err != nil {
			return err
		}
	}
}

// take returns the next n bytes, which stay valid until the next call. n is at
// most the 65535 bytes of a control message.
func (w *window) take(n uint64) ([]byte, error) {
	for uint64(w.w-w.r) < n {
		if err := w.fill(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	var in varint.Reader
	in.Reset(w.kind, w.buf[w.r:w.w])
	b := in.Bytes(n)
	w.r += in.Offset()
	return b, in.Err()
}

// read reads bytes of a payload: first those at hand, then straight from the
// stream into p.
func (w *window) read(p []byte) (int, error) {
	if w.r < w.w {
		n := copy(p, w.buf[w.r:w.w])
		w.r += n
		return n, nil
	}
	if w.eof {
		return 0, io.EOF
	}
	n, err := w.src.Read(p)
	if err == io.EOF {
		w.eof = true
		if n > 0 {
			err = nil
		}
	}
	return n, err
}

// messageWriter writes whole control messages to a stream, from any goroutine.
type messageWriter struct {
	mu      sync.Mutex
	dst     transport.SendStream
	timeout time.Duration
	buf     []byte
	closed  bool
}

// write sends m. It fails if the peer takes no bytes for the timeout. After a
// failure nothing more is sent, since the peer may have got half of m.
func (w *messageWriter) write(ctx wire.Context, m wire.Message, fin bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosedWriter
	}
	b, err := wire.AppendMessage(w.buf[:0], ctx, m)
	if err != nil {
		return notSent{err}
	}
	w.buf = b
	if err := w.dst.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	if _, err := w.dst.Write(b); err != nil {
		w.closed = true
		w.dst.CancelWrite(uint64(model.ResetCancelled))
		return err
	}
	if fin {
		w.closed = true
		return w.dst.Close()
	}
	return w.dst.SetWriteDeadline(time.Time{})
}

// close sends FIN, unless something ended the stream before.
func (w *messageWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		_ = w.dst.Close() // fails only if the stream is gone, which is what we want
	}
}

// reset abandons the stream, unless its FIN is on the way: resetting behind a
// FIN could destroy the last message. A blocked write is given up.
func (w *messageWriter) reset(code uint64) {
	if !w.mu.TryLock() {
		_ = w.dst.SetWriteDeadline(time.Now()) // ends the write that holds the lock
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		w.dst.CancelWrite(code)
	}
}

var errClosedWriter = errors.New("request stream is closed for writing")
