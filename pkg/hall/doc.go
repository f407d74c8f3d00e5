// Package hall lies between the porch and the rooms behind it: it shows a
// session to ingress and egress in their terms, and the object headers of
// package wire to the log as its Forms.
//
// It holds no state and makes no decisions. Over lets a Scheduler send through
// a session, Deliver follows an accepted SUBSCRIBE or PUBLISH to its
// PUBLISH_DONE, Store puts an incoming stream into a log. The Show functions say
// in the words of package observe what a log holds.
//
// It starts no goroutine and has no lock; Deliver and Store block.
//
// # Example
//
//	sched := egress.NewScheduler(s.Context(), hall.Over(s), nil)
//	sub := sched.Subscribe(log)
//	out, err := request.Accept(session.Offer{Largest: sub.Largest()}, update)
//	…
//	hall.Deliver(sub, out, hall.Options{})
package hall
