// Package mlog writes what MoQT sessions say and hear as qlog: one JSON record
// for each message and header, when it happens.
//
// A Log is one file for all sessions of a program. A Dir is a directory with a
// trace for each connection, in which the carrier's own events are too: the
// packets of QUIC and the messages of MoQT, by the same clock.
//
// The events are those of draft-pardue-moq-qlog-moq-events-08, the files are
// JSON-SEQ (RFC 7464): each record begins with the byte 1E and ends with a line
// feed, so that a file is readable up to its last record while the program runs
// and when it has crashed. Every event of a Log has the group_id of its session;
// a trace of a Dir has the connection's ID for that, in its header. Times are
// milliseconds since the beginning of the file. What differs from the draft:
// messages carry only what is on the wire of the session's draft (there is no
// request_id in an answer), and objects have group_id, subgroup_id and object_id
// beside their delta. Payloads and tokens are not written, only their lengths.
//
// A Log starts no goroutine. It writes under its one lock, which is a leaf, in
// the goroutines of the sessions: a disk that stalls stalls them. Each trace of a
// Dir has a goroutine that writes, and a queue of bounded length in front of it:
// a disk that stalls costs events, which are counted. Its locks are leaves too.
//
//	dir, err := mlog.OpenDir(mlog.DirConfig{Path: "traces", MaxBytes: 64 << 20, Title: "moqtextclient"})
//	…
//	defer dir.Close()
//	conn, err := quictr.Dial(ctx, addr, conf, quictr.Options{Trace: dir.Connection})
//	s, err := session.Start(ctx, conn, session.Config{Trace: dir.Session})
package mlog
