// Package latency counts how the objects of a track arrive: how late they are,
// how evenly they come, what is missing, and for how long nothing came.
//
// A Recorder is told of each object (Observe) and of what was given up (Gap). It
// has no clock: all times are told. Its memory does not grow with the track: the
// distributions are HDR histograms, exact to a thousandth.
//
// The package knows neither media nor MoQT: who reads a track says when an
// object was captured, what its media time is, and where decoding can begin.
//
// A Recorder may be used from any goroutine; its one mutex is a leaf. It starts
// no goroutine.
//
//	rec := latency.New(latency.Options{Subscribed: time.Now()})
//	rec.Observe(latency.Arrival{At: came, Captured: captured, Group: 7, Object: 0, Key: true, Size: 1200})
//	rec.Gap(2, 66*time.Millisecond)
//	rec.Until(time.Now()) // nothing more came up to now
//	fmt.Print(rec.Report().Text())
package latency
