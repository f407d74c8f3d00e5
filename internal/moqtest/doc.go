// Package moqtest speaks the protocol moq-test-00 (draft-afrind-moq-test), in
// which a namespace of sixteen fields is a program: it says which objects a track
// has, so that whoever receives them can tell whether all is well.
//
// Params are those fields, and a function from Location to object. A Server
// publishes any track of the protocol, to whoever subscribes or fetches, directly
// or through a relay. A Client asks for a track and compares every object that
// comes with the function. Cases are the tables of moxygen's two conformance
// suites, Run performs them at a relay and Report writes what came of them.
//
// It decides neither where a relay is nor what is trusted, has no flags, and says
// nothing of what is not seen in objects: package interop has cases for that.
//
// Goroutines: one for each track that a Server publishes at present, which ends
// with its last subscriber; while Run performs cases, Config.Parallel of them, one
// for each client of a case, and those of the sessions. All have ended when Run
// returns, those of a Server when its sessions have. Locks: Server.mu and
// collector.mu are leaves.
//
//	p, err := moqtest.Parse(name.Namespace)
//	o, exists := p.Object(model.Location{Group: 3, Object: 1})
//
//	cases, err := moqtest.Select(moqtest.Suite80, nil)
//	…
//	results, err := moqtest.Run(ctx, moqtest.Config{Target: target, Dial: options}, cases)
package moqtest
