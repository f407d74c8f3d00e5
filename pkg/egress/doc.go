// Package egress sends tracks to a peer: it turns cursors into streams and
// datagrams, and answers fetches.
//
// Each session has one Scheduler. A Subscription follows one track for one
// subscriber: it opens a stream for every run of a subgroup, sends what comes,
// and ends each stream with FIN if all of the subgroup was delivered from the
// start of the subscription, else with a reset that says why. ServeFetch writes
// one fetch stream from an ObjectSource.
//
// What has something to send is queued in the order subscriber priority,
// publisher priority, then the subscription's group order, then subgroup;
// subscriptions of equal priority take turns. A subscriber that is slow only
// falls behind its own cursor: it is moved on to the newest group, or its
// subscription is ended, by its Policy.
//
// What is too late by the delivery timeouts of track and subscriber is given up: a
// timer resets its stream also while the subscriber's flow control holds a Write, or
// no stream was to be had yet. What the transport has taken is out of reach.
//
// What was handed over is counted with how long it was here, for the subscriber,
// the session and the track: one look at the clock for each Write, and no
// allocation. Counting adds to atomics; nobody who looks is waited for.
//
// The package does not speak a draft: the Session that its user provides
// encodes. It decides nothing about who may subscribe, does not answer requests,
// and keeps no objects.
//
// # Goroutines
//
// Writer goroutines serve the queue with blocking Write. One or two wait for
// work while there are subscriptions; more are started while others are inside
// Write, so their number is that of blocked writes, not of open streams. One
// more waits for stream credit while somebody lacks it. The timer of delivery timeouts
// runs, on a goroutine of its own that does not block, while something waits. All end when nothing is
// left to serve; Scheduler.Wait waits for them. ServeFetch runs on the goroutine
// of its caller.
//
// # Lock order
//
// Subscription.mu, then the locks of package track, or Scheduler.mu. Wake takes
// Scheduler.mu only, and track calls it without any lock. Nothing is written to
// a stream under a lock. What OnSlow is given runs under Subscription.mu.
//
// # Example
//
//	s := egress.NewScheduler(ctx, session, counters)
//	sub := s.Subscribe(t)
//	answer(sub.Largest()) // SUBSCRIBE_OK
//	sub.Start(egress.Options{Alias: alias, Range: filter.Resolve(sub.Largest()), Forward: true})
//	<-sub.Done()
//	r := sub.Result() // PUBLISH_DONE
package egress
