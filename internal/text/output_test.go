package text

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"oxymoq/internal/date"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/moqt"
)

func TestParseExitOn(t *testing.T) {
	got, err := ParseExitOn([]string{"end", "idle", "error"})
	testkit.NoErr(t, err)
	testkit.Equal(t, got, ExitOn{End: true, Idle: true, Error: true})
	if _, err := ParseExitOn([]string{"ende"}); err == nil || !strings.Contains(err.Error(), "end, idle or error") {
		t.Error(err)
	}
}

func show(o *Output, s string) {
	o.Print(&Arrival{Track: dateTrack, Object: model.Object{Payload: []byte(s)}})
}

func TestOutputCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out screen
		ctx, stop := context.WithCancelCause(t.Context())
		o := NewOutput(ctx, &out, Plain, 2, stop)
		for _, s := range []string{"a", "b", "c"} {
			show(o, s)
		}
		testkit.ErrIs(t, context.Cause(ctx), ErrCount)
		testkit.NoErr(t, o.Close(t.Context()))
		testkit.Equal(t, o.Printed(), uint64(2))
		testkit.Equal(t, out.take(), "a\nb\n")
	})
}

// blocked is a writer that writes when it is let.
type blocked struct {
	screen
	let chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.let
	return b.screen.Write(p)
}

func TestOutputBlocksWhenTooMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &blocked{let: make(chan struct{})}
		o := NewOutput(t.Context(), w, Plain, 0, func(error) { t.Error("stopped") })
		big := strings.Repeat("x", maxPending)
		show(o, "first") // the writer has it
		synctest.Wait()
		show(o, big)
		done := make(chan struct{})
		go func() { show(o, "last"); close(done) }()
		synctest.Wait()
		select {
		case <-done:
			t.Error("takes more than the limit")
		default:
		}
		close(w.let)
		<-done
		testkit.NoErr(t, o.Close(t.Context()))
		testkit.Equal(t, w.take(), "first\n"+big+"\nlast\n")
	})
}

func TestOutputOfAReaderThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &blocked{let: make(chan struct{})}
		ctx, stop := context.WithCancelCause(t.Context())
		o := NewOutput(ctx, w, Plain, 0, stop)
		show(o, strings.Repeat("x", 2*maxPending))
		synctest.Wait()
		show(o, strings.Repeat("x", 2*maxPending))
		go func() {
			time.Sleep(time.Second)
			stop(errStopped)
		}()
		began := time.Now()
		show(o, "lost") // blocks until the program is stopped
		if err := o.Close(ctx); err == nil {
			t.Error("does not say that something is lost")
		}
		if d := time.Since(began); d != time.Second+flushTime {
			t.Errorf("the end took %v", d)
		}
		close(w.let)
	})
}

// failing is a writer that fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, fmt.Errorf("write stdout: %w", f.err) }

func TestReaderGone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		result string
	}{
		{"a broken pipe ends it quietly", syscall.EPIPE, ""},
		{"a full disk is told", syscall.ENOSPC, "cannot write: write stdout: no space left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mux := moqt.NewTrackMux()
				w.date(date.StreamPerGroup).Serve(mux)
				w.open(direct(mux))
				p := w.launch(func(c *Client) { c.Out = failing{tt.err} })
				p.result("it ends", tt.result)
			})
		})
	}
}

func TestStoppedWhileTheReaderDoesNotRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mux := moqt.NewTrackMux()
		log := muxed(mux, 1, strings.Repeat("x", 3*maxPending))
		w.open(direct(mux))
		out := &blocked{let: make(chan struct{})}
		p := w.launch(func(c *Client) { c.Out = out })
		for g := range uint64(3) {
			write(log, 2+g, 0, strings.Repeat("y", maxPending))
		}
		time.Sleep(time.Minute)
		p.stop(errStopped)
		if err := <-p.done; !errors.Is(err, errStopped) {
			t.Error(err)
		}
		close(out.let)
	})
}
