// Package clients has the screens of the programs that publish and receive: the
// objects of a track as they come (Text), the tracks that are made of a file
// (Streamer), and those that are written to one (Receiver).
//
// Each screen is a tea.Model that asks a func for the plain struct that it shows,
// some times a second, and draws what it got. The program never waits for it: its
// func hands out a copy, and the objects of a Text go into Rows, which keeps the
// newest and counts what it had to skip. The log of the program is taken from an
// observe.Ring. What keys change goes through functions of the program, which run
// as commands, outside of Update.
//
// The package knows no sessions, tracks or media, and starts one goroutine, in
// Beside; Bubble Tea runs the commands. A model is for one goroutine. Rows has one
// lock, which is a leaf.
//
//	rows := clients.NewRows(0)
//	m := clients.NewText(ctx, clients.TextOptions{State: state, Rows: rows})
//	_, err := tea.NewProgram(m).Run()
package clients
