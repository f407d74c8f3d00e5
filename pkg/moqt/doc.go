// Package moqt is what a Go program imports to speak MoQT, in the shape of
// net/http: it dials and serves, publishes tracks and subscribes to them. It is a
// thin face over the rooms below.
//
// # Publishing
//
// A TrackMux holds tracks, each of which is written once for all subscribers. It
// is the Handler of a Server, or of a session that was dialled, through which a
// relay subscribes to what was announced:
//
//	mux := moqt.NewTrackMux()
//	track, err := mux.PublishTrack(ctx, moqt.Track("live/cam1", "video"))
//	session, err := moqt.Dial(ctx, "moqt://relay.example:4433", &moqt.Dialer{Handler: mux, Reconnect: true})
//	_, err = session.Announce(ctx, track.Name().Namespace)
//
//	group, err := track.AppendGroup()
//	frame := moqt.NewFrame(1500)
//	frame.WriteString("hello")
//	err = group.WriteFrame(frame)
//	err = group.Close()
//
// Session.Publish offers a track to one peer by PUBLISH instead, and
// TrackMux.HandleFunc serves tracks that begin when somebody wants them.
//
// # Subscribing
//
// A TrackReader gives out a track by groups, which may overlap, or its objects in
// order:
//
//	track, err := session.Subscribe(ctx, name, moqt.StartAt(moqt.FromGroupsBack(1)))
//	for frame, err := range track.Objects(ctx) { … }
//
//	for {
//		group, err := track.AcceptGroup(ctx)
//		…
//		go read(group) // group.ReadFrame(frame) until io.EOF
//	}
//
// What was published before is fetched. Whoever reads too slowly loses the oldest
// groups and is told; memory is bounded by DefaultBuffer.
//
// # Lives
//
// The context of a call is the life of what it returns: a track that was
// published ends with it, a subscription too. Dial is the exception, as in
// package net: there it bounds the dialling. Everything ends with its Session.
// With Dialer.Reconnect a Session survives the loss of its connection and the
// GOAWAY of its peer: readers fetch what they missed.
//
// Errors are values with the codes of the drafts: *RequestError, *StreamError,
// *DoneError, *SessionError. The end of a group or track is io.EOF.
//
// # The parts below
//
// A Sequencer puts what arrives into order. A Subscriber keeps one track flowing
// over as many sessions as it takes: subscription, backlog, and what was missed
// while the connection was away. A LocalTrack is a log that a TrackMux serves; a
// Registrar keeps such tracks known at a relay. Programs that need the sessions
// themselves get them from Session.Current.
//
// # Goroutines and locks
//
// A Session has one, and one for each TrackReader, track that it publishes,
// namespace and loop of announcements; all end with it, and Session.Wait waits
// for them. A TrackMux has one for each track on demand. Objects are received in
// the goroutines of their streams.
//
// Subscriber.mu comes before TrackReader.mu, GroupWriter.mu before
// TrackWriter.mu, and all before the locks of the log. None is held while a
// function of the program is called, or a message sent.
package moqt
