// Package inspect looks at any relay as a client does: what it is told, asks for
// and receives becomes an observe.Source, which the dashboard shows as it shows a
// relay of its own.
//
// Namespaces are found by SUBSCRIBE_NAMESPACE. Tracks are found by SUBSCRIBE_TRACKS,
// where the relay publishes them; by the catalogs of the namespaces, of MSF and of
// hang; and by their names, if the user knows them. A relay that does not do one of
// these says so in an event, and the others go on.
//
// Objects of a track come only while somebody looks: a track that Options name is
// subscribed to all the time, catalogs as long as their namespace is there, every
// other one from a call of Track until LookTime after the last. A track that the
// relay publishes is accepted without forwarding until then. What came is kept in
// the object log of the relay, within one byte budget, so that groups, holes and
// objects are shown alike. From the objects the packaging, the format and the
// rhythm of media are read when State or Track is asked for.
//
// The present session is the only one that is shown. When it is lost another is
// made; meanwhile State fails, and what is known of tracks stays.
//
// It does not draw, repair gaps or change anything at the relay.
//
// Goroutines: those of the moqt.Session, one that waits for sessions, two for each
// session that ask for namespaces and tracks, one for each track that is received
// and one for its FETCH. All have ended when Close returns. Inspector.mu comes
// before the locks of the logs; a study has one of its own, which comes before
// those of the logs too, and is not taken under Inspector.mu.
//
//	i, err := inspect.Connect(ctx, inspect.Options{Target: target, Dial: dialling})
//	...
//	defer i.Close()
//	m := dashboard.New(ctx, dashboard.Options{Source: i, Remote: target.String()})
package inspect
