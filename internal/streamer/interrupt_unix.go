//go:build unix

package streamer

import (
	"os"
	"syscall"
)

// interruptible returns a file for the same pipe or socket whose reads heed
// deadlines, and what puts everything back as it was. If there is no such thing
// it returns f itself.
func interruptible(f *os.File) (again *os.File, undo func(), ok bool) {
	again, undo = f, func() {}
	raw, err := f.SyscallConn()
	if err != nil {
		return again, undo, false
	}
	err = raw.Control(func(fd uintptr) {
		dup, err := syscall.Dup(int(fd))
		if err != nil {
			return
		}
		syscall.CloseOnExec(dup)
		// The runtime waits for what does not block. That is a property of the
		// pipe's end and not of the descriptor, and others may have that end too.
		if syscall.SetNonblock(dup, true) != nil {
			_ = syscall.Close(dup) // it was never used
			return
		}
		again, ok = os.NewFile(uintptr(dup), f.Name()), true
	})
	if err != nil || !ok {
		return f, undo, false
	}
	return again, func() {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetNonblock(int(fd), false) })
		_ = again.Close() // nothing was written to it
	}, true
}
