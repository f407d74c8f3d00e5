package clients

import (
	"context"
	"errors"
)

// ErrLeft is the cause with which the work of a program ends whose screen was
// left.
var ErrLeft = errors.New("the screen was left")

// Beside does the work of a program while its screen is shown, until either ends,
// and then ends the other. With stay, work that is done without an error leaves
// the screen as it is until its user does. It returns why the work ended, nil if
// that is because the screen was left, or why there is no screen.
func Beside(ctx context.Context, show, work func(context.Context) error, stay bool) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	showing, erase := context.WithCancel(ctx)
	defer erase()
	done, shown := make(chan error, 1), make(chan struct{})
	var failed error // of the screen, once that is over
	go func() {
		defer close(shown)
		failed = show(showing)
	}()
	go func() { done <- work(working) }()
	select {
	case <-shown:
		stop(ErrLeft)
		err := <-done
		switch {
		case ctx.Err() == nil && failed != nil:
			return failed
		case errors.Is(err, ErrLeft):
			return nil
		}
		return err
	case err := <-done:
		if err != nil || !stay {
			erase()
			<-shown // it has nothing more to say
			return err
		}
		<-shown
		return failed
	}
}
