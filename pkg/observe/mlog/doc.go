// Package mlog writes what MoQT sessions say and hear as a qlog file: one JSON
// record for each message and header, when it happens.
//
// The events are those of draft-pardue-moq-qlog-moq-events-08, the file is
// JSON-SEQ (RFC 7464): each record begins with the byte 1E and ends with a line
// feed, so that a file is readable up to its last byte while the program runs
// and when it has crashed. Every event has the group_id of its session. Times are
// milliseconds since the beginning of the file. What differs from the draft:
// messages carry only what is on the wire of the session's draft (there is no
// request_id in an answer), and objects have group_id, subgroup_id and object_id
// beside their delta. Payloads and tokens are not written, only their lengths.
//
// A Log starts no goroutine. It writes under its one lock, which is a leaf, in
// the goroutines of the sessions: a disk that stalls stalls them.
//
//	log, err := mlog.Create("client.qlog", mlog.Client, "moqtextclient")
//	…
//	defer log.Close()
//	s, err := session.Start(ctx, conn, session.Config{Trace: log.Session})
package mlog
