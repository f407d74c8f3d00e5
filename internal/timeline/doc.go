// Package timeline reads qlog traces of MoQT connections and tells what happened
// as lines, one after the other: messages, subgroups with their objects folded
// into one line each, losses, resets, the beginning and the end.
//
// Read reads one file in JSON-SEQ: those of -qlog_dir, with the packets of QUIC,
// those of -mlog_path, and what other programs write in the words of
// draft-pardue-moq-qlog-moq-events. Merge makes rows of one trace, or of the two
// of both sides of a connection: what one side sent is found again in what the
// other read, from which follow how far their clocks are apart and how long it
// took. Text and JSON write the rows.
//
// It knows nothing of MoQT beyond the names in the files, and writes no traces.
// There are no goroutines and no locks.
//
//	client, err := timeline.Read(file, "client.sqlog", "")
//	…
//	story, err := timeline.Merge(client, nil)
//	…
//	err = timeline.Text(os.Stdout, story, timeline.Layout{Width: 120})
package timeline
