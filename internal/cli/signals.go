package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal os.Signal }

// Error names the signal.
func (e *SignalError) Error() string { return fmt.Sprintf("stopped by signal: %v", e.Signal) }

// sameWish is how long signals that follow the first count as the same one:
// timeout(1) signals the process and then its group, and means one.
const sameWish = 250 * time.Millisecond

// Context returns a context that the first SIGINT or SIGTERM ends, with a
// *SignalError as its cause, so that a program can end in good order. A second
// signal ends the process at once, with code 1 after one sentence. The caller
// calls stop when it is done; signals have their usual effect from then on.
func Context(parent context.Context) (ctx context.Context, stop context.CancelFunc) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, end := onSignal(parent, signals, os.Stderr, os.Exit)
	return ctx, func() {
		signal.Stop(signals)
		end()
	}
}

// onSignal is Context for signals that come by a channel.
func onSignal(parent context.Context, signals <-chan os.Signal, stderr io.Writer, exit func(int)) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case s := <-signals:
			cancel(&SignalError{Signal: s})
		case <-done:
			return
		}
		first := time.Now()
		for {
			select {
			case s := <-signals:
				if time.Since(first) < sameWish {
					continue
				}
				fmt.Fprintf(stderr, "Second signal (%v): ending at once, unfinished work is lost.\n", s)
				exit(ExitFailed)
				return
			case <-done:
				return
			}
		}
	}()
	var once sync.Once
	return ctx, func() {
		once.Do(func() {
			close(done)
			<-gone
			cancel(nil)
		})
	}
}

// Hangups returns a channel that gets a value for each SIGHUP from now on, which
// does not end the program then, until the caller calls stop.
func Hangups() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1) // one that waits stands for those that come meanwhile
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
